"""What reports look up besides the figures of the screens: subjects, and a counter day by day."""

from collections.abc import Mapping
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sla.measures.models import MeasureSum
from sla.measures.periods import Period
from tickets.models import Category, table_of

_sum, _category = table_of(MeasureSum), table_of(Category)


async def subject_name(session: AsyncSession, category_id: int) -> str | None:
    """The name of a category of the first level, by which sums are kept; None: there is none of this id."""
    query = sa.select(_category.c.name).where(_category.c.id == category_id, _category.c.level == 1)
    return (await session.execute(query)).scalar_one_or_none()


async def subjects(session: AsyncSession) -> list[tuple[int, str]]:
    """What a special report may be about."""
    query = sa.select(_category.c.id, _category.c.name).where(_category.c.active, _category.c.level == 1)
    return [(row.id, row.name) for row in await session.execute(query.order_by(_category.c.code))]


async def by_day(
    session: AsyncSession, scope: str, key: str, code: str, period: Period
) -> Mapping[date, int]:
    """A counter on each day of a period; 0 where nothing happened."""
    query = (
        sa.select(_sum.c.start, sa.func.sum(_sum.c.n).label("n"))
        .where(
            *(_sum.c.scope == scope, _sum.c.key == key, _sum.c.code == code, _sum.c.grain == "d"),
            _sum.c.start.between(period.first, period.last),
        )
        .group_by(_sum.c.start)
    )
    found = {row.start: int(row.n) for row in await session.execute(query)}
    days = (period.last - period.first).days + 1
    return {day: found.get(day, 0) for day in (period.first + timedelta(n) for n in range(days))}
