"""Points read. Whoever asks has asked before who may see the ticket, and shows none of a sealed one.

The newest point of a ticket counts. When that was withdrawn the ticket has none: what was given before had
been replaced as wrong already.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.machines import MachineClient
from core.people.models import User
from tickets.models import table_of
from tickets.points.datum import Datum, Point
from tickets.points.models import PointWithdrawal, TicketPoint

_point, _gone = table_of(TicketPoint), table_of(PointWithdrawal)
_user, _client = table_of(User), table_of(MachineClient)


@dataclass(frozen=True)
class Withdrawal:
    """When a point was taken back, by whom and why. The time in UTC."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Place:
    """The point that was given last; `point` is None when it was withdrawn."""

    id: int
    point: Point | None
    withdrawn: Withdrawal | None


async def points_of(session: AsyncSession, ticket_ids: Collection[int]) -> dict[int, Point]:
    """The newest point of each of these tickets that has one which was not withdrawn."""
    if not ticket_ids:
        return {}
    names = ("ticket_id", "latitude", "longitude", "datum")
    query = sa.select(*(_point.c[name] for name in names), _gone.c.point_id.label("gone"))
    query = query.outerjoin(_gone, _gone.c.point_id == _point.c.id).where(_point.c.ticket_id.in_(ticket_ids))
    query = query.distinct(_point.c.ticket_id).order_by(_point.c.ticket_id, _point.c.id.desc())
    rows = await session.execute(query)
    return {
        row.ticket_id: Point(row.latitude, row.longitude, Datum(row.datum))
        for row in rows
        if row.gone is None
    }


async def place_of(session: AsyncSession, ticket_id: int) -> Place | None:
    """The point given last, or that it was withdrawn; None when there never was one."""
    names = ("id", "latitude", "longitude", "datum")
    by = sa.func.coalesce(_user.c.name, _client.c.name).label("by")
    query = (
        sa.select(*(_point.c[name] for name in names), _gone.c.at, _gone.c.reason, by)
        .outerjoin(_gone, _gone.c.point_id == _point.c.id)
        .outerjoin(_user, _user.c.id == _gone.c.withdrawn_by)
        .outerjoin(_client, _client.c.id == _gone.c.client_id)
        .where(_point.c.ticket_id == ticket_id)
    )
    row = (await session.execute(query.order_by(_point.c.id.desc()).limit(1))).first()
    if row is None:
        return None
    if row.at is not None:
        return Place(row.id, None, Withdrawal(row.at, row.by, row.reason))
    return Place(row.id, Point(row.latitude, row.longitude, Datum(row.datum)), None)
