"""The units a ticket can be dispatched to, as the pickers show them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from core.people import org
from core.people.models import Unit
from core.pinyin import initials
from tickets.actions.units import HANDLING_KINDS


@dataclass(frozen=True)
class UnitChoice:
    """One line of a picker; `keywords` are the initials of the name, for typing without a Chinese IME."""

    id: int
    label: str
    keywords: str


@dataclass(frozen=True)
class UnitGroup:
    """A heading with its lines."""

    label: str
    choices: tuple[UnitChoice, ...]


@lru_cache(maxsize=4096)
def _keywords(name: str, short_name: str) -> str:
    return f"{initials(name)} {initials(short_name)}"


def _choice(unit: Unit, above: str = "") -> UnitChoice:
    label = f"{above} / {unit.name}" if above else unit.name
    return UnitChoice(unit.id, label, _keywords(unit.name, unit.short_name))


async def village_choices(session: AsyncSession, below: Collection[int]) -> tuple[UnitChoice, ...]:
    """The villages and communities among these units: matters come to them from above alone."""
    villages = await org.units(session, kinds=("village",))
    return tuple(_choice(unit) for unit in villages if unit.id in below)


async def unit_groups(session: AsyncSession) -> list[UnitGroup]:
    """Bureaus in one group, then each district with its towns and streets."""
    found = await org.units(session, kinds=HANDLING_KINDS)
    groups = [UnitGroup("市直部门", tuple(_choice(unit) for unit in found if unit.kind == "bureau"))]
    for district in (unit for unit in found if unit.kind == "district"):
        towns = [unit for unit in found if unit.kind == "town" and unit.parent_id == district.id]
        lines = (_choice(district), *(_choice(town, district.short_name) for town in towns))
        groups.append(UnitGroup(district.name, lines))
    return [group for group in groups if group.choices]
