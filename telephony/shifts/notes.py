"""Handover notes: what one shift leaves to the next, who has read it, who took it over.

What was written stays as it was; the next leader takes the note over, and open matters are ticked off.
Which tickets a person may see is asked by who shows them; a note keeps ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of
from telephony.models import CallSession
from telephony.shifts.models import ShiftKind, ShiftNote, ShiftNoteItem, ShiftNoteRead

_note, _item, _read = table_of(ShiftNote), table_of(ShiftNoteItem), table_of(ShiftNoteRead)
_user, _kind, _call = table_of(User), table_of(ShiftKind), table_of(CallSession)
MOST_ITEMS, MAX_SUMMARY, MAX_MATTER, PAGE = 20, 2000, 300, 20


@dataclass(frozen=True)
class Matter:
    """An open matter as it is written down."""

    text: str
    ticket_id: int | None = None
    call_id: int | None = None


async def hand_over(
    uow: UnitOfWork,
    actor: Actor,
    *,
    day: date,
    kind_id: int | None,
    summary: str,
    matters: Sequence[Matter],
    key: str,
) -> int:
    """Write a note; the same form sent twice makes one. The caller has looked up the tickets.

    Raises `forbidden`, `handover_empty`, `handover_long`, `handover_call` (no such call),
    `shift_kind_unknown`.
    """
    actor.require(Permission.ROTA_EDIT)
    summary = summary.strip()
    kept = _kept(summary, matters)
    await _check(uow.session, kind_id, {one.call_id for one in kept if one.call_id})
    values = {
        "day": day, "kind_id": kind_id, "summary": summary, "written_at": uow.now,
        "written_by": actor.user_id, "request_key": key,
    }  # fmt: skip
    made = insert(_note).values(**values).on_conflict_do_nothing(index_elements=["request_key"])
    row = (await uow.session.execute(made.returning(_note.c.id))).first()
    if row is None:
        same = sa.select(_note.c.id).where(_note.c.request_key == key)
        return int((await uow.session.execute(same)).scalar_one())
    items = [_item_row(row.id, one) for one in kept]
    if items:
        await uow.session.execute(sa.insert(_item), items)
    await audit.record(
        uow, actor=actor, action="shift_note.write", object_type="shift_note", object_id=row.id,
        detail={"items": len(items)},
    )  # fmt: skip
    return int(row.id)


def _kept(summary: str, matters: Sequence[Matter]) -> list[Matter]:
    """The matters that say something. Raises `handover_empty`, `handover_long`."""
    kept = [one for one in matters if one.text.strip() or one.ticket_id or one.call_id]
    if not summary and not kept:
        raise HotlineError("handover_empty")
    long = any(len(one.text) > MAX_MATTER for one in kept)
    if len(summary) > MAX_SUMMARY or len(kept) > MOST_ITEMS or long:
        raise HotlineError("handover_long", most=MOST_ITEMS)
    return kept


def _item_row(note_id: int, one: Matter) -> dict[str, Any]:
    return {
        "note_id": note_id,
        "matter": one.text.strip(),
        "ticket_id": one.ticket_id,
        "call_session_id": one.call_id,
    }


async def _check(session: AsyncSession, kind_id: int | None, calls: set[int]) -> None:
    if kind_id is not None:
        found = await session.execute(sa.select(_kind.c.id).where(_kind.c.id == kind_id))
        if found.first() is None:
            raise HotlineError("shift_kind_unknown")
    if calls:
        there = set((await session.execute(sa.select(_call.c.id).where(_call.c.id.in_(calls)))).scalars())
        if there != calls:
            raise HotlineError("handover_call", call_id=min(calls - there))


async def take_over(uow: UnitOfWork, actor: Actor, note_id: int) -> None:
    """The next leader says that he has it; the second time changes nothing.

    Raises `forbidden`, `handover_not_found`, `handover_own`.
    """
    actor.require(Permission.ROTA_EDIT)
    query = sa.select(_note.c.written_by, _note.c.taken_at).where(_note.c.id == note_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("handover_not_found", note_id=note_id)
    if row.written_by == actor.user_id:
        raise HotlineError("handover_own")
    if row.taken_at is not None:
        return
    await uow.session.execute(
        sa.update(_note).where(_note.c.id == note_id).values(taken_at=uow.now, taken_by=actor.user_id)
    )
    await audit.record(
        uow, actor=actor, action="shift_note.take", object_type="shift_note", object_id=note_id
    )


async def tick_off(uow: UnitOfWork, actor: Actor, item_id: int) -> None:
    """An open matter is done; the second time changes nothing. Raises `forbidden`, `handover_not_found`."""
    actor.require(Permission.ROTA_EDIT)
    done = (
        sa.update(_item)
        .where(_item.c.id == item_id, _item.c.done_at.is_(None))
        .values(done_at=uow.now, done_by=actor.user_id)
    )
    if (await uow.session.execute(done.returning(_item.c.id))).first() is not None:
        await audit.record(
            uow, actor=actor, action="shift_note.done", object_type="shift_note_item", object_id=item_id
        )
    elif (await uow.session.execute(sa.select(_item.c.id).where(_item.c.id == item_id))).first() is None:
        raise HotlineError("handover_not_found", item_id=item_id)


async def mark_read(uow: UnitOfWork, actor: Actor, note_ids: Sequence[int]) -> None:
    """This person has seen these notes."""
    if not note_ids or actor.user_id is None:
        return
    rows = [{"note_id": one, "user_id": actor.user_id, "read_at": uow.now} for one in note_ids]
    await uow.session.execute(insert(_read).values(rows).on_conflict_do_nothing())


@dataclass(frozen=True)
class ItemRow:
    """An open or done matter."""

    id: int
    note_id: int
    matter: str
    ticket_id: int | None
    call_session_id: int | None
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True)
class NoteRow:
    """A note with its matters and who has seen it."""

    id: int
    day: date
    kind: str | None
    summary: str
    written_at: datetime
    written_by: int
    author: str
    taken_at: datetime | None
    taker: str | None
    items: tuple[ItemRow, ...]
    readers: tuple[str, ...]
    unread: bool

    @property
    def open_items(self) -> int:
        return sum(one.done_at is None for one in self.items)


async def notes(session: AsyncSession, actor: Actor, before: int | None = None) -> list[NoteRow]:
    """The newest notes, one more than a page holds when there are more."""
    actor.require(Permission.ROTA_READ)
    author, taker = _user.alias("author"), _user.alias("taker")
    names = (author.c.name.label("author"), taker.c.name.label("taker"), _kind.c.name.label("kind"))
    query = (
        sa.select(_note, *names)
        .select_from(
            _note.join(author, author.c.id == _note.c.written_by)
            .outerjoin(taker, taker.c.id == _note.c.taken_by)
            .outerjoin(_kind, _kind.c.id == _note.c.kind_id)
        )
        .order_by(_note.c.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(_note.c.id < before)
    found = (await session.execute(query)).all()
    ids = [row.id for row in found]
    items, readers = await _items(session, ids), await _readers(session, ids)
    return [_note_row(row, items.get(row.id, []), readers.get(row.id, {}), actor) for row in found]


def _note_row(row: Any, items: list[ItemRow], readers: dict[int, str], actor: Actor) -> NoteRow:
    plain = ("id", "day", "kind", "summary", "written_at", "written_by", "author", "taken_at", "taker")
    mine = actor.user_id in readers or row.written_by == actor.user_id
    return NoteRow(
        **{name: getattr(row, name) for name in plain},
        items=tuple(items),
        readers=tuple(readers.values()),
        unread=not mine,
    )


async def _items(session: AsyncSession, ids: list[int]) -> dict[int, list[ItemRow]]:
    columns = [_item.c[name] for name in ItemRow.__dataclass_fields__ if name != "done_by"]
    query = (
        sa.select(*columns, _user.c.name.label("done_by"))
        .select_from(_item.outerjoin(_user, _user.c.id == _item.c.done_by))
        .where(_item.c.note_id.in_(ids))
        .order_by(_item.c.id)
    )
    found: dict[int, list[ItemRow]] = {}
    for row in await session.execute(query):
        found.setdefault(row.note_id, []).append(ItemRow(**row._mapping))
    return found


async def _readers(session: AsyncSession, ids: list[int]) -> dict[int, dict[int, str]]:
    query = (
        sa.select(_read.c.note_id, _read.c.user_id, _user.c.name)
        .join(_user, _user.c.id == _read.c.user_id)
        .where(_read.c.note_id.in_(ids))
        .order_by(_read.c.read_at)
    )
    found: dict[int, dict[int, str]] = {}
    for row in await session.execute(query):
        found.setdefault(row.note_id, {})[row.user_id] = row.name
    return found


async def waiting(session: AsyncSession, actor: Actor) -> int:
    """Notes of others that nobody has taken over."""
    query = sa.select(sa.func.count()).select_from(_note)
    query = query.where(_note.c.taken_at.is_(None), _note.c.written_by != actor.user_id)
    return int((await session.execute(query)).scalar_one())
