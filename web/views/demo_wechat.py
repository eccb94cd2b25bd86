"""A telephone with WeChat on it, for who tries the product: talks to the double, which posts to our callback.

It is there in development only, where the double is; elsewhere its address names nothing.
"""

from __future__ import annotations

import io
import math
from typing import Any, Literal

from aiohttp import web
from PIL import Image, ImageDraw
from pydantic import Field

from core.errors import HotlineError
from routing.channels.wechat_double import WechatDouble
from web.context import context
from web.inputs import Fields, read_form, read_query
from web.render import bare_page, fragment, redirect
from web.routes import route

HOME = "/demo/wechat"
PEOPLE = {"a": "市民甲", "b": "市民乙", "c": "市民丙"}
Person = Literal["a", "b", "c"]


class WhoQuery(Fields):
    who: Person = "a"


class SayForm(WhoQuery):
    act: Literal["text", "picture", "voice", "place", "tap", "follow", "leave"] = "text"
    text: str = Field("", max_length=2000)
    code: str = Field("", max_length=64)


def _double(request: web.Request) -> WechatDouble:
    """The double. Raises `not_found` where there is none."""
    found = context(request).citizen_channels
    if found is None or found.double is None or not found.double.callback:
        raise HotlineError("not_found")
    return found.double


@route("GET", HOME, public=True)
async def telephone(request: web.Request) -> web.StreamResponse:
    """One person's conversation with the official account."""
    query = read_query(request, WhoQuery)
    return await bare_page(request, "text/wechat.html", **_values(request, query.who))


@route("GET", HOME + "/lines", public=True)
async def lines(request: web.Request) -> web.StreamResponse:
    """The conversation alone, for the page to look for what is new."""
    query = read_query(request, WhoQuery)
    return fragment(request, "text/_wechat_lines.html", **_values(request, query.who))


@route("POST", HOME, public=True, max_body=16 * 1024)
async def say(request: web.Request) -> web.StreamResponse:
    """Somebody writes, sends, points or taps."""
    form, double = await read_form(request, SayForm), _double(request)
    person = _person(form.who)
    match form.act:
        case "text" if form.text.strip():
            await double.say(person, form.text.strip())
        case "picture":
            await double.send(person, "image/jpeg", _picture())
        case "voice":
            await double.send(person, "audio/amr", _voice(), recognised=form.text.strip())
        case "place":
            await double.point(person, 25.27361, 110.29002, form.text.strip() or "桂林市秀峰区中山中路12号")
        case "tap" if form.code:
            await double.tap(person, form.code, form.text)
        case "follow" | "leave":
            await double.event(person, "subscribe" if form.act == "follow" else "unsubscribe")
    return redirect(request, f"{HOME}?who={form.who}#write")


def _person(who: str) -> str:
    return f"demo-{who}"


def _values(request: web.Request, who: str) -> dict[str, Any]:
    shown = _double(request).shown[_person(who)]
    return {"who": who, "people": PEOPLE, "shown": shown, "last": len(shown)}


def _picture() -> bytes:
    """A street lamp that does not shine."""
    made = Image.new("RGB", (320, 240), "#203040")
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, 200, 320, 240), fill="#404a50")
    pen.line((160, 210, 160, 60, 210, 50), fill="#90a0a8", width=6)
    pen.ellipse((196, 46, 232, 66), fill="#182028")
    held = io.BytesIO()
    made.save(held, "JPEG")
    return held.getvalue()


def _voice() -> bytes:
    """Two seconds of nothing, as a telephone records it: frames of silence."""
    return b"#!AMR\n" + b"\x7c" * math.ceil(2 / 0.02)
