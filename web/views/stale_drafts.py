"""Drafts open for more than half an hour: the shift leader's list, from which he may take one over."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from tickets import queries
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.reads.callback_time import span
from web.reads.duties import STALE_AFTER
from web.reads.seat_parts import draft_label
from web.render import fragment, page, redirect
from web.routes import route


class TakeOverForm(Fields):
    version: int = Field(ge=1, lt=2**31)
    reason: str = Field("", max_length=200)


@route("GET", "/drafts/stale", permission=Permission.DRAFT_READ_ALL)
async def stale(request: web.Request) -> web.StreamResponse:
    """The list, the oldest first."""
    return await page(request, "agent/stale.html", **await _stale(request))


@route("GET", "/drafts/stale/rows", permission=Permission.DRAFT_READ_ALL)
async def stale_rows(request: web.Request) -> web.StreamResponse:
    """Its rows alone."""
    return fragment(request, "agent/_stale_rows.html", **await _stale(request))


@route(
    "POST",
    "/drafts/{draft_id:[0-9]+}/take-over",
    permission=Permission.DRAFT_READ_ALL,
    also=Permission.DRAFT_WRITE,
)
async def take_over(request: web.Request) -> web.StreamResponse:
    """Go on with a colleague's draft; the reason is audited."""
    form = await read_form(request, TakeOverForm)
    ctx, draft_id = context(request), path_id(request, "draft_id")
    async with ctx.db.begin() as uow:
        await ctx.drafts.take_over(uow, actor(request), draft_id, form.version, form.reason)
    return redirect(request, f"/agent?draft={draft_id}")


async def _stale(request: web.Request) -> dict[str, Any]:
    ctx, person = context(request), actor(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        items = await queries.stale_drafts(session, person, now - STALE_AFTER)
    rows = [
        {
            "item": item,
            "label": draft_label(item),
            "open_for": span((now - item.opened_at).total_seconds()),
            "source": "电话" if item.call_session_id else "新建",
        }
        for item in items
    ]
    return {"rows": rows, "may_take": person.may(Permission.DRAFT_WRITE)}
