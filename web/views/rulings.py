"""Two desks of the hotline: returns that wait for a ruling, closings that wait for a check."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import queries
from tickets.queries import Queue
from tickets.workflow import Action, State
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads.left import left_of, stage_span
from web.reads.process import process_of
from web.render import fragment, page
from web.routes import route
from web.views.actions import bar_values
from web.words import TICKET_WORDS

RULE = (Permission.TICKET_RULE, Permission.TICKET_SUPERVISE)
CHECK = Permission.TICKET_CHECK
RULINGS = (Action.RULE, Action.ACCEPT_RETURN, Action.REFUSE_RETURN)
CHECKS = (Action.PASS_CHECK, Action.REJECT_CHECK)
STATES = {
    Queue.RULING: (State.RETURN_REVIEW.value, State.RULING.value),
    Queue.CHECK: (State.WAITING_CHECK.value,),
}


class DeskQuery(Fields):
    ticket: int | None = Field(None, gt=0, lt=2**63)
    cursor: str | None = Field(None, max_length=200)


@route("GET", "/rulings", permission=RULE)
async def rulings(request: web.Request) -> web.StreamResponse:
    """退单裁定: the application, the matter, and what can be decided."""
    return await _desk(request, "tickets/rulings.html", Queue.RULING, RULINGS)


@route("GET", "/rulings/rows", permission=RULE)
async def ruling_rows(request: web.Request) -> web.StreamResponse:
    """The list alone, fetched anew when a ticket came or went."""
    return await _rows(request, Queue.RULING, "/rulings")


@route("GET", "/checks", permission=CHECK)
async def checks(request: web.Request) -> web.StreamResponse:
    """办结审核: the matter beside the reply and the contacts; one key passes."""
    return await _desk(request, "tickets/checks.html", Queue.CHECK, CHECKS)


@route("GET", "/checks/rows", permission=CHECK)
async def check_rows(request: web.Request) -> web.StreamResponse:
    """The list alone, fetched anew when a ticket came or went."""
    return await _rows(request, Queue.CHECK, "/checks")


async def _desk(
    request: web.Request, template: str, queue: Queue, wanted: tuple[Action, ...]
) -> web.StreamResponse:
    query, person = read_query(request, DeskQuery), actor(request)
    async with context(request).db.read() as session:
        values = await _list(request, session, queue, query)
        items = values["items"]
        chosen = query.ticket or (items[0].id if items else None)
        more: dict[str, Any] = {"ticket": None}
        if chosen is not None:
            try:
                ticket = await queries.ticket_page(session, person, chosen)
            except HotlineError:
                if query.ticket is not None:
                    raise
            else:
                bar = await bar_values(request, session, ticket)
                more = {
                    "ticket": ticket,
                    "left": left_of(ticket, context(request).clock.now(), context(request).tickets.limits),
                    "process": await process_of(
                        session, person, ticket, context(request).settings.tickets.contact_gap
                    ),
                    "decide": [offer for offer in bar["legal"] if offer.action in wanted],
                    "why_not": [(offer, why) for offer, why in bar["others"] if offer.action in wanted],
                    "waits": ticket.state in STATES[queue],
                }
    return await page(request, template, **values, **more)


async def _rows(request: web.Request, queue: Queue, path: str) -> web.StreamResponse:
    query = read_query(request, DeskQuery)
    async with context(request).db.read() as session:
        values = await _list(request, session, queue, query)
    return fragment(request, "tickets/_queue.html", chosen=query.ticket, desk=path, **values)


async def _list(
    request: web.Request, session: AsyncSession, queue: Queue, query: DeskQuery
) -> dict[str, Any]:
    now = context(request).clock.now()
    found = await queries.queue_list(session, actor(request), queue, query.cursor)
    count = (await queries.queue_counts(session, actor(request)))[queue]
    return {
        "items": found.items,
        "next_cursor": found.next_cursor,
        "due": {
            row.id: left
            for row in found.items
            if (left := stage_span(row, now, context(request).tickets.limits)) is not None
        },
        "count": count,
        "words": TICKET_WORDS,
    }
