"""An agent's own page: figures, what became of the tickets he wrote, his calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.people.actor import Actor
from core.tables import table_of
from routing.models import DispatchChoice
from telephony.floor.own import Compared
from telephony.grains import Grain, begin_of
from tickets.models import Ticket
from web.render import duration

_ticket, _choice = table_of(Ticket), table_of(DispatchChoice)
Period = Literal["day", "week", "month"]
PERIODS: dict[Period, str] = {"day": "今日", "week": "本周", "month": "本月"}
GRAINS: dict[Period, Grain] = {"day": Grain.DAY, "week": Grain.WEEK, "month": Grain.MONTH}


@dataclass(frozen=True)
class Span:
    """From when to when, and by what its charts are cut."""

    begin: datetime
    end: datetime
    grain: Grain

    def label(self, at: datetime) -> str:
        """What a part of it is called."""
        local = to_city(at)
        return f"{local:%H} 时" if self.grain is Grain.HOUR else f"{local:%m-%d}"


def span_of(period: Period, now: datetime) -> Span:
    """The day, week or month that goes on, up to now."""
    begin = begin_of(now, GRAINS[period])
    return Span(begin, now + timedelta(seconds=1), Grain.HOUR if period == "day" else Grain.DAY)


@dataclass(frozen=True)
class Written:
    """Tickets a person wrote, and how many of them went first to where they belonged.

    `sent` were dispatched; `corrected` of these had to go elsewhere: a return with success, a re-dispatch,
    a ruling, as in `routing.figures`.
    """

    tickets: int
    sent: int
    corrected: int

    @property
    def right(self) -> float | None:
        return (self.sent - self.corrected) / self.sent if self.sent else None


async def written(session: AsyncSession, actor: Actor, span: Span) -> Written:
    """The tickets this person made in the span."""
    earlier = _choice.alias("earlier")
    first = ~sa.exists().where(
        earlier.c.ticket_id == _choice.c.ticket_id, earlier.c.version < _choice.c.version
    )
    chosen = sa.and_(_choice.c.ticket_id == _ticket.c.id, first)
    query = (
        sa.select(
            sa.func.count(),
            sa.func.count(_choice.c.id),
            sa.func.count(_choice.c.corrected_at),
        )
        .select_from(_ticket.outerjoin(_choice, chosen))
        .where(_ticket.c.created_by == actor.user_id)
        .where(_ticket.c.created_at >= span.begin, _ticket.c.created_at < span.end)
    )
    row = (await session.execute(query)).one()
    return Written(int(row[0]), int(row[1]), int(row[2]))


@dataclass(frozen=True)
class Line:
    """A compared measure in words."""

    name: str
    formula: str
    own: str
    team: str
    others: int


def line_of(one: Compared) -> Line:
    """As the table has it."""
    return Line(one.name, one.formula, _text(one.own, one.form), _text(one.team, one.form), one.others)


def _text(value: float | None, form: str) -> str:
    if value is None:
        return "—"
    if form == "count":
        return f"{value:g}"
    if form == "share":
        return f"{100 * value:.1f}%"
    return duration(value)
