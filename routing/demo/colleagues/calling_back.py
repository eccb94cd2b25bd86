"""Call-back tasks, worked now and then while nobody who could work them is signed in."""

import random
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa

from core.clock import to_city
from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from routing.demo import mix
from routing.demo.colleagues.floor import Floor
from routing.demo.colleagues.presence import Present
from tickets.models import CallbackAttempt, CallbackTask, table_of

_task = table_of(CallbackTask)
_attempt = table_of(CallbackAttempt)
REAL = frozenset(role for role, may in ROLE_PERMISSIONS.items() if Permission.CALLBACK_WORK in may)
FIRST, AGAIN = (180.0, 900.0), (360.0, 720.0)  # seconds until the first and the next try
CALL = (40.0, 150.0)  # seconds on the telephone
DAY = (time(8, 30), time(21, 30))  # nobody is called out of bed
LOOK = 100
RESULTS = mix.Shares.of({"reached": 74, "no_answer": 13, "busy": 6, "switched_off": 7})
NOTES = (
    "市民表示问题已咨询清楚，感谢回电。",
    "市民表示误以为线路不通，现已了解办理渠道。",
    "已说明办理流程，市民表示明白。",
    "市民稍后自行到窗口办理，无需登记。",
)


class CallingBack:
    """Officers take tasks, call, and note what came of it."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._officers = [officer.id for officer in floor.city.posted(Role.CALLBACK_OFFICER)]

    async def work(self, present: Present) -> int:
        """Note the calls that are over, then let free officers take what is due; returns how many acts."""
        now = self._floor.services.db.clock.now()
        async with self._floor.services.db.read() as session:
            rows = (await session.execute(_open())).all()
        calling = [row for row in rows if row.claimed_by in self._officers]
        done = sum([await self._note(row) for row in calling if self._hangs_up(row) <= now])
        if present.posts & REAL or not DAY[0] <= to_city(now).time() < DAY[1]:
            return done
        busy = {row.claimed_by for row in calling} | present.users
        free = [officer for officer in self._officers if officer not in busy]
        due = [row for row in rows if row.claimed_by is None and self._due(row) <= now]
        return done + sum([await self._take(row, who) for row, who in zip(due, free, strict=False)])

    def _chance(self, row: Any) -> random.Random:
        return self._floor.chance("callback", row.id, row.attempts)

    def _due(self, row: Any) -> datetime:
        seconds = self._chance(row).uniform(*(AGAIN if row.attempts else FIRST))
        since: datetime = row.since
        return since + self._floor.after(seconds)

    def _hangs_up(self, row: Any) -> datetime:
        claimed: datetime = row.claimed_at
        return claimed + self._floor.after(self._chance(row).uniform(*CALL))

    async def _take(self, row: Any, officer: int) -> bool:
        async def work(uow: UnitOfWork, actor: Actor) -> bool:
            await self._floor.services.callbacks.claim(uow, actor, row.id, row.version)
            return True

        return await self._floor.act(
            officer, work, did="callback.claim", to=("callback", row.id), unless=REAL
        )

    async def _note(self, row: Any) -> bool:
        """A call that was begun is finished, whoever has come since."""
        draw = self._chance(row)
        result = RESULTS.draw(draw)
        note = draw.choice(NOTES) if result == "reached" else ""

        async def work(uow: UnitOfWork, actor: Actor) -> bool:
            await self._floor.services.callbacks.log_attempt(uow, actor, row.id, row.version, result, note)
            return True

        return await self._floor.act(row.claimed_by, work, did="callback.attempt", to=("callback", row.id))


def _open() -> sa.Select[Any]:
    """Open tasks by due time, with the moment of the last miss or try."""
    tried = sa.select(sa.func.max(_attempt.c.at)).where(_attempt.c.task_id == _task.c.id).scalar_subquery()
    columns = (_task.c[name] for name in ("id", "version", "attempts", "claimed_by", "claimed_at"))
    return (
        sa.select(*columns, sa.func.greatest(_task.c.missed_at, tried).label("since"))
        .where(_task.c.closed_at.is_(None))
        .order_by(_task.c.due_at, _task.c.id)
        .limit(LOOK)
    )
