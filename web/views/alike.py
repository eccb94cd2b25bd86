"""Open tickets about the same matter, beside the form that is being typed, and the repeat in one key."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from core.db import UnitOfWork
from core.people.permissions import Permission
from tickets import queries
from tickets.duplicates.alike import Asked, alike
from tickets.duplicates.joining import add_as_repeat
from web.context import WebContext, actor, context
from web.inputs import path_id, read_form
from web.reads.similar import reason
from web.render import fragment
from web.routes import route
from web.views._forms import DraftFields, OnTicketFields, to_form
from web.views.drafts import end_with
from web.words import TICKET_WORDS


@route("POST", "/drafts/{draft_id:[0-9]+}/alike", permission=Permission.DRAFT_WRITE)
async def beside(request: web.Request) -> web.StreamResponse:
    """What is open about the same matter as the form says so far; nothing is saved."""
    fields = await read_form(request, DraftFields)
    ctx, person, draft_id = context(request), actor(request), path_id(request, "draft_id")
    asked = Asked(fields.title, fields.narrative, fields.address, fields.type, fields.confidentiality)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        draft = await queries.draft_form(session, person, ctx.vault, draft_id)
        found = await alike(session, person, asked, now, caller_ref=draft.draft.caller_ref)
    lines = [(one, reason(one, now)) for one in found]
    may_add = person.may(Permission.TICKET_CREATE) and person.may(Permission.TICKET_MERGE)
    return fragment(
        request, "agent/_alike.html", draft_id=draft_id, lines=lines, may_add=may_add, words=TICKET_WORDS
    )


@route(
    "POST",
    "/drafts/{draft_id:[0-9]+}/repeat",
    permission=Permission.TICKET_CREATE,
    also=Permission.TICKET_MERGE,
)
async def end_as_repeat(request: web.Request) -> web.StreamResponse:
    """The same matter again: an urge by the same caller, a ticket merged into the first by another."""
    fields = await read_form(request, OnTicketFields)

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        draft_id = path_id(request, "draft_id")
        made = await add_as_repeat(
            uow,
            ctx.drafts,
            ctx.tickets,
            actor(request),
            draft_id,
            fields.version,
            to_form(fields),
            fields.ticket_id,
        )
        shown: dict[str, Any] = {"href": f"/tickets/{made.ticket_id}", "href_label": "查看主单"}
        if made.made is None:
            return shown | {"title": "已记为催办", "note": "同一来电人再次反映，承办单位会看到这次催办。"}
        return shown | {
            "title": "已记为重复来电",
            "number_label": "工单号",
            "number": made.made.number,
            "code": made.made.query_code,
            "note": f"已并入 {made.number[4:12]} {made.number[12:]}，主单办结时一并答复。",
        }

    return await end_with(request, fields, work)
