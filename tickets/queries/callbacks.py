"""The call-back desk: tasks in the order in which they are called, one with its tries, tasks by age."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.privacy import PersonalValue
from tickets.callbacks import by_urgency
from tickets.models import CallbackAttempt, CallbackTask, table_of
from tickets.visibility import visible_callbacks

_task = table_of(CallbackTask)
_attempt = table_of(CallbackAttempt)
_user = table_of(User)
_value = table_of(PersonalValue)
MOST = 200
# Ages by which the shift leader looks: from so long, until so long after the call was missed first.
AGES: dict[str, tuple[timedelta, timedelta]] = {
    "fresh": (timedelta(0), timedelta(minutes=30)),
    "half": (timedelta(minutes=30), timedelta(hours=1)),
    "hour": (timedelta(hours=1), timedelta(hours=4)),
    "old": (timedelta(hours=4), timedelta(days=3650)),
}
OVERDUE = "overdue"


@dataclass(frozen=True)
class CallbackItem:
    """A call-back task; `caller` is masked."""

    id: int
    version: int
    caller_ref: int
    caller: str
    opened_at: datetime
    missed_at: datetime
    due_at: datetime
    calls: int
    attempts: int
    not_before: datetime | None
    claimed_by: int | None
    claimed_at: datetime | None
    claimed_by_name: str | None
    closed_at: datetime | None
    closed_as: str | None


@dataclass(frozen=True)
class AttemptItem:
    """One try; `by_click`: the telephone itself told the result."""

    at: datetime
    actor: str
    result: str
    note: str
    by_click: bool


@dataclass(frozen=True)
class CallbackPage:
    """A task with its tries, oldest first."""

    task: CallbackItem
    attempts: tuple[AttemptItem, ...]


@dataclass(frozen=True)
class Ages:
    """Open tasks by age, those past their time, those somebody is at, and since when the oldest is open."""

    by_age: dict[str, int]
    overdue: int
    claimed: int
    total: int
    oldest: datetime | None


def _query(actor: Actor) -> sa.Select[Any]:
    plain = [name for name in CallbackItem.__dataclass_fields__ if name not in {"caller", "claimed_by_name"}]
    return (
        sa.select(
            *(_task.c[name] for name in plain),
            _value.c.masked.label("caller"),
            _user.c.name.label("claimed_by_name"),
        )
        .join(_value, _value.c.id == _task.c.caller_ref)
        .outerjoin(_user, _user.c.id == _task.c.claimed_by)
        .where(visible_callbacks(actor))
    )


def _aged(age: str, now: datetime) -> sa.ColumnElement[bool]:
    if age == OVERDUE:
        return _task.c.due_at < now
    least, most = AGES[age]
    return sa.and_(_task.c.opened_at <= now - least, _task.c.opened_at > now - most)


async def callback_list(
    session: AsyncSession,
    actor: Actor,
    *,
    closed: bool = False,
    now: datetime | None = None,
    age: str | None = None,
    limit: int = MOST,
) -> list[CallbackItem]:
    """Open tasks in the order of calling, or the closed ones, newest first.

    With `now`, what may not be called yet comes last; `age` is one of AGES or OVERDUE and needs it.
    """
    query = _query(actor)
    if closed:
        query = query.where(_task.c.closed_at.is_not(None)).order_by(
            _task.c.closed_at.desc(), _task.c.id.desc()
        )
    else:
        query = query.where(_task.c.closed_at.is_(None))
        if now is not None:
            query = query.order_by(sa.func.coalesce(_task.c.not_before > now, sa.false()))
        if age is not None and now is not None:
            query = query.where(_aged(age, now))
        query = query.order_by(*by_urgency())
    rows = await session.execute(query.limit(min(limit, 500)))
    return [CallbackItem(**row._mapping) for row in rows]


async def callback_ages(session: AsyncSession, actor: Actor, now: datetime) -> Ages:
    """How old the open tasks are."""
    counts = [sa.func.count().filter(_aged(age, now)).label(age) for age in AGES]
    query = sa.select(
        *counts,
        sa.func.count().filter(_task.c.due_at < now).label("overdue"),
        sa.func.count().filter(_task.c.claimed_by.is_not(None)).label("claimed"),
        sa.func.count().label("total"),
        sa.func.min(_task.c.opened_at).label("oldest"),
    ).where(visible_callbacks(actor), _task.c.closed_at.is_(None))
    row = (await session.execute(query)).one()
    by_age = {age: int(getattr(row, age)) for age in AGES}
    return Ages(by_age, int(row.overdue), int(row.claimed), int(row.total), row.oldest)


async def callback_page(session: AsyncSession, actor: Actor, task_id: int) -> CallbackPage:
    """One task; raises `callback_not_found`."""
    row = (await session.execute(_query(actor).where(_task.c.id == task_id))).first()
    if row is None:
        raise HotlineError("callback_not_found", task_id=task_id)
    by_click = _attempt.c.dial_order_id.is_not(None).label("by_click")
    tries = (
        sa.select(_attempt.c.at, _user.c.name.label("actor"), _attempt.c.result, _attempt.c.note, by_click)
        .join(_user, _user.c.id == _attempt.c.actor_id)
        .where(_attempt.c.task_id == task_id)
        .order_by(_attempt.c.id)
    )
    found = tuple(AttemptItem(**each._mapping) for each in await session.execute(tries))
    return CallbackPage(CallbackItem(**row._mapping), found)
