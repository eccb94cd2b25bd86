"""Attachments as a person may see them. Who may is a condition of each statement, never a check after it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.machines import MachineClient
from core.people.models import Unit, User
from core.people.permissions import Permission
from tickets.attachments.models import Attachment
from tickets.attachments.sniff import KINDS, FileKind
from tickets.models import Ticket, table_of
from tickets.queries.veils import confidential, veil_over
from tickets.veil import Veil, covered
from tickets.visibility import Condition, is_sealed, sees_every_ticket, visible_tickets

AUDIENCES = {"hotline": "仅热线中心", "handling": "承办单位", "public": "可向市民公开"}
_file = table_of(Attachment)
_ticket = table_of(Ticket)
_user = table_of(User)
_unit = table_of(Unit)
_client = table_of(MachineClient)


@dataclass(frozen=True)
class TicketFacts:
    """What a write of attachments needs to know of the ticket."""

    id: int
    number: str
    version: int
    state: str
    is_confidential: bool
    sealed: bool


@dataclass(frozen=True)
class AttachmentItem:
    """One attachment; `sealed` says that the reporter of its ticket is hidden from this person."""

    id: int
    ticket_id: int
    key: str
    name: str
    kind: FileKind
    size: int
    sha256: str
    audience: str
    identifies: bool
    redacted_of_id: int | None
    scanned: bool
    uploaded_by_id: int | None
    uploaded_by: str | None
    client: str | None  # the system that sent it
    unit_id: int | None
    unit: str | None
    uploaded_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def is_picture(self) -> bool:
        """Whether it was re-made here and may be shown within a page."""
        return self.kind.family == "image"

    @property
    def audience_word(self) -> str:
        return AUDIENCES[self.audience]


def visible_attachments(actor: Actor) -> Condition:
    """The condition on `ticket_attachment` joined with its ticket.

    A handling unit never sees what is the hotline's, nor, on a sealed ticket, what may tell who
    reported, whatever audience was once chosen for it.
    """
    if sees_every_ticket(actor):
        return visible_tickets(actor)
    hidden = sa.and_(_file.c.identifies, confidential())
    return sa.and_(visible_tickets(actor), _file.c.audience != "hotline", ~hidden)


async def ticket_facts(
    session: AsyncSession, actor: Actor, ticket_id: int, *, lock: bool = False
) -> TicketFacts:
    """The ticket; raises `ticket_not_found` when there is none this person may see."""
    names = ("id", "number", "version", "state", "type", "confidentiality")
    query = sa.select(*(_ticket.c[name] for name in names), confidential().label("is_confidential"))
    query = query.where(_ticket.c.id == ticket_id, visible_tickets(actor))
    row = (await session.execute(query.with_for_update(key_share=True) if lock else query)).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    sealed = is_sealed(actor, ticket_type=row.type, confidentiality=row.confidentiality)
    return TicketFacts(row.id, row.number, row.version, row.state, row.is_confidential, sealed)


async def attachment_list(session: AsyncSession, actor: Actor, ticket_id: int) -> list[AttachmentItem]:
    """The attachments of a ticket, oldest first; withdrawn ones are shown as withdrawn."""
    query = _items(actor).where(_file.c.ticket_id == ticket_id).order_by(_file.c.id)
    veil = await veil_over(session, actor, ticket_id)
    return [_item(row, veil) for row in await session.execute(query)]


async def attachment(
    session: AsyncSession, actor: Actor, ticket_id: int, attachment_id: int
) -> AttachmentItem:
    """One attachment of this very ticket. Raises `attachment_not_found`."""
    query = _items(actor).where(_file.c.id == attachment_id, _file.c.ticket_id == ticket_id)
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("attachment_not_found", attachment_id=attachment_id)
    return _item(row, await veil_over(session, actor, ticket_id))


def may_fetch(actor: Actor, item: AttachmentItem) -> bool:
    """A withdrawn file is handed out to those who watch over everything, and to nobody else."""
    return item.withdrawn_at is None or actor.may(Permission.TICKET_READ_ALL)


def may_withdraw(actor: Actor, item: AttachmentItem) -> bool:
    """The hotline may take any attachment back, a unit its own."""
    if item.withdrawn_at is not None or not actor.may(Permission.TICKET_NOTE):
        return False
    return sees_every_ticket(actor) or (item.unit_id is not None and item.unit_id == actor.unit_id)


def may_share(actor: Actor, item: AttachmentItem) -> bool:
    """Who sees an attachment is the hotline's decision."""
    return item.withdrawn_at is None and actor.may(Permission.TICKET_NOTE) and sees_every_ticket(actor)


_PLAIN = ("id", "ticket_id", "key", "name", "kind", "size", "sha256", "audience", "identifies")
_MORE = ("redacted_of_id", "scanned", "unit_id", "uploaded_at", "withdrawn_at", "withdrawn_reason")


def _items(actor: Actor) -> sa.Select[Any]:
    uploader, withdrawer = _user.alias("uploader"), _user.alias("withdrawer")
    return (
        sa.select(
            *(_file.c[name] for name in (*_PLAIN, *_MORE)),
            _file.c.uploaded_by.label("uploaded_by_id"),
            uploader.c.name.label("uploaded_by"),
            _client.c.name.label("client"),
            _unit.c.short_name.label("unit"),
            withdrawer.c.name.label("withdrawn_by"),
        )
        .select_from(_file)
        .join(_ticket, _ticket.c.id == _file.c.ticket_id)
        .outerjoin(uploader, uploader.c.id == _file.c.uploaded_by)
        .outerjoin(_client, _client.c.id == _file.c.client_id)
        .outerjoin(withdrawer, withdrawer.c.id == _file.c.withdrawn_by)
        .outerjoin(_unit, _unit.c.id == _file.c.unit_id)
        .where(visible_attachments(actor))
    )


def _item(row: Any, veil: Veil | None) -> AttachmentItem:
    values = dict(row._mapping) | {"kind": KINDS[row.kind]}
    # A name on the disk of whoever fetches it: the signs of a mask are not allowed there.
    values["name"] = covered(veil, row.name).replace("*", "_") if veil else row.name
    values["withdrawn_reason"] = covered(veil, row.withdrawn_reason) if row.withdrawn_reason else None
    return AttachmentItem(**values)
