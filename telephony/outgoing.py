"""Calls we made ourselves: call-backs and click-to-call, by span of time or by agent. Read when asked for.

Such a call enters no queue, so that it belongs to the moment it began. It was made once our own telephone
was there to make it: an order whose agent did not pick up never left the house. What goes on counts from
the moment the citizen is reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import User
from core.tables import table_of
from telephony.grains import Grain, column_of
from telephony.measures import Outgoing
from telephony.models import CallLeg, CallSession

CALL = table_of(CallSession)
LEG = table_of(CallLeg)
USER = table_of(User)
NEVER_LEFT = ("agent_busy", "agent_no_answer")
_QUARTER = 900  # seconds


@dataclass(frozen=True)
class OutgoingOf:
    """One agent's calls; telephones nobody is known at stand under their extension."""

    user_id: int | None
    name: str
    login: str
    figures: Outgoing


def made(since: datetime, until: datetime, *, reached: bool = False) -> list[sa.ColumnElement[bool]]:
    """Calls we made that began in [since, until); `reached`: that came to a talk with the citizen."""
    # Spelled out: a bound value finds no partial index.
    found = [
        CALL.c.direction == sa.literal_column("'outbound'"),
        CALL.c.started_at >= since,
        CALL.c.started_at < until,
    ]
    talked = CALL.c.answered_at.is_not(None)
    if reached:
        return [*found, talked]
    over = sa.and_(CALL.c.ended_at.is_not(None), sa.func.coalesce(CALL.c.outcome, "").not_in(NEVER_LEFT))
    return [*found, sa.or_(talked, over)]


async def outgoing_by(
    session: AsyncSession, begin: datetime, end: datetime, grain: Grain
) -> dict[datetime, Outgoing]:
    """Each span of [begin, end) in which calls were made."""
    talk = (
        sa.select(sa.func.coalesce(sa.func.sum(_milliseconds()), 0))
        .where(LEG.c.session_id == CALL.c.id)
        .correlate(CALL)
        .scalar_subquery()
    )
    calls = (
        sa.select(_quarter().label("quarter"), CALL.c.answered_at, talk.label("ms"))
        .where(*made(begin, end))
        .subquery()
    )
    query = sa.select(
        column_of(calls.c.quarter, grain).label("at"),
        sa.func.count(),
        sa.func.count(calls.c.answered_at),
        sa.func.sum(calls.c.ms),
    ).group_by(sa.text("1"))
    return {at: Outgoing(*map(int, counts)) for at, *counts in await session.execute(query)}


async def outgoing_of_each(session: AsyncSession, begin: datetime, end: datetime) -> list[OutgoingOf]:
    """Everybody whose telephone took part in a call of [begin, end) that we made, by name."""
    extension = sa.case((LEG.c.user_id.is_(None), LEG.c.extension), else_="").label("extension")
    query = (
        sa.select(
            LEG.c.user_id,
            extension,
            USER.c.name,
            USER.c.login,
            sa.func.count(),
            sa.func.count(LEG.c.answered_at),
            sa.func.sum(_milliseconds()),
        )
        .select_from(
            LEG.join(CALL, CALL.c.id == LEG.c.session_id).outerjoin(USER, USER.c.id == LEG.c.user_id)
        )
        .where(*made(begin, end))
        .group_by(LEG.c.user_id, sa.text("2"), USER.c.name, USER.c.login)
    )
    found = [_of_one(row) for row in (await session.execute(query)).all()]
    return sorted(found, key=lambda one: (one.user_id is None, one.login, one.name))


def _of_one(row: Sequence[Any]) -> OutgoingOf:
    user_id, extension, name, login, *counts = row
    return OutgoingOf(user_id, name or extension, login or "", Outgoing(*map(int, counts)))


def _milliseconds() -> sa.ColumnElement[Any]:
    return sa.func.round(LEG.c.talk_seconds * 1000)


def _quarter() -> sa.ColumnElement[datetime]:
    epoch = sa.func.extract("epoch", CALL.c.started_at)
    return sa.func.to_timestamp(sa.func.floor(epoch / _QUARTER) * _QUARTER)
