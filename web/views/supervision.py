"""The supervision desk (督办台): what will be late next, the chosen ticket beside; interviews."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from sla.ladder import LEVEL_LABELS, Level
from sla.supervision import queries
from sla.supervision.terms import Kind
from tickets import offers
from tickets import queries as tickets
from tickets.queries.risk import last_urges, parse_risk_filters, risk_list
from tickets.queries.todo import Urgency
from tickets.states import Action
from tickets.terms import TicketType, choices
from tickets.terms import Urgency as Degree
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_query
from web.reads.left import left_of, total_span
from web.reads.supervision import WORDS, tabs
from web.reads.units import unit_groups
from web.render import fragment, page
from web.routes import route
from web.views._supervision import SUPERVISE
from web.views.cards import TONES as CARD_TONES
from web.words import TICKET_WORDS

SPANS = ((Urgency.OVERDUE, "超期"), (Urgency.TODAY, "今日到期"), (Urgency.WARNED, "两日内到期"))
OWN_KEYS = frozenset({"cursor", "ticket", "issued"})
# What supervision does beside its documents, offered beside the chosen ticket.
BESIDE = frozenset(
    {
        *(Action.RULE, Action.REDISPATCH, Action.APPROVE_EXTENSION, Action.REFUSE_EXTENSION),
        *(Action.APPROVE_SUSPENSION, Action.REFUSE_SUSPENSION, Action.APPROVE_EXCLUSION),
        *(Action.REFUSE_EXCLUSION, Action.RESUME, Action.REDO),
    }
)


# ---- the risk list --------------------------------------------------------------------------


@route("GET", "/supervision", permission=SUPERVISE)
async def desk(request: web.Request) -> web.StreamResponse:
    """The city's running tickets by the time left, and the chosen one beside."""
    if len(request.query) != len(set(request.query)):
        raise HotlineError("bad_request")
    given = {key: value for key, value in request.query.items() if key not in OWN_KEYS and value}
    ctx, person, now = context(request), actor(request), context(request).clock.now()
    filters = parse_risk_filters(given)
    cursor = request.query.get("cursor") or None
    async with ctx.db.read() as session:
        found = await risk_list(session, person, filters, cursor, now=now)
        cards = await queries.last_cards(session, [item.ticket.id for item in found.items])
        values = _rows_values(request, given, found, cards, first=cursor is None)
        if wants_fragment(request):
            return fragment(request, "supervision/_rows.html", **values)
        chosen = _chosen_id(request) or (found.items[0].ticket.id if found.items else None)
        panel = await _panel(request, session, chosen) if chosen else {"ticket": None}
        counts = await tabs(session, person, ctx.supervision.rules, now)
        groups = await unit_groups(session)
    return await page(
        request,
        "supervision/desk.html",
        tab="risk",
        tabs=counts,
        groups=groups,
        spans=SPANS,
        choices={"type": choices(TicketType), "degree": choices(Degree)},
        **values,
        **panel,
    )


def _chosen_id(request: web.Request) -> int | None:
    text = request.query.get("ticket", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _rows_values(
    request: web.Request, given: dict[str, str], found: Any, cards: dict[int, str], *, first: bool
) -> dict[str, Any]:
    now, limits = context(request).clock.now(), context(request).tickets.limits
    here = f"/supervision?{urlencode(given)}" if given else "/supervision"
    following = urlencode({**given, "cursor": found.next_cursor}) if found.next_cursor else ""
    return {
        "items": [
            (item, total_span(item.ticket, now, limits), _card(cards.get(item.ticket.id)))
            for item in found.items
        ],
        "filters": given,
        "here": here,
        "joiner": "&" if given else "?",
        "following": f"/supervision?{following}" if following else "",
        "first_page": first,
        "words": TICKET_WORDS,
        "chosen": _chosen_id(request),
    }


def _card(level: str | None) -> tuple[str, str] | None:
    """The word and the tone of a card."""
    return None if level is None else (LEVEL_LABELS[Level(level)], CARD_TONES[Level(level)])


@route("GET", "/supervision/tickets/{ticket_id}", permission=SUPERVISE)
async def chosen(request: web.Request) -> web.StreamResponse:
    """The essentials of one ticket, to stand beside the list."""
    async with context(request).db.read() as session:
        values = await _panel(request, session, path_id(request, "ticket_id"))
    return fragment(request, "supervision/_ticket.html", words=TICKET_WORDS, **values)


async def _panel(request: web.Request, session: AsyncSession, ticket_id: int) -> dict[str, Any]:
    ctx, person, now = context(request), actor(request), context(request).clock.now()
    ticket = await tickets.ticket_page(session, person, ticket_id)
    found = await offers.load(session, person, ticket_id, ctx.tickets.limits, now)
    allowed = {one.action for one in found if one.allowed}
    return {
        "ticket": ticket,
        "left": left_of(ticket, now, ctx.tickets.limits),
        "orders": (await queries.orders_of_tickets(session, person, [ticket_id])).get(ticket_id, ()),
        "urged_at": (await last_urges(session, [ticket_id])).get(ticket_id),
        "may_urge": Action.URGE in allowed,
        "may_issue": Action.SUPERVISE in allowed,
        "beside": [one for one in found if one.allowed and one.action in BESIDE],
        "order_words": WORDS,
        "issuable": [kind.value for kind in Kind],
    }


# ---- interviews -----------------------------------------------------------------------------


class InterviewQuery(Fields):
    before: int | None = Field(None, gt=0, lt=2**63)


@route("GET", "/supervision/interviews", permission=SUPERVISE)
async def interviews(request: web.Request) -> web.StreamResponse:
    """The interviews, when they were held, when they are looked at next."""
    query, ctx, person = read_query(request, InterviewQuery), context(request), actor(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        counts = await tabs(session, person, ctx.supervision.rules, now)
        found = await queries.interviews(session, person, query.before, now=now)
    return await page(
        request,
        "supervision/interviews.html",
        tab="interviews",
        tabs=counts,
        items=found.items,
        following=f"/supervision/interviews?before={found.next_cursor}" if found.next_cursor else "",
        order_words=WORDS,
    )
