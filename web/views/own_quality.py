"""An agent's own quality (我的质检): scores with their items, and the appeal."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from sla.quality import drawing, figures, queries
from telephony.shifts.hours import monday_of, today
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import back
from web.views.quality import TONES
from web.views.quality_figures import FORMULAS, WEEKS

HOME = "/me/quality"
OWN = Permission.SHIFT_OWN


class OwnQuery(Fields):
    done: str = Field("", max_length=20)


class AppealForm(Fields):
    reason: str = Field("", max_length=4000)


@route("GET", HOME, permission=OWN)
async def own_list(request: web.Request) -> web.StreamResponse:
    """One's own scored calls and where points are lost."""
    read_query(request, OwnQuery)
    ctx, person = context(request), actor(request)
    assert person.user_id is not None
    last = monday_of(today(ctx.clock.now()))
    async with ctx.db.read() as session:
        items = await queries.own(session, person)
        lost = await figures.by_item(session, person, last - timedelta(weeks=WEEKS), last, person.user_id)
    return await page(
        request, "quality/own.html", items=items, lost=lost, tones=TONES, formulas=FORMULAS, weeks=WEEKS
    )


@route("GET", HOME + r"/{case_id:\d+}", permission=OWN)
async def own_case(request: web.Request) -> web.StreamResponse:
    """One's own scored call."""
    read_query(request, OwnQuery)
    return await _shown(request)


async def _shown(
    request: web.Request, typed: str = "", error: HotlineError | None = None
) -> web.StreamResponse:
    ctx, person, ident = context(request), actor(request), path_id(request, "case_id")
    _, problem = problem_of(error) if error else ("", None)
    async with ctx.db.read() as session:
        found = await queries.own_page(session, person, ident)
        sheets = {one.sheet_id: await drawing.sheet_by_id(session, one.sheet_id) for one in found.scores}
    item = found.item
    return await page(
        request,
        "quality/own_case.html",
        status=problem.status if problem else 200,
        case=found,
        item=item,
        sheets=sheets,
        may_appeal=item.state == "scored"
        and item.appeal_until is not None
        and ctx.clock.now() <= item.appeal_until,
        typed=typed,
        problem=problem,
        tones=TONES,
        done="已提出申诉，由原评分人以外的质检员复核。" if request.query.get("done") == "appealed" else "",
    )


@route("POST", HOME + r"/{case_id:\d+}/appeal", permission=OWN)
async def appeal(request: web.Request) -> web.StreamResponse:
    """Appeal against a score, once and in time."""
    form, ctx, ident = await read_form(request, AppealForm), context(request), path_id(request, "case_id")
    try:
        async with ctx.db.begin() as uow:
            await ctx.quality.appeal(uow, actor(request), ident, form.reason)
    except HotlineError as error:
        if error.code != "quality_appeal_reason":
            raise
        return await _shown(request, form.reason, error)
    return back(request, f"{HOME}/{ident}", "appealed")
