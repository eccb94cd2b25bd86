"""What Open311 (GeoReport v2) shows of tickets: no personal data, nothing of reports or sealed matters.

Shown is what came through Open311, and what its citizen wants published. A citizen's own words are shown
only in the second case, masked; otherwise the matter's name stands for them. A point on the map is shown
of what came through Open311, whose clients put requests on maps; no other citizen was told of that.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import redact
from core.people.machines import Kind, MachineClient
from core.people.models import Unit
from tickets.exchange.models import MachineRequest, OuterTicket
from tickets.models import Category, Ticket, TicketHistory, table_of
from tickets.points.datum import Point, as_wgs84
from tickets.points.queries import points_of
from tickets.queries.filters import decode_cursor, encode_cursor
from tickets.states import FINAL, STATE_LABELS, State
from tickets.terms import Confidentiality, TicketType

_ticket, _category, _unit = table_of(Ticket), table_of(Category), table_of(Unit)
_outer, _client, _history = table_of(OuterTicket), table_of(MachineClient), table_of(TicketHistory)
_asked = table_of(MachineRequest)
HIDDEN_TYPES = (TicketType.REPORT.value, TicketType.APPEAL.value)
OPEN_DEGREES = (Confidentiality.PUBLIC.value, Confidentiality.NORMAL.value)


@dataclass(frozen=True)
class Service:
    """A matter one may report: a leaf of the categories."""

    code: str
    name: str
    full_name: str
    group: str


@dataclass(frozen=True)
class Request311:
    """A ticket as strangers see it. Times in UTC; `expected_at` is what the hotline has promised."""

    id: int
    number: str
    is_open: bool
    state: str
    service_code: str
    service_name: str
    description: str
    unit: str | None
    place: str
    point: Point | None  # in WGS-84
    requested_at: datetime
    updated_at: datetime
    expected_at: datetime | None


@dataclass(frozen=True)
class Update311:
    """A step at which a request's state changed."""

    id: int
    number: str
    is_open: bool
    state: str
    at: datetime


@dataclass(frozen=True)
class Wanted:
    """What is asked for. With `numbers` nothing else narrows."""

    numbers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    statuses: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    after: str | None = None
    limit: int = 50


def public() -> sa.ColumnElement[bool]:
    """The condition on `ticket` rows that may be shown to anybody."""
    return sa.and_(
        _ticket.c.type.not_in(HIDDEN_TYPES),
        _ticket.c.confidentiality.in_(OPEN_DEGREES),
        _ticket.c.state != State.VOID.value,
        sa.or_(_ticket.c.wants_public, _came()),
    )


def _came() -> sa.ColumnElement[bool]:
    """The condition on `ticket` rows that came through Open311."""
    return (
        sa.exists()
        .where(_outer.c.ticket_id == _ticket.c.id, _outer.c.way == "came")
        .where(_client.c.id == _outer.c.client_id, _client.c.kind == Kind.OPEN311.value)
    )


async def services(session: AsyncSession, code: str | None = None) -> list[Service]:
    """The leaves in force, in the order of the tree; only the one with `code` if given."""
    below, above = _category.alias("below"), _category.alias("above")
    leaf = ~sa.exists().where(below.c.parent_id == _category.c.id, below.c.active)
    query = (
        sa.select(_category.c.code, _category.c.name, _category.c.full_name, above.c.full_name.label("over"))
        .outerjoin(above, above.c.id == _category.c.parent_id)
        .where(_category.c.active, leaf)
        .order_by(_category.c.full_name, _category.c.id)
    )
    if code is not None:
        query = query.where(_category.c.code == code)
    rows = await session.execute(query)
    return [Service(row.code, row.name, row.full_name, row.over or row.name) for row in rows]


async def category_of(session: AsyncSession, code: str) -> int | None:
    """The id of the leaf in force with this code."""
    query = sa.select(_category.c.id).where(_category.c.code == code, _category.c.active)
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def requests(session: AsyncSession, wanted: Wanted) -> tuple[list[Request311], str | None]:
    """One page, newest first, and the mark the next one begins after. Raises `bad_cursor`."""
    query = _select().where(public(), *_conditions(wanted))
    query = query.order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc()).limit(wanted.limit + 1)
    rows = list(await session.execute(query))
    page = rows[: wanted.limit]
    points = await points_of(session, [row.id for row in page if row.came])
    found = [_request(row, points.get(row.id)) for row in page]
    more = len(rows) > wanted.limit
    return found, encode_cursor(found[-1].requested_at, found[-1].id) if more else None


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.after is not None:
        at, ident = decode_cursor(wanted.after)
        mark = sa.tuple_(sa.literal(at, _ticket.c.created_at.type), sa.literal(ident, _ticket.c.id.type))
        found.append(sa.tuple_(_ticket.c.created_at, _ticket.c.id) < mark)
    if wanted.numbers:
        return [*found, _ticket.c.number.in_(wanted.numbers)]
    if wanted.services:
        found.append(_category.c.code.in_(wanted.services))
    if len(wanted.statuses) == 1:
        final = _ticket.c.state.in_([state.value for state in FINAL])
        found.append(final if "closed" in wanted.statuses else ~final)
    if wanted.since is not None:
        found.append(_ticket.c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(_ticket.c.created_at <= wanted.until)
    return found


def _select() -> sa.Select[Any]:
    lead, district, street = (_unit.alias(name) for name in ("lead", "district", "street"))
    names = ("id", "number", "state", "title", "wants_public", "created_at", "updated_at", "due_at")
    return (
        sa.select(
            *(_ticket.c[name] for name in names),
            _category.c.code,
            _category.c.name,
            _category.c.full_name,
            _came().label("came"),
            lead.c.name.label("unit"),
            district.c.name.label("district"),
            street.c.name.label("street"),
        )
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(lead, lead.c.id == _ticket.c.lead_unit_id)
        .outerjoin(district, district.c.id == _ticket.c.district_id)
        .outerjoin(street, street.c.id == _ticket.c.street_id)
    )


def _request(row: Any, point: Point | None) -> Request311:
    state = State(row.state)
    return Request311(
        id=row.id,
        number=row.number,
        is_open=state not in FINAL,
        state=STATE_LABELS[state],
        service_code=row.code,
        service_name=row.name,
        description=redact.masked(row.title) if row.wants_public else row.full_name,
        unit=row.unit,
        place="".join(part for part in (row.district, row.street) if part),
        point=None if point is None else as_wgs84(point),
        requested_at=row.created_at,
        updated_at=row.updated_at,
        expected_at=row.due_at,
    )


async def by_token(session: AsyncSession, key: str) -> str | None:
    """The number of the shown request that was sent in under this key."""
    numbers = sa.select(_asked.c.answer["number"].astext).where(_asked.c.key == key)
    query = sa.select(_ticket.c.number).where(_ticket.c.number.in_(numbers), public()).limit(1)
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def updates(session: AsyncSession, wanted: Wanted, after: int) -> list[Update311]:
    """The steps of shown requests behind the step `after`, oldest first, at most `wanted.limit`."""
    moved = _history.c.from_state.is_distinct_from(_history.c.to_state)
    query = (
        sa.select(_history.c.id, _ticket.c.number, _history.c.to_state, _history.c.at)
        .join(_ticket, _ticket.c.id == _history.c.ticket_id)
        .where(public(), moved, _history.c.version > 0, _history.c.id > after)
    )
    if wanted.numbers:
        query = query.where(_ticket.c.number.in_(wanted.numbers))
    else:
        query = query.where(_history.c.at >= wanted.since, _history.c.at <= wanted.until)
    rows = await session.execute(query.order_by(_history.c.id).limit(wanted.limit))
    return [_update(row) for row in rows]


def _update(row: Any) -> Update311:
    state = State(row.to_state)
    return Update311(row.id, row.number, state not in FINAL, STATE_LABELS[state], row.at)
