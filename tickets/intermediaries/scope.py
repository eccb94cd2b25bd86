"""Who may do what with which intermediary: operator and supervision with all, a department with its trade."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.intermediaries.models import Intermediary, IntermediaryAccount
from tickets.models import table_of
from tickets.visibility import Condition, is_system, units_below

_one = table_of(Intermediary)
_account = table_of(IntermediaryAccount)
_unit = table_of(Unit)


@dataclass(frozen=True)
class Market:
    """The unit that runs the market; None where the setting names none that is there."""

    operator_id: int | None


async def market(session: AsyncSession, operator: str) -> Market:
    """The market whose operator has this code."""
    query = sa.select(_unit.c.id).where(_unit.c.code == operator, _unit.c.active)
    return Market((await session.execute(query)).scalar_one_or_none())


def runs(actor: Actor, found: Market) -> bool:
    """Whether this person works for the operator."""
    return found.operator_id is not None and actor.unit_id == found.operator_id


def sees_all(actor: Actor, found: Market) -> bool:
    """Whether every intermediary's inner side is open to this person."""
    return runs(actor, found) or actor.may(Permission.TICKET_READ_ALL) or is_system(actor)


def within(actor: Actor, found: Market) -> Condition:
    """The condition on `intermediary` rows whose blacklist entries and cases this person may see."""
    if sees_all(actor, found):
        return sa.true()
    if actor.unit_id is None or not actor.may(Permission.INTERMEDIARY_EDIT):
        return sa.false()
    return _one.c.unit_id.in_(units_below(actor))


async def check_edit(session: AsyncSession, actor: Actor, found: Market, unit_id: int | None) -> None:
    """Raise `forbidden` unless the actor may edit an intermediary of this department (None: of any)."""
    actor.require(Permission.INTERMEDIARY_EDIT)
    if runs(actor, found) or actor.may(Permission.TICKET_SUPERVISE):
        return
    below = sa.select(_unit.c.id).where(_unit.c.id == unit_id, _unit.c.id.in_(units_below(actor)))
    if unit_id is None or (await session.execute(below)).first() is None:
        raise HotlineError("forbidden", permission=str(Permission.INTERMEDIARY_EDIT))


async def own(session: AsyncSession, actor: Actor) -> int:
    """The intermediary this account works for. Raises `forbidden`, `account_unlinked`."""
    actor.require(Permission.INTERMEDIARY_OWN)
    query = sa.select(_account.c.intermediary_id).where(
        _account.c.user_id == actor.user_id, _account.c.until.is_(None)
    )
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise HotlineError("account_unlinked")
    return int(found)


async def accounts(session: AsyncSession, intermediary_id: int) -> list[int]:
    """Who works for an intermediary."""
    query = sa.select(_account.c.user_id).where(
        _account.c.intermediary_id == intermediary_id, _account.c.until.is_(None)
    )
    return [int(row) for row in (await session.execute(query)).scalars()]
