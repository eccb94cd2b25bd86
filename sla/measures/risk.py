"""Tickets a unit still owes, those due first in front: the risk list of supervision."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from tickets.models import Ticket, table_of
from tickets.queries import TicketItem
from tickets.queries.lists import items_of
from tickets.queries.risk import is_running
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)


async def risk_list(session: AsyncSession, actor: Actor, most: int) -> tuple[TicketItem, ...]:
    """In the order of the index of due times: the cost follows `most`, not the number of tickets."""
    query = (
        sa.select(_ticket.c.id)
        .where(is_running(), visible_tickets(actor))
        .order_by(_ticket.c.due_at, _ticket.c.id)
        .limit(most)
    )
    return await items_of(session, actor, list((await session.execute(query)).scalars()))
