"""Every write of the rota: kinds of shift, a week, copies, lists, versions.

Whoever changes a week locks its row and names the version seen. Every change leaves the whole week as one
more version; nothing is ever taken back but by a version more.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog import queues as catalog
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.tables import table_of
from telephony.shifts import grid, queries
from telephony.shifts.events import RotaMoved
from telephony.shifts.grid import Planned, Rows
from telephony.shifts.hours import Hours, clashes, instant, parse_hours
from telephony.shifts.models import RotaShift, RotaVersion, RotaWeek, ShiftKind

_kind, _week, _shift = table_of(ShiftKind), table_of(RotaWeek), table_of(RotaShift)
_version = table_of(RotaVersion)
CAUSES = {"edit": "排班", "copy": "复制上周", "import": "导入", "swap": "换班", "restore": "恢复"}
CODE = re.compile(r"[A-Z0-9]{1,4}")
FURTHEST = 366  # days from today a rota is written for


# ---- kinds ----------------------------------------------------------------------------------


async def save_kind(
    uow: UnitOfWork,
    actor: Actor,
    *,
    code: str,
    name: str,
    hours: str,
    breaks: str = "",
    active: bool = True,
) -> int:
    """Add a kind or change it; what was rostered keeps the hours it had.

    Raises `forbidden`, `shift_code`, `shift_name`, `shift_hours`, `shift_breaks`.
    """
    actor.require(Permission.ROTA_EDIT)
    code = code.strip().upper()
    if not CODE.fullmatch(code) or code in grid.OFF:
        raise HotlineError("shift_code")
    if not 1 <= len(name.strip()) <= 20 or name.strip() in grid.OFF:
        raise HotlineError("shift_name")
    found = parse_hours(hours, breaks)
    taken = sa.select(_kind.c.id).where(_kind.c.name == name.strip(), _kind.c.code != code)
    if (await uow.session.execute(taken)).first() is not None:
        raise HotlineError("shift_name")
    values = {
        "name": name.strip(),
        "starts": found.starts,
        "ends": found.ends,
        "breaks": [list(one) for one in found.breaks],
        "active": active,
    }
    statement = insert(_kind).values(code=code, sort=100, **values)
    statement = statement.on_conflict_do_update(index_elements=["code"], set_=values)
    ident = int((await uow.session.execute(statement.returning(_kind.c.id))).scalar_one())
    await audit.record(
        uow, actor=actor, action="shift.kind", object_type="shift_kind", object_id=ident,
        detail={"code": code, **values},
    )  # fmt: skip
    return ident


# ---- a week ---------------------------------------------------------------------------------


async def lock(uow: UnitOfWork, monday: date, version: int | None = None) -> tuple[int, Rows]:
    """The week's row locked, its version and its shifts.

    Raises `rota_week` (no Monday, or further than a year away), `version_conflict`.
    """
    if monday.weekday() != 0 or abs((monday - uow.now.date()).days) > FURTHEST:
        raise HotlineError("rota_week")
    made = insert(_week).values(monday=monday, version=0).on_conflict_do_nothing()
    await uow.session.execute(made)
    query = sa.select(_week.c.version).where(_week.c.monday == monday).with_for_update()
    now = int((await uow.session.execute(query)).scalar_one())
    if version is not None and version != now:
        raise HotlineError("version_conflict", object_type="rota_week", version=now)
    return now, await queries.rows(uow.session, monday, monday + timedelta(days=6))


Cells = Mapping[tuple[int, date], str]


async def save_week(
    uow: UnitOfWork,
    actor: Actor,
    monday: date,
    version: int,
    cells: Cells,
    queues: Mapping[int, tuple[str, ...]],
) -> int:
    """Make the people of `cells` work as their cells say; who is not named stays. Returns the version.

    Raises `forbidden`, `rota_week`, `version_conflict`, `rota_cells` (`cells`: person and day of what is
    no kind), `rota_clash` (`clashes`: person and days), `rota_person`, `rota_queue`.
    """
    actor.require(Permission.ROTA_EDIT)
    number, before = await lock(uow, monday, version)
    kinds = await queries.kinds(uow.session)
    after, wrong = dict(before), []
    for (who, day), word in cells.items():
        now = before.get((who, day))
        names = queues.get(who, now.queues if now else ())
        try:
            found = grid.planned(word, names, kinds, now)
        except KeyError:
            wrong.append((who, day.isoformat()))
            continue
        after.pop((who, day), None)
        if found is not None:
            after[who, day] = found
    if wrong:
        raise HotlineError("rota_cells", cells=wrong)
    return await write(uow, actor, monday, number, before, after, "edit")


async def copy_week(uow: UnitOfWork, actor: Actor, monday: date, version: int) -> int:
    """Fill the people who have nothing this week with what they had last week. Returns how many."""
    actor.require(Permission.ROTA_EDIT)
    number, before = await lock(uow, monday, version)
    last = monday - timedelta(days=7)
    earlier = await queries.rows(uow.session, last, last + timedelta(days=6))
    kinds = await queries.kinds(uow.session)
    able = {who for who, _, _ in await queries.people(uow.session, monday, monday)}
    there = {who for who, _ in before}
    after = dict(before)
    for (who, day), one in earlier.items():
        kind = kinds.by_id(one.kind_id)
        if who in there or who not in able or kind is None or not kind.active:
            continue
        after[who, day + timedelta(days=7)] = replace(one, hours=kind.hours)
    if after == before:
        raise HotlineError("rota_nothing_to_copy")
    await write(uow, actor, monday, number, before, after, "copy")
    return len({who for who, _ in after} - there)


async def take_list(
    uow: UnitOfWork, actor: Actor, monday: date, version: int, steps: Iterable[grid.Step]
) -> int:
    """Take the lines that are right over; people no line names stay. Returns how many changed."""
    actor.require(Permission.ROTA_EDIT)
    number, before = await lock(uow, monday, version)
    after, changed = dict(before), 0
    for step in steps:
        if step.effect not in ("new", "changed") or step.user_id is None:
            continue
        changed += 1
        for day in grid.week(monday):
            after.pop((step.user_id, day), None)
        after.update({(step.user_id, day): one for day, one in step.rows.items()})
    if changed:
        await write(uow, actor, monday, number, before, after, "import")
    return changed


async def restore(uow: UnitOfWork, actor: Actor, monday: date, version: int, wanted: int) -> int:
    """Make the week as its version `wanted` was. Raises `rota_version_missing` and what `write` raises."""
    actor.require(Permission.ROTA_EDIT)
    number, before = await lock(uow, monday, version)
    query = sa.select(_version.c.rows).where(_version.c.monday == monday, _version.c.version == wanted)
    kept = (await uow.session.execute(query)).scalar_one_or_none()
    if kept is None:
        raise HotlineError("rota_version_missing", version=wanted)
    kinds = await queries.kinds(uow.session)
    after: dict[tuple[int, date], Planned] = {}
    for who, day, code, starts, ends, breaks, queues in kept:
        kind = kinds.find(code)
        if kind is not None:  # codes are never taken away
            hours = Hours(starts, ends, tuple((begin, end) for begin, end in breaks))
            after[who, date.fromisoformat(day)] = Planned(kind.id, code, hours, tuple(queues))
    return await write(uow, actor, monday, number, before, after, "restore", f"第 {wanted} 版")


async def write(
    uow: UnitOfWork,
    actor: Actor,
    monday: date,
    number: int,
    before: Rows,
    after: Rows,
    cause: str,
    note: str = "",
) -> int:
    """Put a locked week from `before` to `after`, as one more version; the same again makes none."""
    if dict(before) == dict(after):
        return number
    moved = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    await _check(uow.session, monday, after, {who for who, _ in moved})
    gone = sa.tuple_(_shift.c.user_id, _shift.c.day).in_([key for key in moved if key in before])
    await uow.session.execute(sa.delete(_shift).where(gone))
    made = [_row(who, day, after[who, day]) for who, day in sorted(moved) if (who, day) in after]
    if made:
        await uow.session.execute(sa.insert(_shift), made)
    number += 1
    values = {"version": number, "changed_at": uow.now, "changed_by": actor.user_id}
    await uow.session.execute(sa.update(_week).where(_week.c.monday == monday).values(**values))
    kept = [_kept(who, day, one) for (who, day), one in sorted(after.items(), key=lambda item: item[0])]
    await uow.session.execute(
        sa.insert(_version).values(
            monday=monday, version=number, at=uow.now, by=actor.user_id, cause=cause, note=note, rows=kept
        )
    )
    await audit.record(
        uow, actor=actor, action="rota.change", object_type="rota_week", object_id=monday.toordinal(),
        detail={"monday": monday.isoformat(), "version": number, "cause": cause, "cells": len(moved)},
    )  # fmt: skip
    await uow.emit(RotaMoved(monday, number, tuple(sorted({who for who, _ in moved}))))
    return number


def _row(who: int, day: date, one: Planned) -> dict[str, object]:
    return {
        "user_id": who,
        "day": day,
        "kind_id": one.kind_id,
        "starts": one.hours.starts,
        "ends": one.hours.ends,
        "breaks": [list(pause) for pause in one.hours.breaks],
        "queues": list(one.queues),
        "starts_at": instant(day, one.hours.starts),
        "ends_at": instant(day, one.hours.ends),
    }


def _kept(who: int, day: date, one: Planned) -> list[object]:
    breaks = [list(pause) for pause in one.hours.breaks]
    return [who, day.isoformat(), one.code, one.hours.starts, one.hours.ends, breaks, list(one.queues)]


async def _check(session: AsyncSession, monday: date, after: Rows, moved: set[int]) -> None:
    """Nobody who may not be rostered, no queue that is none, no shift that begins in another."""
    sunday = monday + timedelta(days=6)
    able = {who for who, _, _ in await queries.people(session, monday, sunday)}
    if not {who for who, _ in after if who in moved} <= able:
        raise HotlineError("rota_person")
    known = {queue.name for queue in await catalog.queues(session) if queue.active}
    known |= {name for one in (await queries.rows(session, monday, sunday)).values() for name in one.queues}
    if not {name for (who, _), one in after.items() if who in moved for name in one.queues} <= known:
        raise HotlineError("rota_queue")
    around = dict(await queries.rows(session, monday - timedelta(days=1), monday - timedelta(days=1)))
    around |= await queries.rows(session, sunday + timedelta(days=1), sunday + timedelta(days=1))
    every = {**around, **after}
    found = clashes((who, day, one.hours) for (who, day), one in every.items() if who in moved)
    if found:
        days = [(who, first.isoformat(), second.isoformat()) for who, first, second in found]
        raise HotlineError("rota_clash", clashes=days)
