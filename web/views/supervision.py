"""The supervision desk (督办台): what will be late next, what the rules propose, what to issue."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.ids import new_token
from core.people import org
from core.people.models import Unit
from core.people.permissions import Permission
from sla.ladder import LEVEL_LABELS, Level
from sla.supervision import declining, proposals, queries
from sla.supervision.inputs import NewOrder
from sla.supervision.proposals import GROUNDS
from sla.supervision.terms import (
    CALLS_FOR,
    GROUND_LABELS,
    KEPT_FROM_UNITS,
    REPORTED_ON,
    Ground,
    Kind,
    template,
)
from tickets import offers
from tickets import queries as tickets
from tickets.queries import TicketPage
from tickets.queries.risk import last_urges, parse_risk_filters, risk_list
from tickets.queries.todo import Urgency
from tickets.states import Action
from tickets.terms import TicketType, choices
from tickets.terms import Urgency as Degree
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads.left import left_of, total_span
from web.reads.supervision import WORDS, copy_groups, tabs
from web.reads.units import unit_groups
from web.render import fragment, page, redirect
from web.routes import route
from web.views.cards import TONES as CARD_TONES
from web.words import TICKET_WORDS

SUPERVISE = Permission.TICKET_SUPERVISE
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
USUAL_DAYS = 3
KindCode = Literal["urge_notice", "order", "raised", "bulletin", "interview", "handover"]
GroundCode = Literal["overdue", "dissatisfied", "redos", "units", "other"]
FIELD_WORDS = {
    "required": "请填写。",
    "too_long": "内容过长，请精简。",
    "bad_value": "不正确，请核对。",
    "unknown_choice": "没有找到，请重新选择。",
    "in_past": "须晚于现在。",
    "in_future": "不能晚于现在。",
}
_AT = {"unit_cannot_take": "unit_id", "unit_is_missing": "unit_id"}


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


# ---- proposals ------------------------------------------------------------------------------


class ProposalQuery(Fields):
    ground: Literal["overdue", "dissatisfied", "redos", "units"] | None = None
    cursor: str | None = Field(None, max_length=200)


@route("GET", "/supervision/proposals", permission=SUPERVISE)
async def proposed(request: web.Request) -> web.StreamResponse:
    """What the rules propose, by ground."""
    query, ctx, person = read_query(request, ProposalQuery), context(request), actor(request)
    now, rules = ctx.clock.now(), ctx.supervision.rules
    async with ctx.db.read() as session:
        counts = await tabs(session, person, rules, now)
        usual = next((one.value for one in GROUNDS if counts["proposed"][one.value]), GROUNDS[0].value)
        ground = Ground(query.ground or usual)
        found = await proposals.proposals(session, person, rules, ground, query.cursor, now=now)
    following = urlencode({"ground": ground.value, "cursor": found.next_cursor}) if found.next_cursor else ""
    return await page(
        request,
        "supervision/proposals.html",
        tab="proposals",
        tabs=counts,
        ground=ground.value,
        grounds=[(one.value, GROUND_LABELS[one]) for one in GROUNDS],
        items=found.items,
        following=following,
        words=TICKET_WORDS,
        order_words=WORDS,
    )


class ProposedForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    ground: Literal["overdue", "dissatisfied", "redos", "units"]


@route("POST", "/supervision/proposals/{ticket_id:[0-9]+}", permission=SUPERVISE)
async def take_up(request: web.Request) -> web.StreamResponse:
    """Issue what is proposed, in the words of its template, with one press."""
    form = await read_form(request, ProposedForm)
    ident, ground = path_id(request, "ticket_id"), Ground(form.ground)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        key = f"p{ident}.{form.version}.{ground.value}"
        ticket = await tickets.ticket_page(uow.session, person, ident)
        asked = await _begun(request, uow.session, ticket, CALLS_FOR[ground], ground)
        if not asked["unit_id"]:
            raise HotlineError("unit_is_missing", ticket_id=ident)
        order = await ctx.supervision.issue(
            uow,
            person,
            NewOrder(
                kind=CALLS_FOR[ground],
                unit_id=int(asked["unit_id"]),
                subject=asked["subject"],
                requirement=asked["requirement"],
                ground=ground,
                ticket_id=ident,
                version=form.version,
                copies=tuple(int(one) for one in asked["copies"]),
                days=USUAL_DAYS,
                key=key,
            ),
        )
    return redirect(request, f"/orders/{order}?done=issue")


class DeclineForm(Fields):
    ground: Literal["overdue", "dissatisfied", "redos", "units"]
    reason: str = Field("", max_length=500)


@route("POST", "/supervision/proposals/{ticket_id:[0-9]+}/decline", permission=SUPERVISE)
async def not_now(request: web.Request) -> web.StreamResponse:
    """暂不督办: the proposal goes, its reason stays in the audit log."""
    form = await read_form(request, DeclineForm)
    ctx, ident, ground = context(request), path_id(request, "ticket_id"), Ground(form.ground)
    async with ctx.db.begin() as uow:
        await declining.decline(uow, actor(request), ident, ground, form.reason)
    return redirect(request, f"/supervision/proposals?ground={ground.value}")


# ---- a new document -------------------------------------------------------------------------


class NewQuery(Fields):
    kind: KindCode = "order"
    ticket: int | None = Field(None, gt=0, lt=2**63)
    unit: int | None = Field(None, gt=0, lt=2**63)
    parent: int | None = Field(None, gt=0, lt=2**63)
    ground: GroundCode | None = None


class NewForm(Fields):
    kind: KindCode
    ground: GroundCode = "other"
    ticket_id: int | None = Field(None, gt=0, lt=2**63)
    version: int | None = Field(None, gt=0, lt=2**31)
    parent_id: int | None = Field(None, gt=0, lt=2**63)
    unit_id: str = Field("", max_length=20)
    copies: list[Ident] = Field(default_factory=list, max_length=50)
    subject: str = Field("", max_length=500)
    requirement: str = Field("", max_length=5000)
    recipient: str = Field("", max_length=100)
    days: str = Field("", max_length=10)
    report_on: str = Field("", max_length=20)
    key: str = Field(min_length=8, max_length=40)


@route("GET", "/supervision/new", permission=SUPERVISE)
async def new(request: web.Request) -> web.StreamResponse:
    """The form of a document, its text begun from a template."""
    query, ctx, person = read_query(request, NewQuery), context(request), actor(request)
    kind = Kind(query.kind)
    async with ctx.db.read() as session:
        parent = await queries.order_page(session, person, query.parent) if query.parent else None
        ticket_id = query.ticket or (parent.item.ticket_id if parent else None)
        ticket = await tickets.ticket_page(session, person, ticket_id) if ticket_id else None
        late = ticket is not None and ticket.due_at is not None and ticket.due_at < ctx.clock.now()
        usual = parent.item.ground if parent else Ground.OVERDUE.value if late else Ground.OTHER.value
        ground = Ground(query.ground or usual)
        typed = await _begun(request, session, ticket, kind, ground)
        if query.unit or (parent and ticket is None):
            typed["unit_id"] = str(query.unit or (parent.item.unit_id if parent else ""))
        if parent is not None and not ticket:
            typed["subject"] = parent.item.subject
        typed |= {"parent_id": query.parent or "", "ticket_id": ticket_id or "", "key": new_token(12)}
        values = await _form_values(request, session, kind, ground, ticket, typed)
    return await page(request, "supervision/new.html", errors={}, problem=None, **values)


async def _begun(
    request: web.Request, session: AsyncSession, ticket: TicketPage | None, kind: Kind, ground: Ground
) -> dict[str, Any]:
    """What a form begins with: unit, copies, subject and text."""
    ctx = context(request)
    reason = ""
    if ticket is not None and ground is not Ground.OTHER:
        now = ctx.clock.now()
        figure = await proposals.one(session, ctx.supervision.rules, ground, ticket.id, now)
        if ground is Ground.OVERDUE and ticket.due_at is not None and ticket.due_at < now:
            reason = proposals.overdue_reason(ctx.tickets.limits, ticket.due_at, now)
        elif figure is not None:
            reason = proposals.reason(ground, figure)
    unit = ticket.lead_unit_id if ticket else None
    text = template(
        kind,
        ground,
        number=ticket.number if ticket else "",
        title=ticket.title if ticket else "",
        reason=reason,
    )
    return {
        "unit_id": str(unit or ""),
        "copies": [str(one) for one in await _above(session, unit)] if kind is Kind.RAISED else [],
        "subject": ticket.title if ticket else "",
        "requirement": text,
        "recipient": "",
        "days": str(USUAL_DAYS),
        "report_on": "",
        "ground": ground.value,
        "version": ticket.version if ticket else "",
    }


async def _above(session: AsyncSession, unit_id: int | None) -> list[int]:
    """Whom a raised document is copied to: the district above, else the city's leaders."""
    if unit_id is None:
        return []
    unit: Unit = await org.unit(session, unit_id)
    return [unit.parent_id] if unit.parent_id is not None else []


async def _form_values(
    request: web.Request,
    session: AsyncSession,
    kind: Kind,
    ground: Ground,
    ticket: TicketPage | None,
    typed: dict[str, Any],
) -> dict[str, Any]:
    kept = {name: typed[name] for name in ("parent_id", "ticket_id") if typed.get(name)}
    links = {"ticket_id": "ticket", "parent_id": "parent"}
    query = {links[name]: value for name, value in kept.items()}
    if ground is not Ground.OTHER:
        query["ground"] = ground.value
    kinds = [
        (one.value, WORDS["kinds"][one.value], f"/supervision/new?{urlencode({'kind': one.value, **query})}")
        for one in Kind
    ]
    return {
        "kind": kind.value,
        "kinds": kinds,
        "reports": kind in REPORTED_ON,
        "kept_from_units": kind in KEPT_FROM_UNITS,
        "typed": typed,
        "ticket": ticket,
        "left": left_of(ticket, context(request).clock.now(), context(request).tickets.limits)
        if ticket
        else None,
        "groups": await unit_groups(session),
        "copy_groups": await copy_groups(session),
        "grounds": [(code, word) for code, word in WORDS["grounds"].items()],
        "order_words": WORDS,
        "words": TICKET_WORDS,
    }


@route("POST", "/supervision/orders", permission=SUPERVISE)
async def issue(request: web.Request) -> web.StreamResponse:
    """Issue it; what was wrong comes back with everything that was typed."""
    form = await read_form(request, NewForm)
    ctx, person = context(request), actor(request)
    try:
        async with ctx.db.begin() as uow:
            order = await ctx.supervision.issue(uow, person, _asked(form))
    except HotlineError as error:
        code, problem = problem_of(error)
        if code in ("forbidden", "internal", "ticket_not_found", "order_not_found"):
            raise
        return await _again(request, form, error, problem)
    return redirect(request, f"/orders/{order}?done=issue")


def _asked(form: NewForm) -> NewOrder:
    if not (form.unit_id.isascii() and form.unit_id.isdigit() and len(form.unit_id) < 19):
        raise HotlineError("form_invalid", fields={"unit_id": "required"})
    return NewOrder(
        kind=Kind(form.kind),
        unit_id=int(form.unit_id),
        subject=form.subject,
        requirement=form.requirement,
        ground=Ground(form.ground),
        ticket_id=form.ticket_id,
        version=form.version,
        copies=tuple(form.copies),
        days=_number(form.days),
        report_on=day_of(form.report_on, "report_on"),
        recipient=form.recipient,
        parent_id=form.parent_id,
        key=form.key,
    )


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise HotlineError("form_invalid", fields={"days": "bad_value"})
    return int(text)


def day_of(text: str, name: str) -> date | None:
    """A day out of a form. Raises `form_invalid`."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HotlineError("form_invalid", fields={name: "bad_value"}) from None


def field_errors(error: HotlineError) -> dict[str, str]:
    """By field: what is wrong with it."""
    given = error.params.get("fields")
    if isinstance(given, dict):
        return {str(name): FIELD_WORDS.get(str(code), "不正确，请核对。") for name, code in given.items()}
    return {_AT[error.code]: "请重新选择。"} if error.code in _AT else {}


async def _again(
    request: web.Request, form: NewForm, error: HotlineError, problem: Any
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        found = await tickets.ticket_page(session, actor(request), form.ticket_id) if form.ticket_id else None
        typed = form.model_dump() | {"copies": [str(one) for one in form.copies]}
        if error.code == "version_conflict" and found is not None:
            typed["version"] = found.version  # it is shown as it is now; sending again is meant
        values = await _form_values(request, session, Kind(form.kind), Ground(form.ground), found, typed)
    return await page(
        request,
        "supervision/new.html",
        status=problem.status,
        problem=problem,
        errors=field_errors(error),
        **values,
    )


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
