"""Queues of the telephone system and skill groups: who is meant to answer them.

What stands here is the plan of the hotline: which queues a person may take. Where they stand in the
telephone system follows from who is signed in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.catalog.models import CallQueue, CallQueueMember
from core.catalog.versions import Copy, touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission

KIND_WORDS = {"queue": "电话队列", "skill": "技能组"}
MAX_PENALTY = 10


@dataclass(frozen=True)
class Member:
    """Who answers a queue; a lower penalty is called first."""

    user_id: int
    login: str
    name: str
    extension: str | None
    penalty: int
    active: bool


@dataclass(frozen=True)
class Queue:
    """A queue with its people."""

    id: int
    name: str
    label: str
    kind: str
    active: bool
    members: tuple[Member, ...]


async def queues(session: AsyncSession) -> list[Queue]:
    """Every queue, closed ones too, with its members in the order they are called."""
    rows = await session.execute(
        select(
            col(CallQueueMember.queue_id), col(User.id), col(User.login), col(User.name),
            col(User.extension), col(CallQueueMember.penalty), col(User.active),
        )
        .join(User, col(User.id) == col(CallQueueMember.user_id))
        .order_by(col(CallQueueMember.penalty), col(User.login))
    )  # fmt: skip
    members: dict[int, list[Member]] = {}
    for row in rows:
        members.setdefault(row[0], []).append(Member(*row[1:]))
    found = await session.execute(select(CallQueue).order_by(col(CallQueue.sort), col(CallQueue.id)))
    return [
        Queue(row.id, row.name, row.label, row.kind, row.active, tuple(members.get(row.id, ())))
        for row in found.scalars()
    ]


async def _load_labels(session: AsyncSession) -> Mapping[str, str]:
    rows = await session.execute(select(col(CallQueue.name), col(CallQueue.label)))
    return {row.name: row.label for row in rows}


_labels: Copy[Mapping[str, str]] = Copy("queues", _load_labels)


async def labels(session: AsyncSession) -> Mapping[str, str]:
    """By the name in the telephone system, the word for a queue; up to a second old."""
    return await _labels.get(session)


async def save(
    uow: UnitOfWork, actor: Actor, *, name: str, label: str, kind: str, active: bool = True
) -> int:
    """Add a queue or change its words; the name is its own in the telephone system and never changes.

    Raises `forbidden`, `queue_name`, `queue_kind_unknown`.
    """
    actor.require(Permission.CATALOG_MANAGE)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise HotlineError("queue_name")
    if kind not in KIND_WORDS:
        raise HotlineError("queue_kind_unknown")
    await touch(uow, "queues")
    words = {"label": label, "kind": kind, "active": active}
    statement = insert(CallQueue).values(name=name, sort=100, **words)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=words)
    made = await uow.session.execute(statement.returning(col(CallQueue.id)))
    ident = int(made.scalar_one())
    await _note(uow, actor, "queue.save", ident, {"name": name, **words})
    return ident


async def set_members(
    uow: UnitOfWork, actor: Actor, queue_id: int, wanted: Sequence[tuple[int, int]]
) -> None:
    """Say who answers: pairs of user and penalty; who comes new has an open account and a telephone.

    Raises `not_found`, `queue_member`, `queue_penalty`.
    """
    actor.require(Permission.CATALOG_MANAGE)
    lock = select(col(CallQueue.id)).where(col(CallQueue.id) == queue_id).with_for_update()
    if (await uow.session.execute(lock)).first() is None:
        raise HotlineError("not_found", queue_id=queue_id)
    if any(not 0 <= penalty <= MAX_PENALTY for _, penalty in wanted):
        raise HotlineError("queue_penalty", most=MAX_PENALTY)
    ids = {user_id for user_id, _ in wanted}
    # Who is a member stays one although account or telephone are gone: the others must be changeable.
    member = select(col(CallQueueMember.user_id)).where(col(CallQueueMember.queue_id) == queue_id)
    able = and_(col(User.active), col(User.extension).is_not(None))
    known = await uow.session.execute(
        select(col(User.id)).where(col(User.id).in_(ids), or_(able, col(User.id).in_(member)))
    )
    if set(known.scalars()) != ids or len(ids) != len(wanted):
        raise HotlineError("queue_member")
    await uow.session.execute(delete(CallQueueMember).where(col(CallQueueMember.queue_id) == queue_id))
    if wanted:
        rows = [{"queue_id": queue_id, "user_id": user, "penalty": penalty} for user, penalty in wanted]
        await uow.session.execute(insert(CallQueueMember), rows)
    await _note(uow, actor, "queue.members", queue_id, {"members": [list(pair) for pair in wanted]})


async def set_active(uow: UnitOfWork, actor: Actor, queue_id: int, *, active: bool) -> None:
    """Close or open a queue in our plan. Raises `not_found`."""
    actor.require(Permission.CATALOG_MANAGE)
    statement = update(CallQueue).where(col(CallQueue.id) == queue_id).values(active=active)
    if (await uow.session.execute(statement.returning(col(CallQueue.id)))).first() is None:
        raise HotlineError("not_found", queue_id=queue_id)
    await _note(uow, actor, "queue.open" if active else "queue.close", queue_id, {})


async def _note(uow: UnitOfWork, actor: Actor, action: str, ident: int, detail: dict[str, Any]) -> None:
    await audit.record(uow, actor=actor, action=action, object_type="queue", object_id=ident, detail=detail)
