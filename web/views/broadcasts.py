"""Broadcasts over the floor: sent by a shift leader, on every seat at once, with who has read them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.catalog import notices
from core.errors import HotlineError
from core.people.permissions import Permission
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route
from web.views._admin import NoFields

HOME = "/floor/broadcasts"
MAY = Permission.FLOOR_LEAD
SHOWN_FOR = timedelta(days=30)
REFUSED = ("broadcast_text", "broadcast_minutes")


class Query(Fields):
    one: int | None = Field(None, gt=0, lt=2**63)


class CallForm(Fields):
    text: str = Field("", max_length=1000)
    urgency: Literal["usual", "urgent"] = "usual"
    minutes: int = Field(60, ge=0, lt=2**31)


@route("GET", HOME, permission=MAY)
async def broadcasts(request: web.Request) -> web.StreamResponse:
    """What was sent lately, and who has read the one that is looked at."""
    return await _page(request, read_query(request, Query).one)


async def _page(
    request: web.Request, chosen_id: int | None, *, status: int = 200, **more: Any
) -> web.StreamResponse:
    ctx = context(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        rows = await notices.called_out(session, now - SHOWN_FOR)
        chosen = next((row for row, _ in rows if row.id == chosen_id), None)
        people = await notices.readers(session, chosen) if chosen else None
    values: dict[str, Any] = {
        "rows": rows,
        "chosen": chosen,
        "people": people,
        "problem": None,
        "typed": None,
        **more,
    }
    return await page(request, "floor/broadcasts.html", status=status, **values)


@route("GET", HOME + r"/{notice_id:\d+}/readers", permission=MAY)
async def readers(request: web.Request) -> web.StreamResponse:
    """Who has read it, while it is being read."""
    async with context(request).db.read() as session:
        chosen = await notices.one(session, path_id(request, "notice_id"))
        if chosen.urgency is None:
            raise HotlineError("not_found")
        people = await notices.readers(session, chosen)
    return fragment(request, "floor/_readers.html", chosen=chosen, people=people)


@route("POST", HOME, permission=MAY)
async def call_out(request: web.Request) -> web.StreamResponse:
    """Send one; what was wrong with it is shown with what was typed."""
    form, ctx = await read_form(request, CallForm), context(request)
    try:
        async with ctx.db.begin() as uow:
            made = await notices.call_out(uow, actor(request), form.text, form.urgency, form.minutes)
    except HotlineError as error:
        if error.code not in REFUSED:
            raise
        problem = problem_of(error)[1]
        return await _page(request, None, status=problem.status, problem=problem, typed=form)
    return redirect(request, f"{HOME}?one={made}")


@route("POST", HOME + r"/{notice_id:\d+}/withdraw", permission=MAY)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take it off every page."""
    await read_form(request, NoFields)
    ident = path_id(request, "notice_id")
    async with context(request).db.begin() as uow:
        await notices.call_back(uow, actor(request), ident)
    return redirect(request, f"{HOME}?one={ident}")
