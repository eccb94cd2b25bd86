"""Fills an empty database with the demo city, in one transaction: all of it or nothing."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from core.db import Database, UnitOfWork
from core.people.models import Unit
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Settings
from routing.demo import categories, certificates, knowledge, market, missed
from routing.demo.chunk import Chunk
from routing.demo.contacts import Drawer
from routing.demo.desk import open_desk
from routing.demo.making import Making, Row, Values
from routing.demo.people import make_accounts, make_units
from routing.demo.routing import make_choices, make_routing
from routing.demo.variety import Variety
from tickets.bulk import insert_rows, number_all, reserve_ids
from tickets.messages.service import take_back
from tickets.models import Category, table_of
from tickets.service import TicketService

Progress = Callable[[float], object]
Then = Callable[[UnitOfWork], Awaitable[None]]
SEED = 12345
CONTACTS_PER_CHUNK = 1200


class Services(Protocol):
    """The part of a node the seed needs."""

    @property
    def db(self) -> Database: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def people(self) -> PeopleService: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def tickets(self) -> TicketService: ...


@dataclass(frozen=True)
class Size:
    """How much of everything in ninety days."""

    tickets: int = 6000
    records: int = 3600
    missed: int = 380


async def is_empty(db: Database) -> bool:
    """Whether there is no unit yet, not even the one of a first administrator."""
    async with db.read() as session:
        return (await session.execute(sa.select(table_of(Unit).c.id).limit(1))).first() is None


async def seed(
    services: Services,
    now: datetime | None = None,
    progress: Progress | None = None,
    *,
    size: Size | None = None,
    then: Then | None = None,
) -> None:
    """Make the demo city with the ninety days before `now` (default: the clock's).

    `progress` gets the share done, 0 … 1. The same moment makes the same city, but for how personal
    values are sealed. The database must be empty (`is_empty`). `then` goes on with the past of what
    lies above this room, before the last things happen.
    """
    settings, draw = services.settings, random.Random(SEED)
    tell = progress or (lambda _: None)
    async with services.db.begin() as uow:
        values = Values(services.vault)
        making = Making(uow, now or uow.now, settings, draw, values, services.tickets.limits)
        await make_units(uow, settings.city.name, settings.city.area_code, making.folk)
        tell(0.08)
        password = settings.secrets.demo_password
        names = random.Random(SEED)  # another account must not change everybody's matters
        await make_accounts(uow, services.people, making.folk, password, names)
        tell(0.15)
        making.categories = await make_categories(uow)
        await make_routing(uow)
        await _make_contacts(making, size or Size(), tell)
        await missed.make(making, (size or Size()).missed)
        await open_desk(making)
        await make_choices(making)
        await making.figures.write(uow)
        if then is not None:
            await then(uow)
        await Variety(making, services.people, services.tickets).make()
        await knowledge.make(making, services.people)
        await certificates.make(making, services.people)
        await market.make(making, services.people, services.tickets)
        await take_back(uow)  # the demo's citizens are not written to about the past
        tell(1.0)


async def make_categories(uow: UnitOfWork) -> dict[str, int]:
    """The tree of matters; returns code → id."""
    table, nodes = table_of(Category), categories.nodes()
    ids = iter(await reserve_ids(uow.session, table, len(nodes)))
    rows: dict[str, Row] = {}
    for sort, node in enumerate(nodes, 1):
        above, ident = rows.get(node.parent or ""), next(ids)
        rows[node.code] = {
            "id": ident,
            "parent_id": above["id"] if above else None,
            "level": node.level,
            "code": node.code,
            "name": node.name,
            "full_name": f"{above['full_name']} / {node.name}" if above else node.name,
            "initials": node.initials,
            "path": f"{above['path'] if above else '.'}{ident}.",
            "active": True,
            "sort": sort,
        }
    await insert_rows(uow.session, table, list(rows.values()))
    return {code: row["id"] for code, row in rows.items()}


async def _make_contacts(making: Making, size: Size, progress: Progress) -> None:
    drawer = Drawer(making.draw, making.folk)
    contacts = list(drawer.contacts(making.now, tickets=size.tickets, records=size.records))
    area = making.settings.city.area_code
    numbers = await number_all(making.uow.session, area, [contact.at for contact in contacts])
    for start in range(0, len(contacts), CONTACTS_PER_CHUNK):
        part = slice(start, start + CONTACTS_PER_CHUNK)
        await Chunk(making).write(contacts[part], numbers[part])
        progress(0.2 + 0.7 * min(part.stop, len(contacts)) / len(contacts))
