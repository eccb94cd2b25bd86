"""Cases anybody may read: the citizen wants it public, the hotline cleared the reply, nobody is in it.

Shown are title and public reply only; what was told stays between the citizen and the hotline. The names
and numbers of the citizen are taken out of both, and whatever looks like anybody's number.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.models import Unit
from core.privacy import vault_of
from tickets.flow import TicketReply
from tickets.models import Category, Ticket, table_of
from tickets.queries.veils import REFS, of_rows
from tickets.terms import TicketType, label
from tickets.veil import covered

_ticket, _reply = table_of(Ticket), table_of(TicketReply)
_category, _unit = table_of(Category), table_of(Unit)
PAGE = 20


@dataclass(frozen=True)
class Case:
    """One published case; the number is not told, for with it somebody might guess a code."""

    id: int
    type: str
    category: str
    district: str
    title: str
    reply: str
    unit: str
    closed_at: datetime


def published() -> sa.ColumnElement[bool]:
    """What may be shown to everybody; the partial index ix_ticket_published answers it."""
    return sa.and_(
        _ticket.c.wants_public,
        _ticket.c.state.in_(("closed", "answered", "archived")),
        _ticket.c.type != TicketType.REPORT.value,
        _ticket.c.confidentiality.in_(("public", "normal")),
        _ticket.c.reply_id.is_not(None),
    )


async def cases(session: AsyncSession, *, before: int | None = None) -> tuple[list[Case], int | None]:
    """A page of cases, the newest closing first, behind the case `before`; the id to go on from, if any."""
    place = _unit.alias("place")
    query = (
        sa.select(
            *(_ticket.c[name] for name in ("id", "type", "title", "closed_at", *REFS)),
            _reply.c.public_reply,
            _category.c.full_name.label("category"),
            place.c.short_name.label("district"),
            _unit.c.name.label("unit"),
        )
        .join(_reply, _reply.c.id == _ticket.c.reply_id)
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(place, place.c.id == _ticket.c.district_id)
        .outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id)
        .where(published(), _reply.c.public_reply != "", _ticket.c.closed_at.is_not(None))
        .order_by(_ticket.c.closed_at.desc(), _ticket.c.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        mark = sa.select(_ticket.c.closed_at).where(_ticket.c.id == before, published()).scalar_subquery()
        query = query.where(
            sa.tuple_(_ticket.c.closed_at, _ticket.c.id) < sa.tuple_(mark, sa.literal(before))
        )
    rows = (await session.execute(query)).all()
    shown = rows[:PAGE]
    veils = await of_rows(session, vault_of(session), shown)
    return [_case(row, veils[row.id]) for row in shown], shown[-1].id if len(rows) > PAGE else None


def _case(row: Any, veil: Any) -> Case:
    return Case(
        row.id,
        label(TicketType, row.type),
        row.category,
        row.district or "",
        covered(veil, row.title),
        covered(veil, row.public_reply),
        row.unit or "热线中心",
        row.closed_at,
    )
