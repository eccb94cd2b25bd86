"""Shows a personal value in the clear: to whom it may be shown, for a reason, with an audit row."""

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from tickets.errors import checked_note
from tickets.models import CallbackTask, Ticket, TicketDraft, table_of
from tickets.queries.page import PERSONAL
from tickets.visibility import is_sealed, visible_callbacks, visible_drafts, visible_tickets

_ticket = table_of(Ticket)
_draft = table_of(TicketDraft)
_task = table_of(CallbackTask)


async def of_ticket(
    uow: UnitOfWork, actor: Actor, vault: Vault, ticket_id: int, field: str, reason: str
) -> str:
    """`field` (citizen, phone, phone2, id_number) of a ticket in the clear.

    Raises `forbidden`, `reason_required`, `ticket_not_found`, `identity_sealed`, `nothing_to_reveal`.
    """
    reason = checked_reason(actor, reason)
    column = PERSONAL.get(field)
    if column is None:
        raise HotlineError("nothing_to_reveal", field=field[:40])
    query = sa.select(_ticket.c[column].label("ref"), _ticket.c.type, _ticket.c.confidentiality)
    row = (await uow.session.execute(query.where(_ticket.c.id == ticket_id, visible_tickets(actor)))).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    if is_sealed(actor, ticket_type=row.type, confidentiality=row.confidentiality):
        raise HotlineError("identity_sealed", ticket_id=ticket_id)
    return await _reveal(uow, actor, vault, row.ref, "ticket", ticket_id, field, reason)


async def of_callback(uow: UnitOfWork, actor: Actor, vault: Vault, task_id: int, reason: str) -> str:
    """The number to call back, in the clear. Raises `callback_not_found` and the like."""
    reason = checked_reason(actor, reason)
    query = sa.select(_task.c.caller_ref).where(_task.c.id == task_id, visible_callbacks(actor))
    ref = (await uow.session.execute(query)).scalar_one_or_none()
    if ref is None:
        raise HotlineError("callback_not_found", task_id=task_id)
    return await _reveal(uow, actor, vault, ref, "callback", task_id, "phone", reason)


async def of_draft(uow: UnitOfWork, actor: Actor, vault: Vault, draft_id: int, reason: str) -> str:
    """The caller's number of a draft, in the clear. Raises `draft_not_found` and the like."""
    reason = checked_reason(actor, reason)
    query = sa.select(_draft.c.caller_ref).where(_draft.c.id == draft_id, visible_drafts(actor))
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("draft_not_found", draft_id=draft_id)
    return await _reveal(uow, actor, vault, row.caller_ref, "draft", draft_id, "phone", reason)


def checked_reason(actor: Actor, reason: str) -> str:
    """Why somebody wants to know who it is. Raises `forbidden`, `reason_required`."""
    actor.require(Permission.PERSON_REVEAL)
    reason = checked_note(reason, action="reveal", required=False)[:200]
    if not reason:
        raise HotlineError("reason_required")
    return reason


async def _reveal(
    uow: UnitOfWork,
    actor: Actor,
    vault: Vault,
    ref: int | None,
    thing: str,
    ident: int,
    field: str,
    reason: str,
) -> str:
    if ref is None:
        raise HotlineError("nothing_to_reveal", field=field)
    await audit.record(
        uow,
        actor=actor,
        action="person.reveal",
        object_type=thing,
        object_id=ident,
        reason=reason,
        detail={"field": field, "ref": ref},
    )
    return await vault.reveal(uow.session, ref)
