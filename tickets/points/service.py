"""Every write of points: given, taken back, and forgotten."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.machines import Machine
from core.people.permissions import Permission
from tickets.forms import clean
from tickets.models import Ticket, table_of
from tickets.points.datum import Point
from tickets.points.models import PointWithdrawal, TicketPoint
from tickets.visibility import visible_tickets

_point, _gone, _ticket = table_of(TicketPoint), table_of(PointWithdrawal), table_of(Ticket)
MAX_REASON = 200


async def keep(uow: UnitOfWork, ticket_id: int, point: Point | None) -> None:
    """Keep where a ticket's matter is; None gives nothing. Raises `form_invalid` (latitude) for no place."""
    if point is None:
        return
    if not point.valid:
        raise HotlineError("form_invalid", fields={"latitude": "bad_value"})
    values = {"latitude": point.latitude, "longitude": point.longitude, "datum": str(point.datum)}
    await uow.put(_point, {"ticket_id": ticket_id, **values, "given_at": uow.now})


async def withdraw(uow: UnitOfWork, actor: Actor, ticket_id: int, point_id: int, reason: str) -> None:
    """A person of the hotline takes back the point he saw; the ticket has none then. Twice is once. Audited.

    Raises `forbidden`, `ticket_not_found`, `point_changed` (another was given meanwhile), `point_reason`.
    """
    actor.require(Permission.TICKET_NOTE)
    actor.require(Permission.TICKET_READ_HOTLINE)
    query = sa.select(_ticket.c.id).where(_ticket.c.id == ticket_id, visible_tickets(actor))
    if (await uow.session.execute(query)).first() is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    if await _newest(uow, ticket_id) != point_id:
        raise HotlineError("point_changed", ticket_id=ticket_id)
    await _take_back(uow, actor, ticket_id, point_id, reason, {"withdrawn_by": actor.user_id})


async def withdraw_brought(uow: UnitOfWork, machine: Machine, ticket_id: int, reason: str) -> None:
    """A machine client takes back the point of a ticket it brought, which the caller has asked. Audited.

    Raises `point_missing`, `point_reason`.
    """
    point_id = await _newest(uow, ticket_id)
    if point_id is None:
        raise HotlineError("point_missing", ticket_id=ticket_id)
    await _take_back(uow, machine.actor, ticket_id, point_id, reason, {"client_id": machine.id})


async def _newest(uow: UnitOfWork, ticket_id: int) -> int | None:
    query = sa.select(_point.c.id).where(_point.c.ticket_id == ticket_id)
    found: int | None = (
        await uow.session.execute(query.order_by(_point.c.id.desc()).limit(1))
    ).scalar_one_or_none()
    return found


async def _take_back(
    uow: UnitOfWork, actor: Actor, ticket_id: int, point_id: int, reason: str, who: dict[str, int | None]
) -> None:
    reason = clean(reason)
    if not reason or len(reason) > MAX_REASON:
        raise HotlineError("point_reason", limit=MAX_REASON)
    statement = insert(_gone).values(point_id=point_id, at=uow.now, reason=reason, **who)
    made = statement.on_conflict_do_nothing(index_elements=["point_id"]).returning(_gone.c.point_id)
    if (await uow.session.execute(made)).first() is None:
        return
    await audit.record(
        uow,
        actor=actor,
        action="point.withdraw",
        object_type="ticket",
        object_id=ticket_id,
        reason=reason,
        detail={"point": point_id},
    )


async def forget(uow: UnitOfWork, ticket_ids: Collection[int]) -> None:
    """Take away every point of these tickets: it may be where their citizen lives."""
    if ticket_ids:
        await uow.session.execute(sa.delete(_point).where(_point.c.ticket_id.in_(ticket_ids)))
