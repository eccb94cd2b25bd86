"""Two records that are one person become one, and come apart again; numbers can be split off.

A merge moves nothing: the other record, and those merged into it before, point at the one that
leads. Undoing it turns the pointers back. A split moves the numbers that were chosen into a new record.
What a legal hold keeps whole stays held in every part.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core import audit
from core.catalog import holds
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from tickets.citizens import records
from tickets.citizens.models import CitizenHistory, CitizenName
from tickets.citizens.records import change, checked_reason, lock
from tickets.citizens.terms import MAX_NUMBERS
from tickets.models import table_of

_citizen = records.citizen
_phone = records.phone
_name = table_of(CitizenName)
_history = table_of(CitizenHistory)


async def merge(
    uow: UnitOfWork,
    actor: Actor,
    citizen_id: int,
    version: int,
    other_id: int,
    other_version: int,
    reason: str,
) -> int:
    """Let `citizen_id` lead and `other_id` belong to it; returns the leading record's new version.

    Raises `merge_with_itself`, `citizen_full` (limit), and what `records.lock` raises.
    """
    actor.require(Permission.CITIZEN_EDIT)
    reason = checked_reason(reason)
    if citizen_id == other_id:
        raise HotlineError("merge_with_itself")
    rows = await lock(uow, {citizen_id: version, other_id: other_version})
    both = sa.or_(
        _phone.c.citizen_id.in_(records.members(citizen_id)),
        _phone.c.citizen_id.in_(records.members(other_id)),
    )
    count = await uow.session.execute(sa.select(sa.func.count()).where(both))
    if int(count.scalar_one()) > MAX_NUMBERS:
        raise HotlineError("citizen_full", limit=MAX_NUMBERS)
    moved = await _point(uow, records.members(other_id), citizen_id)
    await change(uow, actor, rows[other_id], "merged_into", reason=reason, told={"into": citizen_id})
    new = await change(
        uow, actor, rows[citizen_id], "merged", reason=reason, told={"other": other_id, "moved": moved}
    )
    await _audit(uow, actor, "citizen.merge", citizen_id, reason, {"other": other_id})
    return new


async def _point(uow: UnitOfWork, which: sa.Select[tuple[int]], into: int) -> list[int]:
    """Let these records belong to `into`; returns their ids."""
    found = await _ids(uow, which)
    statement = sa.update(_citizen).where(_citizen.c.id.in_(found)).values(merged_into_id=into)
    await uow.session.execute(statement)
    return sorted(found)


async def _ids(uow: UnitOfWork, which: sa.Select[tuple[int]]) -> list[int]:
    return [int(ident) for ident in (await uow.session.execute(which)).scalars()]


async def unmerge(
    uow: UnitOfWork, actor: Actor, citizen_id: int, version: int, other_id: int, reason: str
) -> int:
    """Undo a merge: `other_id` leads itself again, with what it brought along; returns the new version.

    Raises `not_merged` when it does not belong to `citizen_id` (any more).
    """
    actor.require(Permission.CITIZEN_EDIT)
    reason = checked_reason(reason)
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    query = sa.select(_citizen).where(_citizen.c.id == other_id, _citizen.c.merged_into_id == citizen_id)
    other = (await uow.session.execute(query.with_for_update())).first()
    if other is None:
        raise HotlineError("not_merged", citizen_id=other_id)
    moved, merged_at = await _brought(uow, citizen_id, other_id)
    brought = [ident for ident in moved if ident != other_id]
    back = sa.update(_citizen).where(_citizen.c.id.in_(brought), _citizen.c.merged_into_id == citizen_id)
    await uow.session.execute(back.values(merged_into_id=other_id))
    await change(
        uow,
        actor,
        other,
        "unmerged_from",
        reason=reason,
        told={"from": citizen_id},
        merged_into_id=None,
    )
    await holds.carry(uow, actor, "citizen", [citizen_id], other_id, since=merged_at)
    new = await change(uow, actor, row, "unmerged", reason=reason, told={"other": other_id})
    await _audit(uow, actor, "citizen.unmerge", citizen_id, reason, {"other": other_id})
    return new


async def _brought(uow: UnitOfWork, citizen_id: int, other_id: int) -> tuple[list[int], datetime | None]:
    """The records the last merge of `other_id` brought along, itself included, and when that was."""
    query = (
        sa.select(_history.c.changes, _history.c.at)
        .where(
            _history.c.citizen_id.in_(records.members(citizen_id)),
            _history.c.action == "merged",
            _history.c.changes["other"].as_integer() == other_id,
        )
        .order_by(_history.c.id.desc())
        .limit(1)
    )
    found = (await uow.session.execute(query)).first()
    return ([int(ident) for ident in found.changes.get("moved", [])], found.at) if found else ([], None)


async def split(
    uow: UnitOfWork,
    actor: Actor,
    citizen_id: int,
    version: int,
    phones: Collection[int],
    names: Collection[int],
    reason: str,
) -> int:
    """Move numbers (and names, by id of `citizen_name`) into a new record; returns its id.

    Notes and marks stay. Raises `split_needs_numbers`, `split_takes_all`, `nothing_to_split` for a
    number or name that is not the record's.
    """
    actor.require(Permission.CITIZEN_EDIT)
    reason = checked_reason(reason)
    row = (await lock(uow, {citizen_id: version}))[citizen_id]
    within = records.members(citizen_id)
    held = set(
        (
            await uow.session.execute(sa.select(_phone.c.phone_ref).where(_phone.c.citizen_id.in_(within)))
        ).scalars()
    )
    named = set(
        (await uow.session.execute(sa.select(_name.c.id).where(_name.c.citizen_id.in_(within)))).scalars()
    )
    _check_split(set(phones), set(names), held, named)
    new = await records.create(uow)
    await holds.carry(uow, actor, "citizen", await _ids(uow, within), new)
    moved = sa.update(_phone).where(_phone.c.phone_ref.in_(phones)).values(citizen_id=new)
    await uow.session.execute(moved)
    await _move_names(uow, within, names, new)
    told = {"phones": sorted(phones), "names": sorted(names)}
    await change(uow, actor, row, "split", reason=reason, told={"to": new, **told})
    fresh = await records.head(uow.session, new)
    await change(uow, actor, fresh, "split_from", reason=reason, told={"from": citizen_id, **told})
    await _audit(uow, actor, "citizen.split", citizen_id, reason, {"to": new, "numbers": len(phones)})
    return new


def _check_split(phones: set[int], names: set[int], held: set[int], named: set[int]) -> None:
    if not phones:
        raise HotlineError("split_needs_numbers")
    if not phones <= held or not names <= named:
        raise HotlineError("nothing_to_split")
    if phones == held:
        raise HotlineError("split_takes_all")


async def _move_names(uow: UnitOfWork, within: sa.Select[Any], names: Collection[int], new: int) -> None:
    """Let names belong to `new`, each once: merged records may both have one, and neither keeps it."""
    if not names:
        return
    chosen = sa.select(_name.c.blind).where(_name.c.id.in_(names), _name.c.blind.is_not(None))
    query = sa.select(_name.c.id, _name.c.blind).where(
        _name.c.citizen_id.in_(within), sa.or_(_name.c.id.in_(names), _name.c.blind.in_(chosen))
    )
    first: dict[bytes, int] = {}
    for row in await uow.session.execute(query.order_by(_name.c.id)):
        first.setdefault(bytes(row.blind or b""), row.id)
    twins = sa.delete(_name).where(
        _name.c.citizen_id.in_(within), _name.c.blind.in_(chosen), _name.c.id.not_in(first.values())
    )
    gone = await uow.session.execute(twins.returning(_name.c.name_ref, _name.c.phone_ref))
    # One that a person entered has no ticket behind it: its value goes too, the other row has its own.
    await Vault.destroy(uow, [row.name_ref for row in gone if row.phone_ref is None])
    await uow.session.execute(sa.update(_name).where(_name.c.id.in_(first.values())).values(citizen_id=new))


async def _audit(
    uow: UnitOfWork, actor: Actor, action: str, citizen_id: int, reason: str, detail: dict[str, int]
) -> None:
    await audit.record(
        uow,
        actor=actor,
        action=action,
        object_type="citizen",
        object_id=citizen_id,
        reason=reason,
        detail=detail,
    )
