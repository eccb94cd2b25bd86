"""Holds what is kept against what history tells: facts one by one, and sums against facts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE
from core.db import Database
from sla.measures.folding import SPREAD
from sla.measures.periods import Period
from sla.measures.recount import Difference, compare
from tickets.models import IntakeRecord, Ticket, table_of

_ticket, _record = table_of(Ticket), table_of(IntakeRecord)
CHUNK = 500
MOST_KEPT = 1_000  # differences that are told one by one
Progress = Callable[[int, int], None]

_SUMS = f"""
    WITH told AS (
        SELECT scope, code, grain, start, key, left_out, count(*) AS n FROM measure_fact
        {SPREAD} AND day BETWEEN :first AND :last AND grain = 'd'
        GROUP BY scope, code, grain, start, key, left_out
    ), kept AS (
        SELECT scope, code, grain, start, key, left_out, n FROM measure_sum
        WHERE grain = 'd' AND start BETWEEN :first AND :last
    )
    SELECT scope, code, start, key, left_out, coalesce(k.n, 0) AS kept, coalesce(t.n, 0) AS told
    FROM told t FULL JOIN kept k USING (scope, code, grain, start, key, left_out)
    WHERE t.n IS DISTINCT FROM k.n ORDER BY start, code, scope, key LIMIT :most
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True)
class SumDifference:
    """A sum that is not the number of its facts."""

    scope: str
    code: str
    day: date
    key: str
    left_out: bool
    kept: int
    told: int


@dataclass
class Verdict:
    """What was looked at, and what differs."""

    tickets: int = 0
    records: int = 0
    facts: int = 0  # that differ
    first: list[Difference] = field(default_factory=list)  # the first of them
    sums: list[SumDifference] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether everything is as history tells it."""
        return not self.facts and not self.sums


async def verify(db: Database, period: Period, progress: Progress) -> Verdict:
    """Recount the facts of a period from raw history; changes nothing."""
    found = Verdict()
    for table, record in ((_ticket, False), (_record, True)):
        async with db.read() as session:
            most = await _count(session, table, period)
        upto, done = 0, 0
        while True:
            ids, differences = await _chunk(db, table, upto, period, record=record)
            if not ids:
                break
            upto, done = ids[-1], done + len(ids)
            found.facts += len(differences)
            found.first += differences[: MOST_KEPT - len(found.first)]
            progress(done, max(most, done))
        if record:
            found.records = done
        else:
            found.tickets = done
    async with db.read() as session:
        values = {"first": period.first, "last": period.last, "most": MOST_KEPT}
        rows = (await session.execute(sa.text(_SUMS), values)).all()
    found.sums = [
        SumDifference(row.scope, row.code, row.start, row.key, row.left_out, row.kept, row.told)
        for row in rows
    ]
    return found


def _before(table: sa.Table, period: Period) -> sa.ColumnElement[bool]:
    """What was there in the period at all."""
    end = datetime.combine(period.last + timedelta(days=1), time(), CITY_ZONE)
    condition: sa.ColumnElement[bool] = table.c.created_at < end
    return condition


async def _count(session: AsyncSession, table: sa.Table, period: Period) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(_before(table, period))
    return int((await session.execute(query)).scalar_one())


async def _chunk(
    db: Database, table: sa.Table, upto: int, period: Period, *, record: bool
) -> tuple[list[int], list[Difference]]:
    """The next ones, at one instant: facts, steps that wait and history belong together."""
    query = sa.select(table.c.id).where(table.c.id > upto, _before(table, period)).order_by(table.c.id)
    async with db.read() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        ids = list((await session.execute(query.limit(CHUNK))).scalars())
        differences = await compare(session, ids, record=record)
    return ids, [one for one in differences if _within(one, period)]


def _within(one: Difference, period: Period) -> bool:
    return any(fact is not None and period.first <= fact.day <= period.last for fact in (one.kept, one.told))


def as_data(found: Verdict) -> dict[str, Any]:
    """The verdict as JSON has it."""
    return {
        "right": found.right,
        "tickets": found.tickets,
        "records": found.records,
        "facts_that_differ": found.facts,
        "facts": [
            {
                "record" if one.record else "ticket": one.ref_id,
                "code": one.key[0],
                "seq": one.key[1],
                "kept": None if one.kept is None else _plain(one.kept._asdict()),
                "told": None if one.told is None else _plain(one.told._asdict()),
            }
            for one in found.first
        ],
        "sums": [_plain(vars(one)) for one in found.sums],
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
