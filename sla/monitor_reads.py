"""The feed of 电子监察 read: page by page for people, from a mark on for another system.

Lines are written by many transactions at once, and one that began earlier may end later. So the feed
is read in the order of (at, id), and another system is given only what is older than `SETTLED`: no
transaction lasts so long, hence nothing will ever be found before a mark it has passed.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE
from core.errors import HotlineError
from core.people.models import Unit
from sla.ladder import Level
from sla.models import MonitorEvent
from tickets.models import Ticket, table_of

_event = table_of(MonitorEvent)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
PAGE = 50
SETTLED = timedelta(seconds=60)


@dataclass(frozen=True)
class FeedFilters:
    """What narrows the feed; None narrows nothing. Days are the city's."""

    kind: str | None = None
    unit_id: int | None = None
    level: str | None = None
    day: date | None = None


@dataclass(frozen=True)
class FeedItem:
    """A line of the feed, with the numbers and names of what it speaks of."""

    id: int
    at: datetime
    kind: str
    ticket_id: int | None
    ticket_number: str | None
    unit_code: str | None
    unit: str | None
    level: str | None
    ref_id: int | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Mark:
    """The line a page ended with."""

    at: datetime
    id: int

    def text(self) -> str:
        """As it is handed out: opaque."""
        raw = f"{self.at.astimezone(UTC).isoformat()}|{self.id}"
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, text: str) -> "Mark":
        """Raises `bad_cursor`."""
        try:
            raw = base64.urlsafe_b64decode(text[:200] + "=" * (-len(text[:200]) % 4)).decode()
            at, _, ident = raw.partition("|")
            found = cls(datetime.fromisoformat(at), int(ident))
            if found.at.tzinfo is None or not 0 < found.id < 2**63:
                raise ValueError
        except (ValueError, binascii.Error):
            raise HotlineError("bad_cursor") from None
        return found


def _lines(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns = [_event.c[name] for name in ("id", "at", "kind", "ticket_id", "level", "ref_id", "detail")]
    return (
        sa.select(
            *columns,
            _ticket.c.number.label("ticket_number"),
            _unit.c.code.label("unit_code"),
            _unit.c.short_name.label("unit"),
        )
        .select_from(_event)
        .outerjoin(_ticket, _ticket.c.id == _event.c.ticket_id)
        .outerjoin(_unit, _unit.c.id == _event.c.unit_id)
        .where(*where)
    )


def _mark(mark: Mark) -> sa.ColumnElement[Any]:
    return sa.tuple_(sa.literal(mark.at, _event.c.at.type), sa.literal(mark.id, _event.c.id.type))


async def newest(
    session: AsyncSession, filters: FeedFilters, before: str | None = None, limit: int = PAGE
) -> tuple[Sequence[FeedItem], str | None]:
    """One page, newest first, and the mark of the next one. Raises `bad_cursor`."""
    where: list[sa.ColumnElement[bool]] = [
        _event.c[name] == value
        for name in ("kind", "unit_id", "level")
        if (value := getattr(filters, name)) is not None
    ]
    if filters.day is not None:
        where += _within(filters.day, filters.day)
    if before is not None:
        where.append(sa.tuple_(_event.c.at, _event.c.id) < _mark(Mark.of(before)))
    query = _lines(*where).order_by(_event.c.at.desc(), _event.c.id.desc()).limit(limit + 1)
    items = [FeedItem(**row._mapping) for row in await session.execute(query)]
    shown = items[:limit]
    return shown, Mark(shown[-1].at, shown[-1].id).text() if len(items) > limit else None


@dataclass(frozen=True)
class Marks:
    """What the feed has of one unit in some days: cards by level, documents issued, reports late."""

    id: int
    name: str
    warnings: int
    yellow: int
    red: int
    orders: int
    late: int


async def by_unit(session: AsyncSession, first: date, last: date) -> list[Marks]:
    """Cards and papers of every unit that had any in the days `first` to `last`; most red ones first."""

    def count(kind: str, *levels: str) -> sa.ColumnElement[int]:
        of_level = [_event.c.level.in_(levels)] if levels else []
        return sa.func.count().filter(_event.c.kind == kind, *of_level)

    red = count("card_issued", Level.RED).label("red")
    yellow = count("card_issued", Level.YELLOW).label("yellow")
    query = (
        sa.select(
            _unit.c.id,
            _unit.c.short_name.label("name"),
            count("card_issued", Level.BLUE).label("warnings"),
            yellow,
            red,
            count("order_issued").label("orders"),
            count("order_late").label("late"),
        )
        .select_from(_event.join(_unit, _unit.c.id == _event.c.unit_id))
        .where(*_within(first, last), _event.c.kind.in_(("card_issued", "order_issued", "order_late")))
        .group_by(_unit.c.id, _unit.c.short_name)
        .order_by(red.desc(), yellow.desc(), _unit.c.id)
    )
    return [Marks(**row._mapping) for row in await session.execute(query)]


async def settled(
    session: AsyncSession,
    after: Mark | None,
    first: date | None,
    last: date | None,
    limit: int,
    *,
    now: datetime,
) -> Sequence[FeedItem]:
    """Lines in the order in which they never change any more, oldest first."""
    where: list[sa.ColumnElement[bool]] = [_event.c.at <= now - SETTLED, *_within(first, last)]
    if after is not None:
        where.append(sa.tuple_(_event.c.at, _event.c.id) > _mark(after))
    query = _lines(*where).order_by(_event.c.at, _event.c.id).limit(limit)
    return [FeedItem(**row._mapping) for row in await session.execute(query)]


def _within(first: date | None, last: date | None) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if first is not None:
        found.append(_event.c.at >= _midnight(first))
    if last is not None:
        found.append(_event.c.at < _midnight(last + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)
