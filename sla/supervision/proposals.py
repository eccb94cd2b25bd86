"""建议督办: what the rules propose to supervise, each ground read from its own index.

A ground proposes a ticket until a document of its kind was issued in the ticket's present round, or a
person declined it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE, to_city
from core.people.actor import Actor
from core.settings import Supervision
from sla.calendar import Calendar
from sla.supervision.models import SupervisionDecline, SupervisionOrder
from sla.supervision.terms import CALLS_FOR, Ground, Kind, OrderState
from tickets.flow import Revisit, TicketUnit
from tickets.limits import Limits
from tickets.models import Ticket, table_of
from tickets.queries.due import Mark, decode_mark, encode_mark
from tickets.queries.filters import MAX_PAGE, Page
from tickets.queries.lists import COUNT_CAP, TicketItem, items_of
from tickets.queries.risk import is_running
from tickets.states import State
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_revisit = table_of(Revisit)
_held = table_of(TicketUnit)
_order = table_of(SupervisionOrder)
_decline = table_of(SupervisionDecline)
GROUNDS = (Ground.OVERDUE, Ground.DISSATISFIED, Ground.REDOS, Ground.UNITS)
# A document of a higher kind answers a ground as well.
_ANSWERS: dict[Kind, tuple[str, ...]] = {
    Kind.ORDER: ("order", "raised", "interview", "handover"),
    Kind.RAISED: ("raised", "interview", "handover"),
}


@dataclass(frozen=True)
class Rules:
    """The thresholds, and what working days are."""

    settings: Supervision
    calendar: Callable[[], Calendar]
    limits: Limits


@dataclass(frozen=True)
class Proposal:
    """A ticket with the ground and the sentence that says why."""

    ticket: TicketItem
    ground: Ground
    kind: Kind
    reason: str


async def proposals(
    session: AsyncSession,
    actor: Actor,
    rules: Rules,
    ground: Ground,
    cursor: str | None = None,
    limit: int = 25,
    *,
    now: datetime,
) -> Page[Proposal]:
    """One page of what a ground proposes, the longest standing first. Raises `bad_cursor`."""
    limit = max(1, min(limit, MAX_PAGE))
    after = decode_mark(cursor) if cursor else None
    part = _found(rules, ground, now).where(visible_tickets(actor)).subquery("part")
    query = sa.select(part).order_by(part.c.at, part.c.id).limit(limit + 1)
    if after is not None and after.due_at is not None:
        mark = sa.tuple_(sa.literal(after.due_at, part.c.at.type), sa.literal(after.key, part.c.id.type))
        query = query.where(sa.tuple_(part.c.at, part.c.id) > mark)
    rows = (await session.execute(query)).all()
    tickets = {item.id: item for item in await items_of(session, actor, [row.id for row in rows[:limit]])}
    items = tuple(
        Proposal(
            tickets[row.id], ground, CALLS_FOR[ground], _reason(ground, tickets[row.id], row.n, rules, now)
        )
        for row in rows[:limit]
    )
    more = len(rows) > limit
    return Page(items, encode_mark(Mark(rows[limit - 1].at, rows[limit - 1].id)) if more else None)


async def counts(session: AsyncSession, rules: Rules, *, now: datetime) -> dict[str, int]:
    """How many tickets each ground proposes; capped."""
    columns = []
    for ground in GROUNDS:
        some = _found(rules, ground, now).limit(COUNT_CAP).subquery(f"some_{ground.value}")
        columns.append(sa.select(sa.func.count()).select_from(some).scalar_subquery().label(ground.value))
    return dict((await session.execute(sa.select(*columns))).one()._mapping)


async def one(
    session: AsyncSession, rules: Rules, ground: Ground, ticket_id: int, now: datetime
) -> int | None:
    """The figure behind a proposal (days, redos, units), None when the ground no longer holds."""
    query = _found(rules, ground, now).where(_ticket.c.id == ticket_id)
    row = (await session.execute(query)).first()
    return int(row.n) if row is not None else None


def _found(rules: Rules, ground: Ground, now: datetime) -> sa.Select[Any]:
    """Ticket, instant it has stood since, and a figure."""
    match ground:
        case Ground.OVERDUE:
            return _overdue(rules, now)
        case Ground.DISSATISFIED:
            return _dissatisfied(rules, now)
        case Ground.REDOS:
            return _redos(rules)
        case _:
            return _units(rules, now)


def _select(at: sa.ColumnElement[Any], figure: sa.ColumnElement[Any], ground: Ground) -> sa.Select[Any]:
    query = sa.select(_ticket.c.id.label("id"), at.label("at"), figure.label("n"))
    return query.where(~_answered(ground), ~_declined(ground))


def _answered(ground: Ground) -> sa.ColumnElement[bool]:
    """A document of this kind, or of a higher one, was issued in this round."""
    return sa.exists().where(
        _order.c.ticket_id == _ticket.c.id,
        _order.c.kind.in_(_ANSWERS[CALLS_FOR[ground]]),
        _order.c.state != OrderState.REVOKED.value,
        _order.c.round == _ticket.c.round,
    )


def _declined(ground: Ground) -> sa.ColumnElement[bool]:
    """Somebody looked at it in this round and decided against a document."""
    return sa.exists().where(
        _decline.c.ticket_id == _ticket.c.id,
        _decline.c.round == _ticket.c.round,
        _decline.c.ground == ground.value,
    )


def _overdue(rules: Rules, now: datetime) -> sa.Select[Any]:
    """Late by so many working days."""
    before = late_before(rules.calendar(), now, rules.settings.overdue_days)
    return _select(_ticket.c.due_at, sa.literal(0), Ground.OVERDUE).where(
        is_running(), _ticket.c.due_at < before
    )


def late_before(calendar: Calendar, now: datetime, days: int) -> datetime:
    """What was due before this midnight is late by at least `days` whole working days at `now`."""
    ended = calendar.closed_by(calendar.position(now))
    first = calendar.date_of(calendar.close(max(0, ended - days)))
    return datetime.combine(first, time(), CITY_ZONE).astimezone(UTC)


def _dissatisfied(rules: Rules, now: datetime) -> sa.Select[Any]:
    """After a redo the citizen is still not satisfied, or nothing is solved."""
    since = now - timedelta(days=rules.settings.look_back_days)
    other = _revisit.alias("other")
    newest = sa.select(sa.func.max(other.c.id)).where(other.c.ticket_id == _ticket.c.id).scalar_subquery()
    query = _select(_revisit.c.closed_at, _revisit.c.round - 1, Ground.DISSATISFIED)
    query = query.select_from(_revisit.join(_ticket, _ticket.c.id == _revisit.c.ticket_id))
    return query.where(
        # As in the predicate of the index, so that it is used.
        sa.text("revisit.round > 1 AND (revisit.solved = false OR revisit.satisfied < 3)"),
        _revisit.c.closed_at >= since,
        _revisit.c.id == newest,
        _ticket.c.state.not_in(
            [State.ARCHIVED.value, State.VOID.value, State.WITHDRAWN.value, State.MERGED.value]
        ),
    )


def _redos(rules: Rules) -> sa.Select[Any]:
    """Sent back so many times, and still open."""
    query = _select(_ticket.c.created_at, _ticket.c.round - 1, Ground.REDOS)
    # The first condition is that of the index.
    return query.where(
        sa.text("ticket.round > 2 AND ticket.stage IS NOT NULL"), _ticket.c.round > rules.settings.redos
    )


def _units(rules: Rules, now: datetime) -> sa.Select[Any]:
    """So many different units had it, and none carried it through."""
    since = now - timedelta(days=rules.settings.look_back_days)
    gone = (
        sa.select(
            _held.c.ticket_id,
            sa.func.max(_held.c.until).label("at"),
            sa.func.array_agg(sa.distinct(_held.c.unit_id)).label("units"),
        )
        .where(sa.text("role = 'lead' AND until IS NOT NULL"), _held.c.until >= since)
        .group_by(_held.c.ticket_id)
        .subquery("gone")
    )
    present = sa.case(
        (sa.or_(_ticket.c.lead_unit_id.is_(None), _ticket.c.lead_unit_id == sa.any_(gone.c.units)), 0),
        else_=1,
    )
    figure = sa.func.cardinality(gone.c.units) + present
    query = _select(gone.c.at, figure, Ground.UNITS).select_from(
        gone.join(_ticket, _ticket.c.id == gone.c.ticket_id)
    )
    return query.where(is_running(), figure >= rules.settings.units)


def _reason(ground: Ground, ticket: TicketItem, figure: int, rules: Rules, now: datetime) -> str:
    if ground is Ground.OVERDUE and ticket.due_at is not None:
        return overdue_reason(rules.limits, ticket.due_at, now)
    return reason(ground, figure)


def overdue_reason(limits: Limits, due_at: datetime, now: datetime) -> str:
    """The sentence for a late ticket."""
    days = max(1, limits.days_left(due_at, now))
    return f"应于 {to_city(due_at):%m月%d日 %H:%M} 办结，已超期 {days} 个工作日"


def reason(ground: Ground, figure: int) -> str:
    """The sentence that says why, but for what is late."""
    match ground:
        case Ground.DISSATISFIED:
            return f"第 {figure} 次重办后市民仍不满意或认为未解决"
        case Ground.REDOS:
            return f"已重办 {figure} 次仍未办结"
        case Ground.UNITS:
            return f"先后由 {figure} 个单位承办仍未落实"
    return ""
