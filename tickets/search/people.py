"""Tickets by the exact name of a citizen: names are sealed, so they are compared by their blind index.

The names are those of the citizens' records (`tickets.citizens`), which follow the tickets within
minutes. What is shown are the tickets of the number the name was given with.
"""

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.people.actor import Actor
from core.privacy import Vault
from tickets.citizens.models import CitizenName
from tickets.citizens.names import blind_name
from tickets.forms import clean
from tickets.models import Ticket, table_of
from tickets.queries.lists import TicketItem, items_of
from tickets.terms import TicketType
from tickets.visibility import SEALED_DEGREES, sees_every_ticket, visible_tickets

_ticket = table_of(Ticket)
_name = table_of(CitizenName)
MOST = 50


async def tickets_of_name(uow: UnitOfWork, actor: Actor, vault: Vault, typed: str) -> tuple[TicketItem, ...]:
    """The newest tickets of everybody of this name, as far as they may be seen; never a sealed reporter's.

    Audited: that a name was looked up and how much was found, not the name.
    """
    given = sa.select(_name.c.phone_ref).where(
        _name.c.blind == blind_name(vault, clean(typed)), _name.c.phone_ref.is_not(None)
    )
    query = (
        sa.select(_ticket.c.id)
        .where(
            _ticket.c.phone_ref.in_(given),
            _ticket.c.name_ref.is_not(None),
            visible_tickets(actor),
            _open_to(actor),
        )
        .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
        .limit(MOST)
    )
    ids = [int(found) for found in (await uow.session.execute(query)).scalars()]
    await note(uow, actor, "name", len(ids))
    return await items_of(uow.session, actor, ids)


def _open_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Looking a name up must not tell a unit which sealed ticket is whose."""
    if sees_every_ticket(actor):
        return sa.true()
    return sa.and_(
        _ticket.c.type != TicketType.REPORT.value, _ticket.c.confidentiality.not_in(SEALED_DEGREES)
    )


async def note(uow: UnitOfWork, actor: Actor, by: str, found: int) -> None:
    """Who looked tickets up by a person's name or telephone goes into the audit log."""
    await audit.record(
        uow, actor=actor, action="ticket.search", object_type="ticket", detail={"by": by, "found": found}
    )
