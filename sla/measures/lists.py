"""The tickets behind a number, one line per fact: newest day first, by keyset, in the order of an index.

The number and its list are two readings of the same facts, so they cannot say different things.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from sla.measures.definitions import COUNTERS, Counter, kept_codes, number
from sla.measures.models import MeasureFact
from sla.measures.periods import Period
from sla.measures.queries import open_sums, sums
from sla.measures.steps import OPEN_PREFIX
from tickets.models import IntakeRecord, Ticket, table_of
from tickets.queries import TicketItem
from tickets.queries.lists import items_of
from tickets.visibility import sees_every_ticket, visible_records, visible_tickets

_fact, _ticket, _record, _unit = (table_of(m) for m in (MeasureFact, Ticket, IntakeRecord, Unit))
PAGE = 50
LONGEST = 3_700  # days put together of kept sums; beyond ten years facts are counted
Apart = Literal["no", "yes", "all"]
_ORDER = (_fact.c.day, _fact.c.ref_id, _fact.c.seq, _fact.c.record)


@dataclass(frozen=True)
class Wanted:
    """Which facts: of a counter, in a period, of a unit, category (first level), district or type.

    `apart`: those that count, those shown apart (剔除), or both.
    """

    counter: Counter
    period: Period
    unit_id: int | None = None
    category_id: int | None = None
    district_id: int | None = None
    type: str | None = None
    apart: Apart = "no"


@dataclass(frozen=True)
class RecordLine:
    """A numbered record of an answer on the line."""

    id: int
    number: str
    title: str
    type: str | None
    created_at: Any


@dataclass(frozen=True)
class Line:
    """A fact and what it is about; one of `ticket` and `record` is there."""

    day: date
    seq: int
    unit: str | None
    left_out: bool
    ticket: TicketItem | None
    record: RecordLine | None


@dataclass(frozen=True)
class Lines:
    """One page of the list."""

    items: Sequence[Line]
    next_cursor: str | None


def counter(code: str) -> Counter:
    """The counter a path names; raises `not_found`."""
    found = COUNTERS.get(code)
    if found is None:
        raise HotlineError("not_found")
    return found


async def count(session: AsyncSession, wanted: Wanted) -> int:
    """How many lines there are: the figure itself, from kept sums where one scope answers."""
    scopes = {
        "unit": wanted.unit_id,
        "category": wanted.category_id,
        "district": wanted.district_id,
        "type": wanted.type,
    }
    named = {scope: key for scope, key in scopes.items() if key is not None}
    is_open = wanted.counter.code.startswith(OPEN_PREFIX)
    if len(named) > 1 or (is_open and set(named) - {"unit"}):
        return await _counted(session, wanted)
    scope, key = next(iter(named.items()), ("all", ""))
    if is_open:
        found = await open_sums(session, scope, wanted.counter.code, wanted.period, str(key))
    elif (wanted.period.last - wanted.period.first).days > LONGEST:
        return await _counted(session, wanted)
    else:
        found = await sums(session, scope, kept_codes({wanted.counter.code}), wanted.period, str(key))
    values: dict[str, int] = {}
    for (code, apart), n in found.get(str(key), {}).items():
        if wanted.apart == "all" or apart is (wanted.apart == "yes"):
            values[code] = values.get(code, 0) + n
    return number(wanted.counter.code, values)


async def _counted(session: AsyncSession, wanted: Wanted) -> int:
    query = sa.select(sa.func.count()).select_from(_fact).where(*_conditions(wanted))
    return int((await session.execute(query)).scalar_one())


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    code = "due" if wanted.counter.code == "overdue" else wanted.counter.code
    found = [_fact.c.code == code, _fact.c.day.between(wanted.period.first, wanted.period.last)]
    for name in ("unit_id", "category_id", "district_id", "type"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(_fact.c[name] == value)
    if wanted.apart != "all":
        found.append(_fact.c.left_out.is_(wanted.apart == "yes"))
    if wanted.counter.but_for is not None:
        other = _fact.alias("other")
        same = [other.c[name] == _fact.c[name] for name in ("ref_id", "seq", "record")]
        found.append(~sa.exists().where(other.c.code == wanted.counter.but_for, *same))
    return found


async def lines(
    session: AsyncSession, actor: Actor, wanted: Wanted, cursor: str | None = None, limit: int = PAGE
) -> Lines:
    """One page of the facts behind a number that this person may see. Raises `bad_cursor`."""
    query = sa.select(_fact, _unit.c.short_name).outerjoin(_unit, _unit.c.id == _fact.c.unit_id)
    query = query.where(*_conditions(wanted), *_visible(actor))
    if cursor is not None:
        query = query.where(sa.tuple_(*_ORDER) < sa.tuple_(*_mark(cursor)))
    query = query.order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
    rows = (await session.execute(query)).all()
    shown = rows[:limit]
    tickets = await items_of(session, actor, list({row.ref_id for row in shown if not row.record}))
    records = await _records(session, [row.ref_id for row in shown if row.record])
    by_id = {item.id: item for item in tickets}
    items = [
        Line(
            row.day,
            row.seq,
            row.short_name,
            row.left_out,
            None if row.record else by_id.get(row.ref_id),
            records.get(row.ref_id) if row.record else None,
        )
        for row in shown
    ]
    return Lines(items, _cursor(shown[-1]) if len(rows) > limit else None)


def _visible(actor: Actor) -> list[sa.ColumnElement[bool]]:
    """The rules of the ticket room, as a condition; nothing to ask for who sees everything."""
    if sees_every_ticket(actor):
        return []
    mine = sa.exists().where(_ticket.c.id == _fact.c.ref_id, visible_tickets(actor))
    return [sa.or_(sa.and_(~_fact.c.record, mine), sa.and_(_fact.c.record, visible_records(actor)))]


async def _records(session: AsyncSession, ids: Sequence[int]) -> dict[int, RecordLine]:
    if not ids:
        return {}
    names = ("id", "number", "title", "type", "created_at")
    query = sa.select(*(_record.c[name] for name in names)).where(_record.c.id.in_(ids))
    return {row.id: RecordLine(*row) for row in await session.execute(query)}


def _cursor(row: Any) -> str:
    mark = json.dumps([row.day.isoformat(), row.ref_id, row.seq, row.record], separators=(",", ":"))
    return base64.urlsafe_b64encode(mark.encode()).decode().rstrip("=")


def _mark(cursor: str) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        day, ref_id, seq, record = json.loads(text)
        values = [date.fromisoformat(day), int(ref_id), int(seq), bool(record)]
    except (binascii.Error, ValueError, TypeError, UnicodeError):
        raise HotlineError("bad_cursor") from None
    return [sa.literal(value, column.type) for value, column in zip(values, _ORDER, strict=True)]
