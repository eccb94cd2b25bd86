"""Open tickets that may be about the same matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from tickets.models import Ticket, table_of
from tickets.queries import TicketPage
from tickets.visibility import sees_every_ticket, visible_tickets
from tickets.workflow import OPEN

_ticket = table_of(Ticket)
_unit = table_of(Unit)
MOST = 8
LOOKED_AT = 2000  # the newest tickets; the cost stays the same however many there are


@dataclass(frozen=True)
class Similar:
    """An open ticket of the same caller, or of the same place and category."""

    id: int
    number: str
    title: str
    state: str
    created_at: datetime
    lead_unit: str | None
    why: str
    same_category: bool


async def similar(session: AsyncSession, actor: Actor, ticket: TicketPage) -> list[Similar]:
    """At most `MOST`, those of the same category first; only for who sees every ticket."""
    found: dict[int, Similar] = {}
    if sees_every_ticket(actor):
        phone = sa.select(_ticket.c.phone_ref).where(_ticket.c.id == ticket.id).scalar_subquery()
        for row in await _find(session, actor, ticket, _ticket.c.phone_ref == phone):
            found[row.id] = Similar(**row._mapping, why="同一来电人")
    if sees_every_ticket(actor) and ticket.address:
        newest = (
            sa.select(_ticket.c.id)
            .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
            .limit(LOOKED_AT)
        )
        near = (_ticket.c.address == ticket.address, _ticket.c.category_id == ticket.category_id)
        same = (_ticket.c.id.in_(newest), *near)
        for row in await _find(session, actor, ticket, *same):
            found.setdefault(row.id, Similar(**row._mapping, why="同一地点"))
    return sorted(found.values(), key=lambda one: not one.same_category)[:MOST]


async def _find(session: AsyncSession, actor: Actor, ticket: TicketPage, *same: Any) -> Any:
    names = ("id", "number", "title", "state", "created_at")
    category = (_ticket.c.category_id == ticket.category_id).label("same_category")
    query = (
        sa.select(*(_ticket.c[name] for name in names), _unit.c.short_name.label("lead_unit"), category)
        .outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id)
        .where(
            *same,
            _ticket.c.id != ticket.id,
            _ticket.c.state.in_([state.value for state in OPEN]),
            visible_tickets(actor),
        )
        .order_by(_ticket.c.id.desc())
        .limit(MOST)
    )
    return (await session.execute(query)).all()
