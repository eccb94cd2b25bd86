"""The true counts of a month, from tickets and from the facts that figures are made of."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE
from core.people.models import Unit
from sla.opendata.terms import DIMENSIONS, NO, UNKNOWN, YES
from tickets.models import Category, table_of
from tickets.states import State
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES

_unit, _category = table_of(Unit), table_of(Category)
Nested = dict[str, dict[str, dict[str, dict[str, int]]]]
# Whose reporter is sealed from units is not counted for the public either.
_OPEN_TO_ALL = "t.type <> :report AND t.confidentiality <> ALL(CAST(:sealed AS text[])) AND t.state <> :void"
_ACCEPTED = sa.text(
    f"""
    SELECT coalesce(u.code, '0') AS area, coalesce(c.code, '0') AS category, t.type, t.channel,
        CASE WHEN t.closed_at IS NULL OR t.closed_at > :as_of THEN 'open'
             WHEN t.closed_at - t.created_at <= interval '1 day' THEN 'd1'
             WHEN t.closed_at - t.created_at <= interval '3 days' THEN 'd3'
             WHEN t.closed_at - t.created_at <= interval '7 days' THEN 'd7'
             WHEN t.closed_at - t.created_at <= interval '15 days' THEN 'd15'
             ELSE 'more' END AS days, count(*) AS n
    FROM ticket t
    LEFT JOIN unit u ON u.id = t.district_id
    LEFT JOIN category l ON l.id = t.category_id
    LEFT JOIN category c ON c.id = CAST(nullif(split_part(l.path, '.', 2), '') AS bigint)
    WHERE t.created_at >= :first AND t.created_at < :after AND {_OPEN_TO_ALL}
    GROUP BY 1, 2, 3, 4, 5
    """  # noqa: S608 - the condition is a constant of this module
)
# A due round that was closed in time has a fact `on_time` beside it; an answer has its own code.
_OUTCOME = sa.text(
    f"""
    SELECT coalesce(u.code, '0') AS area, coalesce(c.code, '0') AS category,
        (g.ref_id IS NOT NULL) AS yes, count(*) AS n
    FROM measure_fact f
    JOIN ticket t ON t.id = f.ref_id AND NOT f.record
    LEFT JOIN measure_fact g ON g.ref_id = f.ref_id AND g.seq = f.seq AND g.record = f.record
        AND g.code = :good
    LEFT JOIN unit u ON u.id = f.district_id
    LEFT JOIN category c ON c.id = f.category_id
    WHERE f.code = :asked AND f.day BETWEEN :day AND :last AND NOT f.left_out AND {_OPEN_TO_ALL}
    GROUP BY 1, 2, 3
    """  # noqa: S608 - as above
)
# population → the facts asked, the facts that say yes
OUTCOMES = {
    "on_time": ("due", "on_time"),
    "solved": ("asked_solved", "solved"),
    "satisfied": ("asked_satisfied", "satisfied"),
}


def month_after(month: date) -> date:
    """The first day of the month that follows."""
    return (month + timedelta(days=32)).replace(day=1)


async def counted(session: AsyncSession, month: date, as_of: datetime) -> Nested:
    """Everything of the month that begins on `month`, as it stood at `as_of`."""
    common = {
        "report": TicketType.REPORT.value,
        "sealed": sorted(SEALED_DEGREES),
        "void": State.VOID.value,
    }
    instants = {"first": _midnight(month), "after": _midnight(month_after(month)), "as_of": as_of}
    rows = [row._mapping for row in await session.execute(_ACCEPTED, common | instants)]
    found = {"accepted": _spread(rows, "area", ("type", "category", "channel", "days"))}
    days = {"day": month, "last": month_after(month) - timedelta(days=1)}
    for code, (asked, good) in OUTCOMES.items():
        given = await session.execute(_OUTCOME, common | days | {"asked": asked, "good": good})
        rows_of = [{**row._mapping, "outcome": YES if row.yes else NO} for row in given]
        found[code] = _spread(rows_of, "outcome", ("area", "category"))
    return found


def _spread(rows: Iterable[Any], hub: str, others: tuple[str, ...]) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = {other: {} for other in others}
    for row in rows:
        for other in others:
            line = found[other].setdefault(row[hub], {})
            line[row[other]] = line.get(row[other], 0) + row["n"]
    return found


async def names(session: AsyncSession) -> dict[str, dict[str, str]]:
    """The words of all codes as they are now."""
    found = {code: dict(one.words) for code, one in DIMENSIONS.items()}
    areas = await session.execute(
        sa.select(_unit.c.code, _unit.c.short_name).where(_unit.c.kind == "district")
    )
    found["area"] = {row.code: row.short_name for row in areas}
    roots = await session.execute(sa.select(_category.c.code, _category.c.name).where(_category.c.level == 1))
    found["category"] = {row.code: row.name for row in roots}
    found["area"].pop(UNKNOWN, None)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)
