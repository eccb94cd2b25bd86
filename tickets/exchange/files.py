"""Files of tickets as machine clients send and fetch them; never what is the hotline's alone.

A client that reads a ticket gets what its handling units have, without what may tell who the citizen is;
one that only brought the ticket gets what it sent itself and what is open to the public.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.machines import Machine, Scope
from tickets.attachments.models import Attachment
from tickets.attachments.service import AttachmentService, Prepared
from tickets.attachments.sniff import KINDS, FileKind
from tickets.exchange import requests
from tickets.exchange.numbers import is_own, ticket_of
from tickets.models import Ticket, table_of
from tickets.public.acts import CITIZEN
from tickets.queries.veils import veil_over
from tickets.veil import covered
from tickets.visibility import visible_tickets

_file, _ticket = table_of(Attachment), table_of(Ticket)


@dataclass(frozen=True)
class FileOf:
    """A file a client may have. `own`: it came from this client; `key` is its name on our disk."""

    id: int
    ticket_id: int
    key: str
    name: str
    kind: FileKind
    size: int
    sha256: str
    own: bool
    uploaded_at: datetime


async def sender(session: AsyncSession, machine: Machine, number: str) -> tuple[int, Actor]:
    """The ticket a client may add files to, and as whom: for its citizen, or for its unit.

    Raises `ticket_not_found`, also for one it may not see, and `scope_missing` where it only reads.
    """
    ident = await ticket_of(session, machine, number)
    if Scope.TICKETS_SUBMIT.value in machine.scopes and await is_own(session, machine, ident):
        return ident, CITIZEN
    machine.require(Scope.TICKETS_HANDLE)
    return ident, machine.actor


async def add(
    uow: UnitOfWork,
    service: AttachmentService,
    machine: Machine,
    number: str,
    prepared: Prepared,
    key: str,
) -> int:
    """Make a prepared file an attachment, once per key; returns its id.

    Raises what `sender`, `requests.begin` and `AttachmentService.add` raise.
    """
    ident, actor = await sender(uow.session, machine, number)
    asked = await requests.begin(uow, machine, key, f"file {number} {prepared.values['source_sha256']}")
    if asked.again and asked.answer is not None:
        return int(asked.answer["id"])
    made = await service.add(uow, actor, ident, prepared, client_id=machine.id)
    await requests.answered(uow, machine, key, {"id": made})
    return made


async def files_of(session: AsyncSession, machine: Machine, number: str) -> list[FileOf]:
    """The files of a ticket this client may have, oldest first. Raises `ticket_not_found`."""
    ident = await ticket_of(session, machine, number)
    rows = await session.execute(_select(machine, ident).order_by(_file.c.id))
    veil = await veil_over(session, machine.actor, ident)
    return [_of(row, veil) for row in rows]


async def file_of(session: AsyncSession, machine: Machine, number: str, attachment_id: int) -> FileOf:
    """One of them. Raises `ticket_not_found`, `attachment_not_found`."""
    ident = await ticket_of(session, machine, number)
    row = (await session.execute(_select(machine, ident).where(_file.c.id == attachment_id))).first()
    if row is None:
        raise HotlineError("attachment_not_found", attachment_id=attachment_id)
    return _of(row, await veil_over(session, machine.actor, ident))


def _select(machine: Machine, ticket_id: int) -> sa.Select[Any]:
    names = ("id", "ticket_id", "key", "name", "kind", "size", "sha256", "uploaded_at")
    own = sa.func.coalesce(_file.c.client_id == machine.id, sa.false())
    reads = sa.and_(visible_tickets(machine.actor), _file.c.audience != "hotline")
    open_ = sa.and_(sa.or_(reads, _file.c.audience == "public"), ~_file.c.identifies)
    return (
        sa.select(*(_file.c[name] for name in names), own.label("own"))
        .join(_ticket, _ticket.c.id == _file.c.ticket_id)
        .where(_file.c.ticket_id == ticket_id, _file.c.withdrawn_at.is_(None), sa.or_(own, open_))
    )


def _of(row: Any, veil: Any) -> FileOf:
    name = covered(veil, row.name).replace("*", "_") if veil else row.name
    return FileOf(**{**row._mapping, "name": name, "kind": KINDS[row.kind]})
