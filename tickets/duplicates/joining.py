"""A repeat call ends its draft: the same caller's is an urge, another's a ticket merged into the first.

The other caller keeps a number and a query code of his own, is told what becomes of the matter, and counts.
What he did not say (category, place) is taken from the matter he called about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from tickets import draft_rows
from tickets.drafts import DraftService
from tickets.models import Ticket, table_of
from tickets.service import NewTicket, TicketService
from tickets.states import OPEN, Action, State
from tickets.visibility import is_sealed_matter, visible_tickets

URGED = "又有来电人反映同一事项，已并入本单。"
_ticket = table_of(Ticket)
_TAKEN = ("category_id", "district_id", "street_id", "address", "title", "type")


@dataclass(frozen=True)
class Repeat:
    """What came of it: an urge of the caller's own ticket (`made` is None), or a ticket merged into it."""

    ticket_id: int
    number: str
    made: NewTicket | None


async def add_as_repeat(
    uow: UnitOfWork,
    drafts: DraftService,
    tickets: TicketService,
    actor: Actor,
    draft_id: int,
    version: int,
    form: Mapping[str, Any],
    ticket_id: int,
) -> Repeat:
    """End a draft as a repeat of an open ticket. The same request twice is one repeat.

    Raises what ending a draft raises, `ticket_not_found`, `master_not_open`, `repeat_sealed`.
    """
    first = await _first(uow, actor, ticket_id)
    if _sealed(first) or is_sealed_matter(str(form.get("type", "")), str(form.get("confidentiality", ""))):
        raise HotlineError("repeat_sealed", ticket_id=ticket_id)
    draft = await draft_rows.lock(uow, actor, draft_id)
    own = draft.caller_ref is not None and draft.caller_ref == first.phone_ref and not form.get("phone")
    if own:
        note = str(form.get("narrative") or "")[:2000]
        await drafts.end_as_urge(uow, actor, draft_id, version, ticket_id, note)
        return Repeat(ticket_id, first.number, None)
    made = await tickets.create_from_draft(uow, actor, draft_id, _filled(form, first), version)
    row = (await uow.session.execute(_state_of(made.id))).one()
    if State(row.state) is State.MERGED:
        return Repeat(ticket_id, first.number, made)
    await tickets.act(uow, actor, made.id, row.version, Action.MERGE, {"master_id": ticket_id})
    await tickets.urge(uow, actor, ticket_id, URGED, call=draft.call_session_id)
    return Repeat(ticket_id, first.number, made)


async def _first(uow: UnitOfWork, actor: Actor, ticket_id: int) -> Any:
    columns = ("id", "number", "state", "confidentiality", "phone_ref", *_TAKEN)
    query = sa.select(*(_ticket.c[name] for name in columns))
    row = (await uow.session.execute(query.where(_ticket.c.id == ticket_id, visible_tickets(actor)))).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    if State(row.state) not in OPEN:
        raise HotlineError("master_not_open", ticket_id=ticket_id, master_id=ticket_id)
    return row


def _state_of(ticket_id: int) -> sa.Select[Any]:
    return sa.select(_ticket.c.state, _ticket.c.version).where(_ticket.c.id == ticket_id)


def _sealed(row: Any) -> bool:
    return is_sealed_matter(row.type, row.confidentiality)


def _filled(form: Mapping[str, Any], first: Any) -> dict[str, Any]:
    """What was typed, and for what was not the first caller's matter; his words stay his."""
    told = dict(form)
    place = not any(told.get(name) for name in ("district_id", "street_id", "address"))
    for name in _TAKEN:
        if told.get(name) or (name in ("district_id", "street_id", "address") and not place):
            continue
        value = getattr(first, name)
        if value:
            told[name] = value if isinstance(value, str) else str(value)
    if not told.get("narrative"):
        told["narrative"] = f"来电反映的事项与工单 {first.number} 相同。"
    return told
