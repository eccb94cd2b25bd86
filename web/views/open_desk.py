"""Public data before it is public: what was prepared, what it would show, and the decision."""

from __future__ import annotations

from datetime import date
from typing import Literal

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from sla.opendata import queries
from sla.opendata.service import month_before
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.render import page, redirect
from web.routes import route
from web.sentences.open_data import PROBLEMS
from web.sentences.problem import Problem
from web.views.open_data import shown

READ, MANAGE = Permission.REPORT_READ, Permission.OPENDATA_MANAGE
HOME = "/reports/open"


class MakeForm(Fields):
    month: str = Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")
    reason: str = Field("", max_length=800)


class DecideForm(Fields):
    decision: Literal["published", "refused"]
    note: str = Field("", max_length=800)


@route("GET", HOME, permission=READ)
async def desk(request: web.Request) -> web.StreamResponse:
    """Every version with what became of it, and the form for a correction."""
    return await _desk(request)


async def _desk(
    request: web.Request, problem: Problem | None = None, typed: MakeForm | None = None
) -> web.StreamResponse:
    async with context(request).db.read() as session:
        versions = await queries.every(session, actor(request))
    latest = month_before(to_city(context(request).clock.now()).date())
    return await page(
        request,
        "open/desk.html",
        status=problem.status if problem else 200,
        versions=versions,
        may_manage=actor(request).may(MANAGE),
        latest=f"{latest:%Y-%m}",
        typed=typed,
        problem=problem,
    )


@route("POST", HOME, permission=MANAGE, max_body=8192)
async def make(request: web.Request) -> web.StreamResponse:
    """Prepare another version of a month; what cannot be is said where it was typed."""
    form, ctx = await read_form(request, MakeForm), context(request)
    month = date(int(form.month[:4]), int(form.month[5:]), 1)
    try:
        async with ctx.db.begin() as uow:
            ident = await ctx.opendata.make(uow, actor(request), month, form.reason)
    except HotlineError as error:
        if error.code not in PROBLEMS:
            raise
        return await _desk(request, PROBLEMS[error.code], form)
    return redirect(request, f"{HOME}/{ident}")


@route("GET", HOME + r"/{release_id:\d+}", permission=READ)
async def one(request: web.Request) -> web.StreamResponse:
    """A version as it would be published, with the decision below."""
    return await _one(request)


async def _one(request: web.Request, problem: Problem | None = None, note: str = "") -> web.StreamResponse:
    ident = path_id(request, "release_id")
    async with context(request).db.read() as session:
        found = await queries.preview(session, actor(request), ident)
        versions = await queries.every(session, actor(request))
    version = next((line for line in versions if line.id == ident), None)
    if version is None:
        raise HotlineError("not_found", release_id=ident)
    may_decide = actor(request).may(MANAGE) and version.decision is None and not version.mine
    return await page(
        request,
        "open/preview.html",
        status=problem.status if problem else 200,
        version=version,
        may_decide=may_decide,
        problem=problem,
        note=note,
        **shown(found),
    )


@route("POST", HOME + r"/{release_id:\d+}/decide", permission=MANAGE, max_body=8192)
async def decide(request: web.Request) -> web.StreamResponse:
    """Publish it, or refuse it with a reason."""
    form, ctx = await read_form(request, DecideForm), context(request)
    ident = path_id(request, "release_id")
    try:
        async with ctx.db.begin() as uow:
            await ctx.opendata.decide(uow, actor(request), ident, form.decision, form.note)
    except HotlineError as error:
        if error.code not in PROBLEMS:
            raise
        return await _one(request, PROBLEMS[error.code], form.note)
    return redirect(request, f"{HOME}/{ident}")
