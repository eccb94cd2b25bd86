"""Many rows at once: for the demo city, imports and measurements.

Rows come complete, with ids reserved here and histories of their own; nothing is told and nobody is
asked for permission. Not for anything a person does at a screen.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from tickets.models import NumberDay, table_of
from tickets.numbers import SEQUENCE, city_day

_day = table_of(NumberDay)
CHUNK = 2000


async def reserve_ids(session: AsyncSession, table: sa.Table, count: int) -> list[int]:
    """`count` fresh ids of a table's identity column, ascending."""
    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
    query = sa.select(sa.func.nextval(sa.cast(sequence, sa.dialects.postgresql.REGCLASS))).select_from(
        sa.func.generate_series(1, count)
    )
    return sorted(int(found) for found in (await session.execute(query)).scalars())


async def insert_rows(session: AsyncSession, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows`, which all have the same keys, in chunks."""
    for start in range(0, len(rows), CHUNK):
        await session.execute(sa.insert(table), [dict(row) for row in rows[start : start + CHUNK]])


async def number_all(session: AsyncSession, area: str, instants: Sequence[datetime]) -> list[str]:
    """A number for each of `instants` (ascending), counted by day; days are opened, the sequence moved on.

    Only for days without numbers: what was numbered before keeps its days.
    """
    if not instants:
        return []
    start = int((await session.execute(sa.select(SEQUENCE.next_value()))).scalar_one())
    numbers: list[str] = []
    bases: dict[Any, int] = {}
    for offset, at in enumerate(instants):
        day, value = city_day(at), start + 1 + offset
        base = bases.setdefault(day, value - 1)
        numbers.append(f"{area}{day:%Y%m%d}{value - base:06d}")
    await session.execute(sa.select(sa.func.setval(SEQUENCE.name, start + len(instants))))
    rows = [{"area": area, "day": day, "base": base} for day, base in bases.items()]
    await session.execute(sa.insert(_day), rows)
    return numbers
