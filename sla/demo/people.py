"""Who there is to act in the past of the demo city."""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.people.actor import Actor
from core.people.models import User, UserRole
from core.people.permissions import Role
from core.people.service import PeopleService


@dataclass
class Cast:
    """The first holder of every post: of a unit, or of the hotline (no unit)."""

    people: PeopleService
    holders: dict[tuple[int | None, str], int]
    units: tuple[int, ...]  # those with a contact officer, the one the login page names first
    _actors: dict[int, Actor] = field(default_factory=dict)

    @classmethod
    async def load(cls, session: AsyncSession, people: PeopleService) -> "Cast":
        """As the accounts are."""
        query = sa.select(col(User.id), col(User.unit_id), col(UserRole.role)).join(
            UserRole, col(UserRole.user_id) == col(User.id)
        )
        holders: dict[tuple[int | None, str], int] = {}
        for row in await session.execute(query.order_by(col(User.id))):
            holders.setdefault((row.unit_id, row.role), row.id)
            holders.setdefault((None, row.role), row.id)
        officer = Role.DEPT_OFFICER.value
        units = tuple(unit for unit, role in holders if role == officer and unit is not None)
        return cls(people, holders, units)

    async def actor(self, session: AsyncSession, unit_id: int | None, post: str) -> Actor | None:
        """Who holds `post` there."""
        user_id = self.holders.get((unit_id, post))
        if user_id is None:
            return None
        if user_id not in self._actors:
            found = await self.people.actor_for_user(session, user_id)
            assert found is not None
            self._actors[user_id] = found
        return self._actors[user_id]
