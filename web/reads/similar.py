"""Open tickets that may be about the same matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from routing.channels.texts import ON_THE_MAP
from tickets.duplicates.alike import Alike, Asked, alike
from tickets.models import Ticket, table_of
from tickets.queries import TicketPage
from tickets.visibility import sees_every_ticket, visible_tickets
from tickets.workflow import OPEN

_ticket = table_of(Ticket)
_unit = table_of(Unit)
MOST = 8
NO_PLACES = ("", ON_THE_MAP)  # addresses that many places have
LOOKED_AT = 2000  # the newest tickets; the cost stays the same however many there are


@dataclass(frozen=True)
class Similar:
    """An open ticket of the same caller, or of the same place and category."""

    id: int
    number: str
    title: str
    state: str
    created_at: datetime
    lead_unit: str | None
    why: str
    same_category: bool
    callers: int = 1


def reason(one: Alike, now: datetime | None) -> str:
    """Why a ticket is taken for the same matter: whose, where, what both say, how long ago."""
    parts = ["同一来电人"] if one.same_caller else []
    if one.places:
        parts.append(f"同一地点 {'、'.join(one.places)}")
    if one.words:
        parts.append(f"都提到 {'、'.join(one.words)}")
    if now is not None:
        parts.append(ago(now - one.created_at))
    return " · ".join(parts)


def ago(age: timedelta) -> str:
    """How long ago, in words."""
    minutes = max(int(age.total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} 分钟前" if minutes else "刚刚"
    return f"{minutes // 60} 小时前" if minutes < 24 * 60 else f"{minutes // 1440} 天前"


async def similar(
    session: AsyncSession, actor: Actor, ticket: TicketPage, now: datetime | None = None
) -> list[Similar]:
    """At most `MOST`: the same matter by its text first, then the same caller or place, of the same
    category before others; only for who sees every ticket."""
    by_text = await _by_text(session, actor, ticket, now)
    found = await _by_caller_or_place(session, actor, ticket) if sees_every_ticket(actor) else {}
    others = [one for one in found.values() if one.id not in by_text]
    return [*by_text.values(), *sorted(others, key=lambda one: not one.same_category)][:MOST]


async def _by_text(
    session: AsyncSession, actor: Actor, ticket: TicketPage, now: datetime | None
) -> dict[int, Similar]:
    told = Asked(
        ticket.title, ticket.narrative, ticket.address, ticket.type, ticket.confidentiality, ticket.id
    )
    return {
        one.id: Similar(
            one.id,
            one.number,
            one.title,
            one.state,
            one.created_at,
            one.lead_unit,
            reason(one, now),
            one.category_id == ticket.category_id,
            one.callers,
        )
        for one in await alike(session, actor, told, now)
    }


async def _by_caller_or_place(session: AsyncSession, actor: Actor, ticket: TicketPage) -> dict[int, Similar]:
    phone = sa.select(_ticket.c.phone_ref).where(_ticket.c.id == ticket.id).scalar_subquery()
    found: dict[int, Similar] = {
        row.id: Similar(**row._mapping, why="同一来电人")
        for row in await _find(session, actor, ticket, _ticket.c.phone_ref == phone)
    }
    if ticket.address not in NO_PLACES:
        newest = (
            sa.select(_ticket.c.id)
            .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
            .limit(LOOKED_AT)
        )
        near = (_ticket.c.address == ticket.address, _ticket.c.category_id == ticket.category_id)
        same = (_ticket.c.id.in_(newest), *near)
        for row in await _find(session, actor, ticket, *same):
            found.setdefault(row.id, Similar(**row._mapping, why="同一地点"))
    return found


async def _find(session: AsyncSession, actor: Actor, ticket: TicketPage, *same: Any) -> Any:
    names = ("id", "number", "title", "state", "created_at")
    category = (_ticket.c.category_id == ticket.category_id).label("same_category")
    query = (
        sa.select(*(_ticket.c[name] for name in names), _unit.c.short_name.label("lead_unit"), category)
        .outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id)
        .where(
            *same,
            _ticket.c.id != ticket.id,
            _ticket.c.state.in_([state.value for state in OPEN]),
            visible_tickets(actor),
        )
        .order_by(_ticket.c.id.desc())
        .limit(MOST)
    )
    return (await session.execute(query)).all()
