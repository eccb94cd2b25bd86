"""Documents of supervision: the list, the page of one with its course, what is done to it, on paper."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

import segno
from aiohttp import web
from pydantic import Field

from core import audit
from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from sla.supervision import queries
from sla.supervision.inputs import Interview
from sla.supervision.order_page import order_page as read_order
from sla.supervision.papers import Form, OrderSheet, order_sheet
from sla.supervision.queries import OrderFilters
from sla.supervision.terms import OPEN, OrderState, Step
from tickets.export import paper
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.left import left_until
from web.reads.supervision import WORDS, tabs
from web.render import fragment, page, redirect
from web.routes import route
from web.views._supervision import day_of, field_errors
from web.views.prints import marks_of
from web.views.tickets import READ

SUPERVISE = Permission.TICKET_SUPERVISE
ANSWER = Permission.TICKET_HANDLE
TOLD: dict[str, tuple[str, str]] = {
    "issue": ("已制发", "主送单位和抄送单位已收到通知。"),
    "acknowledge": ("已签收", "督办员已收到通知。请在期限内办理并反馈。"),
    "report": ("已反馈", "督办员审核后会销号，或退回补充。"),
    "send_back": ("已退回补充", "主送单位已收到您的意见。"),
    "close": ("已销号", "主送单位已收到通知。"),
    "revoke": ("已撤销", "主送单位已收到通知。"),
    "record": ("约谈记录已登记", "记录不能修改；需要补充时请登记“回头看”。"),
    "look": ("已登记回头看", ""),
}


class OrderQuery(Fields):
    state: Literal["issued", "acknowledged", "reported", "closed", "revoked", "open", "late"] | None = None
    kind: Literal["urge_notice", "order", "raised", "bulletin", "interview", "handover"] | None = None
    unit_id: int | None = Field(None, gt=0, lt=2**63)
    ticket_id: int | None = Field(None, gt=0, lt=2**63)
    number: str | None = Field(None, max_length=20)
    mine: Literal["1"] | None = None
    before: int | None = Field(None, gt=0, lt=2**63)


@route("GET", "/orders", permission=READ)
async def order_list(request: web.Request) -> web.StreamResponse:
    """The documents this person may see, newest first."""
    query, ctx, person = read_query(request, OrderQuery), context(request), actor(request)
    now = ctx.clock.now()
    given = {key: value for key, value in query.model_dump().items() if value is not None and key != "before"}
    filters = OrderFilters(**{**given, "mine": bool(query.mine)})
    async with ctx.db.read() as session:
        found = await queries.order_list(session, person, filters, query.before, now=now)
        counts = await queries.order_counts(session, person, now=now)
        desk = await tabs(session, person, ctx.supervision.rules, now) if person.may(SUPERVISE) else None
    following = f"/orders?{urlencode({**given, 'before': found.next_cursor})}" if found.next_cursor else ""
    values: dict[str, Any] = {
        "items": [(item, _left(request, item)) for item in found.items],
        "filters": given,
        "following": following,
        "here": f"/orders?{urlencode(given)}" if given else "/orders",
        "first_page": query.before is None,
        "order_words": WORDS,
    }
    if wants_fragment(request):
        return fragment(request, "orders/_rows.html", **values)
    return await page(request, "orders/list.html", counts=counts, tab="orders", tabs=desk, **values)


def _left(request: web.Request, item: queries.OrderItem) -> Any:
    """The time left for the report, while it is waited for."""
    if item.state not in (OrderState.ISSUED.value, OrderState.ACKNOWLEDGED.value):
        return None
    return left_until(item.report_by, context(request).clock.now(), context(request).tickets.limits)


class ShownQuery(Fields):
    done: (
        Literal["issue", "acknowledge", "report", "send_back", "close", "revoke", "record", "look"] | None
    ) = None


@route("GET", "/orders/{order_id:[0-9]+}", permission=READ)
async def order_page(request: web.Request) -> web.StreamResponse:
    """One document: what it says, its course, what can be done."""
    done = read_query(request, ShownQuery).done
    return await _page(request, path_id(request, "order_id"), told=TOLD.get(done or ""))


async def _page(request: web.Request, ident: int, **more: Any) -> web.StreamResponse:
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        found = await read_order(session, person, ident)
    usual: dict[str, Any] = {"told": None, "problem": None, "errors": {}, "typed": {}, "at": ""}
    status = more.pop("status", 200)
    return await page(
        request,
        "orders/page.html",
        status=status,
        order=found,
        item=found.item,
        open=OrderState(found.item.state) in OPEN,
        left=_left(request, found.item),
        steps={step.value for step in found.steps},
        may_raise=Step.RAISE in found.steps,
        today=to_city(ctx.clock.now()).date(),
        order_words=WORDS,
        **{**usual, **more},
    )


# ---- steps ----------------------------------------------------------------------------------


class Seen(Fields):
    version: int = Field(ge=1, lt=2**31)


class Told(Seen):
    note: str = Field("", max_length=5000)


class SentBack(Told):
    report_on: str = Field("", max_length=20)


class Looked(Told):
    next_look: str = Field("", max_length=20)


class Recorded(Seen):
    held_at: str = Field("", max_length=30)
    place: str = Field("", max_length=100)
    attendees: str = Field("", max_length=2000)
    minutes: str = Field("", max_length=8000)
    measures: str = Field("", max_length=5000)
    next_look: str = Field("", max_length=20)


@route("POST", "/orders/{order_id:[0-9]+}/acknowledge", permission=ANSWER)
async def acknowledge(request: web.Request) -> web.StreamResponse:
    """签收."""
    form = await read_form(request, Seen)
    return await _do(request, form, "acknowledge")


@route("POST", "/orders/{order_id:[0-9]+}/report", permission=ANSWER)
async def report(request: web.Request) -> web.StreamResponse:
    """反馈."""
    form = await read_form(request, Told)
    return await _do(request, form, "report", form.note)


@route("POST", "/orders/{order_id:[0-9]+}/send-back", permission=SUPERVISE)
async def send_back(request: web.Request) -> web.StreamResponse:
    """退回补充, with a further date if one is given."""
    form = await read_form(request, SentBack)
    return await _do(request, form, "send_back", form.note, days={"report_on": form.report_on})


@route("POST", "/orders/{order_id:[0-9]+}/close", permission=SUPERVISE)
async def close(request: web.Request) -> web.StreamResponse:
    """销号."""
    form = await read_form(request, Told)
    return await _do(request, form, "close", form.note)


@route("POST", "/orders/{order_id:[0-9]+}/revoke", permission=SUPERVISE)
async def revoke(request: web.Request) -> web.StreamResponse:
    """撤销."""
    form = await read_form(request, Told)
    return await _do(request, form, "revoke", form.note)


@route("POST", "/orders/{order_id:[0-9]+}/record", permission=SUPERVISE)
async def record(request: web.Request) -> web.StreamResponse:
    """登记约谈记录."""
    form = await read_form(request, Recorded)
    return await _do(request, form, "record")


@route("POST", "/orders/{order_id:[0-9]+}/look", permission=SUPERVISE)
async def look(request: web.Request) -> web.StreamResponse:
    """回头看."""
    form = await read_form(request, Looked)
    return await _do(request, form, "look", form.note, days={"next_look": form.next_look})


async def _do(
    request: web.Request, form: Seen, step: str, *texts: str, days: dict[str, str] | None = None
) -> web.StreamResponse:
    """Take the step; what was wrong comes back with everything that was typed."""
    ctx, person, ident = context(request), actor(request), path_id(request, "order_id")
    try:
        if isinstance(form, Recorded):
            rest: list[Any] = [_interview(form)]
        else:
            rest = [*texts, *(day_of(text, name) for name, text in (days or {}).items())]
        async with ctx.db.begin() as uow:
            await getattr(ctx.supervision, step)(uow, person, ident, form.version, *rest)
    except HotlineError as error:
        code, problem = problem_of(error)
        if code in ("forbidden", "internal", "order_not_found"):
            raise
        typed = form.model_dump()
        return await _page(
            request,
            ident,
            status=problem.status,
            problem=problem,
            errors=field_errors(error),
            typed=typed,
            at=step,
        )
    return redirect(request, f"/orders/{ident}?done={step}")


def _interview(form: Recorded) -> Interview:
    try:
        held = datetime.fromisoformat(form.held_at)
    except ValueError:
        raise HotlineError("form_invalid", fields={"held_at": "required"}) from None
    if held.tzinfo is None:
        held = held.replace(tzinfo=CITY_ZONE)
    try:
        held = held.astimezone(UTC)
    except OverflowError:
        raise HotlineError("form_invalid", fields={"held_at": "bad_value"}) from None
    look_at = day_of(form.next_look, "next_look")
    return Interview(held, form.place, form.attendees, form.minutes, form.measures, look_at)


# ---- on paper -------------------------------------------------------------------------------


@route("GET", "/orders/{order_id:[0-9]+}/print/{form}", permission=READ)
async def print_page(request: web.Request) -> web.StreamResponse:
    """A document as an A4 page."""
    found = await _sheet(request, "page")
    code = segno.make(found.number, error="m", micro=False).svg_data_uri(border=0)
    return await page(request, "prints/order.html", sheet=found, code=code, marks=marks_of(found.mark))


@route("GET", "/orders/{order_id:[0-9]+}/pdf/{form}", permission=READ)
async def print_pdf(request: web.Request) -> web.StreamResponse:
    """The same document as a PDF file."""
    found = await _sheet(request, "pdf")
    body = await asyncio.to_thread(paper.pdf, found)
    name = quote(f"{found.title}-{found.number}.pdf")
    headers = {
        "Content-Disposition": f"inline; filename=\"order-{found.order_id}.pdf\"; filename*=UTF-8''{name}"
    }
    return web.Response(body=body, content_type="application/pdf", headers=headers)


async def _sheet(request: web.Request, way: str) -> OrderSheet:
    ident, form = path_id(request, "order_id"), request.match_info["form"]
    if form not in list(Form):
        raise HotlineError("not_found")
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        found = await order_sheet(
            uow.session, person, ctx.vault, ident, Form(form), city=ctx.settings.city.name, now=uow.now
        )
        await audit.record(
            uow,
            actor=person,
            action="order.print",
            object_type="order",
            object_id=ident,
            detail={"form": form, "as": way},
        )
    return found
