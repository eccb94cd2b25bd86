"""The tickets of a citizen's numbers: newest first by keyset, counted, and only those one may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from core.privacy import PersonalValue
from tickets.models import Ticket, table_of
from tickets.queries.filters import Page, after, encode_cursor
from tickets.visibility import SEALED_DEGREES, sees_every_ticket, visible_tickets

_ticket = table_of(Ticket)
_value = table_of(PersonalValue)
_unit = table_of(Unit)
PAGE = 15
NEWEST = (_ticket.c.created_at.desc(), _ticket.c.id.desc())


@dataclass(frozen=True)
class Summary:
    """How content he was: tickets in all, open ones, and the three answers: yes of how many given."""

    tickets: int = 0
    open: int = 0
    asked: int = 0  # whether the unit responded
    responded: int = 0
    judged: int = 0  # whether it is solved
    solved: int = 0
    rated: int = 0
    satisfied: int = 0


@dataclass(frozen=True)
class CitizenTicket:
    """A line of the citizen's tickets."""

    id: int
    number: str
    title: str
    type: str
    state: str
    urgency: str
    confidentiality: str
    unit: str | None
    phone: str | None
    urges: int
    solved: bool | None
    satisfied: int | None
    created_at: datetime


def seen_tickets(actor: Actor) -> sa.ColumnElement[bool]:
    """The tickets a record may show this person: no way leads from a person to a sealed ticket."""
    if sees_every_ticket(actor):
        return visible_tickets(actor)
    sealed = sa.or_(_ticket.c.type == "report", _ticket.c.confidentiality.in_(sorted(SEALED_DEGREES)))
    return sa.and_(visible_tickets(actor), ~sealed)


async def summary(session: AsyncSession, actor: Actor, refs: Collection[int]) -> Summary:
    """Counts over the tickets of these numbers."""
    count = sa.func.count()
    query = sa.select(
        count.label("tickets"),
        count.filter(_ticket.c.stage.is_not(None)).label("open"),
        count.filter(_ticket.c.responded.is_not(None)).label("asked"),
        count.filter(_ticket.c.responded).label("responded"),
        count.filter(_ticket.c.solved.is_not(None)).label("judged"),
        count.filter(_ticket.c.solved).label("solved"),
        count.filter(_ticket.c.satisfied.is_not(None)).label("rated"),
        count.filter(_ticket.c.satisfied >= 4).label("satisfied"),
    ).where(_ticket.c.phone_ref.in_(refs), seen_tickets(actor))
    return Summary(**(await session.execute(query)).one()._mapping)


async def tickets_of(
    session: AsyncSession, actor: Actor, refs: Sequence[int], cursor: str | None = None, limit: int = PAGE
) -> Page[CitizenTicket]:
    """One page of the tickets of these numbers, newest first. Raises `bad_cursor`."""
    actor.require(Permission.CITIZEN_READ)
    if not refs:
        return Page((), None)
    page = _newest(refs, (seen_tickets(actor), *after(_ticket, cursor)), limit + 1)
    plain = [name for name in CitizenTicket.__dataclass_fields__ if name not in {"unit", "phone"}]
    query = (
        sa.select(
            *(_ticket.c[name] for name in plain),
            _unit.c.short_name.label("unit"),
            _value.c.masked.label("phone"),
        )
        .join(page, page.c.id == _ticket.c.id)
        .outerjoin(_unit, _unit.c.id == _ticket.c.lead_unit_id)
        .outerjoin(_value, _value.c.id == _ticket.c.phone_ref)
        .order_by(*NEWEST)
    )
    rows = (await session.execute(query)).all()
    items = tuple(CitizenTicket(**row._mapping) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items, encode_cursor(items[-1].created_at, items[-1].id) if more else None)


def _newest(refs: Sequence[int], conditions: Sequence[Any], limit: int) -> sa.Subquery:
    """The newest tickets of these numbers, each number from its own index, then merged.

    So few rows are read however many there are.
    """
    numbers = (
        sa.func.unnest(sa.cast(list(refs), ARRAY(sa.BigInteger)))
        .table_valued("ref", name="n")
        .render_derived()
    )
    each = (
        sa.select(_ticket.c.id, _ticket.c.created_at)
        .where(_ticket.c.phone_ref == numbers.c.ref, *conditions)
        .order_by(*NEWEST)
        .limit(limit)
        .lateral("each")
    )
    return (
        sa.select(each.c.id)
        .select_from(numbers.join(each, sa.true()))
        .order_by(each.c.created_at.desc(), each.c.id.desc())
        .limit(limit)
        .subquery("page")
    )


async def ticket_counts(session: AsyncSession, actor: Actor, refs: Collection[int]) -> dict[int, int]:
    """How many tickets each of these numbers has."""
    query = (
        sa.select(_ticket.c.phone_ref, sa.func.count().label("n"))
        .where(_ticket.c.phone_ref.in_(refs), seen_tickets(actor))
        .group_by(_ticket.c.phone_ref)
    )
    return {row.phone_ref: row.n for row in await session.execute(query)}
