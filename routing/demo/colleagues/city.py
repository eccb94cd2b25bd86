"""The demo city as it lies in the tables: what the seed once made, found again."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import Unit, User, UserRole
from core.people.permissions import Role
from routing.demo import categories
from routing.demo.org import BUREAUS
from routing.demo.people import Folk, Person
from routing.demo.places import DISTRICTS
from tickets.models import Category, table_of

_unit = table_of(Unit)
_user = table_of(User)
_role = table_of(UserRole)
_category = table_of(Category)
POSTS = (Role.AGENT, Role.DISPATCHER, Role.CALLBACK_OFFICER)  # whose work colleagues can do
UNITS = frozenset([*(office.code for office in BUREAUS), *(place.code for place in DISTRICTS)])


@dataclass(frozen=True)
class City:
    """Units and people, categories by code."""

    folk: Folk
    categories: dict[str, int]

    def posted(self, role: Role) -> list[Person]:
        """The holders of a post, in the order of their accounts."""
        return self.folk.posts.get(role, [])


async def find_city(session: AsyncSession) -> City | None:
    """The demo city; None when the database holds another one."""
    folk = Folk()
    for unit in await session.execute(sa.select(_unit.c.id, _unit.c.code, _unit.c.kind, _unit.c.short_name)):
        folk.units[unit.code] = unit.id
        if unit.kind == "town":
            folk.places[unit.code.partition("-")[0], unit.short_name] = unit.id
    found = await session.execute(sa.select(_category.c.code, _category.c.id).where(_category.c.active))
    codes = {row.code: row.id for row in found}
    if not (folk.units.keys() >= UNITS and codes.keys() >= {node.code for node in categories.nodes()}):
        return None
    for row in await session.execute(_people()):
        folk.add(Person(row.id, row.name, Role(row.role), row.unit_id, row.extension))
    return City(folk, codes)


def _people() -> sa.Select[Any]:
    query = sa.select(_user.c.id, _user.c.name, _user.c.unit_id, _user.c.extension, _role.c.role)
    query = query.join(_role, _role.c.user_id == _user.c.id)
    return query.where(_role.c.role.in_([role.value for role in POSTS]), _user.c.active).order_by(_user.c.id)
