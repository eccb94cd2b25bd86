"""Tickets that wait to be dispatched, while no dispatcher is signed in."""

import math
import random
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.clock import to_city
from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Role
from routing.demo import places
from routing.demo.colleagues.floor import Floor
from routing.demo.colleagues.presence import Present
from routing.demo.matters import Matter, load
from tickets.models import Category, Ticket, table_of
from tickets.queries.filters import in_state
from tickets.workflow import State

_ticket = table_of(Ticket)
_category = table_of(Category)
_unit = table_of(Unit)
REAL = frozenset({Role.DISPATCHER})
MEDIAN, SPREAD, SHORTEST, LONGEST = 480.0, 0.5, 120.0, 1800.0  # seconds until a ticket is dispatched
URGENT = (50.0, 180.0)
NIGHT = 4  # times as long from ten at night to seven in the morning
PAUSE = (20.0, 60.0)  # seconds until the next one
LOOK = 50
NOTED = 0.3
NOTES = (
    "请依法依规核实处理，并将结果告知来电人。",
    "请先行联系来电人，了解具体情况。",
    "请现场核实，按时限办结并回复。",
)


class Dispatching:
    """Sends tickets to the unit their matter belongs to, one after the other."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._free_from = -math.inf  # monotonic: a pause needs no memory beyond a restart
        self._districts = {district.code: district for district in places.DISTRICTS}

    async def work(self, present: Present) -> int:
        """Dispatch the first ticket that is due, unless a dispatcher is here; returns how many were."""
        db = self._floor.services.db
        if present.posts & REAL or db.clock.monotonic() < self._free_from:
            return 0
        async with db.read() as session:
            rows = (await session.execute(_waiting())).all()
        due = [row for row in rows if self._due(row) <= db.clock.now()]
        if not due:
            return 0
        first = min(due, key=lambda row: row.urgency == "normal")  # what cannot wait goes first
        pause = self._floor.chance("pause", first.id).uniform(*PAUSE)
        self._free_from = db.clock.monotonic() + self._floor.after(pause).total_seconds()
        return int(await self._dispatch(first, present))

    def _due(self, row: Any) -> datetime:
        draw = self._floor.chance("dispatch", row.id)
        if row.urgency != "normal":
            seconds = draw.uniform(*URGENT)
        else:
            seconds = min(max(draw.lognormvariate(math.log(MEDIAN), SPREAD), SHORTEST), LONGEST)
            seconds *= NIGHT if not 7 <= to_city(row.created_at).hour < 22 else 1
        created: datetime = row.created_at
        return created + self._floor.after(seconds)

    async def _dispatch(self, row: Any, present: Present) -> bool:
        draw = self._floor.chance("unit", row.id)
        people = [one.id for one in self._floor.city.posted(Role.DISPATCHER) if one.id not in present.users]
        if not people:
            return False
        unit_id = self._unit(draw, row)
        note = draw.choice(NOTES) if draw.random() < NOTED else ""

        async def work(uow: UnitOfWork, actor: Actor) -> bool:
            await self._floor.services.tickets.dispatch(uow, actor, row.id, row.version, unit_id, note)
            return True

        who = draw.choice(people)
        return await self._floor.act(who, work, did="ticket.dispatch", to=("ticket", row.id), unless=REAL)

    def _unit(self, draw: random.Random, row: Any) -> int:
        """Where such matters go: the bureau in charge or the place's own district."""
        alike = matters_like(row.category, row.type)
        matter = draw.choices(alike, [one.weight for one in alike])[0]
        district = self._districts.get(row.district) or draw.choice(places.DISTRICTS)
        return self._floor.drawer(draw).unit(matter, district)


def matters_like(category: str, kind: str) -> list[Matter]:
    """The known matters nearest to a category code, of the same type where there are such."""
    for length in range(len(category), 1, -2):
        near = [matter for matter in load() if matter.category.startswith(category[:length])]
        if near:
            return [matter for matter in near if matter.type == kind] or near
    return list(load())


def _waiting() -> sa.Select[Any]:
    columns = (_ticket.c[name] for name in ("id", "version", "type", "urgency", "created_at"))
    return (
        sa.select(*columns, _category.c.code.label("category"), _unit.c.code.label("district"))
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(_unit, _unit.c.id == _ticket.c.district_id)
        .where(in_state(State.WAITING_DISPATCH))
        .order_by(_ticket.c.created_at, _ticket.c.id)
        .limit(LOOK)
    )
