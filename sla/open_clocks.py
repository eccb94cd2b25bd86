"""Running clocks read page by page, with what moved them, for a preview and for a recomputation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from core.clock import CITY_ZONE
from core.db import Database, UnitOfWork
from sla.recount import Past, past_of

PAGE = 5_000  # clocks
# A clock is looked at when a changed day lies between its start and its due time or next alarm.
_SCAN = """
    SELECT s.id, s.ticket_id, s.stage, s.started_at, s.due_at, s."limit", s.alarm_at, s.alarm_step,
        s.card_round
    FROM ticket_stage s
    WHERE s.ended_at IS NULL AND s.ticket_id > $1 AND s.due_at IS NOT NULL AND s."limit" IS NOT NULL
      AND s.stage NOT IN ('suspension', 'handle')
      AND ($2::timestamptz IS NULL OR (s.started_at < $3 AND greatest(s.due_at, s.alarm_at) >= $2))
    ORDER BY s.ticket_id, s.id LIMIT $4
"""
_COUNT = """
    SELECT count(*) AS clocks FROM ticket_stage s
    WHERE s.ended_at IS NULL AND s.due_at IS NOT NULL AND s."limit" IS NOT NULL
      AND s.stage NOT IN ('suspension', 'handle')
      AND ($1::timestamptz IS NULL OR (s.started_at < $2 AND greatest(s.due_at, s.alarm_at) >= $1))
"""
_SUSPENSIONS = """
    SELECT ticket_id, started_at, ended_at FROM ticket_stage
    WHERE ticket_id = ANY($1::bigint[]) AND stage = 'suspension' ORDER BY ticket_id, id
"""
# An extension is no promise any more once the matter was corrected into an urgent one.
_EXTENSIONS = """
    SELECT r.ticket_id, r.requested_at, r.decided_at, r.days
    FROM ticket_request r JOIN ticket t ON t.id = r.ticket_id
    WHERE r.ticket_id = ANY($1::bigint[]) AND t.extensions > 0 AND r.kind = 'extension'
      AND r.state = 'approved' AND (t.urgency = 'normal' OR NOT EXISTS (
        SELECT 1 FROM ticket_history h WHERE h.ticket_id = r.ticket_id AND h.action = 'edit'
          AND h.at > r.decided_at AND h.changes ?| ARRAY['type', 'urgency', 'category_id']))
    ORDER BY r.ticket_id, r.id
"""


@dataclass(frozen=True)
class Between:
    """The days that changed, as instants; None: all of them may have."""

    first: datetime | None = None
    last: datetime | None = None

    @staticmethod
    def of(first: date | None, last: date | None) -> "Between":
        """From the beginning of the first day to the end of the last."""
        if first is None or last is None:
            return Between()
        ends = last + timedelta(days=1)
        return Between(_midnight(first), _midnight(ends))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_ZONE)


async def count(db: Database, days: Between) -> int:
    """How many clocks will be looked at."""
    return int((await db.fetch(_COUNT, days.first, days.last))[0]["clocks"])


async def page(db: Database, days: Between, after: int, size: int = PAGE) -> tuple[Sequence[Any], bool]:
    """The clocks of the next tickets after `after`, all of a ticket together; True when there are no more."""
    rows = await db.fetch(_SCAN, after, days.first, days.last, size)
    if len(rows) < size:
        return rows, True
    whole = [row for row in rows if row["ticket_id"] != rows[-1]["ticket_id"]]
    if whole:
        return whole, False
    return await page(db, days, after, size * 4)  # one ticket with more clocks than a page


async def pasts(source: Database | UnitOfWork, ids: Sequence[int]) -> dict[int, Past]:
    """What moved the clocks of these tickets; those nothing happened to are not in it."""
    suspended = _grouped(await source.fetch(_SUSPENSIONS, ids))
    extended = _grouped(await source.fetch(_EXTENSIONS, ids))
    return {
        ident: past_of(suspended.get(ident, ()), extended.get(ident, ()))
        for ident in suspended.keys() | extended.keys()
    }


def _grouped(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row["ticket_id"], []).append(row)
    return found
