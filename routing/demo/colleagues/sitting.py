"""Agents nobody plays sign in, go for a break now and then, and say what each call was."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.permissions import Role
from core.tables import table_of
from routing.demo import mix
from routing.demo.colleagues.floor import Floor
from routing.demo.colleagues.presence import Present
from telephony.agents import queries
from telephony.agents.models import WrapUp
from telephony.agents.queries import AgentRow
from telephony.agents.service import AgentService

_wrap = table_of(WrapUp)
BATCH = 15  # acts of one round
SPELL = timedelta(minutes=8)  # so long one is at work or away
AWAY = 0.12  # of all spells
CODING = (6.0, 26.0)  # seconds from the end of a call to its code
REASONS = mix.Shares.of({"break": 50, "training": 12, "meeting": 10, "coaching": 8, "paperwork": 20})
CODES = mix.Shares.of(
    {"registered": 58, "answered": 24, "urged": 9, "transferred": 3, "cut_off": 2, "silent": 2, "other": 2}
)


class Sitting:
    """The seats of the simulated agents."""

    def __init__(self, floor: Floor, agents: AgentService) -> None:
        self._floor = floor
        self._agents = agents
        telephones = floor.services.settings.telephony.simulator.agents
        self._people = [one for one in floor.city.posted(Role.AGENT) if one.extension][:telephones]

    async def work(self, present: Present) -> int:
        """What is due, some at a time; returns how many acts were done."""
        now = self._floor.services.db.clock.now()
        async with self._floor.services.db.read() as session:
            rows = {row.user_id: row for row in await queries.floor(session)}
            open_ones = (await session.execute(sa.select(_wrap).where(_wrap.c.ended_at.is_(None)))).all()
        wraps = {row.user_id: row for row in open_ones}
        done = 0
        for person in self._people:
            if done >= BATCH:
                break
            if person.id not in present.users:
                done += await self._look_at(person.id, rows.get(person.id), wraps.get(person.id), now)
        return done

    async def _look_at(self, user_id: int, row: AgentRow | None, wrap: Any, now: datetime) -> bool:
        if row is None:
            return await self._act(user_id, "agent.sign_in", self._agents.sign_in)
        if wrap is not None:
            return await self._code(user_id, wrap, now)
        chance = self._floor.chance("away", user_id, int(now.timestamp() // SPELL.total_seconds()))
        away = chance.random() < AWAY
        if away and row.state == "ready":
            reason = REASONS.draw(chance)
            return await self._act(user_id, "agent.not_ready", self._agents.not_ready, reason)
        if not away and row.state == "not_ready" and row.set_by is None:
            return await self._act(user_id, "agent.ready", self._agents.ready)
        return False

    async def _code(self, user_id: int, wrap: Any, now: datetime) -> bool:
        chance = self._floor.chance("code", wrap.id)
        if now < wrap.started_at + self._floor.after(chance.uniform(*CODING)):
            return False

        async def work(uow: UnitOfWork, actor: Actor) -> bool:
            await self._agents.finish_wrap_up(uow, actor, code=CODES.draw(chance))
            return True

        return await self._floor.act(user_id, work, did="agent.wrap_up", to=("user", user_id))

    async def _act(self, user_id: int, did: str, act: Any, *args: str) -> bool:
        async def work(uow: UnitOfWork, actor: Actor) -> bool:
            await act(uow, actor, *args)
            return True

        return await self._floor.act(user_id, work, did=did, to=("user", user_id))
