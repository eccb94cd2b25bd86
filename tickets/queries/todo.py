"""The to-do of a department: what lies on the desks of its subtree, the most urgent first.

A ticket is on a unit's list while the work lies there (`desk_unit_id`, in a state a unit works in), or
while the unit still owes an opinion as a co-handler, which has a due time of its own. What waits for
the hotline, is suspended or over is not to do; the unit's whole list is `queries.ticket_list`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people.actor import Actor
from tickets.flow import TicketUnit
from tickets.forms import clean
from tickets.models import Category, Ticket, table_of
from tickets.queries.due import Mark, decode_mark, encode_mark, merged, page_of
from tickets.queries.filters import MAX_PAGE, Page, in_state
from tickets.queries.lists import COUNT_CAP, TicketItem, each_unit, is_todo, items_of, unit_scope
from tickets.states import State
from tickets.terms import TicketType
from tickets.terms import Urgency as Degree

_ticket = table_of(Ticket)
_category = table_of(Category)
_held = table_of(TicketUnit)
WARNED_DAYS = 2  # after today: what is due by the end of the day after tomorrow


class Urgency(StrEnum):
    """How pressing it is: the four counters above the list, each of which narrows it."""

    OVERDUE = "overdue"
    TODAY = "today"
    WARNED = "warned"
    NEW = "new"  # not signed yet, however far its due time is


class Order(StrEnum):
    """The orders there is an index for."""

    DUE = "due"  # the citizen's due time
    STAGE = "stage"  # the due time of the present stage; for what is not signed yet


@dataclass(frozen=True)
class TodoFilters:
    """What narrows the list; None narrows nothing. `role`: own (the work lies here) or co (an opinion)."""

    urgency: str | None = None
    role: str | None = None
    state: str | None = None
    type: str | None = None
    degree: str | None = None
    category_id: int | None = None
    unit_id: int | None = None


@dataclass(frozen=True)
class TodoItem:
    """A line of the list: the ticket, in which role it lies here, when it is due in this role."""

    ticket: TicketItem
    role: str
    due_at: datetime | None
    urgency: Urgency | None  # None: due later, and signed

    @property
    def is_new(self) -> bool:
        """Waiting to be signed."""
        return self.role == "own" and self.ticket.state == State.WAITING_SIGN.value


@dataclass(frozen=True)
class TodoCounts:
    """The four counters, what co-handlers owe, and everything; each stops at COUNT_CAP ("999+")."""

    overdue: int
    today: int
    warned: int
    new: int
    co: int
    all: int


@dataclass(frozen=True)
class Span:
    """The limits of the day, for one instant: days are the city's."""

    now: datetime
    midnight: datetime
    warned: datetime

    @classmethod
    def at(cls, now: datetime) -> "Span":
        """The span of `now` (UTC)."""
        tomorrow = to_city(now).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time(), CITY_ZONE).astimezone(UTC)
        return cls(now, midnight, midnight + timedelta(days=WARNED_DAYS))

    def urgency(self, due_at: datetime | None) -> Urgency | None:
        """How pressing something due then is."""
        if due_at is None or due_at >= self.warned:
            return None
        if due_at < self.now:
            return Urgency.OVERDUE
        return Urgency.TODAY if due_at < self.midnight else Urgency.WARNED

    def within(self, due: sa.ColumnElement[Any], urgency: str) -> list[sa.ColumnElement[bool]]:
        """The condition on a due time for an urgency that is one of time."""
        borders = {
            Urgency.OVERDUE: (None, self.now),
            Urgency.TODAY: (self.now, self.midnight),
            Urgency.WARNED: (self.midnight, self.warned),
        }
        begin, end = borders[Urgency(urgency)]
        return [due < end] if begin is None else [due >= begin, due < end]


_CODES: dict[str, type[StrEnum]] = {
    "urgency": Urgency,
    "state": State,
    "type": TicketType,
    "degree": Degree,
}


def parse_todo_filters(query: Mapping[str, str]) -> TodoFilters:
    """The filters of a request. Raises `unknown_filter` (fields) or `bad_filter` (field)."""
    known = {field.name for field in fields(TodoFilters)}
    unknown = sorted(str(key)[:40] for key in set(query) - known)
    if unknown:
        raise HotlineError("unknown_filter", fields=unknown[:10])
    found = {name: _parsed(name, value) for name, raw in query.items() if (value := clean(raw))}
    return TodoFilters(**found)


def _parsed(name: str, value: str) -> Any:
    try:
        if name in _CODES:
            return _CODES[name](value).value
    except ValueError:
        raise HotlineError("bad_filter", field=name) from None
    if name == "role":
        if value not in ("own", "co"):
            raise HotlineError("bad_filter", field=name)
        return value
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise HotlineError("bad_filter", field=name)
    return int(value)


# ---- the list -------------------------------------------------------------------------------


async def todo_list(
    session: AsyncSession,
    actor: Actor,
    filters: TodoFilters | None = None,
    cursor: str | None = None,
    limit: int = 25,
    *,
    now: datetime,
) -> Page[TodoItem]:
    """One page of the to-do of the actor's subtree, most urgent first. Raises `bad_cursor`.

    What is not signed yet (`urgency="new"`) comes by the due time of signing, the rest by the
    citizen's due time (a co-handler's: that of the opinion).
    """
    filters, limit = filters or TodoFilters(), max(1, min(limit, MAX_PAGE))
    scope = await unit_scope(session, actor, filters.unit_id)
    after = decode_mark(cursor) if cursor else None
    span = Span.at(now)
    query = _page(filters, scope, after, limit + 1, span)
    rows = (await session.execute(query)).all() if query is not None else []
    tickets = {
        item.id: item for item in await items_of(session, actor, [row.key // 2 for row in rows[:limit]])
    }
    items = tuple(
        TodoItem(tickets[row.key // 2], "co" if row.key % 2 else "own", row.due, span.urgency(row.due))
        for row in rows[:limit]
    )
    more = len(rows) > limit
    return Page(items, encode_mark(Mark(rows[limit - 1].due, rows[limit - 1].key)) if more else None)


def _page(
    filters: TodoFilters, scope: list[int] | None, after: Mark | None, limit: int, span: Span
) -> sa.Select[Any] | None:
    """Due time and key (twice the ticket's id, plus one for a co-handler) of one page."""
    parts: list[sa.Select[Any]] = []
    wanted = _narrowing(filters)
    if filters.role != "co":
        parts += _own(filters, wanted, scope, after, limit, span)
    if filters.role != "own" and filters.urgency != Urgency.NEW:
        parts += _co(filters, wanted, scope, after, limit, span)
    if not parts:
        return None
    part = merged(parts)
    order = (part.c.due.asc().nulls_last(), part.c.key)
    return sa.select(part.c.due, part.c.key).distinct().order_by(*order).limit(limit)


def _narrowing(filters: TodoFilters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.state is not None:
        found.append(in_state(filters.state))
    if filters.type is not None:
        found.append(_ticket.c.type == filters.type)
    if filters.degree is not None:
        found.append(_ticket.c.urgency == filters.degree)
    if filters.category_id is not None:
        below = _category.c.path.like(sa.func.concat("%.", filters.category_id, ".%"))
        found.append(_ticket.c.category_id.in_(sa.select(_category.c.id).where(below)))
    return found


def _own(
    filters: TodoFilters,
    wanted: list[sa.ColumnElement[bool]],
    scope: list[int] | None,
    after: Mark | None,
    limit: int,
    span: Span,
) -> list[sa.Select[Any]]:
    new = filters.urgency == Urgency.NEW
    due = _ticket.c.stage_due_at if new else _ticket.c.due_at
    # A page ends on a key; an own line of the same ticket stands before the co-handler's.
    mark = None if after is None else Mark(after.due_at, after.key // 2)
    source = sa.select(due.label("due"), _ticket.c.id.label("id")).where(*wanted)
    source = source.where(in_state(State.WAITING_SIGN.value) if new else is_todo())
    if filters.urgency is not None and not new:
        source = source.where(*span.within(due, filters.urgency))
    return _of_units(source, _ticket.c.desk_unit_id, due, _ticket.c.id, scope, mark, limit, odd=0)


def _co(
    filters: TodoFilters,
    wanted: list[sa.ColumnElement[bool]],
    scope: list[int] | None,
    after: Mark | None,
    limit: int,
    span: Span,
) -> list[sa.Select[Any]]:
    due = _held.c.due_at
    source = sa.select(due.label("due"), _held.c.ticket_id.label("id")).where(*_owes_opinion())
    source = source.join(_ticket, _ticket.c.id == _held.c.ticket_id).where(
        _ticket.c.stage.is_not(None), *wanted
    )
    if filters.urgency is not None:
        source = source.where(*span.within(due, filters.urgency))
    # After an own line its co-handler's line is still to come.
    key = None if after is None else (after.key // 2 if after.key % 2 else after.key // 2 - 1)
    mark = None if after is None or key is None else Mark(after.due_at, key)
    return _of_units(source, _held.c.unit_id, due, _held.c.ticket_id, scope, mark, limit, odd=1)


def _owes_opinion() -> tuple[sa.ColumnElement[bool], ...]:
    role: sa.BindParameter[str] = sa.bindparam("co", "co", literal_execute=True)
    return _held.c.role == role, _held.c.until.is_(None), _held.c.answered_at.is_(None)


def _of_units(
    source: sa.Select[Any],
    unit: sa.ColumnElement[Any],
    due: sa.ColumnElement[Any],
    key: sa.ColumnElement[Any],
    scope: list[int] | None,
    after: Mark | None,
    limit: int,
    *,
    odd: int,
) -> list[sa.Select[Any]]:
    """`source` for each unit of `scope` from the unit's own index; without a scope, of all units."""
    found = []
    units = None if scope is None else each_unit(scope)
    narrowed = source if units is None else source.where(unit == units.c.id)
    for place, part in enumerate(page_of(narrowed, due, key, after, limit)):
        each = part.lateral(f"each{odd}{place}") if units is not None else part.subquery(f"each{odd}{place}")
        columns = sa.select(each.c.due.label("due"), (each.c.id * 2 + odd).label("key"))
        found.append(columns.select_from(each if units is None else units.join(each, sa.true())))
    return found


# ---- the counters ---------------------------------------------------------------------------


async def todo_counts(
    session: AsyncSession, actor: Actor, *, now: datetime, unit_id: int | None = None
) -> TodoCounts:
    """The counters of the actor's subtree, or of `unit_id`'s within it; one statement."""
    scope, span = await unit_scope(session, actor, unit_id), Span.at(now)
    own = sa.select(sa.literal(1)).select_from(_ticket).where(is_todo())
    alive = sa.exists().where(_ticket.c.id == _held.c.ticket_id, _ticket.c.stage.is_not(None))
    owed = sa.select(sa.literal(1)).select_from(_held).where(*_owes_opinion(), alive)
    counts: dict[str, list[sa.Select[Any]]] = {
        urgency.value: [
            own.where(*span.within(_ticket.c.due_at, urgency)),
            owed.where(*span.within(_held.c.due_at, urgency)),
        ]
        for urgency in (Urgency.OVERDUE, Urgency.TODAY, Urgency.WARNED)
    }
    new = sa.select(sa.literal(1)).select_from(_ticket).where(in_state(State.WAITING_SIGN.value))
    counts |= {"new": [new], "co": [owed], "all": [own, owed]}
    columns = [_capped(name, parts, scope) for name, parts in counts.items()]
    return TodoCounts(**(await session.execute(sa.select(*columns))).one()._mapping)


def _capped(name: str, parts: list[sa.Select[Any]], scope: list[int] | None) -> sa.Label[Any]:
    """How many rows, at most COUNT_CAP."""
    found = []
    for part in parts:
        table = part.get_final_froms()[0]
        unit = _held.c.unit_id if table is _held else _ticket.c.desk_unit_id
        some = part
        if scope is not None:
            units = each_unit(scope)
            each = part.where(unit == units.c.id).limit(COUNT_CAP).lateral()
            some = sa.select(sa.literal(1)).select_from(units.join(each, sa.true()))
        found.append(some.limit(COUNT_CAP).subquery().select())
    rows = sa.union_all(*found).limit(COUNT_CAP).subquery()
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery().label(name)
