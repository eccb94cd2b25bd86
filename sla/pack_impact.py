"""What another policy pack would mean. Open tickets keep their promise; it says what theirs would be."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sla.clocks import Limit
from sla.pack import Pack
from tickets.category_codes import read_codes
from tickets.models import Category, Ticket, table_of
from tickets.states import OPEN, Stage
from tickets.terms import TicketType, Urgency

_ticket, _category = table_of(Ticket), table_of(Category)


@dataclass(frozen=True)
class Line:
    """Open tickets of one type, urgency and category whose total would have been another."""

    type: TicketType
    urgency: Urgency
    category_id: int
    category: str
    tickets: int
    before: Limit | None
    after: Limit | None


@dataclass(frozen=True)
class Impact:
    """All of them, those with the most tickets first."""

    open: int
    lines: tuple[Line, ...]

    @property
    def tickets(self) -> int:
        """How many open tickets would have been promised otherwise."""
        return sum(line.tickets for line in self.lines)


async def impact(session: AsyncSession, before: Pack, after: Pack) -> Impact:
    """Compare the totals of all open tickets; one question, whatever their number."""
    codes = await read_codes(session)
    query = (
        sa.select(
            _ticket.c.type,
            _ticket.c.urgency,
            _ticket.c.category_id,
            sa.func.coalesce(_category.c.name, "—").label("category"),
            sa.func.count().label("tickets"),
        )
        .select_from(_ticket.outerjoin(_category, _category.c.id == _ticket.c.category_id))
        .where(_ticket.c.state.in_([state.value for state in OPEN]))
        .group_by(_ticket.c.type, _ticket.c.urgency, _ticket.c.category_id, _category.c.name)
    )
    rows = (await session.execute(query)).all()
    lines = []
    for row in rows:
        kind, urgency, chain = TicketType(row.type), Urgency(row.urgency), codes.get(row.category_id, ())
        had = before.limit(Stage.TOTAL, kind, urgency, chain)
        would = after.limit(Stage.TOTAL, kind, urgency, chain)
        if had != would:
            lines.append(Line(kind, urgency, row.category_id, row.category, row.tickets, had, would))
    lines.sort(key=lambda line: -line.tickets)
    return Impact(sum(row.tickets for row in rows), tuple(lines))
