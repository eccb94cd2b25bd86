"""Deleting a citizen: every value that says who he is loses its key; what was done for him stays.

Numbers, names, ID numbers, second numbers nobody else has, query codes and notes are destroyed, points
on the map, and what agents typed into the drafts of his calls; what was written in his conversations
goes by the event. Tickets keep their number, texts and history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.models import LegalHold
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import PersonalValue, Vault
from tickets.certificates.models import CertificateConsent
from tickets.citizens import records
from tickets.citizens.events import CitizenForgotten
from tickets.citizens.models import CitizenFlag, CitizenName, CitizenNote
from tickets.citizens.records import change, lock
from tickets.errors import require_any
from tickets.models import CallbackTask, IntakeRecord, Ticket, TicketDraft, table_of
from tickets.points import service as points
from tickets.visibility import is_system

_citizen, _phone = records.citizen, records.phone
_name = table_of(CitizenName)
_note = table_of(CitizenNote)
_flag = table_of(CitizenFlag)
_ticket = table_of(Ticket)
_draft = table_of(TicketDraft)
_consent = table_of(CertificateConsent)
_task = table_of(CallbackTask)
_record = table_of(IntakeRecord)
_value = table_of(PersonalValue)
_hold = table_of(LegalHold)
# Calls belong to another room; only these columns of theirs are asked for.
_call = sa.table(
    "call_session", sa.column("caller_ref", sa.BigInteger), sa.column("caller_name_ref", sa.BigInteger)
)
# So do conversations in writing.
_chat = sa.table(
    "chat_session",
    sa.column("id", sa.BigInteger),
    sa.column("phone_ref", sa.BigInteger),
    sa.column("ended_at"),
    sa.column("words_gone_at"),
)
_TICKET_REFS = ("name_ref", "phone2_ref", "id_number_ref", "query_code_ref")


@dataclass(frozen=True)
class ForgetPreview:
    """What would go, counted; `held`, `open_*` say why it cannot go yet."""

    phones: int
    names: int
    id_numbers: int
    second_phones: int
    codes: int
    notes: int
    drafts: int
    chats: int
    tickets: int
    calls: int
    held: int
    open_tickets: int
    open_drafts: int
    open_callbacks: int
    open_chats: int
    forgotten: bool

    @property
    def possible(self) -> bool:
        """Whether `forget` would do it."""
        running = self.open_tickets or self.open_drafts or self.open_callbacks or self.open_chats
        return not (self.forgotten or self.held or running)


@dataclass(frozen=True)
class _Found:
    """The refs and ids that belong to a citizen."""

    members: list[int]
    phones: list[int]
    names: set[int]
    id_numbers: set[int]
    second: set[int]
    codes: set[int]
    notes: list[int]
    drafts: list[int]
    chats: list[int]
    tickets: list[int]


async def preview_forget(session: AsyncSession, actor: Actor, citizen_id: int) -> ForgetPreview:
    """What `forget` would destroy, and what stands in the way.

    Raises `forbidden`, `citizen_not_found`, `citizen_merged` (into).
    """
    require_any(actor, (Permission.DELETION_REQUEST, Permission.DELETION_APPROVE, Permission.CITIZEN_READ))
    row = await records.head(session, citizen_id)
    return await _preview(session, await _find(session, citizen_id), row.forgotten_at is not None)


async def forget(uow: UnitOfWork, actor: Actor, citizen_id: int, reason: str = "") -> ForgetPreview:
    """Destroy every value of the citizen for ever; returns what went.

    For who may approve deletions, and for the product itself. Raises `forbidden`,
    `citizen_not_found`, `citizen_merged` (into), `citizen_forgotten`, `citizen_held`, and
    `citizen_in_use` (open_tickets, open_drafts, open_callbacks, open_chats) while a matter is not finished.
    """
    if not is_system(actor):
        actor.require(Permission.DELETION_APPROVE)
    row = (await lock(uow, {citizen_id: None}))[citizen_id]
    found = await _find(uow.session, citizen_id)
    preview = await _preview(uow.session, found, forgotten=False)
    _check(preview)
    refs = [*found.phones, *found.names, *found.id_numbers, *found.second, *found.codes, *found.notes]
    await Vault.destroy(uow, refs)
    await _blank(uow, found)
    await points.forget(uow, found.tickets)
    values: dict[str, Any] = {"company": "", "uscc": None, "business": False, "forgotten_at": uow.now}
    told = {"values": len(refs), "tickets": len(found.tickets)}
    await change(uow, actor, row, "forgotten", told=told, **values)
    await audit.record(
        uow,
        actor=actor,
        action="citizen.forget",
        object_type="citizen",
        object_id=citizen_id,
        reason=reason[:200] or None,
        detail=told,
    )
    told_others = CitizenForgotten(citizen_id, tuple(refs), tuple(found.tickets), tuple(found.chats))
    await uow.emit(told_others)
    return preview


def _check(preview: ForgetPreview) -> None:
    if preview.held:
        raise HotlineError("citizen_held")
    if not preview.possible:
        raise HotlineError(
            "citizen_in_use",
            open_tickets=preview.open_tickets,
            open_drafts=preview.open_drafts,
            open_callbacks=preview.open_callbacks,
            open_chats=preview.open_chats,
        )


async def _blank(uow: UnitOfWork, found: _Found) -> None:
    """What says the same in other words: indexes of names, reasons of marks, what was typed into drafts."""
    run = uow.session.execute
    await run(sa.update(_name).where(_name.c.citizen_id.in_(found.members)).values(blind=None))
    await run(
        sa.update(_flag).where(_flag.c.citizen_id.in_(found.members)).values(reason="", cleared_reason="")
    )
    firm = {"company": "", "uscc": None, "business": False}
    await run(sa.update(_citizen).where(_citizen.c.id.in_(found.members)).values(**firm))
    await run(sa.update(_draft).where(_draft.c.id.in_(found.drafts)).values(form_sealed=None))


async def _column(session: AsyncSession, query: sa.Select[Any]) -> list[int]:
    return [int(value) for value in (await session.execute(query)).scalars()]


async def _find(session: AsyncSession, citizen_id: int) -> _Found:
    members = await _column(session, records.members(citizen_id))
    phones = await _column(session, sa.select(_phone.c.phone_ref).where(_phone.c.citizen_id.in_(members)))
    query = sa.select(_ticket.c.id, *(_ticket.c[name] for name in _TICKET_REFS))
    tickets = (await session.execute(query.where(_ticket.c.phone_ref.in_(phones)))).all()
    refs = {name: {row._mapping[name] for row in tickets} - {None} for name in _TICKET_REFS}
    said = await _column(session, sa.select(_name.c.name_ref).where(_name.c.citizen_id.in_(members)))
    told = sa.select(_call.c.caller_name_ref).where(
        _call.c.caller_ref.in_(phones), _call.c.caller_name_ref.is_not(None)
    )
    names = refs["name_ref"] | set(said) | set(await _column(session, told))
    ids = [row.id for row in tickets]
    return _Found(
        members=members,
        phones=phones,
        names=names,
        id_numbers=refs["id_number_ref"] | set(await _asked_about(session, phones, ids)),
        second=await _only_his(session, refs["phone2_ref"] - set(phones), phones),
        codes=refs["query_code_ref"],
        notes=await _column(session, sa.select(_note.c.body_ref).where(_note.c.citizen_id.in_(members))),
        drafts=await _drafts(session, phones, ids),
        chats=await _chats(session, phones, ids),
        tickets=ids,
    )


async def _asked_about(session: AsyncSession, phones: Sequence[int], tickets: Sequence[int]) -> list[int]:
    """ID numbers that certificates were checked by, on his tickets or while he was on the line."""
    drafts = sa.select(_draft.c.id).where(
        sa.or_(_draft.c.caller_ref.in_(phones), _draft.c.ticket_id.in_(tickets))
    )
    about = sa.or_(_consent.c.ticket_id.in_(tickets), _consent.c.draft_id.in_(drafts))
    return await _column(session, sa.select(_consent.c.subject_ref).where(about))


async def _only_his(session: AsyncSession, refs: set[int], phones: Sequence[int]) -> set[int]:
    """Second numbers that nobody else calls from, has a record of, or left as a contact of either kind."""
    if not refs:
        return set()
    # Tickets of somebody forgotten earlier need no second number any more.
    gone = sa.exists().where(_value.c.id == _ticket.c.phone_ref, _value.c.destroyed_at.is_not(None))
    another = sa.and_(sa.or_(_ticket.c.phone_ref.is_(None), _ticket.c.phone_ref.not_in(phones)), ~gone)
    others = sa.union_all(
        sa.select(_ticket.c.phone2_ref).where(_ticket.c.phone2_ref.in_(refs), another),
        sa.select(_phone.c.phone_ref).where(_phone.c.phone_ref.in_(refs)),
        sa.select(_ticket.c.phone_ref).where(_ticket.c.phone_ref.in_(refs)),
        sa.select(_call.c.caller_ref).where(_call.c.caller_ref.in_(refs)),
        sa.select(_record.c.phone_ref).where(_record.c.phone_ref.in_(refs)),
        sa.select(_chat.c.phone_ref).where(_chat.c.phone_ref.in_(refs)),
    )
    return refs - set((await session.execute(others)).scalars())


async def _drafts(session: AsyncSession, phones: Sequence[int], tickets: Sequence[int]) -> list[int]:
    """Ended drafts in which something of his was typed."""
    his = sa.or_(
        _draft.c.caller_ref.in_(phones),
        sa.and_(_draft.c.ticket_id.in_(tickets), _draft.c.ended_as == "ticket"),
    )
    query = sa.select(_draft.c.id).where(
        his, _draft.c.ended_at.is_not(None), _draft.c.form_sealed.is_not(None)
    )
    return await _column(session, query)


async def _chats(session: AsyncSession, phones: Sequence[int], tickets: Sequence[int]) -> list[int]:
    """Conversations he wrote himself, and those that his tickets were made of."""
    made = sa.select(_draft.c.chat_session_id).where(
        _draft.c.ticket_id.in_(tickets), _draft.c.ended_as == "ticket", _draft.c.chat_session_id.is_not(None)
    )
    his = sa.or_(_chat.c.phone_ref.in_(phones), _chat.c.id.in_(made))
    return await _column(session, sa.select(_chat.c.id).where(his))


async def _preview(session: AsyncSession, found: _Found, forgotten: bool) -> ForgetPreview:
    live = sa.select(_value.c.id, _value.c.kind).where(
        _value.c.id.in_(
            [*found.phones, *found.names, *found.id_numbers, *found.second, *found.codes, *found.notes]
        ),
        _value.c.destroyed_at.is_(None),
    )
    standing = {row.id for row in await session.execute(live)}
    counts = {name: (await session.execute(query)).scalar_one() for name, query in _countings(found).items()}
    return ForgetPreview(
        phones=len(standing & set(found.phones)),
        names=len(standing & found.names),
        id_numbers=len(standing & found.id_numbers),
        second_phones=len(standing & found.second),
        codes=len(standing & found.codes),
        notes=len(standing & set(found.notes)),
        drafts=len(found.drafts),
        tickets=len(found.tickets),
        forgotten=forgotten,
        **counts,
    )


def _countings(found: _Found) -> dict[str, sa.Select[tuple[int]]]:
    """What is counted by the database, by its name in the preview."""
    number = sa.select(sa.func.count())
    chats = number.select_from(_chat)
    return {
        "held": number.where(_hold.c.lifted_at.is_(None), _holds(found)),
        "open_tickets": number.where(_ticket.c.id.in_(found.tickets), _ticket.c.stage.is_not(None)),
        "open_drafts": number.where(_draft.c.caller_ref.in_(found.phones), _draft.c.ended_at.is_(None)),
        "open_callbacks": number.where(_task.c.caller_ref.in_(found.phones), _task.c.closed_at.is_(None)),
        "calls": number.select_from(_call).where(_call.c.caller_ref.in_(found.phones)),
        "chats": chats.where(_chat.c.id.in_(found.chats), _chat.c.words_gone_at.is_(None)),
        "open_chats": chats.where(_chat.c.phone_ref.in_(found.phones), _chat.c.ended_at.is_(None)),
    }


def _holds(found: _Found) -> sa.ColumnElement[bool]:
    """A legal hold on him, on a ticket of his, or on one a conversation of his was made into."""
    told_in = sa.select(_draft.c.ticket_id).where(_draft.c.chat_session_id.in_(found.chats))
    of_tickets = sa.or_(_hold.c.subject_id.in_(found.tickets), _hold.c.subject_id.in_(told_in))
    return sa.or_(
        sa.and_(_hold.c.subject == "citizen", _hold.c.subject_id.in_(found.members)),
        sa.and_(_hold.c.subject == "ticket", of_tickets),
    )
