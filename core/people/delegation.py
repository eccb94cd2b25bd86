"""Deciding for an absent head (代理): for a span of days, for approvals only, on the record.

A head or a supervision officer names a deputy of the same unit or of one above. The deputy decides
in the head's place and the record says so; the power ends with the span, when it is ended early, and
with the head's or the deputy's account or post.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core import audit
from core.clock import CITY_ZONE, to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Delegation, Unit, User, UserRole
from core.people.permissions import Permission, Role, permissions_of

PRINCIPALS = (Role.DEPT_HEAD, Role.SUPERVISION_OFFICER)
# What a deputy must be able to do already, so that a delegation lends decisions and no knowledge.
NEEDED = {Role.DEPT_HEAD: Permission.TICKET_HANDLE, Role.SUPERVISION_OFFICER: Permission.TICKET_RULE}
APPROVALS = "approvals"
MOST_DAYS = 92


@dataclass(frozen=True)
class Behalf:
    """For whom somebody may decide: the unit and post of the absent, and who that is."""

    unit_id: int
    of_user_id: int
    of_name: str
    post: Role


async def units_approved_for(session: AsyncSession, actor: Actor, now: datetime) -> tuple[Behalf, ...]:
    """Whose approvals `actor` may give at `now`; a `dept_head` for his unit, supervision everywhere.

    The absent person must still hold the post and the account; so must the deputy, in the same unit
    or one above it.
    """
    if actor.user_id is None:
        return ()
    holds = exists().where(
        col(UserRole.user_id) == col(Delegation.principal_id), col(UserRole.role) == col(Delegation.post)
    )
    query = (
        select(col(User.unit_id), col(User.id), col(User.name), col(Delegation.post))
        .join(User, col(User.id) == col(Delegation.principal_id))
        .join(Unit, col(Unit.id) == col(User.unit_id))
        .where(col(Delegation.deputy_id) == actor.user_id, col(User.active), holds)
        .where(col(Unit.path).startswith(actor.unit_path))
        .where(col(Delegation.unit_id) == col(User.unit_id), _running(now))
        .order_by(col(Delegation.id))
    )
    rows = (await session.execute(query)).all()
    found = (Behalf(row[0], row[1], row[2], Role(row[3])) for row in rows)
    return tuple(one for one in found if actor.may(NEEDED[one.post]))


def _running(now: datetime) -> ColumnElement[bool]:
    return and_(
        col(Delegation.starts_at) <= now,
        col(Delegation.ends_at) > now,
        or_(col(Delegation.ended_at).is_(None), col(Delegation.ended_at) > now),
    )


# ---- writing --------------------------------------------------------------------------------


async def create(
    uow: UnitOfWork, actor: Actor, *, deputy_id: int, first_day: date, last_day: date, reason: str
) -> int:
    """Name a deputy from `first_day` to the end of `last_day`, days of the city; returns the id.

    Errors: forbidden (no head), delegation_days, delegation_reason, deputy_unfit, delegation_overlaps,
    deputy_absent.
    """
    post = post_of(actor)
    if post is None or actor.user_id is None or actor.unit_id is None:
        raise HotlineError("forbidden")
    starts, ends = _span(uow.now, first_day, last_day)
    if not reason.strip():
        raise HotlineError("delegation_reason")
    # The row of the person is the lock: two delegations at once would not see each other.
    await uow.session.execute(select(User).where(col(User.id) == actor.user_id).with_for_update())
    await _check_deputy(uow.session, actor, actor.user_id, deputy_id, (starts, ends))
    values = {
        "principal_id": actor.user_id,
        "deputy_id": deputy_id,
        "unit_id": actor.unit_id,
        "post": str(post),
        "scope": APPROVALS,
        "reason": reason.strip()[:200],
        "starts_at": starts,
        "ends_at": ends,
        "created_at": uow.now,
    }
    made = await uow.session.execute(insert(Delegation).values(**values).returning(col(Delegation.id)))
    delegation_id = int(made.scalar_one())
    detail = {"deputy_id": deputy_id, "from": first_day.isoformat(), "to": last_day.isoformat()}
    await audit.record(
        uow, actor=actor, action="delegation.create", object_type="delegation", object_id=delegation_id,
        reason=reason.strip()[:200], detail=detail,
    )  # fmt: skip
    return delegation_id


async def _check_deputy(
    session: AsyncSession, actor: Actor, principal_id: int, deputy_id: int, span: tuple[datetime, datetime]
) -> None:
    """Both are free then. Errors: deputy_unfit, delegation_overlaps, deputy_absent."""
    if deputy_id not in {person.id for person in await deputies(session, actor)}:
        raise HotlineError("deputy_unfit", user_id=deputy_id)
    await _check_free(session, principal_id, *span, "delegation_overlaps")
    await _check_free(session, deputy_id, *span, "deputy_absent")


async def end(uow: UnitOfWork, actor: Actor, delegation_id: int) -> None:
    """End one's own delegation before its time. Errors: delegation_not_found, delegation_over."""
    query = select(Delegation).where(col(Delegation.id) == delegation_id).with_for_update()
    row = (await uow.session.execute(query)).scalar_one_or_none()
    if row is None or actor.user_id is None or row.principal_id != actor.user_id:
        raise HotlineError("delegation_not_found", delegation_id=delegation_id)
    if row.ended_at is not None or row.ends_at <= uow.now:
        raise HotlineError("delegation_over", delegation_id=delegation_id)
    values = {"ended_at": uow.now, "ended_by": actor.user_id}
    await uow.session.execute(update(Delegation).where(col(Delegation.id) == delegation_id).values(**values))
    await audit.record(
        uow, actor=actor, action="delegation.end", object_type="delegation", object_id=delegation_id
    )


async def follow_unit(uow: UnitOfWork, from_id: int, to_id: int) -> int:
    """Let what is not over yet go along when a unit with its people goes over into another."""
    statement = (
        update(Delegation)
        .where(col(Delegation.unit_id) == from_id, col(Delegation.ended_at).is_(None))
        .where(col(Delegation.ends_at) > uow.now)
        .values(unit_id=to_id)
    )
    return len((await uow.session.execute(statement.returning(col(Delegation.id)))).all())


def post_of(actor: Actor) -> Role | None:
    """The post of the actor that can be delegated; None for everybody else."""
    return next((post for post in PRINCIPALS if post in actor.roles), None)


def _span(now: datetime, first_day: date, last_day: date) -> tuple[datetime, datetime]:
    today = to_city(now).date()
    if first_day < today or last_day < first_day or (last_day - first_day).days >= MOST_DAYS:
        raise HotlineError("delegation_days", most=MOST_DAYS)
    starts = datetime.combine(first_day, time(), CITY_ZONE)
    ends = datetime.combine(last_day + timedelta(days=1), time(), CITY_ZONE)
    return max(starts, now), ends


async def _check_free(
    session: AsyncSession, user_id: int, starts: datetime, ends: datetime, code: str
) -> None:
    query = select(col(Delegation.id)).where(
        col(Delegation.principal_id) == user_id,
        col(Delegation.ended_at).is_(None),
        col(Delegation.starts_at) < ends,
        col(Delegation.ends_at) > starts,
    )
    if (await session.execute(query)).first() is not None:
        raise HotlineError(code, user_id=user_id)


# ---- questions ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deputy:
    """Somebody who can be named."""

    id: int
    name: str
    login: str
    unit_name: str
    posts: tuple[str, ...]


async def deputies(session: AsyncSession, actor: Actor) -> list[Deputy]:
    """Who may stand in for `actor`: active people of his unit or of one above who can do the work."""
    post = post_of(actor)
    if post is None:
        return []
    above = [int(part) for part in actor.unit_path.strip(".").split(".") if part]
    query = (
        select(User, col(Unit.name), func.array_agg(col(UserRole.role)))
        .join(Unit, col(Unit.id) == col(User.unit_id))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(User.active), col(User.unit_id).in_(above), col(User.id) != actor.user_id)
        .group_by(col(User.id), col(Unit.id))
        .order_by(func.length(col(Unit.path)).desc(), col(User.login))
    )
    found = []
    for user, unit_name, posts in (await session.execute(query)).all():
        if NEEDED[post] in permissions_of(frozenset(Role(one) for one in posts)):
            found.append(Deputy(user.id, user.name, user.login, unit_name, tuple(sorted(posts))))
    return found


@dataclass(frozen=True)
class Span:
    """A delegation as a page shows it."""

    id: int
    principal_name: str
    deputy_name: str
    unit_name: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    own: bool

    def state(self, now: datetime) -> str:
        """`ahead`, `running`, `over` or `ended` (before its time)."""
        if self.ended_at is not None:
            return "ended"
        return "ahead" if self.starts_at > now else "running" if self.ends_at > now else "over"


async def spans(session: AsyncSession, actor: Actor, *, limit: int = 50) -> list[Span]:
    """The delegations the actor gave or was given, newest first."""
    principal, deputy = aliased(User), aliased(User)
    query = (
        select(Delegation, col(principal.name), col(deputy.name), col(Unit.name))
        .join(principal, col(principal.id) == col(Delegation.principal_id))
        .join(deputy, col(deputy.id) == col(Delegation.deputy_id))
        .join(Unit, col(Unit.id) == col(Delegation.unit_id))
        .where(or_(col(Delegation.principal_id) == actor.user_id, col(Delegation.deputy_id) == actor.user_id))
        .order_by(col(Delegation.id).desc())
        .limit(limit)
    )
    return [
        Span(
            row.id, principal_name, deputy_name, unit_name, row.reason,
            row.starts_at, row.ends_at, row.ended_at, row.principal_id == actor.user_id,
        )
        for row, principal_name, deputy_name, unit_name in (await session.execute(query)).all()
    ]  # fmt: skip
