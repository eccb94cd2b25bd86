"""A city whose tickets are counted, and the two ways to count them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.clock import to_city
from core.db import Database
from sla.measures import folding, recount
from sla.measures.models import MeasureSum
from tests.tickets.conftest import City
from tickets.models import Ticket, table_of

_sum, _ticket = table_of(MeasureSum), table_of(Ticket)


async def fold(db: Database, most: int = folding.BATCH) -> None:
    """What the leader does, until nothing waits."""
    while True:
        async with db.begin() as uow:
            if not await folding.fold(uow, most):
                return


async def all_tickets(city: City) -> list[int]:
    async with city.db.read() as session:
        return list((await session.execute(sa.select(_ticket.c.id).order_by(_ticket.c.id))).scalars())


async def wrong(city: City, ids: Sequence[int] | None = None) -> list[recount.Difference]:
    """What is kept otherwise than history tells it."""
    ids = await all_tickets(city) if ids is None else ids
    async with city.db.read() as session:
        return await recount.compare(session, ids)


async def counted(
    city: City, scope: str = "all", key: str = "", grain: str = "d"
) -> dict[tuple[Any, ...], int]:
    """The kept sums of a scope: (day, code, shown apart) → n."""
    query = sa.select(_sum).where(_sum.c.scope == scope, _sum.c.key == key, _sum.c.grain == grain)
    async with city.db.read() as session:
        rows = (await session.execute(query)).all()
    return {(row.start, row.code, row.left_out): row.n for row in rows}


async def total(city: City, code: str, *, left_out: bool = False) -> int:
    """How many facts of a code are kept over all days."""
    found = await counted(city)
    return sum(n for (_day, name, apart), n in found.items() if name == code and apart is left_out)


def day(at: datetime) -> Any:
    return to_city(at).date()
