"""The inspector's pages besides the feed: monthly scores by unit, recordings by approval."""

from __future__ import annotations

from datetime import date
from typing import Literal

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.people.permissions import Permission
from sla.inspection import queries
from sla.monitor_reads import by_unit
from sla.opendata.service import month_before
from sla.reports.document import numeric, written
from sla.reports.periods import Kind, period_of
from sla.reports.service import Order
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads import recordings as sounds
from web.render import page, redirect
from web.routes import route
from web.views.recordings import CALLS, OF_CALL, OF_TICKET
from web.views.reports import opener
from web.views.tickets import READ as READ_TICKET

READ, ASK, APPROVE = Permission.REPORT_READ, Permission.RECORDING_ASK, Permission.RECORDING_APPROVE
LIST = "/monitor/recordings"
OLDEST = 2015  # no hotline's figures go back further


class MonthQuery(Fields):
    month: str | None = Field(None, pattern=r"^20\d\d-(0[1-9]|1[0-2])$")


class AskForm(Fields):
    reason: str = Field("", max_length=800)


class DecideForm(Fields):
    decision: Literal["approved", "refused"]
    note: str = Field("", max_length=800)


@route("GET", "/monitor/scores", permission=READ)
async def scores(request: web.Request) -> web.StreamResponse:
    """The scores of all units in a month by the rules in force, with the cards and papers they had."""
    query, ctx = read_query(request, MonthQuery), context(request)
    today = to_city(ctx.clock.now()).date()
    asked = date(int(query.month[:4]), int(query.month[5:]), 1) if query.month else month_before(today)
    month = min(max(asked, date(OLDEST, 1, 1)), today.replace(day=1))
    period = period_of(Kind.LEAGUE, month, None)
    async with ctx.db.read() as session:
        report = await ctx.reports.look(session, actor(request), Order(Kind.LEAGUE, period))
        marks = await by_unit(session, period.first, period.last)
    following = (month.replace(day=28) + (date(2000, 1, 5) - date(2000, 1, 1))).replace(day=1)
    return await page(
        request,
        "monitor/scores.html",
        month=month,
        before=month_before(month),
        after=following if following <= today else None,
        marks=marks,
        report=report,
        blocks=[(type(block).__name__.lower(), block) for block in report.blocks],
        written=written,
        numeric=numeric,
        opens=opener(actor(request)),
    )


# ---- recordings by approval -------------------------------------------------------------------


@route("GET", LIST, permission=(ASK, APPROVE))
async def requests(request: web.Request) -> web.StreamResponse:
    """Requests to hear recordings: one's own, or those to be decided."""
    async with context(request).db.read() as session:
        lines = await queries.listed(session, actor(request))
    person, now = actor(request), context(request).clock.now()
    return await page(request, "monitor/recordings.html", lines=lines, may_decide=person.may(APPROVE), at=now)


@route("POST", LIST + r"/{request_id:\d+}/decide", permission=APPROVE, max_body=8192)
async def decide(request: web.Request) -> web.StreamResponse:
    """Approve for a day, or refuse with a reason."""
    form, ctx = await read_form(request, DecideForm), context(request)
    async with ctx.db.begin() as uow:
        ident = path_id(request, "request_id")
        await ctx.inspection.decide(uow, actor(request), ident, form.decision, form.note)
    return redirect(request, LIST)


@route("POST", OF_TICKET + "/apply", permission=READ_TICKET, also=ASK, max_body=8192)
@route("POST", OF_CALL + "/apply", permission=CALLS, also=ASK, max_body=8192)
async def apply(request: web.Request) -> web.StreamResponse:
    """Ask to hear the recording of a call that this person sees."""
    ticket_id = path_id(request, "ticket_id") if "ticket_id" in request.match_info else None
    form, call_id, ctx = await read_form(request, AskForm), path_id(request, "call_id"), context(request)
    async with ctx.db.begin() as uow:
        await sounds.named(uow.session, actor(request), ticket_id, call_id)
        await ctx.inspection.ask(uow, actor(request), call_id, ticket_id, form.reason)
    return redirect(request, LIST)
