"""Calibration (校准): the same call scored by several who do not see each other, then compared."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from sla.quality import calibrations, drawing, queries
from sla.quality.sheet import agreement, spreads
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads import quality as reads
from web.render import page
from web.routes import route
from web.views._admin import back
from web.views.quality import BACK, CASE, MANAGE, READ, REVIEW, SAID, MarkForm, given_of
from web.words import TICKET_WORDS

HOME = "/quality/calibrations"
ONE = HOME + r"/{calibration_id:\d+}"
FORMULAS = {
    "agreement": "一致率 = 给分完全相同的两两组合数 ÷ 全部两两组合数，各项合计；“不适用”也算一种给分",
    "spread": "分差 = 该项最高给分 − 最低给分",
}


class DoneQuery(Fields):
    done: str = Field("", max_length=20)


class CalibrateForm(Fields):
    member: list[Ident] = Field(default_factory=list, max_length=50)


class CloseForm(Fields):
    note: str = Field("", max_length=500)


@route("GET", HOME, permission=READ)
async def calibration_list(request: web.Request) -> web.StreamResponse:
    """Calibrations, and which wait for this person."""
    person = actor(request)
    async with context(request).db.read() as session:
        items = await calibrations.calibrations(session, person)
    return await page(request, "quality/calibrations.html", items=items, me=person.user_id)


@route("POST", CASE + "/calibrate", permission=MANAGE)
async def calibrate(request: web.Request) -> web.StreamResponse:
    """Ask reviewers to score a call blind."""
    form, ctx = await read_form(request, CalibrateForm), context(request)
    async with ctx.db.begin() as uow:
        ident = await ctx.quality.calibrate(uow, actor(request), path_id(request, "case_id"), form.member)
    return back(request, f"{HOME}/{ident}", "calibrating")


@route("GET", ONE, permission=READ)
async def calibration(request: web.Request) -> web.StreamResponse:
    """Score blind, wait, or compare."""
    query = read_query(request, DoneQuery)
    return await _shown(request, done=SAID.get(query.done, ""))


async def _shown(
    request: web.Request, typed: MarkForm | None = None, error: HotlineError | None = None, done: str = ""
) -> web.StreamResponse:
    ctx, person, ident = context(request), actor(request), path_id(request, "calibration_id")
    _, problem = problem_of(error) if error else ("", None)
    async with ctx.db.read() as session:
        found = await calibrations.calibrations(session, person, ident)
        if not found:
            raise HotlineError("quality_not_found", calibration_id=ident)
        (item,) = found
        case = await queries.case_page(session, person, item.case_id)
        sheet = await drawing.sheet_by_id(session, item.sheet_id)
        scores = await calibrations.blind_scores(session, person, item)
        how = await reads.how(session, person, ctx.recordings, item.case_id, ctx.clock.now())
    closed = item.closed_at is not None
    compared = spreads(sheet, [(one.marks, one.fatal) for one in scores]) if closed else []
    return await page(
        request,
        "quality/calibration.html",
        status=problem.status if problem else 200,
        calibration=item,
        case=case,
        sheet=sheet,
        scores=scores,
        spreads={one.code: one for one in compared},
        agreement=agreement(compared),
        formulas=FORMULAS,
        how=how,
        scoring=person.may(REVIEW) and item.waits_for(person.user_id),
        may_close=person.may(MANAGE) and not closed,
        marks=dict(zip(typed.code, typed.mark, strict=False)) if typed else {},
        typed=typed,
        wrong=error.params.get("items", ()) if error else (),
        problem=problem,
        words=TICKET_WORDS,
        me=person.user_id,
        done=done,
    )


@route("POST", ONE + "/score", permission=REVIEW)
async def blind(request: web.Request) -> web.StreamResponse:
    """One's own score; it shows to others when the calibration is closed."""
    form, ctx, ident = (
        await read_form(request, MarkForm),
        context(request),
        path_id(request, "calibration_id"),
    )
    try:
        async with ctx.db.begin() as uow:
            await ctx.quality.blind_score(uow, actor(request), ident, given_of(form))
    except HotlineError as error:
        if error.code not in BACK:
            raise
        return await _shown(request, form, error)
    return back(request, f"{HOME}/{ident}", "saved")


@route("POST", ONE + "/close", permission=MANAGE)
async def close(request: web.Request) -> web.StreamResponse:
    """Show everybody's scores and keep what was agreed."""
    form, ctx, ident = (
        await read_form(request, CloseForm),
        context(request),
        path_id(request, "calibration_id"),
    )
    async with ctx.db.begin() as uow:
        await ctx.quality.close_calibration(uow, actor(request), ident, form.note)
    return back(request, f"{HOME}/{ident}", "saved")
