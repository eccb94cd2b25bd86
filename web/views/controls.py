"""Call control: the seat's buttons and dialogs, and what a shift leader may do to a call."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from core.privacy import normalise_phone
from telephony.controls import abuse, lists, orders, queries
from telephony.controls.terms import EMERGENCIES, LEADER_ACTS, SEAT_ACTS, Act, Target, target_of
from web.context import actor, context, wants_fragment
from web.inputs import Fields, path_id, read_form
from web.reads import controls as reads
from web.render import fragment, redirect
from web.routes import route
from web.views._emergency import summary

TAKE, LEAD = Permission.CALL_TAKE, Permission.FLOOR_LEAD
SEAT_CALL = "/seat/calls/{session_id:[0-9]+}"
FLOOR_CALL = "/floor/calls/{session_id:[0-9]+}"
TOKEN = Field("", max_length=40, pattern=r"^[A-Za-z0-9_-]*$")


class OrderForm(Fields):
    """`token` comes with the button: the same click is the same order, however often it arrives."""

    token: str = TOKEN
    target: str = Field("", max_length=60)
    number: str = Field("", max_length=40)


class AbuseForm(Fields):
    reason: str = Field("", max_length=30)


class ProposalForm(Fields):
    kind: str = Field("", max_length=12)
    reason: str = Field("", max_length=200)


async def _seat(request: web.Request) -> web.Response:
    """The buttons of the call at my telephone, as it stands now."""
    async with context(request).db.read() as session:
        values = await reads.seat_controls(session, actor(request), context(request).clock.now())
    return fragment(request, "seat/_call_controls.html", **values)


@route("GET", SEAT_CALL + "/targets", permission=TAKE)
async def targets(request: web.Request) -> web.StreamResponse:
    """The dialog of transfer, consultation and three-way."""
    session_id = path_id(request, "session_id")
    async with context(request).db.read() as session:
        values = await reads.seat_controls(session, actor(request), context(request).clock.now())
        call = values["call"]
        if call is None or call.session_id != session_id:
            raise HotlineError("not_your_call")
        choices = await reads.targets(session, actor(request))
    return fragment(request, "seat/_targets.html", choices=choices, **values)


@route("GET", SEAT_CALL + "/emergency", permission=TAKE)
async def emergency(request: web.Request) -> web.StreamResponse:
    """One key for 110, 119, 120 and 122, with what has been written so far to read out."""
    session_id = path_id(request, "session_id")
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        values = await reads.seat_controls(session, person, ctx.clock.now())
        call = values["call"]
        if call is None or call.session_id != session_id:
            raise HotlineError("not_your_call")
        lines = await summary(session, person, ctx.vault, session_id)
    services = list(EMERGENCIES.items())
    return fragment(request, "seat/_emergency.html", lines=lines, services=services, **values)


@route("GET", SEAT_CALL + "/abuse", permission=TAKE)
async def abuse_form(request: web.Request) -> web.StreamResponse:
    """The dialog that reports abuse or proposes the number for a list."""
    session_id = path_id(request, "session_id")
    async with context(request).db.read() as session:
        values = await reads.seat_controls(session, actor(request), context(request).clock.now())
    if values["call"] is None or values["call"].session_id != session_id:
        raise HotlineError("not_your_call")
    return fragment(request, "seat/_abuse_form.html", **values)


async def _place(request: web.Request, act: Act, form: OrderForm, target: Target | None) -> int:
    ctx, session_id = context(request), path_id(request, "session_id")
    if not form.token:
        raise HotlineError("bad_request", fields=["token"])
    async with ctx.db.begin() as uow:
        return await orders.place(uow, ctx.vault, actor(request), act, session_id, form.token, target)


def _target(request: web.Request, act: Act, form: OrderForm) -> Target | None:
    """What was chosen, or the number that was typed."""
    if act not in (Act.TRANSFER, Act.CONSULT, Act.CONFERENCE, Act.EMERGENCY):
        return None
    if form.target:
        kind, _, value = form.target.partition(":")
        return target_of(act, kind, value)
    if form.number:
        if form.number in EMERGENCIES:
            return target_of(act, "emergency", form.number)
        phone = normalise_phone(form.number, area=context(request).settings.city.phone_area)
        return target_of(act, "outside", (phone.number or "?").lstrip("+"))
    if act is Act.CONFERENCE:
        return None  # with whom one consults already
    raise HotlineError("target_needed", act=act.value)


@route("POST", SEAT_CALL + "/abuse", permission=TAKE)
async def report_abuse(request: web.Request) -> web.StreamResponse:
    """Mark the caller's abuse; the shift leader is called and may end the call."""
    form = await read_form(request, AbuseForm)
    async with context(request).db.begin() as uow:
        await abuse.report(uow, actor(request), path_id(request, "session_id"), form.reason)
    return await _seat(request) if wants_fragment(request) else redirect(request, "/agent")


@route("POST", SEAT_CALL + "/list", permission=TAKE)
async def propose(request: web.Request) -> web.StreamResponse:
    """Propose the caller's number for the list of silent or harassing calls."""
    form = await read_form(request, ProposalForm)
    async with context(request).db.begin() as uow:
        await lists.propose(uow, actor(request), path_id(request, "session_id"), form.kind, form.reason)
    return await _seat(request) if wants_fragment(request) else redirect(request, "/agent")


@route("POST", SEAT_CALL + "/{act}", permission=TAKE)
async def order(request: web.Request) -> web.StreamResponse:
    """Order an act about the call I talk in; the answer is how the buttons stand now."""
    act = _act(request, SEAT_ACTS)
    form = await read_form(request, OrderForm)
    await _place(request, act, form, _target(request, act, form))
    return await _seat(request) if wants_fragment(request) else redirect(request, "/agent")


def _act(request: web.Request, among: frozenset[Act]) -> Act:
    """The act of the address. Raises `not_found` for any other word."""
    word = request.match_info["act"]
    if word not in {act.value for act in among}:
        raise HotlineError("not_found")
    return Act(word)


# --- the shift leader -----------------------------------------------------------------------------


@route("POST", FLOOR_CALL + "/{act}", permission=LEAD)
async def lead(request: web.Request) -> web.StreamResponse:
    """My telephone rings and I am in the call; or the call is ended."""
    act = _act(request, LEADER_ACTS)
    ident = await _place(request, act, await read_form(request, OrderForm), None)
    return await _order(request, ident)


@route("GET", "/floor/orders/{order_id:[0-9]+}", permission=LEAD)
async def ordered(request: web.Request) -> web.StreamResponse:
    """What became of an order of mine."""
    return await _order(request, path_id(request, "order_id"))


async def _order(request: web.Request, ident: int) -> web.StreamResponse:
    if request.method == "POST" and not wants_fragment(request):
        return redirect(request, f"/calls/{path_id(request, 'session_id')}")
    async with context(request).db.read() as session:
        found = await queries.one_order(session, actor(request), ident)
    if found is None:
        raise HotlineError("not_found")
    return fragment(request, "seat/_order.html", said=reads.said(found))


@route("GET", "/floor/abuse", permission=LEAD)
async def reports(request: web.Request) -> web.StreamResponse:
    """Agents who ask for help against a caller."""
    async with context(request).db.read() as session:
        found = await queries.open_reports(session, actor(request))
    return fragment(request, "seat/_abuse.html", reports=found, reasons=abuse.REASONS)


@route("POST", "/floor/abuse/{report_id:[0-9]+}/close", permission=LEAD)
async def close_report(request: web.Request) -> web.StreamResponse:
    """It was looked after, and the call goes on or is over."""
    async with context(request).db.begin() as uow:
        await abuse.close(uow, actor(request), path_id(request, "report_id"))
    return await reports(request) if wants_fragment(request) else redirect(request, "/numbers")
