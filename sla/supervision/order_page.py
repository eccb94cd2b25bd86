"""One document of supervision: its course, its interview, and what this person may do with it now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from sla.supervision.models import SupervisionCopy, SupervisionInterview, SupervisionOrder, SupervisionStep
from sla.supervision.queries import OrderItem, columns, items_of, source
from sla.supervision.terms import (
    RULES,
    STEP_LABELS,
    By,
    Kind,
    OrderState,
    Step,
    allows,
)
from sla.supervision.visibility import visible_orders
from tickets.models import Ticket, table_of
from tickets.queries.veils import veils
from tickets.veil import covered_in
from tickets.visibility import units_below, visible_tickets

_order = table_of(SupervisionOrder)
_copy = table_of(SupervisionCopy)
_step = table_of(SupervisionStep)
_interview = table_of(SupervisionInterview)
_ticket = table_of(Ticket)
_unit = table_of(Unit)
_user = table_of(User)


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
            *columns(),
            *(_order.c[name] for name in extra),
            issuer.c.name.label("issuer"),
            sa.and_(_ticket.c.id.is_not(None), visible_tickets(actor)).label("sees"),
            _order.c.unit_id.in_(units_below(actor)).label("own"),
        )
        .select_from(source().outerjoin(issuer, issuer.c.id == _order.c.issued_by))
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
    query = sa.select(*columns()).select_from(source())
    query = query.where(_order.c.parent_id == order_id, visible_orders(actor)).order_by(_order.c.id)
    return await items_of(session, actor, (await session.execute(query)).all())


async def _copied_to(session: AsyncSession, order_id: int) -> tuple[str, ...]:
    query = sa.select(_unit.c.name).join(_copy, _copy.c.unit_id == _unit.c.id)
    return tuple(
        (await session.execute(query.where(_copy.c.order_id == order_id).order_by(_unit.c.id))).scalars()
    )
