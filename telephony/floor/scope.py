"""Whom a person sees on the floor: a condition of every query of this package."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from core.tables import table_of
from telephony.models import OPEN_LEG, CallLeg, CallSession

_unit, _user = table_of(Unit), table_of(User)
_leg, _call = table_of(CallLeg), table_of(CallSession)


def on_floor_of(actor: Actor, user: Any = _user) -> sa.ColumnElement[bool]:
    """The condition on `user_account` that this person oversees it.

    Who belongs to a hotline oversees the people of that hotline and what is below it; who stands above
    (city, administrators) all of them. Nobody without `floor.read` oversees anybody.
    """
    if not actor.may(Permission.FLOOR_READ):
        return sa.false()
    below = sa.select(_unit.c.id).where(_unit.c.path.like(actor.unit_path + "%"))
    of_hotline = sa.exists().where(_unit.c.id == actor.unit_id, _unit.c.kind == "hotline")
    return sa.or_(sa.not_(of_hotline), user.c.unit_id.in_(below))


async def oversees(session: AsyncSession, leader: Actor, people: Collection[int]) -> bool:
    """Whether one of these people is on this leader's floor."""
    query = sa.select(_user.c.id).where(_user.c.id.in_(people), on_floor_of(leader)).limit(1)
    return (await session.execute(query)).first() is not None


async def call_of(session: AsyncSession, actor: Actor) -> int | None:
    """The call this person talks in now."""
    query = (
        sa.select(_leg.c.session_id)
        .join(_call, _call.c.id == _leg.c.session_id)
        .where(
            _leg.c.user_id == actor.user_id, OPEN_LEG, _leg.c.state == "talking", _call.c.ended_at.is_(None)
        )
        .order_by(_leg.c.answered_at.desc())
        .limit(1)
    )
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found
