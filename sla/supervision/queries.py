"""Documents of supervision as lists and as counts; always what this person may see. One: `order_page.py`.

Texts about a sealed matter are shown to a unit under the veil, as everything else is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from sla.models import Card
from sla.supervision.models import SupervisionInterview, SupervisionOrder
from sla.supervision.terms import (
    KEPT_FROM_UNITS,
    KIND_LABELS,
    OPEN,
    STATE_LABELS,
    Kind,
    OrderState,
)
from sla.supervision.visibility import visible_orders
from tickets.models import Ticket, table_of
from tickets.queries.filters import MAX_PAGE, Page
from tickets.queries.lists import COUNT_CAP
from tickets.queries.veils import veils
from tickets.states import Stage
from tickets.veil import covered_in
from tickets.visibility import units_below

_card = table_of(Card)
_order = table_of(SupervisionOrder)
_interview = table_of(SupervisionInterview)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_user = table_of(User)


@dataclass(frozen=True)
class OrderFilters:
    """What narrows the list; None narrows nothing. `mine`: addressed to one's own unit or below."""

    state: str | None = None  # a state, `open`, or `late`
    kind: str | None = None
    unit_id: int | None = None
    ticket_id: int | None = None
    number: str | None = None
    mine: bool = False


@dataclass(frozen=True)
class OrderItem:
    """A line of the list."""

    id: int
    number: str
    kind: str
    state: str
    version: int
    ticket_id: int | None
    ticket_number: str | None
    unit_id: int
    unit: str
    ground: str
    subject: str
    report_by: datetime | None
    issued_at: datetime
    acknowledged_at: datetime | None
    reported_at: datetime | None
    closed_at: datetime | None
    next_look_at: datetime | None
    held_at: datetime | None

    @property
    def kind_word(self) -> str:
        return KIND_LABELS[Kind(self.kind)]

    @property
    def state_word(self) -> str:
        """Where it stands; one that asks for no report waits for nobody once it was sent."""
        if self.kind in KEPT_FROM_UNITS and self.state == OrderState.ISSUED.value:
            return "已移送"
        return STATE_LABELS[OrderState(self.state)]

    @property
    def open(self) -> bool:
        return OrderState(self.state) in OPEN

    def late(self, now: datetime) -> bool:
        """The report is overdue, or came after its time."""
        if self.report_by is None:
            return False
        if self.state in (OrderState.ISSUED.value, OrderState.ACKNOWLEDGED.value):
            return now > self.report_by
        return self.reported_at is not None and self.reported_at > self.report_by


def columns() -> list[Any]:
    """What an `OrderItem` is made of, out of `source`."""
    plain = [
        name for name in OrderItem.__dataclass_fields__ if name not in ("ticket_number", "unit", "held_at")
    ]
    return [
        *(_order.c[name] for name in plain),
        _ticket.c.number.label("ticket_number"),
        _unit.c.short_name.label("unit"),
        _interview.c.held_at,
    ]


def source() -> Any:
    """Documents with their unit, ticket and interview."""
    return (
        _order.join(_unit, _unit.c.id == _order.c.unit_id)
        .outerjoin(_ticket, _ticket.c.id == _order.c.ticket_id)
        .outerjoin(_interview, _interview.c.order_id == _order.c.id)
    )


async def order_list(
    session: AsyncSession,
    actor: Actor,
    filters: OrderFilters,
    before: int | None = None,
    limit: int = 25,
    *,
    now: datetime,
) -> Page[OrderItem]:
    """One page of the documents this person may see, newest first."""
    limit = max(1, min(limit, MAX_PAGE))
    query = sa.select(*columns()).select_from(source())
    query = query.where(visible_orders(actor), *_narrowing(filters, actor, now))
    if before is not None:
        query = query.where(_order.c.id < before)
    rows = (await session.execute(query.order_by(_order.c.id.desc()).limit(limit + 1))).all()
    items = await items_of(session, actor, rows[:limit])
    return Page(items, str(items[-1].id) if len(rows) > limit else None)


def _narrowing(filters: OrderFilters, actor: Actor, now: datetime) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.state == "open":
        found.append(is_open())
    elif filters.state == "late":
        found += _is_late(now)
    elif filters.state is not None:
        found.append(_order.c.state == filters.state)
    if filters.kind is not None:
        found.append(_order.c.kind == filters.kind)
    if filters.unit_id is not None:
        found.append(_order.c.unit_id == filters.unit_id)
    if filters.ticket_id is not None:
        found.append(_order.c.ticket_id == filters.ticket_id)
    if filters.number:
        found.append(_order.c.number.like("%" + filters.number.replace("%", "").replace("_", "") + "%"))
    if filters.mine:
        found.append(_order.c.unit_id.in_(units_below(actor)))
    return found


def is_open() -> sa.ColumnElement[bool]:
    """Waits for something; in the statement's text, as in the predicate of the index."""
    states: sa.BindParameter[Any] = sa.bindparam(
        "open_orders", sorted(state.value for state in OPEN), expanding=True, literal_execute=True
    )
    return _order.c.state.in_(states)


def _is_late(now: datetime) -> list[sa.ColumnElement[bool]]:
    unreported: sa.BindParameter[Any] = sa.bindparam(
        "unreported", ["issued", "acknowledged"], expanding=True, literal_execute=True
    )
    return [is_open(), _order.c.state.in_(unreported), _order.c.report_by < now]


async def items_of(session: AsyncSession, actor: Actor, rows: Sequence[Any]) -> tuple[OrderItem, ...]:
    """The lines of these rows, under the veil where a matter is sealed to this person."""
    veiled = await veils(session, actor, {row.ticket_id for row in rows if row.ticket_id is not None})
    return tuple(
        OrderItem(**covered_in(veiled.get(row.ticket_id), dict(row._mapping), ("subject",))) for row in rows
    )


async def orders_of_tickets(
    session: AsyncSession, actor: Actor, ids: Collection[int]
) -> dict[int, tuple[OrderItem, ...]]:
    """The documents on these tickets, newest first."""
    if not ids:
        return {}
    query = sa.select(*columns()).select_from(source())
    query = query.where(_order.c.ticket_id.in_(ids), visible_orders(actor)).order_by(_order.c.id.desc())
    found: dict[int, list[OrderItem]] = {}
    for item in await items_of(session, actor, (await session.execute(query)).all()):
        found.setdefault(item.ticket_id or 0, []).append(item)
    return {ident: tuple(items) for ident, items in found.items()}


async def open_orders(session: AsyncSession, actor: Actor, *, limit: int = 5) -> tuple[OrderItem, ...]:
    """What one's own unit, or one below, is to answer: the next to be reported on first."""
    if not actor.may(Permission.TICKET_HANDLE) or actor.unit_id is None:
        return ()
    query = sa.select(*columns()).select_from(source())
    waiting: sa.BindParameter[Any] = sa.bindparam(
        "waiting", ["issued", "acknowledged"], expanding=True, literal_execute=True
    )
    query = query.where(
        _order.c.unit_id.in_(units_below(actor)),
        is_open(),
        _order.c.state.in_(waiting),
        visible_orders(actor),
    )
    order = (_order.c.report_by.asc().nulls_last(), _order.c.id)
    return await items_of(session, actor, (await session.execute(query.order_by(*order).limit(limit))).all())


async def order_counts(session: AsyncSession, actor: Actor, *, now: datetime) -> dict[str, int]:
    """How many documents are open, late with their report, or wait to be judged; capped."""
    reported = _order.c.state == sa.bindparam("reported", "reported", literal_execute=True)
    parts = {"open": [is_open()], "late": _is_late(now), "reported": [is_open(), reported]}
    counted = []
    for name, wanted in parts.items():
        some = sa.select(sa.literal(1)).select_from(_order).where(*wanted, visible_orders(actor))
        capped = some.limit(COUNT_CAP).subquery()
        counted.append(sa.select(sa.func.count()).select_from(capped).scalar_subquery().label(name))
    return dict((await session.execute(sa.select(*counted))).one()._mapping)


async def last_cards(session: AsyncSession, ids: Collection[int]) -> dict[int, str]:
    """The level of the last card on the total of each of these tickets, of the due time that holds now."""
    if not ids:
        return {}
    query = (
        sa.select(_card.c.ticket_id, _card.c.level)
        .join(_ticket, sa.and_(_ticket.c.id == _card.c.ticket_id, _ticket.c.due_at == _card.c.due_at))
        .where(_card.c.ticket_id.in_(ids), _card.c.stage == Stage.TOTAL.value)
        .distinct(_card.c.ticket_id)
        .order_by(_card.c.ticket_id, _card.c.id.desc())
    )
    return {row.ticket_id: row.level for row in await session.execute(query)}


async def interviews(
    session: AsyncSession, actor: Actor, before: int | None = None, limit: int = 25, *, now: datetime
) -> Page[OrderItem]:
    """The interviews, newest first, with when they were held and when they are looked at next."""
    filters = OrderFilters(kind=Kind.INTERVIEW.value)
    return await order_list(session, actor, filters, before, limit, now=now)
