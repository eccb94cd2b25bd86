"""Requests to hear recordings, read: what is open to whom now, and the lists of both sides."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from sla.inspection.models import RecordingRequest
from tickets.models import Ticket, table_of

_request, _user, _ticket = table_of(RecordingRequest), table_of(User), table_of(Ticket)
MOST = 100


@dataclass(frozen=True)
class Line:
    """A request as lists show it; of the ticket its number, of the citizen nothing."""

    id: int
    call_id: int
    ticket_id: int | None
    ticket: str | None
    asked_by: str
    asked_at: datetime
    reason: str
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    note: str
    ends_at: datetime | None
    mine: bool


async def standing(
    session: AsyncSession, actor: Actor, calls: Collection[int], now: datetime
) -> dict[int, str]:
    """Per call how this person's request stands: `open` (approved and not over) or `waiting`."""
    if not calls or actor.user_id is None or not actor.may(Permission.RECORDING_ASK):
        return {}
    query = sa.select(_request.c.call_id, _request.c.decision).where(
        _request.c.call_id.in_(calls),
        _request.c.asked_by == actor.user_id,
        sa.or_(_request.c.decision.is_(None), _request.c.ends_at > now),
    )
    found: dict[int, str] = {}
    for row in await session.execute(query):
        if found.get(row.call_id) != "open":
            found[row.call_id] = "waiting" if row.decision is None else "open"
    return found


async def listed(session: AsyncSession, actor: Actor) -> list[Line]:
    """One's own requests; for who decides everybody's. What waits stands first."""
    decider = _user.alias("decider")
    own = _request.c.asked_by == actor.user_id
    plain = ("id", "call_id", "ticket_id", "asked_at", "reason", "decision", "decided_at", "note", "ends_at")
    query = (
        sa.select(
            *(_request.c[name] for name in plain),
            _ticket.c.number.label("ticket"),
            _user.c.name.label("asked_by"),
            decider.c.name.label("decided_by"),
            own.label("mine"),
        )
        .select_from(_request)
        .join(_user, _user.c.id == _request.c.asked_by)
        .outerjoin(_ticket, _ticket.c.id == _request.c.ticket_id)
        .outerjoin(decider, decider.c.id == _request.c.decided_by)
        .order_by(_request.c.decided_at.is_not(None), _request.c.id.desc())
        .limit(MOST)
    )
    if not actor.may(Permission.RECORDING_APPROVE):
        query = query.where(own)
    return [Line(**row._mapping) for row in await session.execute(query)]
