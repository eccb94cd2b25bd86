"""Every write of points: given, and forgotten."""

from collections.abc import Collection

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from tickets.models import table_of
from tickets.points.datum import Point
from tickets.points.models import TicketPoint

_point = table_of(TicketPoint)


async def keep(uow: UnitOfWork, ticket_id: int, point: Point | None) -> None:
    """Keep where a ticket's matter is; None gives nothing. Raises `form_invalid` (latitude) for no place."""
    if point is None:
        return
    if not point.valid:
        raise HotlineError("form_invalid", fields={"latitude": "bad_value"})
    values = {"latitude": point.latitude, "longitude": point.longitude, "datum": str(point.datum)}
    await uow.put(_point, {"ticket_id": ticket_id, **values, "given_at": uow.now})


async def forget(uow: UnitOfWork, ticket_ids: Collection[int]) -> None:
    """Take away every point of these tickets: it may be where their citizen lives."""
    if ticket_ids:
        await uow.session.execute(sa.delete(_point).where(_point.c.ticket_id.in_(ticket_ids)))
