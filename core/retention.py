"""What the kernel throws away, and when: a tick of the leader, in small steps.

The newest numbered row of the event log always stays, because the next number follows it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog.models import RetentionSweep
from core.db import Database
from core.settings import Retention

BATCH = 5000


@dataclass(frozen=True)
class Step:
    """Rows of one table that go after so many days; `past` is the condition by which they are past it."""

    name: str
    table: str
    past: str
    setting: str
    there: str = "true"  # which rows count at all

    def days(self, settings: Retention) -> int:
        """How long the rows are kept."""
        return int(getattr(settings, self.setting))


STEPS = (
    Step(
        "event_log",
        "event_log",
        "at < :before AND seq IS NOT NULL AND seq < (SELECT max(seq) FROM event_log)",
        "event_log_days",
    ),
    Step("outbox", "outbox", "done_at < :before", "outbox_days"),
    # Who was signed in when: kept as long as logs must be.
    Step("web_session", "web_session", "expires_at < :before", "session_days"),
)


# Shown beside them; their rows stay, what hangs on them is swept by its own room.
ELSEWHERE = (
    Step(
        "recordings",
        "call_session",
        "ended_at < :before",
        "recording_days",
        "recording IS NOT NULL AND recording_gone_at IS NULL",
    ),
    Step(
        "conversations",
        "chat_session",
        "ended_at < :before",
        "chat_days",
        "ended_at IS NOT NULL AND words_gone_at IS NULL",
    ),
)


@dataclass(frozen=True)
class Kept:
    """One line of what is kept how long (0 days: for ever): rows there are and would go, the last sweep."""

    name: str
    days: int
    rows: int
    past: int
    swept_at: datetime | None
    gone: int | None


async def sweep(db: Database, settings: Retention | None = None) -> int:
    """Delete what is past its time, and note that it was done; returns how many rows went."""
    kept, total = settings or Retention(), 0
    for step in STEPS:
        statement = text(
            f"DELETE FROM {step.table} WHERE id IN "  # noqa: S608 - names of our own
            f"(SELECT id FROM {step.table} WHERE {step.past} ORDER BY id LIMIT :batch)"
        )
        gone = 0
        while True:
            async with db.begin() as uow:
                params = {"before": uow.now - timedelta(days=step.days(kept)), "batch": BATCH}
                result = await uow.session.execute(statement, params)
                count: int = result.rowcount  # type: ignore[attr-defined]  # a cursor result
                gone += count
                if count < BATCH:
                    values = {"at": uow.now, "gone": gone}
                    note = insert(RetentionSweep).values(step=step.name, **values)
                    note = note.on_conflict_do_update(index_elements=["step"], set_=values)
                    await uow.session.execute(note)
                    break
        total += gone
    return total


async def survey(session: AsyncSession, settings: Retention, now: datetime) -> list[Kept]:
    """What is kept how long, as it stands; counts are taken from the tables themselves."""
    swept = {row.step: row for row in (await session.execute(select(RetentionSweep))).scalars()}
    found = []
    for step in (*STEPS, *ELSEWHERE):
        query = text(
            f"SELECT count(*), count(*) FILTER (WHERE {step.past}) FROM {step.table} "  # noqa: S608
            f"WHERE {step.there}"
        )
        days = step.days(settings)
        rows, past = (await session.execute(query, {"before": now - timedelta(days=days)})).one()
        past = past if days else 0
        last = swept.get(step.name)
        found.append(
            Kept(
                step.name,
                days,
                rows,
                past,
                last.at if last else None,
                last.gone if last else None,
            )
        )
    return found
