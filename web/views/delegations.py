"""Delegation while absent (代理): one's own, given and held."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.errors import HotlineError
from core.people import account_acts, delegation
from core.people.permissions import Permission
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import NoFields, back

HOME = "/delegations"
READ = (Permission.TICKET_HANDLE, Permission.TICKET_RULE)
GIVE = (Permission.TICKET_APPROVE, Permission.TICKET_SUPERVISE)
STATES = {
    "running": ("生效中", "good"),
    "ahead": ("未开始", "info"),
    "over": ("已到期", "quiet"),
    "ended": ("已提前结束", "quiet"),
}
DONE = {"given": "代理已登记，代理人在起止日期内可代为审批。", "ended": "代理已结束，立即生效。"}


class PageQuery(Fields):
    done: str = Field("", max_length=20)


class GiveForm(Fields):
    deputy_id: int = Field(gt=0, lt=2**63)
    first_day: date
    last_day: date
    reason: str = Field("", max_length=200)


@route("GET", HOME, permission=READ)
async def delegations(request: web.Request) -> web.StreamResponse:
    """What I gave and what I hold; a form for those who may give."""
    return await _page(request, DONE.get(read_query(request, PageQuery).done))


@route("POST", HOME, permission=GIVE)
async def give(request: web.Request) -> web.StreamResponse:
    """Name a deputy for a span of days."""
    form, ctx = await read_form(request, GiveForm), context(request)
    try:
        async with ctx.db.begin() as uow:
            await delegation.create(
                uow,
                actor(request),
                deputy_id=form.deputy_id,
                first_day=form.first_day,
                last_day=form.last_day,
                reason=form.reason,
            )
    except HotlineError as error:
        if error.code == "forbidden":
            raise
        return await _page(request, None, error, form)
    return back(request, HOME, "given")


@route("POST", HOME + r"/{delegation_id:\d+}/end", permission=GIVE)
async def end(request: web.Request) -> web.StreamResponse:
    """End one's own before its time."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await delegation.end(uow, actor(request), path_id(request, "delegation_id"))
    return back(request, HOME, "ended")


async def _page(
    request: web.Request, done: str | None, error: HotlineError | None = None, form: GiveForm | None = None
) -> web.Response:
    ctx, person = context(request), actor(request)
    code, problem = problem_of(error) if error else ("", None)
    async with ctx.db.read() as session:
        spans = await delegation.spans(session, person)
        deputies = await delegation.deputies(session, person)
    now = ctx.clock.now()
    values: dict[str, Any] = {
        "today": to_city(now).date().isoformat(),
        "lines": [
            (span, *STATES[span.state(now)], span.state(now) in ("running", "ahead")) for span in spans
        ],
        "deputies": [(one, account_acts.posts_words(one.posts)) for one in deputies],
    }
    return await page(
        request,
        "auth/delegations.html",
        status=problem.status if problem else 200,
        may_give=delegation.post_of(person) is not None,
        form=form,
        done=done,
        code=code,
        problem=problem,
        **values,
    )
