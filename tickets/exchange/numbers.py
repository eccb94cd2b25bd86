"""Numbers of other systems at our tickets: kept once, found from either side, shown to the hotline."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.machines import Machine, MachineClient
from tickets.exchange.models import MAX_OUTER, OuterTicket
from tickets.forms import clean
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets

_outer, _client, _ticket = table_of(OuterTicket), table_of(MachineClient), table_of(Ticket)

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))"


@dataclass(frozen=True)
class OuterNumber:
    """What another system calls a ticket. `way`: `came` from it, or `went` to it."""

    system: str
    name: str
    number: str | None
    way: str


def seen_by(machine: Machine) -> sa.ColumnElement[bool]:
    """The condition on `ticket` rows a client may see: as its actor, and what it brought or took on."""
    own = sa.exists().where(_outer.c.ticket_id == _ticket.c.id, _outer.c.client_id == machine.id)
    return sa.or_(visible_tickets(machine.actor), own)


async def ticket_of(session: AsyncSession, machine: Machine, number: str) -> int:
    """The id of the ticket with our number. Raises `ticket_not_found` also for one it may not see."""
    query = sa.select(_ticket.c.id).where(_ticket.c.number == number[:40], seen_by(machine))
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise HotlineError("ticket_not_found")
    return found


async def is_own(session: AsyncSession, machine: Machine, ticket_id: int) -> bool:
    """Whether the client brought this ticket."""
    query = sa.select(_outer.c.id).where(
        _outer.c.ticket_id == ticket_id, _outer.c.client_id == machine.id, _outer.c.way == "came"
    )
    return (await session.execute(query)).first() is not None


def checked(number: str | None) -> str | None:
    """A number as it is kept, None for none. Raises `form_invalid` (outer_number)."""
    found = clean(number or "")
    if len(found) > MAX_OUTER:
        raise HotlineError("form_invalid", fields={"outer_number": "too_long"})
    return found or None


async def link(uow: UnitOfWork, machine: Machine, ticket_id: int, way: str, number: str | None) -> None:
    """Keep a client's number at a ticket; the first way stays, a number that is there is not changed.

    Raises `outer_number_taken` when the client calls another ticket so, or this one otherwise.
    """
    number = checked(number)
    mine, same = _outer.c.client_id == machine.id, _outer.c.ticket_id == ticket_id
    if number is not None:
        await uow.fetch(_LOCK, f"outer:{machine.id}:{number}")
        same = sa.or_(same, _outer.c.number == number)
    query = sa.select(_outer.c.id, _outer.c.ticket_id, _outer.c.number).where(mine, same).with_for_update()
    rows = (await uow.session.execute(query)).all()
    if any(row.ticket_id != ticket_id or (number and row.number not in (None, number)) for row in rows):
        raise HotlineError("outer_number_taken")
    if not rows:
        values = {"client_id": machine.id, "ticket_id": ticket_id, "way": way, "number": number}
        await uow.session.execute(sa.insert(_outer).values(**values, created_at=uow.now))
    elif number is not None:
        changed = sa.update(_outer).where(_outer.c.id == rows[0].id).values(number=number)
        await uow.session.execute(changed)


async def numbers_of(session: AsyncSession, ticket_id: int) -> list[OuterNumber]:
    """The chain of numbers of a ticket, in the order in which they came."""
    query = (
        sa.select(_client.c.code, _client.c.name, _outer.c.number, _outer.c.way)
        .join(_client, _client.c.id == _outer.c.client_id)
        .where(_outer.c.ticket_id == ticket_id)
        .order_by(_outer.c.id)
    )
    return [OuterNumber(*row) for row in await session.execute(query)]


async def find_by_outer(session: AsyncSession, actor: Actor, typed: str, *, limit: int = 25) -> list[int]:
    """The tickets other systems call so, newest first, as far as this person may see them."""
    number = clean(typed)[:MAX_OUTER]
    query = (
        sa.select(_ticket.c.id)
        .join(_outer, _outer.c.ticket_id == _ticket.c.id)
        .where(_outer.c.number == number, visible_tickets(actor))
        .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
        .limit(limit)
    )
    return list(dict.fromkeys((await session.execute(query)).scalars())) if number else []
