"""The attachments of a ticket: a part of its page, one page each, and the way in and out."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field, ValidationError

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets.attachments import queries, sniff
from tickets.attachments.queries import AUDIENCES, AttachmentItem
from tickets.attachments.service import CLOSED_STATES, Choice, default_audience
from tickets.visibility import sees_every_ticket
from web.context import actor, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route
from web.views._uploads import Refusal, Upload, read_upload
from web.views.tickets import READ, READ_ALL

MEGABYTE = 1024 * 1024
MAX_UPLOAD = 2100 * MEGABYTE  # above the largest file the settings may allow
# A file of somebody else's is data: it runs nothing, frames nothing, and loads nothing.
SANDBOX = "default-src 'none'; img-src 'self'; style-src 'none'; sandbox; frame-ancestors 'none'"


class UploadForm(Fields):
    audience: Literal["hotline", "handling", "public"] | None = None
    identifies: bool = False
    checked: bool = False
    redacted_of: int | None = Field(None, gt=0, lt=2**63)


class FileQuery(Fields):
    view: Literal["download", "inline", "thumb"] = "download"


class WithdrawForm(Fields):
    reason: str = Field(min_length=1, max_length=200)


class AudienceForm(Fields):
    audience: Literal["hotline", "handling", "public"]
    checked: bool = False


# ---- pages ----------------------------------------------------------------------------------


@route("GET", "/tickets/{ticket_id}/attachments", permission=READ)
async def attachments(request: web.Request) -> web.StreamResponse:
    """The attachments with the form to add some: a piece of the ticket's page, or a page of its own."""
    return await _panel(request, path_id(request, "ticket_id"))


async def _panel(
    request: web.Request, ident: int, *, refused: list[Refusal] | None = None, status: int = 200
) -> web.StreamResponse:
    values = await _values(request, ident)
    values["refused"] = [(one.name, problem_of(one.error)[1]) for one in refused or []]
    if wants_fragment(request):
        return fragment(request, "attachments/_panel.html", status=status, **values)
    return await page(request, "attachments/page.html", status=status, **values)


async def _values(request: web.Request, ident: int) -> dict[str, Any]:
    person = actor(request)
    async with context(request).db.read() as session:
        facts = await queries.ticket_facts(session, person, ident)
        items = await queries.attachment_list(session, person, ident)
    may_add = person.may(Permission.TICKET_NOTE) and facts.state not in CLOSED_STATES
    return {
        "facts": facts,
        "items": items,
        "may_add": may_add,
        "is_hotline": sees_every_ticket(person),
        "default_audience": default_audience(person, facts),
        "audiences": [
            pair for pair in AUDIENCES.items() if sees_every_ticket(person) or pair[0] != "hotline"
        ],
        "accept": ",".join(f".{name}" for name in sniff.EXTENSIONS),
        "limits": context(request).settings.uploads,
    }


@route("GET", "/tickets/{ticket_id}/attachments/list", permission=READ)
async def attachment_list(request: web.Request) -> web.StreamResponse:
    """The list alone, fetched anew when an attachment came or went."""
    return fragment(
        request, "attachments/_list.html", **await _values(request, path_id(request, "ticket_id"))
    )


@route("GET", "/tickets/{ticket_id}/attachments/{attachment_id}", permission=READ)
async def attachment_page(request: web.Request) -> web.StreamResponse:
    """One attachment: what it is, who sees it, and what may be done with it."""
    return await _one(request)


async def _one(request: web.Request) -> web.StreamResponse:
    ident, person = path_id(request, "ticket_id"), actor(request)
    values = await _values(request, ident)
    async with context(request).db.read() as session:
        item = await queries.attachment(session, person, ident, path_id(request, "attachment_id"))
    return await page(
        request,
        "attachments/one.html",
        item=item,
        may_fetch=queries.may_fetch(person, item),
        may_withdraw=queries.may_withdraw(person, item),
        may_share=queries.may_share(person, item),
        **values,
    )


# ---- in and out -----------------------------------------------------------------------------


@route("POST", "/tickets/{ticket_id}/attachments", permission=Permission.TICKET_NOTE, max_body=MAX_UPLOAD)
async def upload(request: web.Request) -> web.StreamResponse:
    """Take files in. Each is judged by itself; what is refused is named, with the reason."""
    ident, person = path_id(request, "ticket_id"), actor(request)
    service = context(request).attachments
    await service.expect(person, ident)
    async with service.store.receiving() as room:
        found = await read_upload(request, service, person, ident, room)
        choice = _choice(found)
        for received in found.files:
            try:
                await service.keep(person, ident, received, choice)
            except HotlineError as error:
                found.refused.append(Refusal(received.name, error))
                await service.refuse(person, ident, error, received.name, received.size)
    if not found.files and not found.refused:
        raise HotlineError("attachment_empty")
    if found.refused:
        if len(found.files) + len(found.refused) <= 2 and wants_fragment(request):
            raise found.refused[0].error
        return await _panel(request, ident, refused=found.refused, status=422)
    if wants_fragment(request):
        return fragment(request, "attachments/_list.html", **await _values(request, ident))
    return redirect(request, f"/tickets/{ident}/attachments")


def _choice(found: Upload) -> Choice:
    try:
        form = UploadForm.model_validate({key: value for key, value in found.fields.items() if value})
    except ValidationError as error:
        unknown = any(item["type"] == "extra_forbidden" for item in error.errors())
        raise HotlineError("unknown_field" if unknown else "bad_request") from None
    return Choice(form.audience, form.identifies, form.checked, form.redacted_of)


@route("GET", "/tickets/{ticket_id}/attachments/{attachment_id}/file", permission=READ)
async def download(request: web.Request) -> web.StreamResponse:
    """The file itself. Only pictures, which were re-made here, are ever shown within a page."""
    ident, person = path_id(request, "ticket_id"), actor(request)
    wanted = read_query(request, FileQuery).view
    service = context(request).attachments
    async with context(request).db.read() as session:
        item = await queries.attachment(session, person, ident, path_id(request, "attachment_id"))
    if not queries.may_fetch(person, item):
        raise HotlineError("attachment_not_found", attachment_id=item.id)
    small = wanted == "thumb" and item.is_picture
    path = service.store.thumb(item.key) if small else service.store.path(item.key)
    if not path.is_file():
        raise HotlineError("attachment_missing", attachment_id=item.id)
    if wanted == "download" or item.identifies:
        await service.fetched(person, item.ticket_id, item.id)
    mime = "image/jpeg" if small else item.kind.mime
    inline = item.is_picture and wanted != "download"
    return web.FileResponse(path, headers=_headers(item, mime, inline=inline))


def _headers(item: AttachmentItem, mime: str, *, inline: bool) -> dict[str, str]:
    way = "inline" if inline else "attachment"
    plain = f"attachment-{item.id}.{item.kind.code}"
    return {
        "Content-Type": f"{mime}; charset=utf-8" if mime == "text/plain" else mime,
        "Content-Disposition": f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(item.name, safe='')}",
        "Content-Security-Policy": SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
    }


# ---- afterwards -----------------------------------------------------------------------------


@route(
    "POST",
    "/tickets/{ticket_id}/attachments/{attachment_id}/withdraw",
    permission=Permission.TICKET_NOTE,
    max_body=4096,
)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take an attachment back, with a reason that stays."""
    ident, attachment_id = path_id(request, "ticket_id"), path_id(request, "attachment_id")
    ctx, person = context(request), actor(request)
    form = await read_form(request, WithdrawForm)
    await ctx.db.retrying(
        lambda uow: ctx.attachments.withdraw(uow, person, ident, attachment_id, form.reason)
    )
    return redirect(request, f"/tickets/{ident}/attachments/{attachment_id}")


@route(
    "POST",
    "/tickets/{ticket_id}/attachments/{attachment_id}/audience",
    permission=READ_ALL,
    also=Permission.TICKET_NOTE,
    max_body=4096,
)
async def share(request: web.Request) -> web.StreamResponse:
    """Open an attachment to others, or close it to them."""
    ident, attachment_id = path_id(request, "ticket_id"), path_id(request, "attachment_id")
    ctx, person = context(request), actor(request)
    form = await read_form(request, AudienceForm)
    await ctx.db.retrying(
        lambda uow: ctx.attachments.share(
            uow, person, ident, attachment_id, form.audience, checked=form.checked
        )
    )
    return redirect(request, f"/tickets/{ident}/attachments/{attachment_id}")
