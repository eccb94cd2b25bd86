"""The rows behind drafts: locked, checked, ended. Shared by the draft and the ticket service."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from tickets import history
from tickets.errors import conflict
from tickets.events import DraftEnded
from tickets.models import Ticket, TicketDraft, table_of
from tickets.terms import DraftEnd

_draft = table_of(TicketDraft)
_ticket = table_of(Ticket)


@dataclass(frozen=True)
class DraftRow:
    """A draft as it stands, locked until the transaction ends."""

    id: int
    version: int
    owner_id: int | None
    caller_ref: int | None
    call_session_id: int | None
    form_sealed: bytes | None
    ended_as: str | None
    ended_code: str | None
    ended_by: int | None
    ticket_id: int | None
    record_number: str | None


_LOOK = f"""
    SELECT {", ".join(DraftRow.__dataclass_fields__)} FROM ticket_draft
    WHERE id = $1 AND ($2 OR owner_id = $3 OR owner_id IS NULL)
"""  # noqa: S608 - names of columns
_LOCK = _LOOK + " FOR UPDATE"


async def lock(uow: UnitOfWork, actor: Actor, draft_id: int, *, on_call: bool = False) -> DraftRow:
    """The draft, locked; raises `draft_not_found` unless the actor may see it or is `on_call`.

    A hopeful transaction looks at it without a lock.
    """
    everything = on_call or actor.may(Permission.DRAFT_READ_ALL)
    writes = actor.may(Permission.DRAFT_WRITE) and actor.user_id is not None
    # In SQL of its own, since every ticket begins here; the same rule as `visibility.visible_drafts`.
    ask, text = (uow.look, _LOOK) if uow.hopeful else (uow.fetch, _LOCK)
    found = await ask(text, draft_id, everything, actor.user_id) if everything or writes else ()
    if not found:
        raise HotlineError("draft_not_found", draft_id=draft_id)
    if uow.hopeful:
        uow.looked_at(_draft, draft_id)
    return DraftRow(**found[0])


async def lock_open(uow: UnitOfWork, actor: Actor, draft_id: int, version: int) -> DraftRow:
    """The draft, locked, open, the actor's own (or nobody's) and at `version`.

    Raises `draft_not_found`, `draft_already_ended`, `draft_not_yours` or `version_conflict`.
    """
    return await check_writable(uow, actor, await lock(uow, actor, draft_id), version)


async def check_writable(uow: UnitOfWork, actor: Actor, row: DraftRow, version: int) -> DraftRow:
    """The locked `row` itself, once it is sure to be open, the actor's and at `version`."""
    await check_open(uow, row)
    check_owner(actor, row)
    if row.version != version:
        raise conflict("draft", row.id, ours=version, theirs=row.version)
    return row


async def check_open(uow: UnitOfWork, row: DraftRow) -> None:
    """Raise `draft_already_ended` with the number it ended under."""
    if row.ended_as is None:
        return
    number = row.record_number
    if row.ticket_id is not None:
        query = sa.select(_ticket.c.number).where(_ticket.c.id == row.ticket_id)
        number = (await uow.session.execute(query)).scalar_one()
    raise HotlineError(
        "draft_already_ended",
        draft_id=row.id,
        ended_as=row.ended_as,
        ended_code=row.ended_code,
        number=number,
    )


def check_owner(actor: Actor, row: DraftRow) -> None:
    """Raise `draft_not_yours` unless the actor owns the draft, or nobody does and the actor may write."""
    actor.require(Permission.DRAFT_WRITE)
    if row.owner_id is not None and row.owner_id != actor.user_id:
        raise HotlineError("draft_not_yours", draft_id=row.id, owner_id=row.owner_id)


def is_replay(actor: Actor, row: DraftRow, version: int, ended_as: DraftEnd) -> bool:
    """Whether this very person already ended this draft this way from this version (a double click)."""
    return row.ended_as == ended_as.value and row.ended_by == actor.user_id and row.version == version + 1


async def end(
    uow: UnitOfWork,
    actor: Actor,
    row: DraftRow,
    ended_as: DraftEnd,
    *,
    code: str | None = None,
    ticket_id: int | None = None,
    record_number: str | None = None,
    form_sealed: bytes | None = None,
) -> None:
    """End a locked, open draft; its last form stays sealed with it."""
    values: dict[str, Any] = {
        "version": row.version + 1,
        "owner_id": row.owner_id or actor.user_id,
        "ended_at": uow.now,
        "ended_as": ended_as.value,
        "ended_code": code,
        "ended_by": actor.user_id,
        "ticket_id": ticket_id,
        "record_number": record_number,
    }
    if form_sealed is not None:
        values |= {"form_sealed": form_sealed, "saved_at": uow.now}
    await uow.change_seen(_draft, row.id, row.version, **values)
    await history.append_draft(
        uow, draft_id=row.id, actor_id=actor.user_id, action="ended", version=row.version + 1
    )
    await uow.emit(DraftEnded(row.id, row.version + 1, values["owner_id"], ended_as.value))


def seal(vault: Vault, draft_id: int, data: bytes) -> bytes:
    """The packed form, sealed for this draft and no other."""
    return vault.seal(data, aad=_place(draft_id))


def unseal(vault: Vault, draft_id: int, blob: bytes | None) -> bytes | None:
    """The packed form of a draft; None for one that was never saved."""
    return None if blob is None else vault.unseal(bytes(blob), aad=_place(draft_id))


def _place(draft_id: int) -> str:
    return f"ticket_draft:form:{draft_id}"
