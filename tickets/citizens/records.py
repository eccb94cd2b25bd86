"""The rows behind citizen records: found by a number, made when first needed, locked in order of id."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.privacy import PersonalValue
from tickets.citizens.events import CitizenChanged
from tickets.citizens.models import Citizen, CitizenHistory, CitizenPhone
from tickets.citizens.terms import MAX_REASON
from tickets.errors import conflict
from tickets.forms import clean
from tickets.history import role_of
from tickets.models import table_of

citizen = table_of(Citizen)
phone = table_of(CitizenPhone)
_history = table_of(CitizenHistory)
_value = table_of(PersonalValue)
_head = sa.func.coalesce(citizen.c.merged_into_id, citizen.c.id)


async def find(session: AsyncSession, refs: Collection[int]) -> dict[int, int]:
    """The leading record of each of these numbers that has one: phone ref → citizen id."""
    query = (
        sa.select(phone.c.phone_ref, _head.label("head"))
        .join(citizen, citizen.c.id == phone.c.citizen_id)
        .where(phone.c.phone_ref.in_(refs))
    )
    return {row.phone_ref: row.head for row in await session.execute(query)} if refs else {}


async def ensure(uow: UnitOfWork, phone_ref: int) -> int:
    """The record of a number, made when there is none; one look when there is. Returns its id."""
    return (await ensure_all(uow, [phone_ref]))[phone_ref]


async def ensure_all(uow: UnitOfWork, refs: Collection[int]) -> dict[int, int]:
    """The records of these numbers, made where there are none: phone ref → citizen id."""
    found = await find(uow.session, refs)
    missing = sorted(set(refs) - set(found))
    if not missing:
        return found
    # Two who meet the same new number take turns at its value; the second then finds the record.
    turn = sa.select(_value.c.id).where(_value.c.id.in_(missing)).order_by(_value.c.id)
    await uow.session.execute(turn.with_for_update(key_share=True))
    found |= await find(uow.session, missing)
    missing = [ref for ref in missing if ref not in found]
    if missing:
        made = await _insert(uow, len(missing))
        rows = [
            {"phone_ref": ref, "citizen_id": ident, "added_at": uow.now, "names_up_to": 0}
            for ref, ident in zip(missing, made, strict=True)
        ]
        await uow.session.execute(sa.insert(phone), rows)
        found |= dict(zip(missing, made, strict=True))
    return found


async def _insert(uow: UnitOfWork, count: int) -> list[int]:
    rows = [
        {"version": 1, "business": False, "company": "", "created_at": uow.now, "updated_at": uow.now}
        for _ in range(count)
    ]
    made = await uow.session.execute(sa.insert(citizen).returning(citizen.c.id), rows)
    return [int(ident) for ident in made.scalars()]


async def create(uow: UnitOfWork) -> int:
    """An empty record, for numbers that are split off; returns its id."""
    return (await _insert(uow, 1))[0]


def members(citizen_id: int) -> sa.Select[Any]:
    """The ids of a record and of those merged into it."""
    return sa.select(citizen.c.id).where(
        sa.or_(citizen.c.id == citizen_id, citizen.c.merged_into_id == citizen_id)
    )


def numbers(phone_ref: int) -> sa.Select[Any]:
    """The references of all numbers of whoever has this one; none when no record has it."""
    one, owner = phone.alias("one"), citizen.alias("owner")
    lead = sa.func.coalesce(owner.c.merged_into_id, owner.c.id)
    its_head = (
        sa.select(lead)
        .select_from(one.join(owner, owner.c.id == one.c.citizen_id))
        .where(one.c.phone_ref == phone_ref)
        .scalar_subquery()
    )
    return (
        sa.select(phone.c.phone_ref)
        .join(citizen, citizen.c.id == phone.c.citizen_id)
        .where(sa.or_(citizen.c.id == its_head, citizen.c.merged_into_id == its_head))
    )


async def head(session: AsyncSession, citizen_id: int) -> Any:
    """The row of a leading record. Raises `citizen_not_found`, `citizen_merged` (into)."""
    row = (await session.execute(sa.select(citizen).where(citizen.c.id == citizen_id))).first()
    return _checked(citizen_id, row)


async def lock(uow: UnitOfWork, versions: Mapping[int, int | None]) -> dict[int, Any]:
    """Lock leading records in order of id; `versions`: id → version seen, None where none is asked for.

    Raises `citizen_not_found`, `citizen_merged` (into), `citizen_forgotten`, `version_conflict`.
    """
    query = sa.select(citizen).where(citizen.c.id.in_(sorted(versions))).order_by(citizen.c.id)
    rows = {row.id: row for row in await uow.session.execute(query.with_for_update())}
    for ident in sorted(versions):
        row, seen = _checked(ident, rows.get(ident)), versions[ident]
        if row.forgotten_at is not None:
            raise HotlineError("citizen_forgotten", citizen_id=ident)
        if seen is not None and row.version != seen:
            raise conflict("citizen", ident, ours=seen, theirs=row.version)
    return rows


async def enterprise(session: AsyncSession, row: Any) -> tuple[bool, str, str | None]:
    """Whether a leading record is an enterprise, its name and USCC.

    What it does not say itself is said by the records merged into it, the earliest first.
    """
    if row.business or row.company or row.uscc:
        return row.business, row.company, row.uscc
    query = (
        sa.select(citizen.c.business, citizen.c.company, citizen.c.uscc)
        .where(
            citizen.c.merged_into_id == row.id,
            sa.or_(citizen.c.business, citizen.c.company != "", citizen.c.uscc.is_not(None)),
        )
        .order_by(citizen.c.id)
        .limit(1)
    )
    found = (await session.execute(query)).first()
    return (found.business, found.company, found.uscc) if found else (False, "", None)


def _checked(citizen_id: int, row: Any) -> Any:
    if row is None:
        raise HotlineError("citizen_not_found", citizen_id=citizen_id)
    if row.merged_into_id is not None:
        raise HotlineError("citizen_merged", citizen_id=citizen_id, into=row.merged_into_id)
    return row


async def change(
    uow: UnitOfWork,
    actor: Actor,
    row: Any,
    action: str,
    *,
    reason: str = "",
    told: Mapping[str, Any] | None = None,
    **values: Any,
) -> int:
    """Write a locked record, append its history, tell the screens; returns the new version.

    `told` holds ids and codes for the history, never personal values.
    """
    version = int(row.version) + 1
    statement = sa.update(citizen).where(citizen.c.id == row.id)
    await uow.session.execute(statement.values(version=version, updated_at=uow.now, **values))
    entry = {
        "citizen_id": row.id,
        "at": uow.now,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "role": role_of(actor),
        "action": action,
        "reason": reason,
        "version": version,
        "changes": dict(told or {}),
    }
    await uow.session.execute(sa.insert(_history).values(**entry))
    await uow.emit(CitizenChanged(row.id, version, action))
    return version


def checked_reason(reason: str) -> str:
    """A reason in one line. Raises `reason_missing`, `reason_too_long` (limit)."""
    reason = clean(reason)
    if not reason:
        raise HotlineError("reason_missing")
    if len(reason) > MAX_REASON:
        raise HotlineError("reason_too_long", limit=MAX_REASON)
    return reason
