"""Tickets as lists and as pages: the whole hotline's, one department's, and a single one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.permissions import Permission
from routing.submissions import assumed_of
from sla.supervision.queries import orders_of_tickets
from tickets import queries, reveal
from tickets.exchange.numbers import numbers_of
from tickets.flags import flags_of
from tickets.search import query as search
from tickets.terms import Channel, Confidentiality, TicketType, Urgency, choices
from tickets.workflow import STATE_LABELS, Action
from web.context import actor, context, wants_fragment
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads.action_forms import DEGREES
from web.reads.calls import enquiries_about
from web.reads.category_advice import advice_on
from web.reads.clocks import ClockLine, clock_lines
from web.reads.left import left_of
from web.reads.process import Process, process_of
from web.reads.recordings import calls_of_ticket
from web.reads.supervision import WORDS as ORDER_WORDS
from web.reads.ticket_chats import CHAT_WORDS, chats_of_ticket
from web.reads.timeline import FILTERS, lines
from web.reads.units import unit_groups
from web.render import fragment, page, redirect
from web.routes import route, rule_for
from web.views._acting import MAY, Posted
from web.views.actions import bar_values, do_posted
from web.words import TICKET_WORDS

READ_ALL = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_ALL)
READ = (*READ_ALL, Permission.TICKET_READ_UNIT)
CHOICES = {
    "state": [(state.value, word) for state, word in STATE_LABELS.items()],
    "type": choices(TicketType),
    "urgency": choices(Urgency),
    "channel": choices(Channel),
    "confidentiality": choices(Confidentiality),
}


class DispatchForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    unit_id: int = Field(gt=0, lt=2**63)
    co_unit_ids: list[Ident] = Field([], max_length=10)
    note: str = Field("", max_length=2000)
    back: Literal["page", "desk"] = "page"


class NoteForm(Fields):
    note: str = Field(min_length=1, max_length=2000)
    version: int | None = Field(None, gt=0, lt=2**31)  # as the page was shown: a second click is known


class ShownQuery(Fields):
    show: Literal["all", "states", "contacts", "notes"] = "all"


class RevealForm(Fields):
    field: Literal["citizen", "phone", "phone2", "id_number"]
    reason: str = Field("", max_length=200)


# ---- lists ----------------------------------------------------------------------------------


@route("GET", "/tickets", permission=READ_ALL)
async def ticket_list(request: web.Request) -> web.StreamResponse:
    """Every ticket this person may see, newest first, with the query form above."""
    return await _list(request, "tickets/list.html")


@route("GET", "/unit", permission=Permission.TICKET_READ_UNIT)
async def unit_list(request: web.Request) -> web.StreamResponse:
    """What was dispatched to one's own unit and the units below it."""
    return await _list(request, "tickets/unit.html")


async def _list(request: web.Request, template: str) -> web.StreamResponse:
    given = {key: value for key, value in request.query.items() if key != "cursor"}
    if len(request.query) != len(set(request.query)):
        raise HotlineError("bad_request")
    filters = queries.parse_filters(given)
    person, ctx = actor(request), context(request)
    async with ctx.db.read() as session:
        look = search.items if filters.text else queries.ticket_list
        found = await look(session, person, filters, request.query.get("cursor") or None)
        if wants_fragment(request):
            return fragment(request, "tickets/_rows.html", **_list_values(request, given, found))
        whole = template == "tickets/list.html"
        counts = {} if whole else await queries.open_counts(session, person)
        groups = await unit_groups(session) if whole else []
    values = _list_values(request, given, found)
    return await page(request, template, groups=groups, counts=counts, choices=CHOICES, **values)


def _list_values(request: web.Request, given: Mapping[str, str], found: Any) -> dict[str, Any]:
    kept = {key: value for key, value in given.items() if value}
    following = urlencode({**kept, "cursor": found.next_cursor}) if found.next_cursor else ""
    return {
        "items": found.items,
        "filters": kept,
        "words": TICKET_WORDS,
        "here": f"{request.path}?{urlencode(kept)}" if kept else request.path,
        "next_page": f"{request.path}?{following}" if following else "",
        "first_page": "cursor" not in request.query,
    }


# What nobody chose of a submission, in words.
ASSUMED = {"type": "类型", "title": "标题", "category_id": "分类"}


# ---- one ticket -----------------------------------------------------------------------------


@route("GET", "/tickets/{ticket_id}", permission=READ)
async def ticket_page(request: web.Request) -> web.StreamResponse:
    """One ticket: the matter, the citizen masked, the process, the timeline, and what can be done."""
    ident = path_id(request, "ticket_id")
    shown = read_query(request, ShownQuery).show
    return await page(request, "tickets/page.html", **await _page_values(request, ident, shown))


@route("GET", "/tickets/{ticket_id}/timeline", permission=READ)
async def timeline(request: web.Request) -> web.StreamResponse:
    """The timeline alone, filtered or fetched anew when the ticket changed."""
    ident = path_id(request, "ticket_id")
    shown = read_query(request, ShownQuery).show
    async with context(request).db.read() as session:
        values = await _ticket_values(request, session, ident, shown)
    return fragment(request, "tickets/_history.html", **values)


@route("GET", "/tickets/{ticket_id}/head", permission=READ)
async def head(request: web.Request) -> web.StreamResponse:
    """The header alone, fetched anew when the ticket changed."""
    ident = path_id(request, "ticket_id")
    async with context(request).db.read() as session:
        ticket = await queries.ticket_page(session, actor(request), ident)
        sensitive = (await flags_of(session, [ident])).get(ident, [])
    left = left_of(ticket, context(request).clock.now(), context(request).tickets.limits)
    return fragment(
        request, "tickets/_header.html", ticket=ticket, left=left, sensitive=sensitive, words=TICKET_WORDS
    )


@route("GET", "/tickets/{ticket_id}/process", permission=READ)
async def process(request: web.Request) -> web.StreamResponse:
    """Clock, people, applications, contacts: fetched anew when the ticket changed."""
    return fragment(request, "tickets/_process.html", **await _process_values(request))


@route("GET", "/tickets/{ticket_id}/replies", permission=READ)
async def replies(request: web.Request) -> web.StreamResponse:
    """What was answered so far, and the opinions of co-handlers."""
    return fragment(request, "tickets/_replies.html", **await _process_values(request))


async def _process_values(request: web.Request) -> dict[str, Any]:
    ident, person = path_id(request, "ticket_id"), actor(request)
    async with context(request).db.read() as session:
        ticket = await queries.ticket_page(session, person, ident)
        found = await process_of(session, person, ticket, context(request).settings.tickets.contact_gap)
        clocks = await _clocks(request, session, ident, found)
    return {
        "ticket": ticket,
        "process": found,
        "clocks": clocks,
        "degrees": dict(DEGREES),
        "words": TICKET_WORDS,
    }


async def _clocks(
    request: web.Request, session: AsyncSession, ident: int, process: Process
) -> list[ClockLine]:
    ctx = context(request)
    return await clock_lines(session, ident, process, ctx.calendar(), ctx.tickets.limits, ctx.clock.now())


async def _ticket_values(
    request: web.Request, session: AsyncSession, ident: int, shown: str = "all"
) -> dict[str, Any]:
    person = actor(request)
    ticket = await queries.ticket_page(session, person, ident)
    return {
        "ticket": ticket,
        "left": left_of(ticket, context(request).clock.now(), context(request).tickets.limits),
        "sensitive": (await flags_of(session, [ident])).get(ident, []),
        "history": await lines(session, person, ident, shown),
        "shown": shown,
        "timeline_filters": FILTERS,
        "words": TICKET_WORDS,
    }


async def _page_values(request: web.Request, ident: int, shown: str = "all", **more: Any) -> dict[str, Any]:
    person = actor(request)
    async with context(request).db.read() as session:
        values = await _ticket_values(request, session, ident, shown)
        ctx = context(request)
        values["calls"] = await calls_of_ticket(session, person, ctx.recordings, ident, ctx.clock.now())
        values["chats"] = await chats_of_ticket(session, person, ident)
        values["enquiries"] = await enquiries_about(session, ident)
        gap = ctx.settings.tickets.contact_gap
        values["process"] = await process_of(session, person, values["ticket"], gap)
        values["clocks"] = await _clocks(request, session, ident, values["process"])
        may_act = not person.permissions.isdisjoint(MAY)
        bar = await bar_values(request, session, values["ticket"]) if may_act else {}
        values["advised"] = await advice_on(session, person, ident)
        values["assumed"] = [ASSUMED[name] for name in await assumed_of(session, ident) if name in ASSUMED]
        values["outer_numbers"] = await numbers_of(session, ident)
        values["orders"] = (await orders_of_tickets(session, person, [ident])).get(ident, ())
    usual = {
        "degrees": dict(DEGREES),
        "may_act": may_act,
        "tells_citizen": rule_for(request.app, "/tickets/{ticket_id}/messages").allows(person),
        "calls_sealed": values["ticket"].sealed and values["ticket"].call_session_id is not None,
        "may_issue": person.may(Permission.TICKET_SUPERVISE),
        "takes_points_back": person.may(Permission.TICKET_NOTE)
        and person.may(Permission.TICKET_READ_HOTLINE),
        "order_words": ORDER_WORDS,
        "chat_words": CHAT_WORDS,
        "revealed": {},
    }
    return {**values, **usual, **bar, **more}


@route("POST", "/tickets/{ticket_id}/dispatch", permission=Permission.TICKET_DISPATCH, max_body=16_384)
async def dispatch(request: web.Request) -> web.StreamResponse:
    """Send the ticket to a unit. Whoever was faster is shown, and what was typed is kept."""
    ident = path_id(request, "ticket_id")
    form = await read_form(request, DispatchForm)
    typed: dict[str, Any] = {"unit_id": str(form.unit_id), "note": form.note}
    if form.co_unit_ids:
        typed["co_unit_ids"] = [str(ident) for ident in form.co_unit_ids]
    return await do_posted(request, ident, Action.DISPATCH, Posted(typed, form.version, form.back))


@route("POST", "/tickets/{ticket_id}/notes", permission=Permission.TICKET_NOTE, max_body=16_384)
async def add_note(request: web.Request) -> web.StreamResponse:
    """Add an internal note."""
    ident = path_id(request, "ticket_id")
    form = await read_form(request, NoteForm)
    ctx, person = context(request), actor(request)
    await ctx.db.retrying(lambda uow: ctx.tickets.add_note(uow, person, ident, form.note, seen=form.version))
    return redirect(request, f"/tickets/{ident}")


@route("POST", "/tickets/{ticket_id}/reveal", permission=Permission.PERSON_REVEAL, max_body=4096)
async def show_person(request: web.Request) -> web.StreamResponse:
    """Show one personal value in the clear, for a reason that goes into the audit log."""
    ident = path_id(request, "ticket_id")
    form = await read_form(request, RevealForm)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        value = await reveal.of_ticket(uow, person, ctx.vault, ident, form.field, form.reason)
    if wants_fragment(request):
        return fragment(request, "tickets/_revealed.html", value=value)
    return await page(
        request, "tickets/page.html", **await _page_values(request, ident, revealed={form.field: value})
    )
