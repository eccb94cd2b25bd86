"""What the telephone system says of its queues: seen in the calls of the last days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from telephony.models import CallLeg, CallSession
from tickets.models import table_of

_call = table_of(CallSession)
_leg = table_of(CallLeg)


@dataclass(frozen=True)
class SeenQueue:
    """A queue that calls went through, and the extensions that rang for it."""

    name: str
    calls: int
    last: datetime
    extensions: tuple[str, ...]


async def seen_queues(session: AsyncSession, since: datetime) -> dict[str, SeenQueue]:
    """By name, the queues of calls that began after `since`."""
    recent = (
        sa.select(
            _call.c.id, _call.c.started_at, sa.func.jsonb_array_elements_text(_call.c.queues).label("name")
        )
        .where(_call.c.started_at > since)
        .subquery()
    )
    query = (
        sa.select(
            recent.c.name,
            sa.func.count(sa.distinct(recent.c.id)),
            sa.func.max(recent.c.started_at),
            sa.func.array_remove(sa.func.array_agg(sa.distinct(_leg.c.extension)), None),
        )
        .select_from(recent.outerjoin(_leg, _leg.c.session_id == recent.c.id))
        .group_by(recent.c.name)
        .order_by(recent.c.name)
    )
    return {
        name: SeenQueue(name, int(calls), last, tuple(sorted(extensions or ())))
        for name, calls, last, extensions in await session.execute(query)
    }
