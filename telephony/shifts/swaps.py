"""Swaps of shifts: asked by one, agreed to by the other, decided by a leader, then a version of the rota."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.tables import table_of
from telephony.shifts import queries, service
from telephony.shifts.grid import Planned, Rows
from telephony.shifts.hours import monday_of, today
from telephony.shifts.models import ShiftSwap

_swap = table_of(ShiftSwap)
MAX_REASON = 200


@dataclass(frozen=True)
class Asked:
    """That `taker_id` works the asker's shift of `day`, in exchange for one of `other_day` or none."""

    day: date
    taker_id: int
    other_day: date | None
    reason: str


async def ask(uow: UnitOfWork, actor: Actor, asked: Asked) -> int:
    """Ask a colleague; returns the swap.

    Raises `forbidden`, `swap_reason`, `swap_self`, `swap_person`, `swap_past`, `shift_not_found`,
    `swap_open` (the shift is part of another one that is open), `swap_busy` (the colleague works then).
    """
    actor.require(Permission.SHIFT_OWN)
    assert actor.user_id is not None
    if not 2 <= len(asked.reason.strip()) <= MAX_REASON:
        raise HotlineError("swap_reason")
    if asked.taker_id == actor.user_id:
        raise HotlineError("swap_self")
    if min(asked.day, asked.other_day or asked.day) <= today(uow.now) - timedelta(days=1):
        raise HotlineError("swap_past")
    week = (asked.day, asked.other_day or asked.day)
    known = {who for who, _, _ in await queries.people(uow.session, min(week), max(week))}
    if asked.taker_id not in known:
        raise HotlineError("swap_person")
    mine = await _shift(uow, actor.user_id, asked.day)
    theirs = await _shift(uow, asked.taker_id, asked.other_day) if asked.other_day else None
    if mine.hours.span(asked.day).begin <= uow.now:
        raise HotlineError("swap_past")
    await _free(uow, actor.user_id, asked)
    values = {
        "asker_id": actor.user_id,
        "asker_day": asked.day,
        "asker_kind_id": mine.kind_id,
        "taker_id": asked.taker_id,
        "taker_day": asked.other_day,
        "taker_kind_id": theirs.kind_id if theirs else None,
        "reason": asked.reason.strip(),
        "state": "asked",
        "asked_at": uow.now,
        "decision_note": "",
    }
    made = await uow.session.execute(sa.insert(_swap).values(**values).returning(_swap.c.id))
    ident = int(made.scalar_one())
    await _note(uow, actor, ident, "ask")
    return ident


async def _shift(uow: UnitOfWork, who: int, day: date) -> Planned:
    found = await queries.rows(uow.session, day, day, who)
    if (who, day) not in found:
        raise queries.shift_missing(who, day)
    return found[who, day]


async def _free(uow: UnitOfWork, asker: int, asked: Asked) -> None:
    """Neither shift is asked for already, and each is free on the day he is to work."""
    taken = sa.or_(
        sa.and_(_swap.c.asker_id == asker, _swap.c.asker_day == asked.day),
        sa.and_(_swap.c.taker_id == asked.taker_id, _swap.c.taker_day == asked.other_day),
    )
    query = sa.select(_swap.c.id).where(_swap.c.state.in_(["asked", "agreed"]), taken)
    if (await uow.session.execute(query)).first() is not None:
        raise HotlineError("swap_open")
    if asked.other_day != asked.day:
        theirs = await queries.rows(uow.session, asked.day, asked.day, asked.taker_id)
        mine = (
            await queries.rows(uow.session, asked.other_day, asked.other_day, asker)
            if asked.other_day
            else {}
        )
        if theirs or mine:
            raise HotlineError("swap_busy")


async def answer(uow: UnitOfWork, actor: Actor, swap_id: int, *, agree: bool) -> None:
    """The colleague agrees or not. Raises `swap_not_found`, `swap_closed`."""
    actor.require(Permission.SHIFT_OWN)
    row = await _locked(uow, swap_id, sa.and_(_swap.c.taker_id == actor.user_id), "asked")
    state = "agreed" if agree else "declined"
    await _set(uow, row.id, state=state, answered_at=uow.now)
    await _note(uow, actor, row.id, state)


async def withdraw(uow: UnitOfWork, actor: Actor, swap_id: int) -> None:
    """Who asked takes it back while nobody decided. Raises `swap_not_found`, `swap_closed`."""
    actor.require(Permission.SHIFT_OWN)
    row = await _locked(uow, swap_id, _swap.c.asker_id == actor.user_id, "asked", "agreed")
    await _set(uow, row.id, state="withdrawn", decided_at=uow.now)
    await _note(uow, actor, row.id, "withdraw")


async def decide(uow: UnitOfWork, actor: Actor, swap_id: int, *, approve: bool, note: str = "") -> None:
    """A leader approves, which changes the rota in the same transaction, or refuses with a note.

    Raises `forbidden`, `swap_not_found`, `swap_closed`, `swap_own` (of one's own shift), `swap_changed`
    (the rota is another one since), `swap_note`, and `rota_clash` as for any change of the rota.
    """
    actor.require(Permission.ROTA_EDIT)
    row = await _locked(uow, swap_id, sa.true(), "agreed")
    if actor.user_id in (row.asker_id, row.taker_id):
        raise HotlineError("swap_own")
    if not approve and not 2 <= len(note.strip()) <= MAX_REASON:
        raise HotlineError("swap_note")
    if approve:
        await _exchange(uow, actor, row)
    state = "approved" if approve else "refused"
    values = {"decided_at": uow.now, "decided_by": actor.user_id, "decision_note": note.strip()[:MAX_REASON]}
    await _set(uow, row.id, state=state, **values)
    await _note(uow, actor, row.id, state)


async def _exchange(uow: UnitOfWork, actor: Actor, row: Any) -> None:
    """Both shifts change hands; of two weeks each becomes a version of its own, the earlier first."""
    weeks = sorted({monday_of(day) for day in (row.asker_day, row.taker_day) if day is not None})
    held = {monday: await service.lock(uow, monday) for monday in weeks}
    rows: dict[tuple[int, date], Planned] = {
        key: one for _, some in held.values() for key, one in some.items()
    }
    mine = _still(rows, row.asker_id, row.asker_day, row.asker_kind_id)
    theirs = _still(rows, row.taker_id, row.taker_day, row.taker_kind_id) if row.taker_day else None
    if (row.taker_id, row.asker_day) in rows or (row.taker_day and (row.asker_id, row.taker_day) in rows):
        raise HotlineError("swap_changed")
    rows[row.taker_id, row.asker_day] = mine
    if theirs is not None:
        rows[row.asker_id, row.taker_day] = theirs
    # The second week is judged beside the first as it becomes: checks read what is written.
    for monday in weeks:
        number, before = held[monday]
        after: Rows = {key: one for key, one in rows.items() if monday_of(key[1]) == monday}
        await service.write(uow, actor, monday, number, before, after, "swap", f"换班 {row.id}")


def _still(rows: dict[tuple[int, date], Planned], who: int, day: date, kind_id: int) -> Planned:
    """Take the shift out; it must be the one that was asked about."""
    found = rows.pop((who, day), None)
    if found is None or found.kind_id != kind_id:
        raise HotlineError("swap_changed")
    return found


async def _locked(uow: UnitOfWork, swap_id: int, whose: sa.ColumnElement[bool], *states: str) -> Any:
    query = sa.select(_swap).where(_swap.c.id == swap_id, whose).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("swap_not_found", swap_id=swap_id)
    if row.state not in states:
        raise HotlineError("swap_closed", state=row.state)
    return row


async def _set(uow: UnitOfWork, swap_id: int, **values: object) -> None:
    await uow.session.execute(sa.update(_swap).where(_swap.c.id == swap_id).values(**values))


async def _note(uow: UnitOfWork, actor: Actor, swap_id: int, step: str) -> None:
    await audit.record(uow, actor=actor, action=f"swap.{step}", object_type="shift_swap", object_id=swap_id)
