"""The forms of a ticket on paper: as a page that prints itself, and as a PDF. Each print is audited."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Literal
from urllib.parse import quote

import segno
from aiohttp import web

from core import audit
from core.errors import HotlineError
from tickets.export import paper
from tickets.export.sheets import TITLES, Form, Sheet, sheet
from web.context import actor, context
from web.inputs import Fields, path_id, read_query
from web.render import page
from web.routes import route
from web.views.tickets import READ


class PrintQuery(Fields):
    copy_for: Literal["unit", "third"] = "unit"


@route("GET", "/tickets/{ticket_id}/print/{form}", permission=READ)
async def print_page(request: web.Request) -> web.StreamResponse:
    """A form as an A4 page."""
    found = await _sheet(request, "page")
    return await page(
        request,
        "prints/sheet.html",
        sheet=found,
        forms=[(form.value, title) for form, title in TITLES.items()],
        code=segno.make(found.number, error="m", micro=False).svg_data_uri(border=0),
        marks=marks_of(found.mark),
    )


@route("GET", "/tickets/{ticket_id}/pdf/{form}", permission=READ)
async def print_pdf(request: web.Request) -> web.StreamResponse:
    """The same form as a PDF file."""
    found = await _sheet(request, "pdf")
    body = await asyncio.to_thread(paper.pdf, found)
    name = quote(f"{found.title}-{found.number}.pdf")
    headers = {"Content-Disposition": f"inline; filename=\"{found.number}.pdf\"; filename*=UTF-8''{name}"}
    return web.Response(body=body, content_type="application/pdf", headers=headers)


async def _sheet(request: web.Request, way: str) -> Sheet:
    ident, form = path_id(request, "ticket_id"), request.match_info["form"]
    if form not in list(Form):
        raise HotlineError("not_found")
    third = read_query(request, PrintQuery).copy_for == "third"
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        found = await sheet(
            uow.session,
            person,
            ctx.vault,
            ident,
            Form(form),
            city=ctx.settings.city.name,
            now=uow.now,
            third=third,
        )
        await audit.record(
            uow,
            actor=person,
            action="ticket.print",
            object_type="ticket",
            object_id=ident,
            detail={"form": form, "as": way, "third": third},
        )
    return found


def marks_of(mark: str) -> str:
    """The watermark as a picture, which browsers print, unlike backgrounds."""
    lines = "".join(
        f'<text transform="translate({x + y // 190 % 2 * 70} {y}) rotate(-24)">{escape(mark)}</text>'
        for y in range(150, 1200, 190)
        for x in (10, 400)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 794 1123" font-family="sans-serif" '
        f'font-size="15" fill="#1c2530" fill-opacity="0.08">{lines}</svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"
