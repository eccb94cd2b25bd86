"""A hotline with a leader and three agents, a rota to fill, sign-ins to put down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.db import Database
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession
from telephony.shifts import service

SYSTEM = Actor.system("tests")
WEEK = date(2026, 11, 23)  # the Monday of the tests' clock
Cells = dict[tuple[str, int], str]


@dataclass
class Floor:
    """The people by login, and short ways to roster them."""

    db: Database
    clock: ManualClock
    actors: dict[str, Actor]

    def id(self, login: str) -> int:
        found = self.actors[login].user_id
        assert found is not None
        return found

    async def roster(self, cells: Cells, *, version: int, week: date = WEEK, by: str = "leader") -> int:
        """Save cells by login and weekday (0 to 6)."""
        wanted = {(self.id(who), week + timedelta(days=n)): code for (who, n), code in cells.items()}
        async with self.db.begin() as uow:
            return await service.save_week(uow, self.actors[by], week, version, wanted, {})

    async def signed_in(self, login: str, begin: datetime, end: datetime | None, *states: Any) -> None:
        """A session with its intervals: (state, reason, begin, end) each."""
        given = AgentSession(
            user_id=self.id(login), extension=login, pbx="test", queues=[], signed_in_at=begin,
            signed_out_at=end, wish="ready", paused=False, calls={}, changed_at=begin,
        )  # fmt: skip
        session = given.model_dump(exclude={"id"})
        async with self.db.begin() as uow:
            made = sa.insert(table_of(AgentSession)).values(**session).returning(table_of(AgentSession).c.id)
            ident = (await uow.session.execute(made)).scalar_one()
            for state, reason, since, until in states:
                row = {
                    "agent_session_id": ident, "user_id": self.id(login), "extension": login, "state": state,
                    "reason": reason, "started_at": since, "ended_at": until,
                }  # fmt: skip
                await uow.session.execute(sa.insert(table_of(AgentInterval)).values(**row))


@pytest.fixture
async def floor(database: Database, clock: ManualClock, people: PeopleService) -> Floor:
    actors: dict[str, Actor] = {}
    posts = {
        "agent01": Role.AGENT, "agent02": Role.AGENT, "agent03": Role.AGENT, "leader": Role.SHIFT_LEADER,
        "leader2": Role.SHIFT_LEADER, "inspector": Role.INSPECTOR, "dispatcher": Role.DISPATCHER,
    }  # fmt: skip
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="c")
        unit = await org.create_unit(uow, SYSTEM, kind="hotline", name="热线", code="h", parent=city)
        for place, (login, role) in enumerate(posts.items()):
            ident = await people.create_user(
                uow, SYSTEM, login=login, name=f"张{login}", password="Correct-Horse-9", unit_id=unit.id,
                roles=frozenset({role}), extension=str(8000 + place),
            )  # fmt: skip
            found = await people.actor_for_user(uow.session, ident)
            assert found is not None
            actors[login] = found
    return Floor(database, clock, actors)
