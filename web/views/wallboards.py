"""Wallboards (大屏): the public read-only page behind a secret address, and the list of addresses."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core import wallboards
from core.errors import HotlineError
from core.people.permissions import Permission
from web.boards import BOARDS
from web.context import SOURCE, actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.wallboard import wallboard
from web.render import page
from web.routes import route
from web.sentences import PROBLEMS
from web.views._admin import NoFields, back

HOME = "/wallboards"
MAY = Permission.WALLBOARD_MANAGE
FRESH = 2.0  # seconds for which one answer serves every screen of this node
DONE = {"revoked": "地址已停用，正在显示它的大屏随即黑屏。"}


class ListQuery(Fields):
    done: str = Field("", max_length=20)


class NameForm(Fields):
    name: str = Field("", max_length=200)


# ---- the board, for whoever has its address -------------------------------------------------------


@route("GET", "/wallboard/{secret}", public=True, max_body=0)
async def board(request: web.Request) -> web.StreamResponse:
    """The page; its figures are fetched by itself."""
    await _check(request)
    return await page(request, "wallboards/board.html", bare=True)


@route("GET", "/wallboard/{secret}/figures", public=True, max_body=0)
async def figures(request: web.Request) -> web.StreamResponse:
    """The figures, at most two seconds old."""
    await _check(request)
    ctx, boards = context(request), request.app[BOARDS]
    now = ctx.clock.monotonic()
    if boards.figures is None or now - boards.read_at >= FRESH:
        async with ctx.db.read() as session:
            boards.figures = await wallboard(session, ctx.clock.now())
        boards.read_at = now
    return web.json_response(boards.figures)


async def _check(request: web.Request) -> None:
    """Raises `not_found` for an address that opens nothing, `too_many_requests` for who asks too often."""
    source, now, boards = request[SOURCE], context(request).clock.monotonic(), request.app[BOARDS]
    if boards.wrong.spent(source, now) or not boards.looks.take(source, now):
        raise HotlineError("too_many_requests")
    if not await wallboards.opens(context(request).db, request.match_info["secret"]):
        boards.wrong.take(source, now)
        raise HotlineError("not_found")


# ---- the addresses --------------------------------------------------------------------------------


@route("GET", HOME, permission=MAY)
async def addresses(request: web.Request) -> web.StreamResponse:
    """Which addresses there are, who made them and when they were last looked at."""
    query = read_query(request, ListQuery)
    return await _list(request, done=DONE.get(query.done))


@route("POST", HOME, permission=MAY)
async def create(request: web.Request) -> web.StreamResponse:
    """Make an address and show it, this once."""
    form, ctx = await read_form(request, NameForm), context(request)
    try:
        async with ctx.db.begin() as uow:
            secret = await wallboards.create(uow, actor(request), form.name)
    except HotlineError as error:
        if error.code not in ("wallboard_name", "wallboard_many"):
            raise
        problem = PROBLEMS[error.code]
        return await _list(request, status=problem.status, problem=problem, typed=form.name)
    origin = ctx.settings.http.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
    return await _list(request, made=f"{origin}/wallboard/{secret}", name=form.name)


@route("POST", HOME + r"/{address_id:\d+}/revoke", permission=MAY)
async def revoke(request: web.Request) -> web.StreamResponse:
    """End an address."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await wallboards.revoke(uow, actor(request), path_id(request, "address_id"))
    return back(request, HOME, "revoked")


async def _list(request: web.Request, status: int = 200, **more: Any) -> web.StreamResponse:
    async with context(request).db.read() as session:
        rows = await wallboards.listed(session)
    values = {"rows": rows, "made": "", "name": "", "done": None, "problem": None, "typed": ""} | more
    return await page(request, "wallboards/list.html", status=status, **values)
