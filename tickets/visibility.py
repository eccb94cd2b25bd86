"""Who sees what, as conditions of a query: lists, pages, searches, counts and writes all use these.

The hotline sees what it took; a unit sees what it handles, and what the units below it handle;
inspection and supervision see everything. Nothing is filtered after it was read.
"""

from typing import Any

import sqlalchemy as sa

from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.flow import TicketUnit
from tickets.models import CallbackTask, Ticket, TicketDraft, table_of
from tickets.terms import Confidentiality, TicketType

Condition = sa.ColumnElement[bool]
_ticket = table_of(Ticket)
_draft = table_of(TicketDraft)
_task = table_of(CallbackTask)
_unit = table_of(Unit)
_held = table_of(TicketUnit)
# A reporter (举报) and whoever asked for secrecy is sealed from the units that handle the matter.
SEALED_DEGREES = frozenset({Confidentiality.SECRET.value, Confidentiality.ANONYMOUS.value})


def sees_every_ticket(actor: Actor) -> bool:
    """Whether no condition on units applies to this person."""
    return actor.may(Permission.TICKET_READ_ALL) or actor.may(Permission.TICKET_READ_HOTLINE)


def is_system(actor: Actor) -> bool:
    """Whether the product itself is acting (auto-signing, closing of merged tickets, handing over)."""
    return actor.user_id is None and actor.login.startswith("system:")


def visible_tickets(actor: Actor) -> Condition:
    """The condition on `ticket` rows this person may see: the unit, or one below, leads or co-handles."""
    if sees_every_ticket(actor) or is_system(actor):
        return sa.true()
    if actor.may(Permission.TICKET_READ_UNIT) and actor.unit_id is not None:
        return sa.exists().where(
            _held.c.ticket_id == _ticket.c.id,
            _held.c.until.is_(None),
            _held.c.unit_id.in_(units_below(actor)),
        )
    return sa.false()


def units_below(actor: Actor) -> sa.Select[Any]:
    """The ids of the actor's unit and of everything below it."""
    # The path ends with a dot, so that .1.5. is not a prefix of .1.51.
    return sa.select(_unit.c.id).where(_unit.c.path.like(actor.unit_path + "%"))


def visible_drafts(actor: Actor) -> Condition:
    """One's own drafts; whoever may write drafts also those nobody owns; the shift leader all."""
    if actor.may(Permission.DRAFT_READ_ALL):
        return sa.true()
    if not actor.may(Permission.DRAFT_WRITE) or actor.user_id is None:
        return sa.false()
    return sa.or_(_draft.c.owner_id == actor.user_id, _draft.c.owner_id.is_(None))


def visible_callbacks(actor: Actor) -> Condition:
    """Call-back tasks are the floor's common work."""
    return sa.true() if actor.may(Permission.CALLBACK_READ) else sa.false()


def visible_records(actor: Actor) -> Condition:
    """Numbered records without a ticket never left the hotline."""
    return sa.true() if sees_every_ticket(actor) else sa.false()


def is_sealed(actor: Actor, *, ticket_type: str, confidentiality: str) -> bool:
    """Whether the citizen of such a ticket is hidden from this person, masked values included."""
    return not sees_every_ticket(actor) and is_sealed_matter(ticket_type, confidentiality)


def is_sealed_matter(ticket_type: str, confidentiality: str) -> bool:
    """Whether the citizen of such a ticket is hidden from the units that handle it."""
    return ticket_type == TicketType.REPORT.value or confidentiality in SEALED_DEGREES
