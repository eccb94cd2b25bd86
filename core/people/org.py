"""The organisation tree: the write path of `unit` and the questions asked of it.

Every change of the tree takes one lock, so that two people who move units cannot make a circle or
leave a path behind. What a unit holds (tickets) is not known here: closing with a hand-over is
`tickets.handover`.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.events import TreeChanged
from core.people.models import Unit, User
from core.people.permissions import Permission

KINDS = ("city", "hotline", "bureau", "district", "town", "village")
KIND_WORDS = {
    "city": "市",
    "hotline": "热线中心",
    "bureau": "部门",
    "district": "区县",
    "town": "乡镇街道",
    "village": "村社区",
}
# Which kinds may stand below which; the city is the root.
BELOW: dict[str, tuple[str, ...]] = {
    "city": ("hotline", "bureau", "district"),
    "hotline": (),
    "bureau": ("bureau",),
    "district": ("bureau", "town"),
    "town": ("village",),
    "village": (),
}
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('unit tree'))")


async def create_unit(
    uow: UnitOfWork,
    actor: Actor,
    *,
    kind: str,
    name: str,
    code: str,
    parent: Unit | None = None,
    short_name: str | None = None,
    sort: int = 0,
) -> Unit:
    """Add a unit below `parent` (None: the root). Raises `unit_kind_unknown`, `unit_code_taken`."""
    if kind not in KINDS:
        raise HotlineError("unit_kind_unknown", kind=kind)
    unit = Unit(
        parent_id=parent.id if parent else None,
        kind=kind,
        name=name,
        short_name=short_name or name,
        code=code,
        path="",
        sort=sort,
    )
    try:
        async with uow.session.begin_nested():
            uow.session.add(unit)
            await uow.session.flush()
    except IntegrityError:
        raise HotlineError("unit_code_taken", unit_code=code) from None
    unit.path = f"{parent.path if parent else '.'}{unit.id}."
    await uow.session.flush()
    await audit.record(uow, actor=actor, action="unit.create", object_type="unit", object_id=unit.id)
    return unit


async def set_active(uow: UnitOfWork, actor: Actor, unit_id: int, *, active: bool) -> None:
    """Open or close a unit; a closed one takes no new tickets. Raises `unit_not_found`."""
    result = await uow.session.execute(update(Unit).where(col(Unit.id) == unit_id).values(active=active))
    if not result.rowcount:  # type: ignore[attr-defined]  # a cursor result
        raise HotlineError("unit_not_found", unit_id=unit_id)
    action = "unit.open" if active else "unit.close"
    await audit.record(uow, actor=actor, action=action, object_type="unit", object_id=unit_id)


# ---- what administrators do -----------------------------------------------------------------


async def lock_tree(uow: UnitOfWork) -> None:
    """Let nobody else change the tree until the end of the transaction."""
    await uow.session.execute(_LOCK)


async def _begin(uow: UnitOfWork, actor: Actor) -> None:
    actor.require(Permission.ORG_MANAGE)
    await lock_tree(uow)


async def add(
    uow: UnitOfWork,
    actor: Actor,
    *,
    parent_id: int,
    kind: str,
    name: str,
    code: str,
    short_name: str | None = None,
) -> Unit:
    """Add a unit as the last below `parent_id`.

    Raises `forbidden`, `unit_not_found`, `unit_closed`, `unit_kind_misplaced`, `unit_name_taken`,
    `unit_code_taken`.
    """
    await _begin(uow, actor)
    parent = await _open_unit(uow.session, parent_id)
    _check_kind(kind, parent)
    await _check_name(uow.session, parent_id, name)
    last = await _last_sort(uow.session, parent_id)
    return await create_unit(
        uow, actor, kind=kind, name=name, code=code, parent=parent, short_name=short_name, sort=last + 10
    )


async def rename(uow: UnitOfWork, actor: Actor, unit_id: int, *, name: str, short_name: str) -> None:
    """Give a unit another name; audited with both. Raises `unit_name_taken`."""
    await _begin(uow, actor)
    found = await unit(uow.session, unit_id)
    if (found.name, found.short_name) == (name, short_name):
        return
    await _check_name(uow.session, found.parent_id, name, but=unit_id)
    detail = {"name": [found.name, name], "short_name": [found.short_name, short_name]}
    await _set(uow, unit_id, name=name, short_name=short_name)
    await _note(uow, actor, "unit.rename", unit_id, detail)


async def move(uow: UnitOfWork, actor: Actor, unit_id: int, parent_id: int) -> None:
    """Hang a unit with all below it under another one.

    Raises `unit_circle`, `unit_closed`, `unit_kind_misplaced`, `unit_name_taken`.
    """
    await _begin(uow, actor)
    found, parent = await unit(uow.session, unit_id), await _open_unit(uow.session, parent_id)
    if found.parent_id == parent_id:
        return
    _check_kind(found.kind, parent)
    await _check_name(uow.session, parent_id, found.name, but=unit_id)
    await hang(uow, found, parent)
    await _note(uow, actor, "unit.move", unit_id, {"parent_id": [found.parent_id, parent_id]})


async def hang(uow: UnitOfWork, found: Unit, parent: Unit) -> None:
    """Change the parent and every path below; the caller holds the lock. Raises `unit_circle`."""
    if parent.path.startswith(found.path):
        raise HotlineError("unit_circle", unit_id=found.id)
    last = await _last_sort(uow.session, parent.id)
    await _set(uow, found.id, parent_id=parent.id, sort=last + 10)
    path = sa.func.concat(f"{parent.path}{found.id}.", sa.func.substr(col(Unit.path), len(found.path) + 1))
    below = update(Unit).where(col(Unit.path).like(found.path + "%")).values(path=path)
    await uow.session.execute(below.execution_options(synchronize_session=False))
    await uow.emit(TreeChanged(found.id))


async def reopen(uow: UnitOfWork, actor: Actor, unit_id: int) -> None:
    """Take a closed unit up again where it hangs.

    Raises `unit_closed` (what is above is closed itself), `unit_kind_misplaced` (move it first),
    `unit_name_taken`.
    """
    await _begin(uow, actor)
    found = await unit(uow.session, unit_id)
    if found.active:
        return
    if found.parent_id is not None:
        _check_kind(found.kind, await _open_unit(uow.session, found.parent_id))
    await _check_name(uow.session, found.parent_id, found.name, but=unit_id)
    await set_active(uow, actor, unit_id, active=True)


async def reorder(uow: UnitOfWork, actor: Actor, unit_id: int, *, up: bool) -> None:
    """Let a unit change places with its neighbour; nothing happens at the end of the row."""
    await _begin(uow, actor)
    found = await unit(uow.session, unit_id)
    row = [one for one in await children(uow.session, found.parent_id) if one.active]
    ids = [one.id for one in row]
    if unit_id not in ids:
        return
    place = ids.index(unit_id)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(ids):
        return
    ids[place], ids[other] = ids[other], ids[place]
    for number, ident in enumerate(ids, 1):
        await _set(uow, ident, sort=number * 10)
    await _note(uow, actor, "unit.reorder", unit_id, {"place": [place + 1, other + 1]})


async def check_names(session: AsyncSession, names: Iterable[str], parent_id: int, *, but: int) -> None:
    """Raise `unit_name_taken` when one of the names stands below `parent_id` already, `but` not counted."""
    for name in names:
        await _check_name(session, parent_id, name, but=but)


async def move_users(uow: UnitOfWork, actor: Actor, from_id: int, to_id: int) -> int:
    """Put the open accounts of a unit into another; returns how many. One audit row with their ids."""
    statement = update(User).where(col(User.unit_id) == from_id, col(User.active)).values(unit_id=to_id)
    moved = (await uow.session.execute(statement.returning(col(User.id)))).scalars().all()
    if moved:
        detail = {"to_unit_id": to_id, "user_ids": sorted(moved)}
        await _note(uow, actor, "unit.users", from_id, detail)
        await uow.emit(TreeChanged(from_id))
    return len(moved)


# ---- questions ------------------------------------------------------------------------------


async def units(session: AsyncSession, *, kinds: tuple[str, ...] | None = None) -> list[Unit]:
    """Active units in the order they are shown: by path of sort numbers, then name."""
    query = select(Unit).where(col(Unit.active)).order_by(col(Unit.sort), col(Unit.id))
    if kinds:
        query = query.where(col(Unit.kind).in_(kinds))
    return list((await session.execute(query)).scalars())


async def every_unit(session: AsyncSession) -> list[Unit]:
    """All units, closed ones too, siblings in their order."""
    return list((await session.execute(select(Unit).order_by(col(Unit.sort), col(Unit.id)))).scalars())


async def unit(session: AsyncSession, unit_id: int) -> Unit:
    """One unit; raises `unit_not_found`."""
    found = await session.get(Unit, unit_id)
    if found is None:
        raise HotlineError("unit_not_found", unit_id=unit_id)
    return found


async def children(session: AsyncSession, unit_id: int | None) -> list[Unit]:
    """The units right below, closed ones too, in their order."""
    query = select(Unit).where(col(Unit.parent_id) == unit_id).order_by(col(Unit.sort), col(Unit.id))
    return list((await session.execute(query)).scalars())


async def subtree_ids(session: AsyncSession, unit_id: int) -> list[int]:
    """The unit and everything below it."""
    root = await unit(session, unit_id)
    query = select(col(Unit.id)).where(col(Unit.path).like(root.path + "%"))
    return [int(found) for found in (await session.execute(query)).scalars()]


async def _open_unit(session: AsyncSession, unit_id: int) -> Unit:
    found = await unit(session, unit_id)
    if not found.active:
        raise HotlineError("unit_closed", unit_id=unit_id)
    return found


def _check_kind(kind: str, parent: Unit) -> None:
    if kind not in KINDS:
        raise HotlineError("unit_kind_unknown", kind=kind[:20])
    if kind not in BELOW[parent.kind]:
        raise HotlineError("unit_kind_misplaced", kind=kind, below=parent.kind)


async def _check_name(session: AsyncSession, parent_id: int | None, name: str, *, but: int = 0) -> None:
    query = select(col(Unit.id)).where(
        col(Unit.parent_id) == parent_id, col(Unit.name) == name, col(Unit.active), col(Unit.id) != but
    )
    if (await session.execute(query)).first() is not None:
        raise HotlineError("unit_name_taken")


async def _last_sort(session: AsyncSession, parent_id: int) -> int:
    query = select(sa.func.max(col(Unit.sort))).where(col(Unit.parent_id) == parent_id)
    return int((await session.execute(query)).scalar_one() or 0)


async def _set(uow: UnitOfWork, unit_id: int, **values: Any) -> None:
    statement = update(Unit).where(col(Unit.id) == unit_id).values(**values)
    await uow.session.execute(statement.execution_options(synchronize_session=False))


async def _note(uow: UnitOfWork, actor: Actor, action: str, unit_id: int, detail: dict[str, Any]) -> None:
    await audit.record(uow, actor=actor, action=action, object_type="unit", object_id=unit_id, detail=detail)
