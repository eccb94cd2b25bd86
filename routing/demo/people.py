"""Units and accounts of the demo city, made through the ordinary services."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import insert, select

from core.catalog.models import CallQueue, CallQueueMember
from core.db import UnitOfWork
from core.people import org
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Role
from core.people.service import PeopleService
from routing.demo import places
from routing.demo.org import BUREAUS, CITY_POSTS, EXTENSIONS, HOTLINE, HOTLINE_POSTS
from telephony.simulator.callers import GIVEN, SURNAMES

SYSTEM = Actor.system("demo")
# Of the agents in the order of their accounts, those of a skill group.
SKILLS = {"expert": (0, 4), "business": (4, 10), "dialect": (10, 14)}


@dataclass(frozen=True)
class Person:
    """An account and what history rows say of it."""

    id: int
    name: str
    role: Role
    unit_id: int
    extension: str | None = None


@dataclass
class Folk:
    """Who there is: units by code, people by post, the two officers of each handling unit."""

    units: dict[str, int] = field(default_factory=dict)
    places: dict[tuple[str, str], int] = field(default_factory=dict)  # (district code, town) → unit
    posts: dict[Role, list[Person]] = field(default_factory=dict)
    officers: dict[int, Person] = field(default_factory=dict)  # unit → its contact officer

    def add(self, person: Person) -> None:
        self.posts.setdefault(person.role, []).append(person)
        if person.role is Role.DEPT_OFFICER:
            self.officers.setdefault(person.unit_id, person)


def person_name(draw: random.Random) -> str:
    """An invented name of two or three characters."""
    return draw.choice(SURNAMES) + "".join(draw.sample(GIVEN, draw.choice((1, 2, 2))))


async def make_units(uow: UnitOfWork, city_name: str, area: str, folk: Folk) -> None:
    """City, hotline, bureaus, districts, streets and towns, some villages."""

    async def add(kind: str, name: str, code: str, parent: Unit | None, short: str, sort: int) -> Unit:
        unit = await org.create_unit(
            uow, SYSTEM, kind=kind, name=name, code=code, parent=parent, short_name=short, sort=sort
        )
        folk.units[code] = unit.id or 0
        return unit

    city = await add("city", f"{city_name}市", area, None, city_name, 0)
    await add("hotline", HOTLINE.name, HOTLINE.code, city, HOTLINE.short, 1)
    for index, office in enumerate(BUREAUS, 1):
        await add("bureau", office.name, office.code, city, office.short, 100 + index)
    for index, district in enumerate(places.DISTRICTS, 1):
        above = await add("district", district.name, district.code, city, district.short, 200 + index)
        await _make_towns(add, folk, district, above)


Add = Callable[[str, str, str, Unit | None, str, int], Awaitable[Unit]]


async def _make_towns(add: Add, folk: Folk, district: places.District, above: Unit) -> None:
    for number, town in enumerate(district.towns, 1):
        code = f"{district.code}-{number:02d}"
        unit = await add("town", f"{district.short}{town}", code, above, town, number)
        folk.places[district.code, town] = unit.id or 0
        villages = [village for place, village in district.villages if place == town]
        for index, village in enumerate(villages, 1):
            await add("village", f"{town}{village}", f"{code}-{index:02d}", unit, village, index)


async def make_accounts(
    uow: UnitOfWork, people: PeopleService, folk: Folk, password: str, draw: random.Random
) -> None:
    """The hotline's posts, an officer and a head for every bureau and district, administrators."""

    async def add(login: str, role: Role, unit_id: int, extension: str | None = None) -> None:
        name = person_name(draw)
        account = _Account(login, name, role, unit_id, extension)
        folk.add(Person(await account.create(uow, people, password), name, role, unit_id, extension))

    for prefix, role, count in HOTLINE_POSTS:
        for number in range(1, count + 1):
            first = EXTENSIONS.get(role)
            extension = str(first + number - 1) if first is not None else None
            await add(f"{prefix}{number:02d}", role, folk.units[HOTLINE.code], extension)
    await _make_members(uow, folk)
    for code in (*(office.code for office in BUREAUS), *(place.code for place in places.DISTRICTS)):
        await add(f"{code}01", Role.DEPT_OFFICER, folk.units[code])
        await add(f"{code}_head", Role.DEPT_HEAD, folk.units[code])
    root = next(iter(folk.units.values()))
    for login, role in CITY_POSTS:
        await add(login, role, root)
    # After all others, and none of those whom the demo's matters are given to: who has an account in a
    # village sees what was sent down to it.
    for login, unit_id in points(folk):
        account = _Account(login, person_name(draw), Role.DEPT_OFFICER, unit_id)
        await account.create(uow, people, password)


class _Account(NamedTuple):
    """An account of the demo city, with one post."""

    login: str
    name: str
    role: Role
    unit_id: int
    extension: str | None = None

    async def create(self, uow: UnitOfWork, people: PeopleService, password: str) -> int:
        return await people.create_user(
            uow,
            SYSTEM,
            login=self.login,
            name=self.name,
            password=password,
            unit_id=self.unit_id,
            roles=frozenset({self.role}),
            extension=self.extension,
        )


def points(folk: Folk) -> list[tuple[str, int]]:
    """The accounts of the lower two levels, (login, unit): of each district the first village there is
    (`xiufeng_cun01`) and the town above it (`xiufeng_zhen01`)."""
    found = []
    for district in places.DISTRICTS:
        for town, _village in district.villages[:1]:
            code = f"{district.code}-{district.towns.index(town) + 1:02d}"
            found.append((f"{district.code}_zhen01", folk.units[code]))
            found.append((f"{district.code}_cun01", folk.units[f"{code}-01"]))
    return found


async def _make_members(uow: UnitOfWork, folk: Folk) -> None:
    """Who may take which queue: everybody the first, some of them a skill group besides."""
    agents = folk.posts.get(Role.AGENT, [])
    groups = {"hotline": agents, "callback": folk.posts.get(Role.CALLBACK_OFFICER, [])}
    groups |= {name: agents[first:last] for name, (first, last) in SKILLS.items()}
    found = await uow.session.execute(select(CallQueue.id, CallQueue.name))  # type: ignore[call-overload]  # columns here
    rows = [
        {"queue_id": row.id, "user_id": person.id, "penalty": 0}
        for row in found
        for person in groups.get(row.name, [])
    ]
    await uow.session.execute(insert(CallQueueMember), rows)
