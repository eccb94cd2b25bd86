"""Every write of the responsibility catalogue: one row or a list, each change kept with who and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.versions import touch
from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from routing.known import CATALOGUE, directory
from routing.matter import LOCAL, Directory
from routing.models import Responsibility, ResponsibilityChange
from tickets.bulk import insert_rows, reserve_ids
from tickets.models import table_of

_row, _change = table_of(Responsibility), table_of(ResponsibilityChange)
KEY = ("category", "area", "subject", "valid_from")
SAID = ("category", "area", "subject", "lead", "co", "basis", "clock", "script", "valid_from", "valid_to")
LONGEST = {"subject": 60, "basis": 300, "clock": 60, "script": 500}


@dataclass(frozen=True)
class Said:
    """What a row says, without its id."""

    category: str
    lead: str
    valid_from: date
    area: str = ""
    subject: str = ""
    co: tuple[str, ...] = ()
    basis: str = ""
    clock: str = ""
    script: str = ""
    valid_to: date | None = None

    def values(self) -> dict[str, Any]:
        """As columns of the table."""
        return vars(self) | {"co": list(self.co)}


async def add(uow: UnitOfWork, actor: Actor, said: Said, note: str = "") -> int:
    """A new row; returns its id. Raises `forbidden`, and what `check` raises."""
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, CATALOGUE)
    await check(uow.session, said, await directory(uow.session))
    ids = await insert(uow, [said], actor=actor, note=note)
    await _audit(uow, actor, "responsibility.add", ids[0], {"category": said.category, "lead": said.lead})
    return ids[0]


async def change(uow: UnitOfWork, actor: Actor, row_id: int, version: int, said: Said, note: str = "") -> int:
    """Put a row right as it was seen in `version`; returns the new version.

    Raises `forbidden`, `responsibility_missing`, `version_conflict`, and what `check` raises. Without a
    difference nothing is written.
    """
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, CATALOGUE)
    before = await _lock(uow.session, row_id, version)
    await check(uow.session, said, await directory(uow.session), but=row_id)
    values = said.values()
    changed = {name: value for name, value in values.items() if getattr(before, name) != value}
    if not changed:
        return version
    await _write(uow, actor, row_id, version + 1, values, note)
    await _audit(uow, actor, "responsibility.change", row_id, {"fields": sorted(changed)})
    return version + 1


async def end(uow: UnitOfWork, actor: Actor, row_id: int, version: int, note: str = "") -> int:
    """Let a row count no longer from today on; returns the new version.

    What it said and since when stays among its changes, also of a row that had not begun yet.
    """
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, CATALOGUE)
    before = await _lock(uow.session, row_id, version)
    last = to_city(uow.now).date() - timedelta(days=1)
    values = {name: getattr(before, name) for name in SAID}
    values |= {"valid_from": min(before.valid_from, last), "valid_to": last}
    await _write(uow, actor, row_id, version + 1, values, note)
    await _audit(uow, actor, "responsibility.end", row_id, {"valid_to": last.isoformat()})
    return version + 1


async def take_list(uow: UnitOfWork, actor: Actor, said: Sequence[Said], note: str = "") -> tuple[int, int]:
    """Add the rows of a list, change those with the same key; returns how many of each. One audit row."""
    actor.require(Permission.ROUTING_EDIT)
    await touch(uow, CATALOGUE)
    known = await by_key(uow.session)
    fresh = [one for one in said if key_of(one.values()) not in known]
    moved = 0
    for one in said:
        row = known.get(key_of(one.values()))
        if row is not None and any(getattr(row, name) != value for name, value in one.values().items()):
            await _write(uow, actor, row.id, row.version + 1, one.values(), note)
            moved += 1
    await insert(uow, fresh, actor=actor, note=note)
    await _audit(uow, actor, "responsibility.import", None, {"added": len(fresh), "changed": moved})
    return len(fresh), moved


async def insert(
    uow: UnitOfWork, said: Sequence[Said], *, actor: Actor | None = None, note: str = ""
) -> list[int]:
    """Write new rows without asking who may; for the service itself and for a city that is made."""
    ids = await reserve_ids(uow.session, _row, len(said)) if said else []
    pairs = list(zip(ids, said, strict=True))
    now = uow.now
    rows = [one.values() | {"id": ident, "version": 1, "changed_at": now} for ident, one in pairs]
    await insert_rows(uow.session, _row, rows)
    log = [_logged(actor, ident, 1, one.values(), note, uow) for ident, one in pairs]
    await insert_rows(uow.session, _change, log)
    return ids


async def check(session: AsyncSession, said: Said, known: Directory, *, but: int | None = None) -> None:
    """Raise `responsibility_invalid` (fields: field → why) for what cannot stand in the catalogue."""
    wrong = problems(said, known)
    if not wrong:
        same = sa.select(_row.c.id).where(*(_row.c[name] == said.values()[name] for name in KEY))
        if but is not None:
            same = same.where(_row.c.id != but)
        if (await session.execute(same.limit(1))).first() is not None:
            wrong = {"category": "twice"}
    if wrong:
        raise HotlineError("responsibility_invalid", fields=wrong)


def problems(said: Said, known: Directory) -> dict[str, str]:
    """Field → what is wrong with it: unknown, inactive, not_handling, too_long, days."""
    wrong: dict[str, str] = {}
    if said.category not in known.categories:
        wrong["category"] = "unknown"
    if said.area:
        area = known.units.get(said.area)
        if area is None or not area.active or area.kind not in ("district", "town"):
            wrong["area"] = "unknown"
    for name, units in (("lead", (said.lead,)), ("co", said.co)):
        for unit in units:
            if unit not in LOCAL and known.resolve(unit).unit is None:
                wrong[name] = "unknown"
    for name, most in LONGEST.items():
        if len(getattr(said, name)) > most:
            wrong[name] = "too_long"
    if said.valid_to is not None and said.valid_to < said.valid_from:
        wrong["valid_to"] = "days"
    return wrong


def key_of(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two rows the same row."""
    return tuple(values[name] for name in KEY)


async def by_key(session: AsyncSession) -> dict[tuple[Any, ...], Any]:
    """Every row by its key."""
    rows = (await session.execute(sa.select(_row))).all()
    return {tuple(getattr(row, name) for name in KEY): row for row in rows}


async def _lock(session: AsyncSession, row_id: int, version: int) -> Any:
    row = (await session.execute(sa.select(_row).where(_row.c.id == row_id).with_for_update())).first()
    if row is None:
        raise HotlineError("responsibility_missing", row_id=row_id)
    if row.version != version:
        raise HotlineError("responsibility_changed", row_id=row_id, version=row.version)
    return row


async def _write(
    uow: UnitOfWork, actor: Actor, row_id: int, version: int, values: dict[str, Any], note: str
) -> None:
    told = values | {"version": version, "changed_at": uow.now}
    await uow.session.execute(sa.update(_row).where(_row.c.id == row_id).values(**told))
    await uow.session.execute(sa.insert(_change).values(_logged(actor, row_id, version, values, note, uow)))


def _logged(
    actor: Actor | None, row_id: int, version: int, values: Mapping[str, Any], note: str, uow: UnitOfWork
) -> dict[str, Any]:
    said = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return {
        "responsibility_id": row_id,
        "version": version,
        "said": said,
        "note": note[:200],
        "changed_by": actor.user_id if actor else None,
        "changed_at": uow.now,
    }


async def _audit(uow: UnitOfWork, actor: Actor, action: str, row_id: int | None, detail: Any) -> None:
    await audit.record(
        uow, actor=actor, action=action, object_type="responsibility", object_id=row_id, detail=detail
    )
