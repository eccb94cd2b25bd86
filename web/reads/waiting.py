"""Tickets that wait to be dispatched, as the dispatch desk works through them: the oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from tickets.models import DISPATCH_RANK, Ticket, table_of
from tickets.visibility import visible_tickets
from tickets.workflow import State

_ticket = table_of(Ticket)
_unit = table_of(Unit)
MOST = 100
COUNT_CAP = 1000
# As text: with parameters in their place the index of waiting tickets would not be recognised.
_RANK = sa.text(DISPATCH_RANK)
_IN_STATE = sa.text(f"ticket.state = '{State.WAITING_DISPATCH.value}'")


@dataclass(frozen=True)
class WaitingRow:
    """One waiting ticket."""

    id: int
    number: str
    title: str
    type: str
    urgency: str
    district: str | None
    created_at: datetime
    category_id: int
    round: int
    stage: str | None
    stage_since: datetime | None
    stage_due_at: datetime | None


def _waiting(actor: Actor) -> tuple[Any, ...]:
    return (_IN_STATE, visible_tickets(actor))


async def waiting_list(session: AsyncSession, actor: Actor) -> list[WaitingRow]:
    """The first `MOST` waiting tickets: 特急 before 紧急 before the rest, each the oldest first."""
    columns: list[Any] = [_ticket.c[name] for name in WaitingRow.__dataclass_fields__ if name != "district"]
    query = (
        sa.select(*columns, _unit.c.short_name.label("district"))
        .outerjoin(_unit, _unit.c.id == _ticket.c.district_id)
        .where(*_waiting(actor))
        .order_by(_RANK, _ticket.c.created_at, _ticket.c.id)
        .limit(MOST)
    )
    return [WaitingRow(**row._mapping) for row in await session.execute(query)]


async def waiting_count(session: AsyncSession, actor: Actor) -> int:
    """How many wait, counted no further than `COUNT_CAP`."""
    some = sa.select(sa.literal(1)).select_from(_ticket).where(*_waiting(actor)).limit(COUNT_CAP).subquery()
    return int((await session.execute(sa.select(sa.func.count()).select_from(some))).scalar_one())
