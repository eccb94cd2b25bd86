"""The steps of a login: password, then the code where one is due, then the session.

Between the two nobody is signed in: the browser holds a token that opens nothing but the second
step, for five minutes and five tries. The session and its token are made when the last step is done,
so that nothing a browser held before can become a session.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from core.db import UnitOfWork
from core.people.models import SecondStep, User

STEP_MINUTES = 5
MOST_TRIES = 5


@dataclass(frozen=True)
class StepNeeded:
    """The password was right; `token` opens the second step, which asks for a code or an enrolment."""

    token: str
    kind: Literal["code", "enrol"]


@dataclass(frozen=True)
class StepOpen:
    """An open second step: whose it is."""

    id: int
    user_id: int
    login: str
    name: str
    kind: Literal["code", "enrol"]


async def open_step(uow: UnitOfWork, user_id: int, token_hash: bytes) -> None:
    """Keep a fresh second step of a person; those that ran out are forgotten."""
    old = delete(SecondStep).where(col(SecondStep.user_id) == user_id, col(SecondStep.expires_at) < uow.now)
    await uow.session.execute(old)
    values = {
        "token_hash": token_hash,
        "user_id": user_id,
        "created_at": uow.now,
        "expires_at": uow.now + timedelta(minutes=STEP_MINUTES),
        "tries": 0,
    }
    await uow.session.execute(insert(SecondStep).values(**values))


async def lock_step(uow: UnitOfWork, token_hash: bytes) -> tuple[SecondStep, User] | None:
    """The open step behind a token and its person, locked; None when it is over or unknown."""
    query = (
        select(SecondStep, User)
        .join(User, col(User.id) == col(SecondStep.user_id))
        .where(
            col(SecondStep.token_hash) == token_hash,
            col(SecondStep.done_at).is_(None),
            col(SecondStep.expires_at) > uow.now,
            col(SecondStep.tries) < MOST_TRIES,
            col(User.active),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = (await uow.session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def count_try(uow: UnitOfWork, step_id: int, *, done: bool) -> None:
    """One more try of a step; `done` closes it."""
    values = {"tries": col(SecondStep.tries) + 1, "done_at": uow.now if done else None}
    await uow.session.execute(update(SecondStep).where(col(SecondStep.id) == step_id).values(**values))
