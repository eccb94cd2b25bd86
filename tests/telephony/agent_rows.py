"""Stretches of agents' states as rows, written as their owner writes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.db import Database, UnitOfWork
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from telephony.agent_time import Stretch, keep
from telephony.agents.models import AgentInterval, AgentSession

STRETCH: Any = AgentInterval.__table__  # type: ignore[attr-defined]  # set by SQLModel
SEAT: Any = AgentSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
SYSTEM = Actor.system("tests")


async def agents(db: Database, people: PeopleService, count: int, first: int = 1001) -> dict[str, int]:
    """People at telephones: extension → id."""
    found = {}
    async with db.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="c")
        for number in range(first, first + count):
            user = await people.create_user(
                uow, SYSTEM, login=f"a{number}", name=f"坐席{number}", password="Correct-Horse-9",
                unit_id=city.id, roles=frozenset({Role.AGENT}), extension=str(number),
            )  # fmt: skip
            found[str(number)] = user
    return found


async def seat(uow: UnitOfWork, user_id: int, extension: str, at: datetime) -> int:
    """A session of an agent that goes on."""
    values = {
        "user_id": user_id, "extension": extension, "pbx": "pbx1", "queues": ["hotline"], "signed_in_at": at,
        "wish": "ready", "missed": 0, "reachable": True, "calls": {}, "changed_at": at, "version": 1,
        "paused": False, "pause_reason": "",
    }  # fmt: skip
    row = await uow.session.execute(sa.insert(SEAT).values(**values).returning(SEAT.c.id))
    return int(row.scalar_one())


async def write(uow: UnitOfWork, seat_id: int, extension: str, stretches: Sequence[Stretch]) -> None:
    """Stretches that are over, and their time."""
    for one in stretches:
        await uow.session.execute(
            sa.insert(STRETCH).values(agent_session_id=seat_id, extension=extension, **vars(one))
        )
    await keep(uow, stretches)


async def begin(uow: UnitOfWork, seat_id: int, extension: str, **values: Any) -> None:
    """A stretch that goes on."""
    await uow.session.execute(
        sa.insert(STRETCH).values(agent_session_id=seat_id, extension=extension, **values)
    )
