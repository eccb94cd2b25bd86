"""Lists of tickets: newest first, by keyset, joined with names only after the page was cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from core.privacy import PersonalValue, Vault, normalise_phone
from tickets.flow import TicketUnit
from tickets.models import Category, Ticket, table_of
from tickets.queries.filters import (
    MAX_PAGE,
    Page,
    TicketFilters,
    after,
    conditions,
    decode_cursor,
    encode_cursor,
    in_state,
    is_open,
)
from tickets.queries.veils import confidential, veils
from tickets.states import TODO_STATES
from tickets.veil import Veil, covered_in
from tickets.visibility import is_sealed, sees_every_ticket, visible_tickets
from tickets.workflow import OPEN

_ticket = table_of(Ticket)
_category = table_of(Category)
_unit = table_of(Unit)
_value = table_of(PersonalValue)
_held = table_of(TicketUnit)
EXCERPT = 60
COUNT_CAP = 1000


@dataclass(frozen=True)
class TicketItem:
    """A row of a list. `citizen` and `phone` are masked, and None where the reporter is sealed."""

    id: int
    number: str
    version: int
    title: str
    excerpt: str
    type: str
    urgency: str
    state: str
    channel: str
    confidentiality: str
    category_id: int
    category: str
    district: str | None
    lead_unit_id: int | None
    lead_unit: str | None
    desk_unit_id: int | None
    desk_unit: str | None
    citizen: str | None
    phone: str | None
    sealed: bool
    urges: int
    callers: int  # people who called about it, those whose tickets were merged into it among them
    returns: int
    round: int
    supervised: bool
    stage: str | None
    stage_since: datetime | None
    stage_due_at: datetime | None
    created_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None


async def ticket_list(
    session: AsyncSession,
    actor: Actor,
    filters: TicketFilters | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[TicketItem]:
    """One page of the tickets this person may see, newest first. Raises `bad_cursor`."""
    filters = filters or TicketFilters()
    limit = max(1, min(limit, MAX_PAGE))
    scope = await unit_scope(session, actor, filters.unit_id)
    query = _page_ids(conditions(filters, actor), cursor, scope, limit + 1)
    ids = [int(found) for found in (await session.execute(query)).scalars()]
    items = await items_of(session, actor, ids[:limit])
    more = len(ids) > limit
    return Page(items, encode_cursor(items[-1].created_at, items[-1].id) if more and items else None)


async def unit_scope(session: AsyncSession, actor: Actor, unit_id: int | None) -> list[int] | None:
    """The units a list may show: None for all, else what the actor sees, narrowed to `unit_id`'s subtree."""
    everything = sees_every_ticket(actor)
    if everything and unit_id is None:
        return None
    if not everything and (actor.unit_id is None or not actor.may(Permission.TICKET_READ_UNIT)):
        return []
    # A county has hundreds of villages, and few of them hold anything.
    holds = sa.exists().where(_held.c.unit_id == _unit.c.id, _held.c.until.is_(None))
    query = sa.select(_unit.c.id).where(sa.or_(_unit.c.kind != "village", holds))
    if not everything:
        query = query.where(_unit.c.path.like(actor.unit_path + "%"))
    if unit_id is not None:
        root = sa.select(_unit.c.path).where(_unit.c.id == unit_id).scalar_subquery()
        query = query.where(_unit.c.path.like(root + "%"))
    return [int(found) for found in (await session.execute(query)).scalars()]


def _page_ids(
    wanted: list[sa.ColumnElement[bool]], cursor: str | None, scope: list[int] | None, limit: int
) -> sa.Select[Any]:
    """The ids of one page. Several units are read one by one from their own index, then merged.

    `unit_id IN (…) ORDER BY created_at` would make PostgreSQL sort everything they ever had.
    """
    if scope is None:
        order = (_ticket.c.created_at.desc(), _ticket.c.id.desc())
        query = sa.select(_ticket.c.id).where(*wanted, *after(_ticket, cursor))
        return query.order_by(*order).limit(limit)
    units = each_unit(scope)
    held = sa.select(_held.c.ticket_id, _held.c.created_at).select_from(_held)
    if wanted:
        held = held.join(_ticket, _ticket.c.id == _held.c.ticket_id).where(*wanted)
    mine = held.where(_held.c.unit_id == units.c.id, _held.c.until.is_(None), *_after_held(cursor))
    each = mine.order_by(_held.c.created_at.desc(), _held.c.ticket_id.desc()).limit(limit).lateral("each")
    # Two units of the scope may hold the same ticket: it is listed once.
    merged = (
        sa.select(each.c.ticket_id, each.c.created_at).select_from(units.join(each, sa.true())).distinct()
    )
    page = merged.order_by(each.c.created_at.desc(), each.c.ticket_id.desc()).limit(limit).subquery("page")
    return sa.select(page.c.ticket_id).order_by(page.c.created_at.desc(), page.c.ticket_id.desc())


def each_unit(scope: Sequence[int]) -> Any:
    """The ids of `scope` as rows, to join something LATERAL to each."""
    units = sa.func.unnest(sa.cast(list(scope), ARRAY(sa.BigInteger)))
    return units.table_valued(sa.column("id", sa.BigInteger), name="scope").render_derived()


def _after_held(cursor: str | None) -> list[sa.ColumnElement[bool]]:
    if cursor is None:
        return []
    at, ident = decode_cursor(cursor)
    mark = sa.tuple_(sa.literal(at, _held.c.created_at.type), sa.literal(ident, _held.c.ticket_id.type))
    return [sa.tuple_(_held.c.created_at, _held.c.ticket_id) < mark]


async def items_of(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> tuple[TicketItem, ...]:
    """The rows of these tickets with every name they show, in the order of `ids`.

    The caller has chosen ids this person may see.
    """
    if not ids:
        return ()
    found = {row.id: row for row in await session.execute(_ITEMS, {"ids": list(ids)})}
    veiled = await veils(session, actor, [ident for ident, row in found.items() if is_sealed_row(actor, row)])
    return tuple(_item(actor, found[ident], veiled.get(ident)) for ident in ids if ident in found)


def is_sealed_row(actor: Actor, row: Any) -> bool:
    """Whether the citizen of this ticket is hidden from this person."""
    return is_sealed(actor, ticket_type=row.type, confidentiality=row.confidentiality)


_JOINED = {
    *("excerpt", "category", "district", "lead_unit", "desk_unit", "citizen", "phone", "sealed", "callers")
}
_PLAIN = [key for key in TicketItem.__dataclass_fields__ if key not in _JOINED]


def _callers() -> Any:
    """Its own caller and the others of tickets merged into it."""
    merged = _ticket.alias("merged")
    others = sa.select(sa.func.count(sa.distinct(sa.func.coalesce(merged.c.phone_ref, -merged.c.id)))).where(
        merged.c.merged_into_id == _ticket.c.id,
        merged.c.phone_ref.is_distinct_from(_ticket.c.phone_ref) | merged.c.phone_ref.is_(None),
    )
    return 1 + others.scalar_subquery()


def _items_query() -> sa.Select[Any]:
    district, lead, desk = (_unit.alias(name) for name in ("district", "lead", "desk"))
    name, phone = _value.alias("name_value"), _value.alias("phone_value")
    return (
        sa.select(
            *(_ticket.c[key] for key in _PLAIN),
            # Of a sealed matter all of it: half a number, or half a name, at the cut is found by nobody.
            sa.case(
                (confidential(), _ticket.c.narrative), else_=sa.func.left(_ticket.c.narrative, EXCERPT)
            ).label("excerpt"),
            _category.c.full_name.label("category"),
            district.c.short_name.label("district"),
            lead.c.short_name.label("lead_unit"),
            desk.c.short_name.label("desk_unit"),
            name.c.masked.label("citizen"),
            phone.c.masked.label("phone"),
            _callers().label("callers"),
        )
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(district, district.c.id == _ticket.c.district_id)
        .outerjoin(lead, lead.c.id == _ticket.c.lead_unit_id)
        .outerjoin(desk, desk.c.id == _ticket.c.desk_unit_id)
        .outerjoin(name, name.c.id == _ticket.c.name_ref)
        .outerjoin(phone, phone.c.id == _ticket.c.phone_ref)
        .where(_ticket.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.BigInteger))))
    )


_ITEMS = _items_query()  # built once: it is the same for every list


def _item(actor: Actor, row: Any, veil: Veil | None) -> TicketItem:
    sealed = is_sealed_row(actor, row)
    values = covered_in(veil, dict(row._mapping), ("title", "excerpt"))
    values["excerpt"] = " ".join(values["excerpt"][:EXCERPT].split())
    if sealed:
        values |= {"citizen": None, "phone": None}
    return TicketItem(sealed=sealed, **values)


async def open_tickets_of(
    session: AsyncSession, actor: Actor, caller_ref: int, limit: int = 10
) -> list[TicketItem]:
    """Open tickets of the citizen with this number, newest first."""
    return await _of_phone(session, actor, caller_ref, limit, is_open())


async def last_tickets_of(
    session: AsyncSession, actor: Actor, caller_ref: int, limit: int = 5
) -> list[TicketItem]:
    """The newest tickets of the citizen with this number, whatever their state."""
    return await _of_phone(session, actor, caller_ref, limit, sa.true())


@dataclass(frozen=True)
class Rating:
    """What the citizen said the last time he was asked: 1 (very dissatisfied) to 5, and of which ticket."""

    ticket_id: int
    number: str
    degree: int
    solved: bool | None
    at: datetime


async def last_rating_of(session: AsyncSession, actor: Actor, caller_ref: int) -> Rating | None:
    """The newest rating of the citizen with this number; None when there is none to be seen."""
    query = sa.select(
        _ticket.c.id, _ticket.c.number, _ticket.c.satisfied, _ticket.c.solved, _ticket.c.closed_at
    )
    query = query.where(
        _ticket.c.phone_ref == caller_ref,
        _ticket.c.satisfied.is_not(None),
        _ticket.c.closed_at.is_not(None),
        visible_tickets(actor),
        ~_is_sealed_from(actor),
    )
    newest = query.order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc()).limit(1)
    row = (await session.execute(newest)).first()
    return Rating(*row) if row is not None else None


async def _of_phone(
    session: AsyncSession, actor: Actor, phone_ref: int, limit: int, condition: sa.ColumnElement[bool]
) -> list[TicketItem]:
    found = sa.select(_ticket.c.id).where(
        _ticket.c.phone_ref == phone_ref, condition, visible_tickets(actor), ~_is_sealed_from(actor)
    )
    newest = found.order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc()).limit(limit)
    return list(await items_of(session, actor, (await session.execute(newest)).scalars().all()))


def _is_sealed_from(actor: Actor) -> sa.ColumnElement[bool]:
    """Looking a number up must not tell a unit which sealed ticket is whose."""
    if sees_every_ticket(actor):
        return sa.false()
    return sa.or_(_ticket.c.type == "report", _ticket.c.confidentiality.in_(["secret", "anonymous"]))


async def find_by_number(session: AsyncSession, actor: Actor, number: str) -> int | None:
    """The id of the ticket with this number, None when there is none this person may see."""
    query = sa.select(_ticket.c.id).where(_ticket.c.number == number.strip()[:40], visible_tickets(actor))
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def find_by_phone(
    session: AsyncSession, actor: Actor, vault: Vault, typed: str, *, area: str = "", limit: int = 25
) -> list[TicketItem]:
    """Tickets of exactly this number, newest first; found by the blind index."""
    phone = normalise_phone(typed, area=area)
    ref = await vault.find(session, "phone", phone.number) if phone.number else None
    return [] if ref is None else await last_tickets_of(session, actor, ref, limit)


async def open_counts(session: AsyncSession, actor: Actor) -> dict[str, int]:
    """Open tickets by state, each count stopping at COUNT_CAP (shown as "999+").

    For people of units: what lies on the desks of their subtree, in the states a unit works in.
    """
    scope = await unit_scope(session, actor, None)
    if scope is not None:
        return await _on_desks(session, scope)
    counts = [_capped(state.value).label(state.value) for state in sorted(OPEN)]
    return dict((await session.execute(sa.select(*counts))).one()._mapping)


def _capped(state: str) -> sa.ScalarSelect[Any]:
    some = sa.select(sa.literal(1)).select_from(_ticket).where(in_state(state), _ticket.c.stage.is_not(None))
    return sa.select(sa.func.count()).select_from(some.limit(COUNT_CAP).subquery()).scalar_subquery()


async def _on_desks(session: AsyncSession, scope: list[int]) -> dict[str, int]:
    """One walk over the desks' index; beyond ten thousand tickets nobody needs the exact number."""
    units = each_unit(scope)
    each = sa.select(_ticket.c.state).where(_ticket.c.desk_unit_id == units.c.id, is_todo()).lateral("each")
    some = sa.select(each.c.state).select_from(units.join(each, sa.true())).limit(10 * COUNT_CAP).subquery()
    query = sa.select(some.c.state, sa.func.count().label("number")).group_by(some.c.state)
    found = {row.state: min(row.number, COUNT_CAP) for row in await session.execute(query)}
    return {state.value: found.get(state.value, 0) for state in TODO_STATES}


def is_todo() -> sa.ColumnElement[bool]:
    """In a state a unit works in; in the statement's text, as in the predicate of the index."""
    states: sa.BindParameter[Any] = sa.bindparam(
        "todo", [state.value for state in TODO_STATES], expanding=True, literal_execute=True
    )
    return _ticket.c.state.in_(states)
