"""Points read. Whoever asks has asked before who may see the ticket, and shows none of a sealed one."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from tickets.models import table_of
from tickets.points.datum import Datum, Point
from tickets.points.models import TicketPoint

_point = table_of(TicketPoint)


async def points_of(session: AsyncSession, ticket_ids: Collection[int]) -> dict[int, Point]:
    """The newest point of each of these tickets that has one."""
    if not ticket_ids:
        return {}
    names = ("ticket_id", "latitude", "longitude", "datum")
    query = sa.select(*(_point.c[name] for name in names)).where(_point.c.ticket_id.in_(ticket_ids))
    query = query.distinct(_point.c.ticket_id).order_by(_point.c.ticket_id, _point.c.id.desc())
    rows = await session.execute(query)
    return {row.ticket_id: Point(row.latitude, row.longitude, Datum(row.datum)) for row in rows}
