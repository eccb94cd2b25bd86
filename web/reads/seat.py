"""What one seat shows of the telephone: the calls ringing or talking there, and the queue now.

Everything is read from the tables, never remembered from events: a reload shows the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from core.people.actor import Actor
from core.privacy import PersonalValue
from telephony.models import OPEN_LEG, CallLeg, CallSession
from tickets.models import table_of
from web.reads.calls import queue_words

_call = table_of(CallSession)
_leg = table_of(CallLeg)
_person = table_of(PersonalValue)


@dataclass(frozen=True)
class SeatCall:
    """A call at this seat that has not ended."""

    session_id: int
    leg_state: str
    direction: str
    caller_ref: int | None
    masked: str | None
    queues: list[str]
    rang_at: datetime | None
    answered_at: datetime | None
    started_at: datetime

    @property
    def queue(self) -> str:
        return queue_words(self.queues[-1:])

    @property
    def since(self) -> datetime:
        """Since when it is in this state."""
        found = self.answered_at if self.leg_state == "talking" else self.rang_at
        return found or self.started_at


def city_midnight(now: datetime) -> datetime:
    """The instant at which the city's present day began."""
    return datetime.combine(to_city(now).date(), datetime.min.time(), CITY_ZONE)


def _at_seat(actor: Actor) -> sa.ColumnElement[bool]:
    """The legs of this person; an extension belongs to one account only."""
    mine = _leg.c.user_id == actor.user_id
    return sa.or_(mine, _leg.c.extension == actor.extension) if actor.extension else mine


async def seat_calls(session: AsyncSession, actor: Actor) -> list[SeatCall]:
    """The open calls of this person's telephone, talking ones first."""
    if actor.user_id is None:
        return []
    query = (
        sa.select(
            _call.c.id.label("session_id"),
            _leg.c.state.label("leg_state"),
            _call.c.direction,
            _call.c.caller_ref,
            _person.c.masked,
            _call.c.queues,
            _leg.c.rang_at,
            _leg.c.answered_at,
            _call.c.started_at,
        )
        .select_from(
            _leg.join(_call, _call.c.id == _leg.c.session_id).outerjoin(
                _person, _person.c.id == _call.c.caller_ref
            )
        )
        .where(_at_seat(actor), OPEN_LEG, _call.c.ended_at.is_(None))
        .order_by(sa.desc(_leg.c.state == "talking"), _leg.c.rang_at)
    )
    return [SeatCall(**row._mapping) for row in await session.execute(query)]


@dataclass(frozen=True)
class QueueNow:
    """How many wait for an agent, and since when the longest does."""

    waiting: int
    longest_since: datetime | None


async def queue_now(session: AsyncSession) -> QueueNow:
    """Callers in a queue that nobody has answered yet."""
    query = sa.select(sa.func.count(), sa.func.min(_call.c.queued_at)).where(
        _call.c.ended_at.is_(None), _call.c.state.in_(("waiting", "ringing")), _call.c.queued_at.is_not(None)
    )
    row: Any = (await session.execute(query)).one()
    return QueueNow(int(row[0]), row[1])


async def answered_since(session: AsyncSession, actor: Actor, since: datetime) -> int:
    """How many calls this person took since then."""
    query = sa.select(sa.func.count()).where(_leg.c.user_id == actor.user_id, _leg.c.answered_at >= since)
    return int((await session.execute(query)).scalar_one())
