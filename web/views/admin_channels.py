"""渠道: which ways of writing to the hotline are on, how they fare, and a button that tries them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.notify.ports import DeliveryFailed
from core.people.permissions import Permission
from routing.channels import queries
from routing.channels.making import NAMES
from web.channel_words import MODES, trouble
from web.context import actor, context
from web.inputs import Fields, read_form, read_query
from web.render import page, redirect
from web.routes import route
from web.views.channels import channels_of

HOME = "/admin/channels"
MAY = Permission.CHANNEL_MANAGE
SECONDS = 20.0
CALLBACKS = {"wechat": "/channels/wechat", "weibo": "/channels/weibo"}


class Query(Fields):
    tried: str = Field("", max_length=20)


class NoFields(Fields):
    pass


@dataclass(frozen=True)
class Line:
    """One channel as the page shows it."""

    name: str
    label: str
    mode: str
    mode_word: str
    tone: str
    callback: str
    fares: queries.Fares

    @property
    def on(self) -> bool:
        return self.mode != "off"

    @property
    def trouble(self) -> str:
        """The last trouble in words."""
        return trouble(self.fares.error)


@route("GET", HOME, permission=MAY)
async def channel_page(request: web.Request) -> web.StreamResponse:
    """Every channel: on or off, the last message in and out, its last trouble."""
    query, ctx, found = read_query(request, Query), context(request), channels_of(request)
    address = ctx.settings.http.public_url.rstrip("/")
    lines = []
    async with ctx.db.read() as session:
        for name, label in NAMES.items():
            mode = found.modes.get(name, "off")
            word, tone = MODES[mode]
            callback = address + CALLBACKS[name] if name in CALLBACKS else ""
            lines.append(Line(name, label, mode, word, tone, callback, await queries.fares(session, name)))
    tried = next((line for line in lines if line.name == query.tried), None)
    return await page(
        request, "admin/channels.html", lines=lines, tried=tried, double=found.double is not None
    )


@route("POST", HOME + "/{name}/check", permission=MAY)
async def check(request: web.Request) -> web.StreamResponse:
    """Try one channel: does its platform answer us and know us. Audited."""
    await read_form(request, NoFields)
    service = channels_of(request).service
    channel = service.channels.get(request.match_info["name"])
    if channel is None:
        raise HotlineError("channel_off")
    error: str | None = None
    try:
        async with asyncio.timeout(SECONDS):
            await channel.check()
    except DeliveryFailed as failed:
        error = failed.code
    except TimeoutError:
        error = "timeout"
    await service.checked(actor(request), channel.name, error)
    return redirect(request, f"{HOME}?tried={channel.name}")
