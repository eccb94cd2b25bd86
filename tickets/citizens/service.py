"""Every write of a citizen record; merging and forgetting have modules of their own, named here too."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Kind, Vault, normalise_phone
from tickets.checks import is_uscc
from tickets.citizens import names, records
from tickets.citizens.forgetting import ForgetPreview, forget, preview_forget
from tickets.citizens.merging import merge, split, unmerge
from tickets.citizens.models import CitizenFlag, CitizenName, CitizenNote
from tickets.citizens.queries import seen_tickets
from tickets.citizens.records import change, checked_reason, ensure, lock
from tickets.citizens.terms import MAX_NUMBERS, FlagKind
from tickets.errors import checked_note
from tickets.forms import REACHABLE, clean
from tickets.history import role_of
from tickets.models import Ticket, table_of
from tickets.personal import put_all

__all__ = [
    "ForgetPreview",
    "add_name",
    "add_note",
    "add_phone",
    "clear_flag",
    "ensure",
    "forget",
    "merge",
    "of_ticket",
    "preview_forget",
    "reveal",
    "set_business",
    "set_flag",
    "split",
    "unmerge",
    "withdraw_note",
]
_ticket = table_of(Ticket)
_note = table_of(CitizenNote)
_flag = table_of(CitizenFlag)
_name = table_of(CitizenName)
MAX_COMPANY = 100


async def of_ticket(uow: UnitOfWork, actor: Actor, ticket_id: int) -> int:
    """The record behind a ticket this person may see, made when there is none yet.

    Raises `forbidden`, `ticket_not_found`, `citizen_without_number` for a ticket without a phone.
    """
    actor.require(Permission.CITIZEN_READ)
    query = sa.select(_ticket.c.phone_ref).where(_ticket.c.id == ticket_id, seen_tickets(actor))
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    if row.phone_ref is None:
        raise HotlineError("citizen_without_number", ticket_id=ticket_id)
    return await ensure(uow, row.phone_ref)


async def set_business(
    uow: UnitOfWork, actor: Actor, citizen_id: int, version: int, *, business: bool, company: str, uscc: str
) -> int:
    """Whether this is an enterprise (涉企), its name and 统一社会信用代码; returns the new version.

    Raises `bad_uscc`, `company_too_long` (limit) besides what `records.lock` raises.
    """
    actor.require(Permission.CITIZEN_EDIT)
    company, code = clean(company), clean(uscc).upper().replace(" ", "")
    if code and not is_uscc(code):
        raise HotlineError("bad_uscc")
    if len(company) > MAX_COMPANY:
        raise HotlineError("company_too_long", limit=MAX_COMPANY)
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    values: dict[str, Any] = {"business": business, "company": company, "uscc": code or None}
    if all(getattr(row, key) == value for key, value in values.items()):
        return int(row.version)
    # What changed and not to what: a one-person firm says who the person is, and history is for good.
    told = {"changed": [key for key, value in values.items() if getattr(row, key) != value]}
    return await change(uow, actor, row, "business", told=told, **values)


async def add_phone(
    uow: UnitOfWork, actor: Actor, vault: Vault, citizen_id: int, version: int, typed: str, *, area: str = ""
) -> int:
    """One more number of the record; returns the new version.

    Raises `bad_phone`, `citizen_full` (limit), `phone_elsewhere` (citizen_id: whose it is).
    """
    actor.require(Permission.CITIZEN_EDIT)
    number = normalise_phone(clean(typed), area=area)
    if number.number is None or number.kind not in REACHABLE:
        raise HotlineError("bad_phone")
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    count = sa.select(sa.func.count()).where(records.phone.c.citizen_id.in_(records.members(citizen_id)))
    if int((await uow.session.execute(count)).scalar_one()) >= MAX_NUMBERS:
        raise HotlineError("citizen_full", limit=MAX_NUMBERS)
    ref = (await vault.put(uow, "phone", number.number)).id
    owner = (await records.find(uow.session, [ref])).get(ref)
    if owner == citizen_id:
        return int(row.version)
    if owner is not None:
        raise HotlineError("phone_elsewhere", citizen_id=owner)
    values = {"phone_ref": ref, "citizen_id": citizen_id, "added_at": uow.now, "added_by": actor.user_id}
    new = insert(records.phone).values(names_up_to=0, **values).on_conflict_do_nothing()
    if (await uow.session.execute(new.returning(records.phone.c.phone_ref))).first() is None:
        # Somebody else was quicker by a moment: the number is his record's.
        owner = (await records.find(uow.session, [ref]))[ref]
        raise HotlineError("phone_elsewhere", citizen_id=owner)
    return await change(uow, actor, row, "phone_added", told={"ref": ref})


async def add_name(
    uow: UnitOfWork, actor: Actor, vault: Vault, citizen_id: int, version: int, name: str
) -> int:
    """One more name of the record; a name it has is kept once. Returns the new version."""
    actor.require(Permission.CITIZEN_EDIT)
    name = clean(name)
    if not 0 < len(name) <= 60:
        raise HotlineError("bad_name")
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    blind = names.blind_name(vault, name)
    known = sa.select(_name.c.id).where(
        _name.c.citizen_id.in_(records.members(citizen_id)), _name.c.blind == blind
    )
    if (await uow.session.execute(known.limit(1))).first() is not None:
        return int(row.version)
    ref = (await vault.put(uow, "name", name)).id
    if not await names.add(uow, citizen_id, ref, blind, phone_ref=None, by=actor.user_id):
        raise HotlineError("citizen_full", limit=MAX_NUMBERS)
    return await change(uow, actor, row, "name_added", told={"ref": ref})


# ---- notes and marks --------------------------------------------------------------------------


async def add_note(uow: UnitOfWork, actor: Actor, vault: Vault, citizen_id: int, text: str) -> int:
    """Note something about the citizen; sealed like every personal value. Returns the note's id."""
    actor.require(Permission.CITIZEN_EDIT)
    text = checked_note(text, action="note", required=True)
    await lock(uow, {citizen_id: None})
    return await _insert_note(uow, actor, vault, citizen_id, text, None)


async def withdraw_note(
    uow: UnitOfWork, actor: Actor, vault: Vault, citizen_id: int, note_id: int, reason: str
) -> None:
    """Take a note back: its author may, and the shift leader; it stays, struck through.

    Raises `note_not_found`, `note_not_yours`; a note that was withdrawn already stays as it is.
    """
    actor.require(Permission.CITIZEN_EDIT)
    reason = checked_reason(reason)
    row = (await lock(uow, {citizen_id: None}))[citizen_id]
    query = sa.select(_note.c.author_id).where(
        _note.c.id == note_id,
        _note.c.citizen_id.in_(records.members(citizen_id)),
        _note.c.withdraws_id.is_(None),
    )
    found = (await uow.session.execute(query)).first()
    if found is None:
        raise HotlineError("note_not_found", note_id=note_id)
    if found.author_id != actor.user_id and not actor.may(Permission.DRAFT_READ_ALL):
        raise HotlineError("note_not_yours", note_id=note_id)
    again = sa.select(_note.c.id).where(_note.c.withdraws_id == note_id)
    if (await uow.session.execute(again)).first() is None:
        await _insert_note(uow, actor, vault, citizen_id, reason, note_id)
        await change(uow, actor, row, "note_withdrawn", told={"note": note_id})


async def _insert_note(
    uow: UnitOfWork, actor: Actor, vault: Vault, citizen_id: int, text: str, withdraws: int | None
) -> int:
    body: dict[str, tuple[Kind, str]] = {"body": ("note", text)}
    refs = await put_all(uow, vault, body)
    statement = sa.insert(_note).values(
        citizen_id=citizen_id,
        at=uow.now,
        author_id=actor.user_id,
        author_name=actor.name,
        author_role=role_of(actor),
        body_ref=refs["body"],
        withdraws_id=withdraws,
    )
    return int((await uow.session.execute(statement.returning(_note.c.id))).scalar_one())


async def set_flag(
    uow: UnitOfWork, actor: Actor, citizen_id: int, version: int, kind: str, reason: str
) -> int:
    """Mark the citizen for everybody who answers; a mark that is set stays. Returns the new version."""
    actor.require(Permission.CITIZEN_EDIT)
    if kind not in list(FlagKind):
        raise HotlineError("unknown_flag", kind=kind[:20])
    reason = checked_reason(reason)
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    standing = sa.select(_flag.c.id).where(
        _flag.c.citizen_id.in_(records.members(citizen_id)),
        _flag.c.kind == kind,
        _flag.c.cleared_at.is_(None),
    )
    if (await uow.session.execute(standing)).first() is not None:
        return int(row.version)
    values = {"set_at": uow.now, "set_by": actor.user_id, "reason": reason, "cleared_reason": ""}
    await uow.session.execute(sa.insert(_flag).values(citizen_id=citizen_id, kind=kind, **values))
    return await change(uow, actor, row, "flag_set", told={"kind": kind})


async def clear_flag(
    uow: UnitOfWork, actor: Actor, citizen_id: int, version: int, flag_id: int, reason: str
) -> int:
    """Take a mark off, with a reason; returns the new version. Raises `flag_not_found`."""
    actor.require(Permission.CITIZEN_EDIT)
    reason = checked_reason(reason)
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    statement = (
        sa.update(_flag)
        .where(
            _flag.c.id == flag_id,
            _flag.c.citizen_id.in_(records.members(citizen_id)),
            _flag.c.cleared_at.is_(None),
        )
        .values(cleared_at=uow.now, cleared_by=actor.user_id, cleared_reason=reason)
        .returning(_flag.c.kind)
    )
    kind = (await uow.session.execute(statement)).scalar_one_or_none()
    if kind is None:
        raise HotlineError("flag_not_found", flag_id=flag_id)
    return await change(uow, actor, row, "flag_cleared", told={"kind": kind})


# ---- seeing a value ---------------------------------------------------------------------------


async def reveal(uow: UnitOfWork, actor: Actor, vault: Vault, citizen_id: int, ref: int, reason: str) -> str:
    """A number or name of the record in the clear, for a reason that is audited.

    Raises `forbidden`, `reason_required`, `nothing_to_reveal`, `value_destroyed`.
    """
    actor.require(Permission.CITIZEN_READ)
    actor.require(Permission.PERSON_REVEAL)
    reason = checked_note(reason, action="reveal", required=False)[:200]
    if not reason:
        raise HotlineError("reason_required")
    await records.head(uow.session, citizen_id)
    within = records.members(citizen_id)
    mine = sa.union_all(
        sa.select(sa.literal("phone").label("field")).where(
            records.phone.c.phone_ref == ref, records.phone.c.citizen_id.in_(within)
        ),
        sa.select(sa.literal("citizen")).where(_name.c.name_ref == ref, _name.c.citizen_id.in_(within)),
    )
    field = (await uow.session.execute(mine)).scalars().first()
    if field is None:
        raise HotlineError("nothing_to_reveal", field="citizen")
    await audit.record(
        uow,
        actor=actor,
        action="person.reveal",
        object_type="citizen",
        object_id=citizen_id,
        reason=reason,
        detail={"field": field, "ref": ref},
    )
    return await vault.reveal(uow.session, ref)
