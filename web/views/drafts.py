"""Drafts: opened, kept while they are typed, ended exactly once, handed over, never deleted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import queries
from tickets.terms import Disposition, TicketType, label
from web.context import WebContext, actor, context, wants_fragment
from web.inputs import path_id, read_form
from web.render import fragment, page, redirect
from web.routes import route
from web.views._forms import (
    LABELS,
    DraftFields,
    HandOverFields,
    OnTicketFields,
    RecordFields,
    field_errors,
    to_fields,
    to_form,
)
from web.views._panel import FORM_TERMS, TERMS, options_for, panel_of

WRITE = Permission.DRAFT_WRITE
PAGE_NAME = re.compile(r"[0-9a-z]{6,24}")
Work = Callable[[WebContext, UnitOfWork], Awaitable[dict[str, Any]]]


@route("POST", "/drafts", permission=WRITE)
async def open_draft(request: web.Request) -> web.StreamResponse:
    """An empty draft for a visitor or another channel; one that is still empty is taken up again."""
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        made = await ctx.drafts.open_empty(uow, person)
    return redirect(request, f"/agent?draft={made}")


@route("GET", "/drafts/{draft_id:[0-9]+}/panel", permission=WRITE)
async def panel(request: web.Request) -> web.StreamResponse:
    """Caller and form of one of my open drafts, when its tab is opened for the first time."""
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        shown = await panel_of(request, session, path_id(request, "draft_id"))
        options = await options_for(session, person)
    return fragment(request, "agent/_panel.html", panel=shown, options=options, terms=FORM_TERMS)


@route("GET", "/drafts/{draft_id:[0-9]+}/caller", permission=WRITE)
async def caller(request: web.Request) -> web.StreamResponse:
    """The caller card alone: it changes while the form beside it is typed in."""
    async with context(request).db.read() as session:
        shown = await panel_of(request, session, path_id(request, "draft_id"))
    return fragment(request, "agent/_caller.html", panel=shown)


@route("POST", "/drafts/{draft_id:[0-9]+}/form", permission=WRITE)
async def save(request: web.Request) -> web.StreamResponse:
    """Keep what is typed. The new version comes in the header HL-Version.

    A page that begins to write names itself in the header HL-Page.
    """
    fields = await read_form(request, DraftFields)
    named = request.headers.get("HL-Page", "")
    page_name = named if PAGE_NAME.fullmatch(named) else ""

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        draft_id = path_id(request, "draft_id")
        told = to_form(fields)
        saved = await ctx.drafts.save(uow, actor(request), draft_id, fields.version, told, page=page_name)
        return {"version": saved}

    result = await _try(request, fields, work)
    if isinstance(result, web.StreamResponse):
        return result
    if not wants_fragment(request):
        return redirect(request, f"/agent?draft={request.match_info['draft_id']}")
    return web.Response(status=200, headers={"HL-Version": str(result["version"])})


@route("POST", "/drafts/{draft_id:[0-9]+}/ticket", permission=Permission.TICKET_CREATE)
async def end_as_ticket(request: web.Request) -> web.StreamResponse:
    """The draft becomes a ticket; number and query code are shown to be read out."""
    fields = await read_form(request, DraftFields)

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        draft_id = path_id(request, "draft_id")
        made = await ctx.tickets.create_from_draft(
            uow, actor(request), draft_id, to_form(fields), fields.version
        )
        may_dispatch = actor(request).may(Permission.TICKET_DISPATCH)
        return {
            "title": "工单已登记",
            "number_label": "工单号",
            "number": made.number,
            "code": made.query_code,
            "note": "已进入待派单。来电人可凭工单号和查询码查询进度。",
            "href": f"/tickets/{made.id}",
            "href_label": "查看并派发" if may_dispatch else "查看工单",
        }

    # An appeal locks the ticket it objects to; everything else is written without looking twice.
    return await end_with(request, fields, work, hopeful=fields.type != TicketType.APPEAL.value)


@route("POST", "/drafts/{draft_id:[0-9]+}/record", permission=WRITE)
async def end_as_record(request: web.Request) -> web.StreamResponse:
    """No ticket comes of it, but a numbered record does (直办, 告知, 误拨 …)."""
    fields = await read_form(request, RecordFields)

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        draft_id, person = path_id(request, "draft_id"), actor(request)
        version = await _keep(ctx, uow, request, fields)
        number = await ctx.drafts.end_as_record(uow, person, draft_id, version, fields.code, fields.note)
        return {
            "title": f"已登记：{label(Disposition, fields.code)}",
            "number_label": "记录编号",
            "number": number,
            "note": "本次来电未立工单，登记内容已保留。",
        }

    return await end_with(request, fields, work)


@route("POST", "/drafts/{draft_id:[0-9]+}/urge", permission=WRITE)
async def end_as_urge(request: web.Request) -> web.StreamResponse:
    """The citizen asks again about an open ticket: an urge, not a new ticket."""
    fields = await read_form(request, OnTicketFields)

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        draft_id = path_id(request, "draft_id")
        version = await _keep(ctx, uow, request, fields)
        await ctx.drafts.end_as_urge(uow, actor(request), draft_id, version, fields.ticket_id, fields.note)
        return _on_ticket("已记为催办", "承办单位会看到这次催办。", fields.ticket_id)

    return await end_with(request, fields, work)


@route("POST", "/drafts/{draft_id:[0-9]+}/addition", permission=WRITE)
async def end_as_addition(request: web.Request) -> web.StreamResponse:
    """The citizen adds to an open ticket."""
    fields = await read_form(request, OnTicketFields)

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        draft_id = path_id(request, "draft_id")
        version = await _keep(ctx, uow, request, fields)
        await ctx.drafts.end_as_addition(
            uow, actor(request), draft_id, version, fields.ticket_id, fields.note
        )
        return _on_ticket("已补充到工单", "承办单位会看到补充的内容。", fields.ticket_id)

    return await end_with(request, fields, work)


@route("POST", "/drafts/{draft_id:[0-9]+}/hand-over", permission=WRITE)
async def hand_over(request: web.Request) -> web.StreamResponse:
    """A colleague goes on writing; the draft leaves my tabs and appears among his."""
    fields = await read_form(request, HandOverFields)

    async def work(ctx: WebContext, uow: UnitOfWork) -> dict[str, Any]:
        if fields.to_user_id is None:
            raise HotlineError("user_cannot_take", user_id=None)
        version = await _keep(ctx, uow, request, fields)
        draft_id = path_id(request, "draft_id")
        await ctx.drafts.hand_over(uow, actor(request), draft_id, version, fields.to_user_id)
        return {"title": "已移交", "note": "草稿已出现在对方的坐席台，内容不变。"}

    return await end_with(request, fields, work)


async def _keep(ctx: WebContext, uow: UnitOfWork, request: web.Request, fields: DraftFields) -> int:
    """Save what is in the form with the ending, in one transaction; returns the version to end from.

    A second press of the same key finds the draft ended: the ending itself tells a replay from a
    mistake, so the version it was first ended from is handed on.
    """
    draft_id = path_id(request, "draft_id")
    try:
        return int(await ctx.drafts.save(uow, actor(request), draft_id, fields.version, to_form(fields)))
    except HotlineError as error:
        if error.code != "draft_already_ended":
            raise
        return fields.version + 1


def _on_ticket(title: str, note: str, ticket_id: int) -> dict[str, Any]:
    return {"title": title, "note": note, "href": f"/tickets/{ticket_id}", "href_label": "查看工单"}


async def end_with(
    request: web.Request, fields: DraftFields, work: Work, *, hopeful: bool = False
) -> web.StreamResponse:
    """Run an ending and show what came of it."""
    result = await _try(request, fields, work, hopeful=hopeful)
    if isinstance(result, web.StreamResponse):
        return result
    shown: dict[str, Any] = {
        "draft_id": path_id(request, "draft_id"),
        "number": None,
        "number_label": "",
        "href": None,
        "href_label": "",
        **result,
    }
    shown["number_groups"] = _groups(shown["number"] or "", 4, 8)
    shown["code_groups"] = _groups(shown.get("code") or "", 3)
    if wants_fragment(request):
        return fragment(request, "agent/_result.html", result=shown)
    return await page(request, "agent/result.html", result=shown)


def _groups(text: str, *sizes: int) -> str:
    """Digits in groups that can be read out: area, day and sequence of a number; halves of a code."""
    parts, rest = [], text
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return " ".join(part for part in [*parts, rest] if part)


async def _try(
    request: web.Request, fields: DraftFields, work: Work, *, hopeful: bool = False
) -> dict[str, Any] | web.StreamResponse:
    """Do `work` in one transaction; refusals a form can show become an answer for its element."""
    ctx = context(request)
    try:
        return await ctx.db.retrying(lambda uow: work(ctx, uow), hopeful=hopeful)
    except HotlineError as error:
        if not wants_fragment(request):
            raise
        errors = field_errors(error)
        if errors is not None:
            return web.json_response({"errors": errors}, status=422)
        if error.code == "version_conflict":
            return await _conflict(request, fields)
        if error.code in ("draft_already_ended", "draft_not_yours"):
            return web.Response(status=410, text="", headers={"HL-Code": error.code})
        raise


async def _conflict(request: web.Request, fields: DraftFields) -> web.StreamResponse:
    """Both texts, field by field, for a person to choose."""
    ctx = context(request)
    async with ctx.db.read() as session:
        found = await queries.draft_form(session, actor(request), ctx.vault, path_id(request, "draft_id"))
        options = await options_for(session, actor(request))
    ours, theirs = to_fields(to_form(fields)), to_fields(found.form)
    names = {
        "category_id": {option.value: option.path for option in options["categories"]},
        "area_id": {option.value: option.path for option in options["areas"]},
        **{key: dict(TERMS[terms]) for key, terms in _CHOICES.items()},
    }
    rows = [
        {
            "name": name,
            "label": word,
            "ours": _shown(names, name, ours[name]),
            "theirs": _shown(names, name, theirs[name]),
            "theirs_value": theirs[name],
        }
        for name, word in LABELS.items()
        if ours[name] != theirs[name]
    ]
    answer = fragment(request, "agent/_conflict.html", status=409, version=found.draft.version, rows=rows)
    answer.headers["HL-Code"] = "version_conflict"
    return answer


_CHOICES = {
    "type": "types",
    "urgency": "urgencies",
    "confidentiality": "confidentialities",
    "channel": "channels",
}


def _shown(names: dict[str, dict[str, str]], name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return names.get(name, {}).get(value, value) if value else ""
