"""What a decision is made on: what the citizen was told, and the tries to reach him, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit, User
from tickets.flow import TicketContact, TicketReply
from tickets.models import Ticket, table_of
from tickets.queries.veils import veil_over
from tickets.veil import covered_in
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_reply = table_of(TicketReply)
_contact = table_of(TicketContact)
_unit = table_of(Unit)
_user = table_of(User)
MOST = 50


@dataclass(frozen=True)
class Reply:
    """What was done and what the citizen was told."""

    at: datetime
    round: int
    unit: str | None
    author: str | None
    handling: str
    public_reply: str
    solved: bool | None


@dataclass(frozen=True)
class ContactTry:
    """One try to reach the citizen."""

    at: datetime
    round: int
    unit: str | None
    author: str | None
    purpose: str
    means: str
    result: str
    note: str


async def replies(session: AsyncSession, actor: Actor, ticket_id: int) -> list[Reply]:
    """The replies of a ticket; none when this person may not see it."""
    names = ("at", "round", "handling", "public_reply", "solved")
    rows = await session.execute(_query(_reply, names, actor, ticket_id))
    veil = await veil_over(session, actor, ticket_id)
    return [Reply(**covered_in(veil, dict(row._mapping), ("handling", "public_reply"))) for row in rows]


async def contacts(session: AsyncSession, actor: Actor, ticket_id: int) -> list[ContactTry]:
    """The tries to reach the citizen; none when this person may not see the ticket."""
    names = ("at", "round", "purpose", "means", "result", "note")
    rows = await session.execute(_query(_contact, names, actor, ticket_id))
    veil = await veil_over(session, actor, ticket_id)
    return [ContactTry(**covered_in(veil, dict(row._mapping), ("note",))) for row in rows]


def _query(
    table: sa.Table, names: tuple[str, ...], actor: Actor, ticket_id: int
) -> sa.Select[tuple[object, ...]]:
    columns = (*(table.c[name] for name in names), _unit.c.short_name.label("unit"))
    return (
        sa.select(*columns, _user.c.name.label("author"))
        .select_from(table)
        .join(_ticket, _ticket.c.id == table.c.ticket_id)
        .outerjoin(_unit, _unit.c.id == table.c.unit_id)
        .outerjoin(_user, _user.c.id == table.c.actor_id)
        .where(table.c.ticket_id == ticket_id, visible_tickets(actor))
        .order_by(table.c.id.desc())
        .limit(MOST)
    )
