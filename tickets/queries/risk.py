"""The risk list of supervision: what is running in the whole city by the time left.

Read from `ix_ticket_running`, or for one unit's subtree from the index of the desks, so that the cost
follows the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from tickets.forms import clean
from tickets.models import Ticket, TicketHistory, table_of
from tickets.queries.due import Mark, decode_mark, encode_mark
from tickets.queries.filters import MAX_PAGE, Page
from tickets.queries.lists import COUNT_CAP, TicketItem, each_unit, is_todo, items_of, unit_scope
from tickets.queries.todo import Span, Urgency
from tickets.states import RUNNING_STATES, Action
from tickets.terms import TicketType
from tickets.terms import Urgency as Degree
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
SPANS = (Urgency.OVERDUE, Urgency.TODAY, Urgency.WARNED)


@dataclass(frozen=True)
class RiskFilters:
    """What narrows the list; None narrows nothing."""

    span: str | None = None
    unit_id: int | None = None
    degree: str | None = None
    type: str | None = None
    supervised: bool | None = None


@dataclass(frozen=True)
class RiskItem:
    """A line: the ticket, and when it was urged last."""

    ticket: TicketItem
    urged_at: datetime | None


def parse_risk_filters(query: Mapping[str, str]) -> RiskFilters:
    """The filters of a request. Raises `unknown_filter` (fields) or `bad_filter` (field)."""
    known = {field.name for field in fields(RiskFilters)}
    unknown = sorted(str(key)[:40] for key in set(query) - known)
    if unknown:
        raise HotlineError("unknown_filter", fields=unknown[:10])
    return RiskFilters(**{name: _parsed(name, value) for name, raw in query.items() if (value := clean(raw))})


def _parsed(name: str, value: str) -> Any:
    codes = {"span": Urgency, "degree": Degree, "type": TicketType}
    try:
        if name in codes:
            return codes[name](value).value
    except ValueError:
        raise HotlineError("bad_filter", field=name) from None
    if name == "supervised":
        return value in {"1", "true", "on", "yes"}
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise HotlineError("bad_filter", field=name)
    return int(value)


def is_running() -> sa.ColumnElement[bool]:
    """The total runs; in the statement's text, as in the predicate of the index."""
    states: sa.BindParameter[Any] = sa.bindparam(
        "running", [state.value for state in RUNNING_STATES], expanding=True, literal_execute=True
    )
    return sa.and_(_ticket.c.due_at.is_not(None), _ticket.c.state.in_(states))


async def risk_list(
    session: AsyncSession,
    actor: Actor,
    filters: RiskFilters,
    cursor: str | None = None,
    limit: int = 30,
    *,
    now: datetime,
) -> Page[RiskItem]:
    """One page, the least time left first. Raises `bad_cursor`."""
    limit = max(1, min(limit, MAX_PAGE))
    after = decode_mark(cursor) if cursor else None
    query = await _page(session, actor, filters, after, limit + 1, now)
    rows = (await session.execute(query)).all()
    ids = [row.id for row in rows[:limit]]
    tickets = await items_of(session, actor, ids)
    urged = await last_urges(session, [item.id for item in tickets if item.urges])
    items = tuple(RiskItem(item, urged.get(item.id)) for item in tickets)
    more = len(rows) > limit
    return Page(items, encode_mark(Mark(rows[limit - 1].due, rows[limit - 1].id)) if more else None)


async def nearest(session: AsyncSession, actor: Actor, most: int, *, now: datetime) -> tuple[TicketItem, ...]:
    """The tickets at the head of the list."""
    query = await _page(session, actor, RiskFilters(), None, most, now)
    return await items_of(session, actor, [row.id for row in await session.execute(query)])


async def _page(
    session: AsyncSession, actor: Actor, filters: RiskFilters, after: Mark | None, limit: int, now: datetime
) -> sa.Select[Any]:
    source = sa.select(_ticket.c.due_at.label("due"), _ticket.c.id.label("id"))
    source = source.where(*_narrowing(filters, now), visible_tickets(actor))
    if after is not None and after.due_at is not None:
        mark = sa.tuple_(
            sa.literal(after.due_at, _ticket.c.due_at.type), sa.literal(after.key, _ticket.c.id.type)
        )
        source = source.where(sa.tuple_(_ticket.c.due_at, _ticket.c.id) > mark)
    order = (_ticket.c.due_at, _ticket.c.id)
    if filters.unit_id is None:
        return source.where(is_running()).order_by(*order).limit(limit)
    units = each_unit(await unit_scope(session, actor, filters.unit_id) or [])
    mine = source.where(is_todo(), _ticket.c.due_at.is_not(None), _ticket.c.desk_unit_id == units.c.id)
    each = mine.order_by(*order).limit(limit).lateral("each")
    merged = sa.select(each.c.due, each.c.id).select_from(units.join(each, sa.true()))
    return merged.order_by(each.c.due, each.c.id).limit(limit)


def _narrowing(filters: RiskFilters, now: datetime) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.span is not None and filters.span != Urgency.NEW:
        found += Span.at(now).within(_ticket.c.due_at, filters.span)
    if filters.degree is not None:
        found.append(_ticket.c.urgency == filters.degree)
    if filters.type is not None:
        found.append(_ticket.c.type == filters.type)
    if filters.supervised is not None:
        found.append(_ticket.c.supervised.is_(filters.supervised))
    return found


async def risk_counts(session: AsyncSession, *, now: datetime) -> dict[str, int]:
    """How much is overdue, due today, due soon in the whole city; capped."""
    span = Span.at(now)
    columns = []
    for urgency in SPANS:
        some = sa.select(sa.literal(1)).select_from(_ticket)
        some = some.where(is_running(), *span.within(_ticket.c.due_at, urgency)).limit(COUNT_CAP)
        capped = some.subquery(f"some_{urgency.value}")
        columns.append(sa.select(sa.func.count()).select_from(capped).scalar_subquery().label(urgency.value))
    return dict((await session.execute(sa.select(*columns))).one()._mapping)


async def last_urges(session: AsyncSession, ids: list[int]) -> dict[int, datetime]:
    """When each of these tickets was urged last."""
    if not ids:
        return {}
    query = (
        sa.select(_history.c.ticket_id, sa.func.max(_history.c.at).label("at"))
        .where(_history.c.ticket_id.in_(ids), _history.c.action == Action.URGE.value)
        .group_by(_history.c.ticket_id)
    )
    return {row.ticket_id: row.at for row in await session.execute(query)}
