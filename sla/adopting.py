"""Clocks that run without a policy: from before there was a ladder, or put in as past by the demo.

They get the limit, the policy and the next alarm of the pack of their start. Nothing is issued of what
fell due before the service began: a card says that somebody may still act, not that a system was installed.
"""

import json
from datetime import datetime
from typing import Any

from core.clock import Instant, database_time
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.leadership import Lease
from sla.plain import WITHOUT_LADDER, CityLimits, parsed
from tickets.actions.job import STANDING
from tickets.flow import STRANGE
from tickets.limits import Matter
from tickets.states import Stage, State

BATCH = 500
_PROBE = f"SELECT 1 FROM ticket_stage WHERE {STRANGE} LIMIT 1"  # noqa: S608 - a constant
_CLAIM = f"""
    SELECT s.id, s.stage, s.round, s.started_at, s.due_at, t.type, t.urgency, t.category_id, t.state,
        greatest(t.updated_at, coalesce($1::timestamptz, now())) AS now
    FROM ticket_stage s JOIN ticket t ON t.id = s.ticket_id
    WHERE s.id IN (SELECT id FROM ticket_stage WHERE {STRANGE} ORDER BY id LIMIT $2)
    FOR NO KEY UPDATE OF s SKIP LOCKED FOR KEY SHARE OF t SKIP LOCKED
"""  # noqa: S608 - a constant
_WRITE = """
    UPDATE ticket_stage s
    SET "limit" = c.limit_text, policy = c.policy, alarm_step = c.step, alarm_at = c.alarm
    FROM jsonb_to_recordset($1::text::jsonb)
        AS c(id bigint, limit_text text, policy text, step smallint, alarm timestamptz)
    WHERE s.id = c.id
"""


class Adopting:
    """Gives strange clocks what the others have; `now` stands in for the database's time in tests."""

    def __init__(self, db: Database, limits: CityLimits, lease: Lease, now: Instant = database_time) -> None:
        self._db = db
        self._limits = limits
        self._lease = lease
        self._now = now

    async def run(self) -> int:
        """All there are; returns how many. Without any it asks one question."""
        done = 0
        if await self._db.fetch(_PROBE):
            while count := await self._batch():
                done += count
        return done

    async def _batch(self) -> int:
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            return await adopt(uow, self._limits, self._now())


async def adopt(uow: UnitOfWork, limits: CityLimits, now: datetime | None = None) -> int:
    """A batch of them, as if the service began at `now` (default: the database's time)."""
    rows = await uow.fetch(_CLAIM, now, BATCH)
    if rows:
        await uow.fetch(_WRITE, json.dumps([_adopted(row, limits) for row in rows]))
    return len(rows)


def _adopted(row: Any, limits: CityLimits) -> dict[str, Any]:
    stage = Stage(row["stage"])
    matter = Matter(row["type"], row["urgency"], row["category_id"], row["round"])
    again = stage is Stage.TOTAL and row["round"] > 1
    limit = limits.limit(Stage.REDO if again else stage, matter, row["started_at"])
    step, alarm = 0, None
    if limit is not None and stage not in WITHOUT_LADDER:
        step, alarm = _next(row, str(limit), limits)
    if row["state"] == State.SUSPENDED.value and stage in STANDING:
        alarm = None
    return {
        "id": row["id"],
        "limit_text": None if limit is None else str(limit),
        "policy": limits.packs.on(row["started_at"]).name,
        "step": step,
        "alarm": alarm.isoformat() if alarm else None,
    }


def _next(row: Any, limit: str, limits: CityLimits) -> tuple[int, datetime | None]:
    try:
        found = limits.ladder(row["started_at"]).alarm(
            *(limits.calendar, parsed(limit), row["started_at"], row["due_at"]), late=row["now"]
        )
    except HotlineError as error:
        if error.code != "calendar_range":  # too far away for this calendar: nothing is issued
            raise
        return 0, None
    return found.step, found.at
