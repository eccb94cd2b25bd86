"""The dispatch desk (派单台): what waits, the matter, and the unit it goes to."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import queries
from tickets.queries import TicketPage
from tickets.workflow import Action
from web.context import actor, context
from web.inputs import Fields, read_query
from web.reads.advice import advice_for, keep
from web.reads.left import left_of, stage_span
from web.reads.similar import similar
from web.reads.units import unit_groups
from web.reads.waiting import COUNT_CAP, waiting_count, waiting_list
from web.render import fragment, page
from web.routes import route
from web.views.actions import bar_values
from web.words import TICKET_WORDS

# What else is decided here, in this order; the dispatch itself has its own form.
BESIDE = (Action.EDIT, Action.ANSWER, Action.INFORM, Action.EMERGENCY, Action.MERGE, Action.VOID)


class DeskQuery(Fields):
    ticket: int | None = Field(None, gt=0, lt=2**63)


@route("GET", "/dispatch", permission=Permission.TICKET_DISPATCH)
async def desk(request: web.Request) -> web.StreamResponse:
    """The waiting list and the ticket that was chosen, or the first one."""
    wanted = read_query(request, DeskQuery).ticket
    async with context(request).db.read() as session:
        values = await _waiting(request, session)
        waiting = values["waiting"]
        chosen = wanted or (waiting[0].id if waiting else None)
        ticket = None
        if chosen is not None:
            try:
                ticket = await queries.ticket_page(session, actor(request), chosen)
            except HotlineError:
                if wanted is not None:
                    raise
        more = await _of_ticket(request, session, ticket) if ticket else {}
    await keep(request, more.get("advice"))
    return await page(request, "tickets/desk.html", ticket=ticket, **values, **more)


async def _of_ticket(request: web.Request, session: AsyncSession, ticket: TicketPage) -> dict[str, Any]:
    """Where it may go, what is like it, what else can be done with it."""
    offers = {offer.action: offer for offer in (await bar_values(request, session, ticket))["legal"]}
    waits = Action.DISPATCH in offers
    return {
        "groups": await unit_groups(session) if waits else [],
        "advice": await advice_for(request, session, ticket) if waits else None,
        "alike": await similar(session, actor(request), ticket, context(request).clock.now())
        if Action.MERGE in offers
        else [],
        "beside": [offers[action] for action in BESIDE if action in offers],
        "waits": waits,
        "left": left_of(ticket, context(request).clock.now(), context(request).tickets.limits),
    }


async def _waiting(request: web.Request, session: AsyncSession) -> dict[str, Any]:
    now = context(request).clock.now()
    waiting = await waiting_list(session, actor(request))
    return {
        "waiting": waiting,
        "due": {
            row.id: left
            for row in waiting
            if (left := stage_span(row, now, context(request).tickets.limits)) is not None
        },
        "count": await waiting_count(session, actor(request)),
        "cap": COUNT_CAP,
        "words": TICKET_WORDS,
    }


@route("GET", "/dispatch/waiting", permission=Permission.TICKET_DISPATCH)
async def waiting_rows(request: web.Request) -> web.StreamResponse:
    """The waiting list alone, fetched anew when a ticket came or went."""
    chosen = read_query(request, DeskQuery).ticket
    async with context(request).db.read() as session:
        values = await _waiting(request, session)
    return fragment(request, "tickets/_waiting.html", chosen=chosen, **values)
