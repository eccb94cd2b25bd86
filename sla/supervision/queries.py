"""Documents of supervision as lists, as pages and as counts; always what this person may see.

Texts about a sealed matter are shown to a unit under the veil, as everything else is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from sla.models import Card
from sla.supervision.models import SupervisionCopy, SupervisionInterview, SupervisionOrder, SupervisionStep
from sla.supervision.terms import (
    KEPT_FROM_UNITS,
    KIND_LABELS,
    OPEN,
    REPORTED_ON,
    RULES,
    STATE_LABELS,
    STEP_LABELS,
    By,
    Kind,
    OrderState,
    Step,
    allows,
)
from sla.supervision.visibility import visible_orders
from tickets.models import Ticket, table_of
from tickets.queries.filters import MAX_PAGE, Page
from tickets.queries.lists import COUNT_CAP
from tickets.queries.veils import veils
from tickets.states import Stage
from tickets.veil import covered_in
from tickets.visibility import units_below, visible_tickets

_card = table_of(Card)
_order = table_of(SupervisionOrder)
_copy = table_of(SupervisionCopy)
_step = table_of(SupervisionStep)
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


@dataclass(frozen=True)
class StepItem:
    """A line of a document's course."""

    at: datetime
    step: str
    actor: str
    unit: str | None
    note: str

    @property
    def word(self) -> str:
        return STEP_LABELS[Step(self.step)]


@dataclass(frozen=True)
class InterviewItem:
    """The record of a 约谈."""

    held_at: datetime
    place: str
    attendees: str
    minutes: str
    measures: str
    recorded_at: datetime
    recorded_by: str | None


@dataclass(frozen=True)
class OrderPage:
    """A document with its course and what this person may do with it."""

    item: OrderItem
    requirement: str
    recipient: str
    limit_text: str | None
    issued_by: str | None
    parent: tuple[int, str] | None
    children: tuple[OrderItem, ...]
    copies: tuple[str, ...]
    course: tuple[StepItem, ...]
    interview: InterviewItem | None
    sees_ticket: bool
    steps: frozenset[Step]


def _columns() -> list[Any]:
    plain = [
        name for name in OrderItem.__dataclass_fields__ if name not in ("ticket_number", "unit", "held_at")
    ]
    return [
        *(_order.c[name] for name in plain),
        _ticket.c.number.label("ticket_number"),
        _unit.c.short_name.label("unit"),
        _interview.c.held_at,
    ]


def _source() -> Any:
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
    query = sa.select(*_columns()).select_from(_source())
    query = query.where(visible_orders(actor), *_narrowing(filters, actor, now))
    if before is not None:
        query = query.where(_order.c.id < before)
    rows = (await session.execute(query.order_by(_order.c.id.desc()).limit(limit + 1))).all()
    items = await _items(session, actor, rows[:limit])
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


async def _items(session: AsyncSession, actor: Actor, rows: Sequence[Any]) -> tuple[OrderItem, ...]:
    veiled = await veils(session, actor, {row.ticket_id for row in rows if row.ticket_id is not None})
    return tuple(
        OrderItem(**covered_in(veiled.get(row.ticket_id), dict(row._mapping), ("subject",))) for row in rows
    )


async def order_page(session: AsyncSession, actor: Actor, order_id: int) -> OrderPage:
    """One document. Raises `order_not_found` when there is none this person may see."""
    row = (await session.execute(_one(actor, order_id))).first()
    if row is None:
        raise HotlineError("order_not_found", order_id=order_id)
    veiled = await veils(session, actor, {row.ticket_id} - {None})
    veil = veiled.get(row.ticket_id)
    values = covered_in(veil, dict(row._mapping), ("subject", "requirement"))
    item = OrderItem(**{name: values[name] for name in OrderItem.__dataclass_fields__})
    interview = await interview_of(session, order_id)
    if interview is not None and veil is not None:
        interview = InterviewItem(**covered_in(veil, vars(interview), ("minutes", "measures", "attendees")))
    course = await _course(session, order_id)
    if veil is not None:
        course = tuple(StepItem(**covered_in(veil, vars(one), ("note",))) for one in course)
    return OrderPage(
        item,
        values["requirement"],
        row.recipient,
        row.limit_text,
        row.issuer,
        await _parent(session, actor, row.parent_id),
        await _children(session, actor, order_id),
        await _copied_to(session, order_id),
        course,
        interview,
        bool(row.sees),
        steps_of(actor, item, own=bool(row.own), recorded=interview is not None),
    )


def _one(actor: Actor, order_id: int) -> sa.Select[Any]:
    """The row of a document this person may see, and how he stands to it."""
    issuer = _user.alias("issuer")
    extra = ("requirement", "recipient", "limit_text", "parent_id")
    return (
        sa.select(
            *_columns(),
            *(_order.c[name] for name in extra),
            issuer.c.name.label("issuer"),
            sa.and_(_ticket.c.id.is_not(None), visible_tickets(actor)).label("sees"),
            _order.c.unit_id.in_(units_below(actor)).label("own"),
        )
        .select_from(_source().outerjoin(issuer, issuer.c.id == _order.c.issued_by))
        .where(_order.c.id == order_id, visible_orders(actor))
    )


def steps_of(actor: Actor, item: OrderItem, *, own: bool, recorded: bool) -> frozenset[Step]:
    """What this person may do to the document now."""
    found = set()
    for step, rule in RULES.items():
        if not allows(step, Kind(item.kind), OrderState(item.state)):
            continue
        by_unit = rule.by is By.UNIT and own and actor.may(Permission.TICKET_HANDLE)
        by_house = rule.by is By.SUPERVISION and actor.may(Permission.TICKET_SUPERVISE)
        if by_unit or by_house:
            found.add(step)
    if recorded:
        found.discard(Step.RECORD)
    else:
        found.discard(Step.LOOK)
    return frozenset(found)


async def interview_of(session: AsyncSession, order_id: int) -> InterviewItem | None:
    """The record of the interview, if it was held."""
    names = [name for name in InterviewItem.__dataclass_fields__ if name != "recorded_by"]
    query = sa.select(*(_interview.c[name] for name in names), _user.c.name.label("recorded_by")).select_from(
        _interview.outerjoin(_user, _user.c.id == _interview.c.recorded_by)
    )
    row = (await session.execute(query.where(_interview.c.order_id == order_id))).first()
    return InterviewItem(**row._mapping) if row is not None else None


async def _course(session: AsyncSession, order_id: int) -> tuple[StepItem, ...]:
    query = (
        sa.select(
            _step.c.at,
            _step.c.step,
            _step.c.actor_name.label("actor"),
            _unit.c.short_name.label("unit"),
            _step.c.note,
        )
        .select_from(_step.outerjoin(_unit, _unit.c.id == _step.c.unit_id))
        .where(_step.c.order_id == order_id)
        .order_by(_step.c.id)
    )
    return tuple(StepItem(**row._mapping) for row in await session.execute(query))


async def _parent(session: AsyncSession, actor: Actor, parent_id: int | None) -> tuple[int, str] | None:
    if parent_id is None:
        return None
    query = sa.select(_order.c.id, _order.c.number).where(_order.c.id == parent_id, visible_orders(actor))
    row = (await session.execute(query)).first()
    return (row.id, row.number) if row is not None else None


async def _children(session: AsyncSession, actor: Actor, order_id: int) -> tuple[OrderItem, ...]:
    query = sa.select(*_columns()).select_from(_source())
    query = query.where(_order.c.parent_id == order_id, visible_orders(actor)).order_by(_order.c.id)
    return await _items(session, actor, (await session.execute(query)).all())


async def _copied_to(session: AsyncSession, order_id: int) -> tuple[str, ...]:
    query = sa.select(_unit.c.name).join(_copy, _copy.c.unit_id == _unit.c.id)
    return tuple(
        (await session.execute(query.where(_copy.c.order_id == order_id).order_by(_unit.c.id))).scalars()
    )


async def orders_of_tickets(
    session: AsyncSession, actor: Actor, ids: Collection[int]
) -> dict[int, tuple[OrderItem, ...]]:
    """The documents on these tickets, newest first."""
    if not ids:
        return {}
    query = sa.select(*_columns()).select_from(_source())
    query = query.where(_order.c.ticket_id.in_(ids), visible_orders(actor)).order_by(_order.c.id.desc())
    found: dict[int, list[OrderItem]] = {}
    for item in await _items(session, actor, (await session.execute(query)).all()):
        found.setdefault(item.ticket_id or 0, []).append(item)
    return {ident: tuple(items) for ident, items in found.items()}


async def open_orders(session: AsyncSession, actor: Actor, *, limit: int = 5) -> tuple[OrderItem, ...]:
    """What one's own unit, or one below, is to answer: the next to be reported on first."""
    if not actor.may(Permission.TICKET_HANDLE) or actor.unit_id is None:
        return ()
    query = sa.select(*_columns()).select_from(_source())
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
    return await _items(session, actor, (await session.execute(query.order_by(*order).limit(limit))).all())


async def order_counts(session: AsyncSession, actor: Actor, *, now: datetime) -> dict[str, int]:
    """How many documents are open, late with their report, or wait to be judged; capped."""
    reported = _order.c.state == sa.bindparam("reported", "reported", literal_execute=True)
    parts = {"open": [is_open()], "late": _is_late(now), "reported": [is_open(), reported]}
    columns = []
    for name, wanted in parts.items():
        some = sa.select(sa.literal(1)).select_from(_order).where(*wanted, visible_orders(actor))
        capped = some.limit(COUNT_CAP).subquery()
        columns.append(sa.select(sa.func.count()).select_from(capped).scalar_subquery().label(name))
    return dict((await session.execute(sa.select(*columns))).one()._mapping)


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


__all__ = ["REPORTED_ON", "InterviewItem", "OrderFilters", "OrderItem", "OrderPage", "StepItem"]
