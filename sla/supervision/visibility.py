"""Who sees which document, as a condition of a query; who answers one."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from sla.supervision.models import SupervisionCopy, SupervisionOrder
from sla.supervision.terms import KEPT_FROM_UNITS
from tickets.models import table_of
from tickets.visibility import Condition, units_below

_order = table_of(SupervisionOrder)
_copy = table_of(SupervisionCopy)
_unit = table_of(Unit)


def visible_orders(actor: Actor) -> Condition:
    """Supervision and inspection all; the hotline those on tickets; a unit its own and its copies.

    What goes to discipline inspection nobody but the first two sees.
    """
    if actor.may(Permission.TICKET_READ_ALL):
        return sa.true()
    found: list[Condition] = []
    if actor.may(Permission.TICKET_READ_HOTLINE):
        found.append(_order.c.ticket_id.is_not(None))
    if actor.may(Permission.TICKET_READ_UNIT) and actor.unit_id is not None:
        copied = sa.exists().where(_copy.c.order_id == _order.c.id, _copy.c.unit_id.in_(units_below(actor)))
        found += [_order.c.unit_id.in_(units_below(actor)), copied]
    if not found:
        return sa.false()
    kept = sorted(kind.value for kind in KEPT_FROM_UNITS)
    return sa.and_(_order.c.kind.not_in(kept), sa.or_(*found))


async def may_answer(session: AsyncSession, actor: Actor, unit_id: int) -> bool:
    """Whether this person works for the unit, or for one above it: a town without staff has the district."""
    if not actor.may(Permission.TICKET_HANDLE) or actor.unit_id is None:
        return False
    query = sa.select(_unit.c.id).where(_unit.c.id == unit_id, _unit.c.id.in_(units_below(actor)))
    return (await session.execute(query)).first() is not None
