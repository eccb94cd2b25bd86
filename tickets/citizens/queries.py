"""What screens show of a citizen record: values masked, notes unsealed for those who may read records."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import DESTROYED, PersonalValue, Vault
from tickets.citizens import records
from tickets.citizens.listing import Summary, seen_tickets, summary, ticket_counts, tickets_of
from tickets.citizens.models import CitizenFlag, CitizenHistory, CitizenName, CitizenNote
from tickets.citizens.terms import FLAG_LABELS, STEP_LABELS, FlagKind
from tickets.models import table_of

__all__ = [
    "Brief",
    "CitizenPage",
    "brief",
    "citizen_page",
    "names_of",
    "phones_of",
    "seen_tickets",
    "summary",
    "ticket_counts",
    "tickets_of",
]
_citizen, _phone = records.citizen, records.phone
_name = table_of(CitizenName)
_note = table_of(CitizenNote)
_flag = table_of(CitizenFlag)
_history = table_of(CitizenHistory)
_value = table_of(PersonalValue)
_user = table_of(User)


@dataclass(frozen=True)
class ValueItem:
    """A number or a name, masked; `record_id` is the record that brought it, `id` its row or ref."""

    id: int
    ref: int
    masked: str
    gone: bool
    record_id: int
    added_at: datetime


@dataclass(frozen=True)
class NoteItem:
    """A note with its author; `withdrawn_by` is set when it was taken back, with the reason."""

    id: int
    at: datetime
    author_id: int | None
    author: str
    role: str
    text: str
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_why: str


@dataclass(frozen=True)
class FlagItem:
    """A mark that stands."""

    id: int
    kind: str
    reason: str
    by: str | None
    at: datetime

    @property
    def label(self) -> str:
        return FLAG_LABELS.get(FlagKind(self.kind), self.kind)


@dataclass(frozen=True)
class HistoryItem:
    """One step of the record's history."""

    id: int
    at: datetime
    actor: str
    role: str
    action: str
    reason: str
    changes: dict[str, Any]

    @property
    def label(self) -> str:
        return STEP_LABELS.get(self.action, self.action)


@dataclass(frozen=True)
class CitizenPage:
    """A record with everything but its tickets and calls."""

    id: int
    version: int
    business: bool
    company: str
    uscc: str | None
    created_at: datetime
    forgotten_at: datetime | None
    phones: tuple[ValueItem, ...]
    names: tuple[ValueItem, ...]
    notes: tuple[NoteItem, ...]
    flags: tuple[FlagItem, ...]
    merged: tuple[int, ...]
    history: tuple[HistoryItem, ...]
    summary: Summary

    @property
    def refs(self) -> list[int]:
        """The refs of the numbers."""
        return [item.ref for item in self.phones]


@dataclass(frozen=True)
class Brief:
    """What the card of a caller shows of his record."""

    citizen_id: int
    names: tuple[str, ...]
    company: str
    business: bool
    flags: tuple[FlagItem, ...]
    notes: tuple[NoteItem, ...]


async def citizen_page(session: AsyncSession, actor: Actor, vault: Vault, citizen_id: int) -> CitizenPage:
    """The record. Raises `forbidden`, `citizen_not_found`, `citizen_merged` (into)."""
    actor.require(Permission.CITIZEN_READ)
    row = await records.head(session, citizen_id)
    within = records.members(citizen_id)
    phones = await phones_of(session, citizen_id)
    business, company, uscc = await records.enterprise(session, row)
    merged = sa.select(_citizen.c.id).where(_citizen.c.merged_into_id == citizen_id).order_by(_citizen.c.id)
    return CitizenPage(
        id=row.id,
        version=row.version,
        business=business,
        company=company,
        uscc=uscc,
        created_at=row.created_at,
        forgotten_at=row.forgotten_at,
        phones=phones,
        names=await names_of(session, citizen_id),
        notes=await _notes(session, vault, within),
        flags=await _flags(session, within),
        merged=tuple((await session.execute(merged)).scalars()),
        history=await _steps(session, within),
        summary=await summary(session, actor, [item.ref for item in phones]),
    )


async def phones_of(session: AsyncSession, citizen_id: int) -> tuple[ValueItem, ...]:
    """The numbers of a leading record, oldest first."""
    query = (
        sa.select(
            _phone.c.phone_ref.label("id"),
            _phone.c.phone_ref.label("ref"),
            _value.c.masked,
            _value.c.destroyed_at.is_not(None).label("gone"),
            _phone.c.citizen_id.label("record_id"),
            _phone.c.added_at,
        )
        .join(_value, _value.c.id == _phone.c.phone_ref)
        .where(_phone.c.citizen_id.in_(records.members(citizen_id)))
        .order_by(_phone.c.added_at, _phone.c.phone_ref)
    )
    return tuple(ValueItem(**row._mapping) for row in await session.execute(query))


async def names_of(session: AsyncSession, citizen_id: int) -> tuple[ValueItem, ...]:
    """The names of a leading record, each once, oldest first."""
    query = (
        sa.select(
            _name.c.id,
            _name.c.name_ref.label("ref"),
            _value.c.masked,
            _value.c.destroyed_at.is_not(None).label("gone"),
            _name.c.citizen_id.label("record_id"),
            _name.c.added_at,
            _name.c.blind,
        )
        .join(_value, _value.c.id == _name.c.name_ref)
        .where(_name.c.citizen_id.in_(records.members(citizen_id)))
        .order_by(_name.c.added_at, _name.c.id)
    )
    found: dict[Any, ValueItem] = {}
    for row in await session.execute(query):
        values = dict(row._mapping)
        blind = values.pop("blind")
        found.setdefault(blind or ("gone" if row.gone else row.id), ValueItem(**values))
    return tuple(found.values())


async def _notes(
    session: AsyncSession, vault: Vault, within: sa.Select[Any], limit: int | None = None
) -> tuple[NoteItem, ...]:
    """The notes, newest first; with `limit` only those that stand."""
    taken = _note.alias("taken")
    query = (
        sa.select(
            _note,
            taken.c.author_name.label("withdrawn_by"),
            taken.c.at.label("withdrawn_at"),
            taken.c.body_ref.label("why_ref"),
        )
        .outerjoin(taken, taken.c.withdraws_id == _note.c.id)
        .where(_note.c.citizen_id.in_(within), _note.c.withdraws_id.is_(None))
        .order_by(_note.c.id.desc())
    )
    if limit is not None:
        query = query.where(taken.c.id.is_(None)).limit(limit)
    return tuple(
        [
            NoteItem(
                id=row.id,
                at=row.at,
                author_id=row.author_id,
                author=row.author_name,
                role=row.author_role,
                text=await _text(session, vault, row.body_ref),
                withdrawn_by=row.withdrawn_by,
                withdrawn_at=row.withdrawn_at,
                withdrawn_why=await _text(session, vault, row.why_ref) if row.why_ref else "",
            )
            for row in (await session.execute(query)).all()
        ]
    )


async def _text(session: AsyncSession, vault: Vault, ref: int) -> str:
    try:
        return await vault.reveal(session, ref)
    except HotlineError:
        return DESTROYED


async def _flags(session: AsyncSession, within: sa.Select[Any]) -> tuple[FlagItem, ...]:
    query = (
        sa.select(
            _flag.c.id, _flag.c.kind, _flag.c.reason, _user.c.name.label("by"), _flag.c.set_at.label("at")
        )
        .outerjoin(_user, _user.c.id == _flag.c.set_by)
        .where(_flag.c.citizen_id.in_(within), _flag.c.cleared_at.is_(None))
        .order_by(_flag.c.id)
    )
    return tuple(FlagItem(**row._mapping) for row in await session.execute(query))


async def _steps(session: AsyncSession, within: sa.Select[Any], limit: int = 50) -> tuple[HistoryItem, ...]:
    query = (
        sa.select(
            _history.c.id,
            _history.c.at,
            _history.c.actor_name.label("actor"),
            _history.c.role,
            _history.c.action,
            _history.c.reason,
            _history.c.changes,
        )
        .where(_history.c.citizen_id.in_(within), _history.c.action.not_in(["merged_into", "unmerged_from"]))
        .order_by(_history.c.id.desc())
        .limit(limit)
    )
    return tuple(HistoryItem(**row._mapping) for row in await session.execute(query))


async def brief(session: AsyncSession, actor: Actor, vault: Vault, phone_ref: int) -> Brief | None:
    """What the card of a caller shows; None when he has no record or this person may not read them."""
    if not actor.may(Permission.CITIZEN_READ):
        return None
    citizen_id = (await records.find(session, [phone_ref])).get(phone_ref)
    if citizen_id is None:
        return None
    row = await records.head(session, citizen_id)
    within = records.members(citizen_id)
    business, company, _ = await records.enterprise(session, row)
    names = [item.masked for item in await names_of(session, citizen_id) if not item.gone]
    return Brief(
        citizen_id=citizen_id,
        names=tuple(dict.fromkeys(names)),
        company=company,
        business=business,
        flags=await _flags(session, within),
        notes=await _notes(session, vault, within, limit=3),
    )
