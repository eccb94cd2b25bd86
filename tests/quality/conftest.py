"""A hotline with reviewers, agents and a week of recorded calls, some with tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
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
from core.privacy import Vault
from core.settings import Settings
from core.tables import table_of
from sla.measures.counters import Counters
from sla.plain import CityLimits
from sla.quality import drawing
from sla.quality.drawing import DrawRules
from sla.quality.service import Given, QualityService
from sla.sources import shipped_calendar
from telephony.models import CallLeg, CallSession
from tickets.forms import parse_form
from tickets.models import Category
from tickets.service import TicketService

SYSTEM = Actor.system("tests")
LAST_WEEK = date(2026, 11, 16)  # the tests' clock stands on Monday the 23rd
BEGIN = datetime.fromisoformat("2026-11-17T02:00:00+00:00")


@dataclass
class Office:
    """People by login, calls by number, short ways to draw and score."""

    db: Database
    clock: ManualClock
    tickets: TicketService
    category: int
    quality: QualityService
    actors: dict[str, Actor]
    calls: list[int] = field(default_factory=list)

    def id(self, login: str) -> int:
        found = self.actors[login].user_id
        assert found is not None
        return found

    async def call(self, agent: str, *, at: datetime = BEGIN, talk: float = 120, **more: Any) -> int:
        """An ended, answered, recorded call of an agent."""
        number = len(self.calls)
        call = {
            "pbx": "test", "session_key": f"k{number}", "direction": "inbound", "caller_kind": "mobile",
            "state": "ended", "outcome": "answered", "queues": [], "transfers": [], "linkedids": [],
            "recording": "call.wav", "started_at": at, "answered_at": at,
            "ended_at": at + timedelta(seconds=talk), "version": 1, **more,
        }  # fmt: skip
        async with self.db.begin() as uow:
            made = sa.insert(table_of(CallSession)).values(**call).returning(table_of(CallSession).c.id)
            ident = int((await uow.session.execute(made)).scalar_one())
            leg = {
                "session_id": ident, "leg_key": agent, "extension": agent, "user_id": self.id(agent),
                "state": "ended", "ring_seconds": 3, "talk_seconds": talk, "hold_seconds": 0,
                "answered_at": at,
            }  # fmt: skip
            await uow.session.execute(sa.insert(table_of(CallLeg)).values(**leg))
        self.calls.append(ident)
        return ident

    async def ticket(self, call: int, **form: Any) -> int:
        """A ticket of a call."""
        raw = {
            "type": "help", "category_id": self.category, "title": "路灯不亮", "narrative": "路口的路灯不亮",
            "citizen_name": "王小明", "phone": "13800001234", **form,
        }  # fmt: skip
        async with self.db.begin() as uow:
            parsed = parse_form(raw, now=uow.now, phone_area="0773")
            made = await self.tickets.create(uow, self.actors["agent01"], parsed)
            statement = sa.text("UPDATE ticket SET call_session_id = :call WHERE id = :id")
            await uow.session.execute(statement, {"call": call, "id": made.id})
        return made.id

    async def draw(self, week: date = LAST_WEEK, *, by: str = "leader", seed: int | None = 7) -> int:
        async with self.db.begin() as uow:
            return await drawing.draw_week(uow, self.actors[by], week, DrawRules(), seed)

    async def given(
        self, points: int | None = None, *fatal: str, comment: str = "规范", sheet: int = 0
    ) -> Given:
        """Full marks, or `points` for the first item."""
        async with self.db.read() as session:
            ident, form = await drawing.sheet_in_force(session)
        marks: dict[str, int | None] = {item.code: item.points for item in form.weighed}
        if points is not None:
            marks[form.weighed[0].code] = points
        return Given(sheet or ident, marks, fatal, comment)

    async def score(self, case: int, *, by: str = "quality1", version: int = 1, **more: Any) -> None:
        given = await self.given(**more)
        async with self.db.begin() as uow:
            await self.quality.score(uow, self.actors[by], case, version, given)

    async def cases(self) -> list[int]:
        async with self.db.read() as session:
            return list((await session.execute(sa.text("SELECT id FROM quality_case ORDER BY id"))).scalars())


@pytest.fixture
async def office(
    database: Database, clock: ManualClock, people: PeopleService, vault: Vault, settings: Settings
) -> Office:
    actors: dict[str, Actor] = {}
    posts = {
        "agent01": Role.AGENT,
        "agent02": Role.AGENT,
        "leader": Role.SHIFT_LEADER,
        "officer": Role.SUPERVISION_OFFICER,
        "quality1": Role.QUALITY_REVIEWER,
        "quality2": Role.QUALITY_REVIEWER,
        "inspector": Role.INSPECTOR,
        "head": Role.DEPT_HEAD,
    }
    async with database.begin() as uow:
        city = await org.create_unit(uow, SYSTEM, kind="city", name="桂林市", code="c")
        unit = await org.create_unit(uow, SYSTEM, kind="hotline", name="热线", code="h", parent=city)
        for login, role in posts.items():
            ident = await people.create_user(
                uow, SYSTEM, login=login, name=f"张{login}", password="Correct-Horse-9", unit_id=unit.id,
                roles=frozenset({role}),
            )  # fmt: skip
            found = await people.actor_for_user(uow.session, ident)
            assert found is not None
            actors[login] = found
        category = Category(level=1, code="light", name="照明", full_name="照明", initials="zm", path=".1.")
        uow.session.add(category)
        await uow.session.flush()
        assert category.id is not None
    tickets = TicketService(database, clock, vault, settings, CityLimits(), Counters())
    quality = QualityService(shipped_calendar, 5)
    return Office(database, clock, tickets, category.id, quality, actors)
