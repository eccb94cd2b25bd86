"""Every write of the gazetteer: names added, removed, taken from a list; and the pages' questions."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.versions import touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from routing.gazetteer import KINDS, Place
from routing.known import PLACES, directory
from routing.matter import Directory
from routing.models import GazetteerPlace
from tickets.bulk import insert_rows
from tickets.models import table_of

_place = table_of(GazetteerPlace)
LONGEST = 60
PAGE = 50
PLACED = ("district", "town", "village")


def problem(place: Place, known: Directory) -> str:
    """What is wrong with a place: name, kind, unit or community; empty when nothing is."""
    unit = known.units.get(place.unit)
    if not 2 <= len(place.name) <= LONGEST:
        return "name"
    if place.kind not in KINDS:
        return "kind"
    if unit is None or not unit.active or unit.kind not in PLACED:
        return "unit"
    return "community" if len(place.community) > LONGEST else ""


async def take(uow: UnitOfWork, actor: Actor, places: Sequence[Place]) -> tuple[int, int]:
    """Add names, change those known by name and unit; returns how many of each. One audit row.

    Raises `forbidden`, `place_invalid` (field).
    """
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, PLACES)
    known = await directory(uow.session)
    rows = {(row.name, row.unit): row for row in (await uow.session.execute(sa.select(_place))).all()}
    fresh: dict[tuple[str, str], dict[str, Any]] = {}
    changed = 0
    for place in places:
        wrong = problem(place, known)
        if wrong:
            raise HotlineError("place_invalid", field=wrong, name=place.name[:LONGEST])
        row = rows.get((place.name, place.unit))
        if row is None:
            fresh[place.name, place.unit] = vars(place)
        elif (row.kind, row.community) != (place.kind, place.community):
            told = {"kind": place.kind, "community": place.community}
            await uow.session.execute(sa.update(_place).where(_place.c.id == row.id).values(**told))
            changed += 1
    await insert_rows(uow.session, _place, list(fresh.values()))
    if fresh or changed:
        detail = {"added": len(fresh), "changed": changed, "names": [name for name, _ in fresh][:50]}
        await audit.record(uow, actor=actor, action="place.take", object_type="place", detail=detail)
    return len(fresh), changed


async def remove(uow: UnitOfWork, actor: Actor, place_id: int) -> None:
    """Take a name off the list. Raises `forbidden`, `not_found`."""
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, PLACES)
    gone = sa.delete(_place).where(_place.c.id == place_id).returning(_place.c.name, _place.c.unit)
    row = (await uow.session.execute(gone)).first()
    if row is None:
        raise HotlineError("not_found", place_id=place_id)
    detail = {"name": row.name, "unit": row.unit}
    await audit.record(
        uow, actor=actor, action="place.remove", object_type="place", object_id=place_id, detail=detail
    )


async def page(session: AsyncSession, words: str, after: int) -> tuple[list[Any], int]:
    """Fifty places from position `after` on whose name or community has `words`, and how many there are."""
    query = sa.select(_place)
    if words:
        like = f"%{words.replace('%', '').replace('_', '')}%"
        query = query.where(_place.c.name.like(like) | _place.c.community.like(like))
    total = (await session.execute(sa.select(sa.func.count()).select_from(query.subquery()))).scalar_one()
    rows = await session.execute(query.order_by(_place.c.unit, _place.c.id).offset(after).limit(PAGE))
    return list(rows.all()), int(total)


async def every(session: AsyncSession) -> list[Any]:
    """All of them, for the list as a file."""
    return list((await session.execute(sa.select(_place).order_by(_place.c.unit, _place.c.id))).all())
