"""What citizens asked about their data: the hotline's list, with the way to the record and the answer."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from tickets.public import rights
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.render import page, redirect
from web.routes import route

ACT = Permission.DELETION_REQUEST


class DecideForm(Fields):
    version: int = Field(gt=0, lt=2**31)
    outcome: Literal["done", "refused"]
    answer: str = Field("", max_length=4 * rights.MAX_ANSWER)


@route("GET", "/data-requests", permission=ACT)
async def worklist(request: web.Request) -> web.StreamResponse:
    """Open requests by due time, and the last that were answered."""
    ctx = context(request)
    async with ctx.db.read() as session:
        found = await rights.worklist(session, ctx.vault, actor(request))
    return await page(
        request,
        "admin/data_requests.html",
        waiting=[one for one in found if one.state == "open"],
        decided=[one for one in found if one.state != "open"],
        kind_words=rights.KIND_WORDS,
        state_words=rights.STATE_WORDS,
        may_read=actor(request).may(Permission.CITIZEN_READ),
    )


@route("POST", "/data-requests/{request_id}", permission=ACT, max_body=16 * 1024)
async def decide(request: web.Request) -> web.StreamResponse:
    """Answer a request; the citizen reads it in the portal."""
    ident, ctx = path_id(request, "request_id"), context(request)
    form, person = await read_form(request, DecideForm), actor(request)
    await ctx.db.retrying(
        lambda uow: rights.decide(
            uow, person, ident, form.version, done=form.outcome == "done", answer=form.answer
        )
    )
    return redirect(request, "/data-requests")
