"""Notices to oneself: the bell of every page, the list, and by which channel one wants them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.errors import HotlineError
from core.notify import staff
from sla.digest import digest_of
from tickets import notices
from web.context import actor, context, optional_actor
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route
from web.views.workbench import URGENCIES

CHANNEL_WORDS = {"console": "系统内", "email": "电子邮件", "webhook": "工作群机器人"}


class ListQuery(Fields):
    unread: bool = False
    before: str | None = Field(None, max_length=60)
    saved: Literal["1"] | None = None


class NoFields(Fields):
    pass


class PreferencesForm(Fields):
    on: list[str] = Field([], max_length=100)
    email: str = Field("", max_length=254)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """The number beside the bell."""
    person = optional_actor(request)
    if person is None or person.user_id is None:
        return {"unread": 0}
    async with context(request).db.read() as session:
        return {"unread": await staff.count_unread(session, person.user_id)}


@route("GET", "/notifications/bell", signed_in=True)
async def bell(request: web.Request) -> web.StreamResponse:
    """The bell alone, when a notice came or was read elsewhere."""
    return fragment(request, "notifications/_bell.html", **await frame_part(request))


@route("GET", "/notifications", signed_in=True)
async def notice_list(request: web.Request) -> web.StreamResponse:
    """One's own notices, newest first."""
    query = read_query(request, ListQuery)
    async with context(request).db.read() as session:
        found = await notices.notice_list(
            session, actor(request), unread=query.unread, before=_mark(query.before)
        )
    items, last = found[: notices.PAGE], found[notices.PAGE - 1 : notices.PAGE]
    more = f"{last[0].at.isoformat()}_{last[0].id}" if len(found) > notices.PAGE else ""
    values: dict[str, Any] = {
        "items": items,
        "more": more,
        "only_unread": query.unread,
        "pages": notices.PAGES,
    }
    return await page(request, "notifications/list.html", **values)


@route("GET", "/digest", signed_in=True)
async def digest(request: web.Request) -> web.StreamResponse:
    """What one was told this morning, with the ways to what is there now."""
    person = actor(request)
    async with context(request).db.read() as session:
        found = await digest_of(session, person.user_id or 0)
    day = to_city(context(request).clock.now()).date()
    values: dict[str, Any] = {
        "found": found,
        "is_today": found is not None and found.day == day,
        "urgencies": URGENCIES,
    }
    return await page(request, "notifications/digest.html", **values)


def _mark(text: str | None) -> tuple[datetime, int] | None:
    """The place a page goes on from. Raises `bad_cursor`."""
    if text is None:
        return None
    at, _, ident = text.replace(" ", "+").partition("_")
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        raise HotlineError("bad_cursor") from None
    if found.tzinfo is None or not (ident.isascii() and ident.isdigit() and len(ident) <= 18):
        raise HotlineError("bad_cursor")
    return found, int(ident)


@route("POST", "/notifications/{notice_id:[0-9]+}/open", signed_in=True)
async def open_notice(request: web.Request) -> web.StreamResponse:
    """Mark one notice as read and go where it leads."""
    await read_form(request, NoFields)
    ctx, person, ident = context(request), actor(request), path_id(request, "notice_id")
    async with ctx.db.begin() as uow:
        target = await notices.target_of(uow.session, person, ident)
        await staff.mark_read(uow, person.user_id or 0, [ident])
    return redirect(request, target)


@route("POST", "/notifications/read", signed_in=True)
async def read_all(request: web.Request) -> web.StreamResponse:
    """Mark everything as read."""
    await read_form(request, NoFields)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        await staff.mark_read(uow, person.user_id or 0, None)
    return redirect(request, "/notifications")


@route("GET", "/notifications/preferences", signed_in=True)
async def preferences(request: web.Request) -> web.StreamResponse:
    """Which notices one wants by which channel."""
    query = read_query(request, ListQuery)
    return await page(
        request,
        "notifications/preferences.html",
        **await _preferences(request),
        saved=bool(query.saved),
        wrong="",
    )


async def _preferences(request: web.Request) -> dict[str, Any]:
    ctx, person = context(request), actor(request)
    async with ctx.db.read() as session:
        differs = await staff.preferences(session, person.user_id or 0)
        email = await staff.address(session, ctx.vault, person.user_id or 0)
    on = {
        f"{kind}.{channel}"
        for kind in notices.KINDS
        for channel in staff.CHANNELS
        if differs.get((kind, channel), channel in staff.USUAL)
    }
    there = {
        "console": True,
        "email": ctx.channels.mail is not None,
        "webhook": ctx.channels.hook is not None,
    }
    kinds = notices.kinds_for(person)
    return {"kinds": kinds, "channels": CHANNEL_WORDS, "there": there, "on": on, "email": email}


@route("POST", "/notifications/preferences", signed_in=True)
async def save_preferences(request: web.Request) -> web.StreamResponse:
    """Keep one's wishes."""
    form = await read_form(request, PreferencesForm)
    ctx, person = context(request), actor(request)
    kinds = [kind for kind, _ in notices.kinds_for(person)]
    known = {f"{kind}.{channel}" for kind in kinds for channel in staff.CHANNELS}
    if not known.issuperset(form.on):
        raise HotlineError("unknown_field", fields=["on"])
    try:
        async with ctx.db.begin() as uow:
            if kinds:
                await staff.prefer(uow, person.user_id or 0, kinds, form.on)
            await staff.set_address(uow, ctx.vault, person.user_id or 0, form.email)
    except HotlineError as error:
        if error.code != "email_invalid":
            raise
        values = await _preferences(request) | {"on": set(form.on), "email": form.email}
        return await page(
            request, "notifications/preferences.html", status=422, **values, saved=False, wrong="email"
        )
    return redirect(request, "/notifications/preferences?saved=1")
