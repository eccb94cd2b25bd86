"""Open sessions (在线会话): everybody's for the security administrator, one's own for everybody."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from core.errors import HotlineError
from core.people import directory
from core.people.account_acts import Seat
from core.people.duties import Act
from core.people.models import WebSession
from core.people.permissions import Permission
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page, redirect
from web.routes import route
from web.views._admin import NoFields, back

HOME = "/admin/sessions"
MAY = Permission.SESSION_MANAGE
PAGE = 50
DONE = {"ended": "已强制下线，对方页面一秒内关闭。", "mine": "已退出所选登录。"}
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "安卓"),
    ("iPhone|iPad", "iOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edg/", "Edge"),
    ("MicroMessenger/", "微信"),
    ("QQBrowser/", "QQ 浏览器"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
)


class ListQuery(Fields):
    text: str = Field("", max_length=40)
    before: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class MineQuery(Fields):
    done: str = Field("", max_length=20)


def browser_words(agent: str | None) -> str:
    """A browser as people name it, such as `Chrome 86 · Windows`; what is unknown stays short."""
    text = agent or ""
    system = next((word for pattern, word in SYSTEMS if re.search(pattern, text)), "")
    for mark, word in BROWSERS:
        found = re.search(re.escape(mark) + r"(\d+)", text)
        if found:
            return " · ".join(part for part in (f"{word} {found[1]}", system) if part)
    return text[:30] or "—"


@route("GET", HOME, permission=MAY)
async def session_list(request: web.Request) -> web.StreamResponse:
    """Who is signed in now."""
    query, ctx = read_query(request, ListQuery), context(request)
    async with ctx.db.read() as session:
        seats = await directory.seats(
            session,
            ctx.clock.now(),
            ctx.settings.security,
            text=query.text,
            before=query.before,
            limit=PAGE + 1,
        )
    following = {"text": query.text, "before": seats[PAGE - 1].id} if len(seats) > PAGE else {}
    return await page(
        request,
        "admin/sessions.html",
        seats=seats[:PAGE],
        text=query.text,
        next_page=f"{HOME}?{urlencode(following)}" if following else "",
        browser=browser_words,
        done=DONE.get(query.done),
        own=actor(request).session_id,
    )


@route("POST", HOME + r"/{session_id:\d+}/end", permission=MAY)
async def end_one(request: web.Request) -> web.StreamResponse:
    """End one session of somebody; its sockets close within a second."""
    await read_form(request, NoFields)
    ctx, ident = context(request), path_id(request, "session_id")
    async with ctx.db.begin() as uow:
        owner = (
            await uow.session.execute(select(col(WebSession.user_id)).where(col(WebSession.id) == ident))
        ).scalar_one_or_none()
        if owner is None:
            raise HotlineError("session_not_found", session_id=ident)
        await _kill(request, uow, Seat(user_id=owner, session_id=ident))
    return back(request, HOME, "ended")


@route("POST", r"/admin/users/{user_id:\d+}/sessions/end", permission=MAY)
async def end_all(request: web.Request) -> web.StreamResponse:
    """End every session of somebody."""
    await read_form(request, NoFields)
    ident = path_id(request, "user_id")
    async with context(request).db.begin() as uow:
        await _kill(request, uow, Seat(user_id=ident))
    return back(request, f"/admin/users/{ident}", "saved")


async def _kill(request: web.Request, uow: Any, seat: Seat) -> None:
    await context(request).people.proposals.submit(uow, actor(request), Act.SESSION_KILL, seat)


# ---- one's own ------------------------------------------------------------------------------


@route("GET", "/sessions", signed_in=True)
async def mine(request: web.Request) -> web.StreamResponse:
    """Where I am signed in."""
    query, ctx, person = read_query(request, MineQuery), context(request), actor(request)
    async with ctx.db.read() as session:
        seats = await directory.seats(
            session, ctx.clock.now(), ctx.settings.security, user_id=person.user_id, limit=PAGE
        )
    return await page(
        request,
        "auth/sessions.html",
        seats=seats,
        own=person.session_id,
        browser=browser_words,
        done=DONE.get(query.done),
    )


@route("POST", r"/sessions/{session_id:\d+}/end", signed_in=True)
async def end_mine(request: web.Request) -> web.StreamResponse:
    """End one of my own sessions; anybody else's does not exist here."""
    await read_form(request, NoFields)
    ctx, person, ident = context(request), actor(request), path_id(request, "session_id")
    async with ctx.db.read() as session:
        found = await session.get(WebSession, ident)
    if found is None or found.user_id != person.user_id:
        raise HotlineError("session_not_found", session_id=ident)
    await ctx.people.end_session(person, ident)
    return redirect(request, "/login" if ident == person.session_id else "/sessions?done=mine")


@route("POST", "/sessions/end-others", signed_in=True)
async def end_others(request: web.Request) -> web.StreamResponse:
    """End every other session of mine."""
    await read_form(request, NoFields)
    ctx, person = context(request), actor(request)
    await ctx.people.end_other_sessions(person)
    return redirect(request, "/sessions?done=mine")
