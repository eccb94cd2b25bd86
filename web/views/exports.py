"""Exports of lists: asked for on a list, watched on a page of their own, fetched once ready."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import create_model

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets import queries
from tickets.export.service import ExportItem
from tickets.queries.filters import FILTERS
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.render import fragment, page, redirect
from web.routes import route
from web.views.tickets import READ

MIME = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
SOURCES = {
    "tickets": ("工单查询", "/tickets"),
    "unit": ("本单位工单", "/unit"),
    "workbench": ("工作台", "/workbench"),
}


class _Asked(Fields):
    source: Literal["tickets", "unit", "workbench"]
    format: Literal["xlsx", "csv"] = "xlsx"


# The form carries the filters of the list it stands on, and nothing else.
_filters: dict[str, Any] = dict.fromkeys(sorted(FILTERS), (str, ""))
ExportForm: type[_Asked] = create_model("ExportForm", __base__=_Asked, **_filters)


@route("POST", "/exports", permission=READ, also=Permission.TICKET_EXPORT, max_body=8192)
async def begin(request: web.Request) -> web.StreamResponse:
    """Begin an export of what the list shows."""
    form = await read_form(request, ExportForm)
    given = {name: str(getattr(form, name)) for name in FILTERS if getattr(form, name)}
    filters = queries.parse_filters(given)
    service = context(request).exports
    ident = await service.start(actor(request), filters, source=form.source, format=form.format)
    return redirect(request, f"/exports/{ident}")


@route("GET", "/exports", permission=READ, also=Permission.TICKET_EXPORT)
async def mine(request: web.Request) -> web.StreamResponse:
    """One's own exports of the last days."""
    ctx = context(request)
    async with ctx.db.read() as session:
        items = await ctx.exports.mine(session, actor(request))
    return await page(request, "exports/list.html", exports=items, sources=SOURCES)


async def _item(request: web.Request) -> ExportItem:
    ctx = context(request)
    async with ctx.db.read() as session:
        return await ctx.exports.item(session, actor(request), path_id(request, "export_id"))


@route("GET", "/exports/{export_id}", permission=READ, also=Permission.TICKET_EXPORT)
async def one(request: web.Request) -> web.StreamResponse:
    """How far it is, and the file once it is there."""
    return await page(request, "exports/one.html", **await _values(request))


@route("GET", "/exports/{export_id}/progress", permission=READ, also=Permission.TICKET_EXPORT)
async def progress(request: web.Request) -> web.StreamResponse:
    """The part of the page that moves."""
    return fragment(request, "exports/_progress.html", **await _values(request))


async def _values(request: web.Request) -> dict[str, Any]:
    item = await _item(request)
    ctx = context(request)
    hours = ctx.settings.export.keep_hours
    return {"export": item, "source": SOURCES[item.source], "most": ctx.exports.max_rows, "hours": hours}


@route("GET", "/exports/{export_id}/file", permission=READ, also=Permission.TICKET_EXPORT)
async def fetch(request: web.Request) -> web.StreamResponse:
    """The file, for the person who asked for it."""
    item, service = await _item(request), context(request).exports
    path = service.path(item)
    if item.state != "ready" or not path.is_file():
        raise HotlineError("export_not_found", export_id=item.id)
    await service.fetched(actor(request), item)
    disposition = (
        f"attachment; filename=\"export-{item.id}.{item.format}\"; filename*=UTF-8''{quote(item.file_name)}"
    )
    return web.FileResponse(
        path, headers={"Content-Type": MIME[item.format], "Content-Disposition": disposition}
    )
