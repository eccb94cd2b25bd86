"""The queues of the hotline: what waits for a dispatcher, a ruling, a check, a call-back, a decision.

Each is read by due time from its partial index, so that its cost follows the page and not the number
of tickets that were ever in it. Counts stop at COUNT_CAP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from tickets.flow import Revisit, TicketRequest
from tickets.models import Ticket, table_of
from tickets.queries.due import Mark, decode_mark, encode_mark, merged, page_of
from tickets.queries.filters import MAX_PAGE, Page, in_state
from tickets.queries.lists import COUNT_CAP, TicketItem, items_of
from tickets.queries.veils import veils
from tickets.states import State
from tickets.veil import covered_in
from tickets.visibility import units_below, visible_tickets

_ticket = table_of(Ticket)
_revisit = table_of(Revisit)
_request = table_of(TicketRequest)
_user = table_of(User)


class Queue(StrEnum):
    """What waits for whom."""

    ACCEPT = "accept"
    DISPATCH = "dispatch"
    RULING = "ruling"
    CHECK = "check"


STATES: dict[Queue, tuple[State, ...]] = {
    Queue.ACCEPT: (State.WAITING_ACCEPT, State.WAITING_SUPPLEMENT),
    Queue.DISPATCH: (State.WAITING_DISPATCH,),
    Queue.RULING: (State.RETURN_REVIEW, State.RULING),
    Queue.CHECK: (State.WAITING_CHECK,),
}


async def queue_list(
    session: AsyncSession, actor: Actor, queue: Queue, cursor: str | None = None, limit: int = 25
) -> Page[TicketItem]:
    """One page of a queue, by the due time of the present stage. Raises `bad_cursor`."""
    limit = max(1, min(limit, MAX_PAGE))
    after = decode_mark(cursor) if cursor else None
    parts: list[sa.Select[Any]] = []
    for state in STATES[queue]:
        source = sa.select(_ticket.c.stage_due_at.label("due"), _ticket.c.id.label("key"))
        waiting = source.where(*_waits(state), visible_tickets(actor))
        parts += page_of(waiting, _ticket.c.stage_due_at, _ticket.c.id, after, limit + 1)
    rows = await _page(session, parts, limit + 1)
    items = await items_of(session, actor, [row.key for row in rows[:limit]])
    return Page(items, _next(rows, limit))


def _waits(state: State) -> tuple[sa.ColumnElement[bool], ...]:
    return in_state(state.value), _ticket.c.stage.is_not(None)


async def _page(session: AsyncSession, parts: Sequence[sa.Select[Any]], limit: int) -> Sequence[Any]:
    part = merged(parts)
    query = sa.select(part).order_by(part.c.due.asc().nulls_last(), part.c.key).limit(limit)
    return (await session.execute(query)).all()


def _next(rows: Sequence[Any], limit: int) -> str | None:
    return encode_mark(Mark(rows[limit - 1].due, rows[limit - 1].key)) if len(rows) > limit else None


async def queue_counts(session: AsyncSession, actor: Actor) -> dict[Queue, int]:
    """How many tickets wait in each queue, and how many of them this person may see; capped."""
    columns = []
    for queue, states in STATES.items():
        waiting = [sa.select(sa.literal(1)).where(*_waits(state), visible_tickets(actor)) for state in states]
        columns.append(_capped(waiting).label(queue.value))
    row = (await session.execute(sa.select(*columns))).one()
    return {Queue(name): count for name, count in row._mapping.items()}


def _capped(parts: Sequence[sa.Select[Any]]) -> sa.ScalarSelect[Any]:
    rows = sa.union_all(*(part.limit(COUNT_CAP).subquery().select() for part in parts))
    return sa.select(sa.func.count()).select_from(rows.limit(COUNT_CAP).subquery()).scalar_subquery()


# ---- call-backs (回访) ----------------------------------------------------------------------


@dataclass(frozen=True)
class RevisitItem:
    """A closed ticket whose citizen is to be asked; `attempts` were in vain so far."""

    id: int
    ticket: TicketItem
    round: int
    opened_at: datetime
    due_at: datetime | None
    mandatory: bool
    attempts: int


async def revisit_list(
    session: AsyncSession, actor: Actor, cursor: str | None = None, limit: int = 25
) -> Page[RevisitItem]:
    """One page of the work list, by due time; empty for people who do not call back."""
    if not actor.may(Permission.REVISIT_WORK):
        return Page((), None)
    limit = max(1, min(limit, MAX_PAGE))
    after = decode_mark(cursor) if cursor else None
    names = ("ticket_id", "round", "opened_at", "mandatory", "attempts")
    source = sa.select(
        _revisit.c.due_at.label("due"), _revisit.c.id.label("key"), *(_revisit.c[name] for name in names)
    ).where(_revisit.c.closed_at.is_(None))
    rows = await _page(
        session, page_of(source, _revisit.c.due_at, _revisit.c.id, after, limit + 1), limit + 1
    )
    tickets = await _tickets(session, actor, rows[:limit])
    items = tuple(
        RevisitItem(
            row.key, tickets[row.ticket_id], row.round, row.opened_at, row.due, row.mandatory, row.attempts
        )
        for row in rows[:limit]
    )
    return Page(items, _next(rows, limit))


async def revisit_count(session: AsyncSession, actor: Actor) -> int:
    """How many citizens are still to be asked; capped."""
    if not actor.may(Permission.REVISIT_WORK):
        return 0
    waiting = sa.select(sa.literal(1)).select_from(_revisit).where(_revisit.c.closed_at.is_(None))
    return int((await session.execute(sa.select(_capped([waiting])))).scalar_one())


async def _tickets(session: AsyncSession, actor: Actor, rows: Sequence[Any]) -> dict[int, TicketItem]:
    ids = list(dict.fromkeys(row.ticket_id for row in rows))
    return {item.id: item for item in await items_of(session, actor, ids)}


# ---- applications that wait for a decision --------------------------------------------------


@dataclass(frozen=True)
class RequestItem:
    """Something a unit applied for."""

    id: int
    kind: str
    ticket: TicketItem
    unit_id: int | None
    requested_by: str | None
    requested_at: datetime
    reason_code: str | None
    note: str
    basis: str
    suggested_unit_id: int | None
    days: int | None
    due_at: datetime | None


# Who decides on what; a head decides on closings of the own subtree only.
DECIDES: dict[str, Permission] = {
    "return": Permission.TICKET_RULE,
    "extension": Permission.TICKET_SUPERVISE,
    "suspension": Permission.TICKET_SUPERVISE,
    "exclusion": Permission.TICKET_SUPERVISE,
    "closing": Permission.TICKET_APPROVE,
}


def decided_by(actor: Actor) -> tuple[str, ...]:
    """The kinds of applications this person decides on."""
    return tuple(kind for kind, permission in DECIDES.items() if actor.may(permission))


async def request_list(
    session: AsyncSession,
    actor: Actor,
    kinds: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = 25,
) -> Page[RequestItem]:
    """One page of what waits for this person's decision, oldest first; `kinds` narrows it."""
    limit = max(1, min(limit, MAX_PAGE))
    after = decode_mark(cursor) if cursor else None
    names = [
        name for name in RequestItem.__dataclass_fields__ if name not in ("id", "ticket", "requested_by")
    ]
    parts: list[sa.Select[Any]] = []
    for kind in _kinds(actor, kinds):
        source = sa.select(
            _request.c.requested_at.label("due"),
            _request.c.id.label("key"),
            *(_request.c[name] for name in (*names, "ticket_id")),
            _user.c.name.label("requested_by"),
        ).outerjoin(_user, _user.c.id == _request.c.requested_by)
        waiting = source.where(*_pending(actor, kind))
        parts += page_of(waiting, _request.c.requested_at, _request.c.id, after, limit + 1)
    rows = await _page(session, parts, limit + 1) if parts else ()
    tickets = await _tickets(session, actor, rows[:limit])
    veiled = await veils(session, actor, [ident for ident, item in tickets.items() if item.sealed])
    items = tuple(
        RequestItem(
            id=row.key,
            ticket=tickets[row.ticket_id],
            requested_by=row.requested_by,
            **covered_in(
                veiled.get(row.ticket_id), {name: getattr(row, name) for name in names}, ("note", "basis")
            ),
        )
        for row in rows[:limit]
    )
    return Page(items, _next(rows, limit))


async def request_counts(session: AsyncSession, actor: Actor) -> dict[str, int]:
    """How many applications of each kind wait for this person; capped."""
    kinds = decided_by(actor)
    if not kinds:
        return {}
    waiting = {
        kind: sa.select(sa.literal(1)).select_from(_request).where(*_pending(actor, kind)) for kind in kinds
    }
    columns = [_capped([some]).label(kind) for kind, some in waiting.items()]
    return dict((await session.execute(sa.select(*columns))).one()._mapping)


def _kinds(actor: Actor, wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(kind for kind in decided_by(actor) if not wanted or kind in wanted)


def _pending(actor: Actor, kind: str) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [
        _request.c.kind == sa.bindparam(f"kind_{kind}", kind, literal_execute=True),
        _request.c.state == sa.bindparam("pending", "pending", literal_execute=True),
    ]
    if kind == "closing":
        found.append(_request.c.unit_id.in_(units_below(actor)))
    return found
