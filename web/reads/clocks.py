"""The clocks of a ticket as its page shows them: owner, limit, due, used, pauses, and why they are due then.

Everything is read from the rows of the clocks and the history; nothing is counted by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sla.calendar import Calendar
from sla.clocks import Limit, parse_limit
from sla.explain import UNITS
from sla.pauses import Standstill, standstills
from sla.promise import Granted, Promise, Used, told, used
from tickets.actions.clocks import MATTERS
from tickets.actions.job import STANDING
from tickets.limits import Limits
from tickets.models import TicketHistory, table_of
from tickets.states import Action, Stage
from web.reads.left import Running, span
from web.reads.process import Process, StageRow

_history = table_of(TicketHistory)
_MATTER_WORDS = {"type": "诉求类型", "urgency": "紧急程度", "category_id": "诉求分类"}


@dataclass(frozen=True)
class ClockLine:
    """One clock. `used` is net of pauses and in the limit's own time, `natural` everybody's."""

    row: StageRow
    limit: str
    used: str
    natural: str
    pauses: tuple[str, ...]
    state: str
    tone: str  # info warn bad good quiet
    why: str | None

    @property
    def is_total(self) -> bool:
        return self.row.stage == Stage.TOTAL.value


@dataclass(frozen=True)
class _Life:
    """What a ticket's history says of its clocks."""

    stood: tuple[Standstill, ...]
    corrections: tuple[tuple[datetime, str], ...]
    granted: tuple[tuple[datetime, Granted], ...]  # when it was asked for


async def clock_lines(
    session: AsyncSession, ticket_id: int, process: Process, calendar: Calendar, limits: Limits, now: datetime
) -> list[ClockLine]:
    """The clocks of a ticket this person was shown: the total first, then what runs, then what is over."""
    life = await _life(session, ticket_id, process)
    rows = _each_once(process.stages)
    total = next((row.limit for row in reversed(rows) if row.stage == Stage.TOTAL.value), None)
    lines = [_Line(row, life, calendar, limits, now, total).line() for row in rows]
    lines.reverse()
    return sorted(lines, key=lambda one: (not one.is_total, one.row.ended_at is not None))


def _each_once(rows: Sequence[StageRow]) -> list[StageRow]:
    """A clock that was broken off and goes on is one clock: its last row stands for it."""
    last: dict[tuple[Any, ...], StageRow] = {}
    for row in rows:
        owner = None if row.stage == Stage.TOTAL.value else row.unit
        key = (row.stage, row.round, owner, row.started_at)
        last.pop(key, None)
        last[key] = row
    return list(last.values())


async def _life(session: AsyncSession, ticket_id: int, process: Process) -> _Life:
    columns = (_history.c.at, _history.c.action, _history.c.to_state, _history.c.changes)
    query = sa.select(*columns).where(_history.c.ticket_id == ticket_id).order_by(_history.c.id)
    rows = (await session.execute(query)).all()
    granted = [
        (one.requested_at, Granted(one.decided_at, one.days))
        for one in sorted(process.requests, key=lambda one: one.id)
        if one.kind == "extension" and one.state == "approved" and one.days and one.decided_at is not None
    ]
    return _Life(standstills(rows), tuple(_corrections(rows)), tuple(granted))


def _corrections(rows: Iterable[Any]) -> Iterable[tuple[datetime, str]]:
    """When the matter was corrected in what limits depend on, and of what."""
    for row in rows:
        changed = [word for name, word in _MATTER_WORDS.items() if name in MATTERS & set(row.changes or {})]
        if row.action == Action.EDIT.value and changed:
            yield row.at, "、".join(changed)


@dataclass(frozen=True)
class _Line:
    """One row on its way to the page."""

    row: StageRow
    life: _Life
    calendar: Calendar
    limits: Limits
    now: datetime
    total: str | None  # the limit of the total: handling is counted in its time

    def line(self) -> ClockLine:
        limit = parse_limit(self.row.limit) if self.row.limit else None
        until = self.row.ended_at or self.now
        stood = self._stood(until)
        state, tone = self._state(stood)
        spent, natural = self._used(limit, stood, until)
        pauses = tuple(one.pause(until).reason for one in stood)
        words = f"{limit.amount} {UNITS[limit.unit][0]}" if limit else ""
        return ClockLine(self.row, words, spent, natural, pauses, state, tone, self._why(limit, stood))

    def _stood(self, until: datetime) -> tuple[Standstill, ...]:
        if Stage(self.row.stage) not in STANDING:
            return ()
        begin = self.row.started_at
        return tuple(
            Standstill(max(one.begin, begin), one.end, one.state)
            for one in self.life.stood
            if one.begin < until and (one.end is None or one.end > begin)
        )

    def _state(self, stood: tuple[Standstill, ...]) -> tuple[str, str]:
        row = self.row
        if row.ended_at is not None:
            if row.due_at is None:
                return "已结束", "quiet"
            return ("超期完成", "bad") if row.ended_at > row.due_at else ("按时", "good")
        if any(one.end is None for one in stood):
            return f"{stood[-1].word}中", "quiet"
        if row.due_at is None:
            return "进行中", "info"
        limit = self.total if row.stage == Stage.HANDLE.value else row.limit
        return span(row.due_at, self.now, self.limits, Running(limit, row.started_at))

    def _used(self, limit: Limit | None, stood: tuple[Standstill, ...], until: datetime) -> tuple[str, str]:
        if limit is None and self.row.stage == Stage.HANDLE.value and self.total:
            limit = parse_limit(self.total)
        natural = max(until - self.row.started_at, timedelta())
        if limit is None:
            return "", _long(natural)
        found = used(self.calendar, Promise(self.row.started_at, limit, stood), until)
        return _amount(found), _long(natural)

    def _why(self, limit: Limit | None, stood: tuple[Standstill, ...]) -> str | None:
        """The sentence that comes to the row's own due time; none rather than another one."""
        row = self.row
        if limit is None or row.due_at is None:
            return None
        corrected = next((one for one in reversed(self.life.corrections) if one[0] >= row.started_at), None)
        extensions = tuple(one for asked, one in self.life.granted if asked >= row.started_at)
        # An extension is lost when the matter turns urgent.
        for granted in dict.fromkeys((extensions if row.stage == Stage.TOTAL.value else (), ())):
            found = told(self.calendar, Promise(row.started_at, limit, stood, granted, corrected))
            if found.due == row.due_at:
                return found.sentence
        return None


def _amount(found: Used) -> str:
    if found.days:
        return f"{found.amount} 个工作日"
    hours, minutes = divmod(found.amount, 60)
    words = f"{hours} 小时 {minutes} 分" if hours else f"{minutes} 分"
    return f"{words}（工作时间）" if found.working else words


def _long(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} 天 {hours % 24} 小时"
    return f"{hours} 小时 {rest} 分" if hours else f"{rest} 分"
