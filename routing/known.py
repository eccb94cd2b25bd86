"""What suggestions are made from, read from the tables: units and categories, catalogue, rules, places.

Catalogue, rules and places are kept in the process and read again within a second of a change
(`core.catalog.versions`); units and categories are read again when their print is another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import Pool
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog.models import CatalogVersion
from core.catalog.versions import Copy
from core.clock import to_city
from core.people.models import Unit
from routing.catalogue import Catalogue, Entry
from routing.finding import PlaceIndex
from routing.gazetteer import Gazetteer, Place
from routing.matter import Directory, UnitInfo
from routing.models import GazetteerPlace, Responsibility, RuleSet
from routing.rules import Book, Rule, Vocabulary, from_data
from routing.suggest import Knowledge
from tickets.category_codes import read_codes
from tickets.models import Category, table_of
from tickets.terms import Channel, TicketType, Urgency, choices

CATALOGUE, RULES, PLACES = "responsibility", "dispatch_rules", "gazetteer"  # parts of catalog_version
WORDS = Vocabulary(dict(choices(TicketType)), dict(choices(Urgency)), dict(choices(Channel)))
_unit, _category, _version = table_of(Unit), table_of(Category), table_of(CatalogVersion)
_row, _set, _place = table_of(Responsibility), table_of(RuleSet), table_of(GazetteerPlace)


@dataclass(frozen=True)
class LiveRules:
    """The rules that count, with the number of their version; 0: there are none yet."""

    number: int
    rules: tuple[Rule, ...]


# What the directory is made of, as one short text that is another one after any change.
_PRINT = sa.text("""
    SELECT (SELECT md5(string_agg(concat_ws('|', id, code, name, short_name, kind, active, path), ','
                                  ORDER BY id)) FROM unit),
           (SELECT md5(string_agg(concat_ws('|', id, code, full_name, active, path), ','
                                  ORDER BY id)) FROM category)
""")
_directories: WeakKeyDictionary[Pool, tuple[Any, Directory]] = WeakKeyDictionary()


async def directory(session: AsyncSession) -> Directory:
    """The units and categories as they are now; the same object until one of them changes."""
    pool = session.get_bind().engine.pool
    mark = tuple((await session.execute(_PRINT)).one())
    held = _directories.get(pool)
    if held is None or held[0] != mark:
        held = _directories[pool] = (mark, await _read_directory(session))
    return held[1]


async def _read_directory(session: AsyncSession) -> Directory:
    names = ("id", "code", "name", "short_name", "kind", "active", "path")
    rows = (await session.execute(sa.select(*(_unit.c[name] for name in names)))).all()
    code = {row.id: row.code for row in rows}
    units = {
        row.code: UnitInfo(
            *(row.id, row.code, row.name, row.short_name, row.kind, row.active, row.path),
            tuple(code[ident] for ident in reversed(_ids(row.path)) if ident in code),
        )
        for row in rows
    }
    query = sa.select(_category.c.code, _category.c.full_name).where(_category.c.active)
    categories = {row.code: row.full_name for row in await session.execute(query)}
    return Directory(units, categories, await read_codes(session))


def _ids(path: str) -> list[int]:
    return [int(part) for part in path.split(".") if part]


def entry_of(row: Any) -> Entry:
    """A row of the table as the pure part knows it."""
    names = [name for name in Entry.__dataclass_fields__ if name != "co"]
    return Entry(**{name: getattr(row, name) for name in names}, co=tuple(row.co))


async def _load_catalogue(session: AsyncSession) -> Catalogue:
    rows = (await session.execute(sa.select(_row).order_by(_row.c.id))).all()
    version = sa.select(_version.c.version).where(_version.c.name == CATALOGUE)
    number = (await session.execute(version)).scalar_one_or_none()
    return Catalogue.of(map(entry_of, rows), int(number or 0))


async def _load_rules(session: AsyncSession) -> LiveRules:
    query = sa.select(_set.c.number, _set.c.rules).where(_set.c.state == "live")
    row = (await session.execute(query)).first()
    return LiveRules(row.number, from_data(row.rules)) if row else LiveRules(0, ())


async def _load_places(session: AsyncSession) -> tuple[Place, ...]:
    columns = (_place.c[name] for name in ("name", "unit", "kind", "community"))
    rows = (await session.execute(sa.select(*columns).order_by(_place.c.id))).all()
    return tuple(Place(*row) for row in rows)


_catalogue: Copy[Catalogue] = Copy(CATALOGUE, _load_catalogue)
_rules: Copy[LiveRules] = Copy(RULES, _load_rules)
_places: Copy[tuple[Place, ...]] = Copy(PLACES, _load_places)


async def knowledge(
    session: AsyncSession,
    now: datetime,
    *,
    rules: Sequence[Rule] | None = None,
    number: int = 0,
    fresh: bool = False,
) -> Knowledge:
    """Everything but the places, for matters of `now`; with `rules`, those instead of the live ones.

    `fresh`: as it is this very moment, for who has just changed it; else up to a second old.
    """
    found = await directory(session)
    live = LiveRules(number, tuple(rules)) if rules is not None else await _rules.get(session, now=fresh)
    book = Book.of(live.rules, found, WORDS, live.number)
    return Knowledge(found, await _catalogue.get(session, now=fresh), book, to_city(now).date())


_gazetteers: list[tuple[tuple[Place, ...], Directory, Gazetteer]] = []  # the last one made


async def gazetteer(session: AsyncSession, units: Directory, *, fresh: bool = False) -> Gazetteer:
    """The names of places; made anew when they or the units have changed."""
    places = await _places.get(session, now=fresh)
    for known_places, known_units, made in _gazetteers:
        if known_places is places and known_units is units:
            return made
    made = Gazetteer.of(places, units)
    _gazetteers[:] = [(places, units, made)]
    return made


_indexes: list[tuple[tuple[Place, ...], Directory, PlaceIndex]] = []  # the last one made


async def place_index(session: AsyncSession) -> PlaceIndex:
    """The names of places to be found as they are typed; made anew when they or the units have changed."""
    places, units = await _places.get(session), await directory(session)
    for known_places, known_units, made in _indexes:
        if known_places is places and known_units is units:
            return made
    made = PlaceIndex.of(places, units)
    _indexes[:] = [(places, units, made)]
    return made
