"""Tickets as machine clients read them: the same conditions as for people, no personal data.

A client without a right to read sees what it brought or took on; with one, what its unit or the hotline
sees besides. Texts of sealed matters are veiled for units as they are on their pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.machines import Machine
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.exchange.models import OuterTicket
from tickets.exchange.numbers import OuterNumber, numbers_of, ticket_of
from tickets.models import Category, Ticket, table_of
from tickets.points.datum import Point
from tickets.points.queries import points_of
from tickets.public.view import PublicView, public_view
from tickets.queries import TicketFilters
from tickets.queries.filters import MAX_PAGE, Page, after, encode_cursor, is_open
from tickets.queries.lists import items_of, ticket_list
from tickets.queries.veils import veil_over
from tickets.veil import covered_in

_ticket, _category, _unit = table_of(Ticket), table_of(Category), table_of(Unit)
_outer = table_of(OuterTicket)


@dataclass(frozen=True)
class Wanted:
    """What narrows a list. `own`: only what this client brought or took on. Days are the city's."""

    own: bool = False
    is_open: bool = False
    outer_number: str | None = None
    created_from: date | None = None
    created_to: date | None = None
    cursor: str | None = None
    limit: int = 25


@dataclass(frozen=True)
class Line:
    """A ticket in a list; `outer_number` is what this client calls it."""

    number: str
    outer_number: str | None
    version: int
    type: str
    urgency: str
    channel: str
    state: str
    title: str
    category: str
    district: str | None
    lead_unit: str | None
    created_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True)
class Whole:
    """One ticket: what it is about, and how it stands in public words."""

    id: int
    version: int
    channel: str
    urgency: str
    confidentiality: str
    title: str
    narrative: str
    expected: str
    address: str
    category_code: str
    district_code: str | None
    street_code: str | None
    lead_unit_code: str | None
    occurred_at: datetime | None
    closed_at: datetime | None
    point: Point | None
    view: PublicView
    outer_numbers: list[OuterNumber]


async def lines(session: AsyncSession, machine: Machine, wanted: Wanted) -> Page[Line]:
    """One page, newest first. Raises `bad_cursor`."""
    actor = machine.actor
    reads = actor.may(Permission.TICKET_READ_HOTLINE) or actor.may(Permission.TICKET_READ_UNIT)
    if wanted.own or wanted.outer_number is not None or not reads:
        ids, cursor = await _own(session, machine, wanted)
        items = await items_of(session, actor, ids)
    else:
        filters = TicketFilters(
            open=wanted.is_open, created_from=wanted.created_from, created_to=wanted.created_to
        )
        page = await ticket_list(session, actor, filters, wanted.cursor, wanted.limit)
        items, cursor = page.items, page.next_cursor
    called = await _called(session, machine, [item.id for item in items])
    names = [name for name in Line.__dataclass_fields__ if name != "outer_number"]
    found = (
        Line(outer_number=called.get(item.id), **{name: getattr(item, name) for name in names})
        for item in items
    )
    return Page(tuple(found), cursor)


async def _own(session: AsyncSession, machine: Machine, wanted: Wanted) -> tuple[list[int], str | None]:
    limit = max(1, min(wanted.limit, MAX_PAGE))
    query = (
        sa.select(_ticket.c.id, _ticket.c.created_at)
        .join(_outer, _outer.c.ticket_id == _ticket.c.id)
        .where(_outer.c.client_id == machine.id, *after(_ticket, wanted.cursor))
        .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
        .limit(limit + 1)
    )
    if wanted.outer_number is not None:
        query = query.where(_outer.c.number == wanted.outer_number)
    if wanted.is_open:
        query = query.where(is_open())
    rows = (await session.execute(query)).all()
    more = len(rows) > limit
    cursor = encode_cursor(rows[limit - 1].created_at, rows[limit - 1].id) if more else None
    return [row.id for row in rows[:limit]], cursor


async def _called(session: AsyncSession, machine: Machine, ids: Sequence[int]) -> Mapping[int, str | None]:
    query = sa.select(_outer.c.ticket_id, _outer.c.number)
    query = query.where(_outer.c.client_id == machine.id, _outer.c.ticket_id.in_(ids))
    return {row.ticket_id: row.number for row in await session.execute(query)} if ids else {}


async def whole(session: AsyncSession, machine: Machine, number: str) -> Whole:
    """One ticket. Raises `ticket_not_found`, also for one this client may not see."""
    ident = await ticket_of(session, machine, number)
    row = (await session.execute(_select().where(_ticket.c.id == ident))).one()
    veil = await veil_over(session, machine.actor, ident)
    texts = covered_in(veil, dict(row._mapping), ("title", "narrative", "expected", "address"))
    view = await public_view(session, ident)
    if veil is not None:
        view = _veiled(view, veil)
    # The point of a sealed matter may be where its reporter stood.
    point = None if veil is not None else (await points_of(session, [ident])).get(ident)
    return Whole(**texts, view=view, point=point, outer_numbers=await numbers_of(session, ident))


def _veiled(view: PublicView, veil: Any) -> PublicView:
    steps = tuple(replace(step, text=veil.over(step.text)) for step in view.steps)
    return replace(view, title=veil.over(view.title), reply=veil.over(view.reply), steps=steps)


def _select() -> sa.Select[Any]:
    district, street, lead = (_unit.alias(name) for name in ("district", "street", "lead"))
    names = ("id", "version", "channel", "urgency", "confidentiality", "title", "narrative", "expected")
    more = ("address", "occurred_at", "closed_at")
    return (
        sa.select(
            *(_ticket.c[name] for name in (*names, *more)),
            _category.c.code.label("category_code"),
            district.c.code.label("district_code"),
            street.c.code.label("street_code"),
            lead.c.code.label("lead_unit_code"),
        )
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(district, district.c.id == _ticket.c.district_id)
        .outerjoin(street, street.c.id == _ticket.c.street_id)
        .outerjoin(lead, lead.c.id == _ticket.c.lead_unit_id)
    )


async def unit_ids(session: AsyncSession, codes: Sequence[str]) -> dict[str, int]:
    """The ids of units in force by code; a code of none is left out."""
    query = sa.select(_unit.c.code, _unit.c.id).where(_unit.c.code.in_(codes), _unit.c.active)
    return {row.code: row.id for row in await session.execute(query)} if codes else {}
