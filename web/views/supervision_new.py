"""A new document of supervision: its form begun from a template, issued, shown again with what is wrong."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.ids import new_token
from sla.supervision.inputs import NewOrder
from sla.supervision.order_page import order_page
from sla.supervision.terms import KEPT_FROM_UNITS, REPORTED_ON, Ground, Kind
from tickets import queries as tickets
from tickets.queries import TicketPage
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, Ident, read_form, read_query
from web.reads.left import left_of
from web.reads.supervision import WORDS, copy_groups
from web.reads.units import unit_groups
from web.render import page, redirect
from web.routes import route
from web.views._supervision import SUPERVISE, begun, day_of, field_errors
from web.words import TICKET_WORDS

KindCode = Literal["urge_notice", "order", "raised", "bulletin", "interview", "handover"]
GroundCode = Literal["overdue", "dissatisfied", "redos", "units", "other"]


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
        parent = await order_page(session, person, query.parent) if query.parent else None
        ticket_id = query.ticket or (parent.item.ticket_id if parent else None)
        ticket = await tickets.ticket_page(session, person, ticket_id) if ticket_id else None
        late = ticket is not None and ticket.due_at is not None and ticket.due_at < ctx.clock.now()
        usual = parent.item.ground if parent else Ground.OVERDUE.value if late else Ground.OTHER.value
        ground = Ground(query.ground or usual)
        typed = await begun(request, session, ticket, kind, ground)
        if query.unit or (parent and ticket is None):
            typed["unit_id"] = str(query.unit or (parent.item.unit_id if parent else ""))
        if parent is not None and not ticket:
            typed["subject"] = parent.item.subject
        typed |= {"parent_id": query.parent or "", "ticket_id": ticket_id or "", "key": new_token(12)}
        values = await _form_values(request, session, kind, ground, ticket, typed)
    return await page(request, "supervision/new.html", errors={}, problem=None, **values)


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
