"""The citizen's page of a conversation in writing: no account, no script needed, large enough for a phone.

Whoever has the token of a conversation is its citizen; it lies in a cookie no script can read and opens
this conversation alone. What was typed is never lost: a refused message stays in its field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic import Field

from chats import queries
from chats.channels import sms
from core.errors import HotlineError
from core.ids import new_token
from core.privacy import normalise_phone
from web.context import SOURCE, context, wants_fragment
from web.errors import problem_of
from web.inputs import Fields, read_form, read_query
from web.render import bare_page as page
from web.render import fragment, redirect
from web.routes import route
from web.security.rates import RATES

COOKIE, MAX_TOKEN = "hl_text", 64
KIND = {"mobile", "landline"}
# What the citizen can mend himself is told beside the field he typed in.
MENDED = frozenset({"chat_empty", "chat_too_long", "chat_full", "chat_ended", "too_many_requests"})
READS_PER_MINUTE = 120


class StartForm(Fields):
    agree: str = Field("", max_length=1)
    phone: str = Field("", max_length=40)


class SayForm(Fields):
    text: str = Field("", max_length=8000)
    key: str = Field("", max_length=40, pattern=r"^[A-Za-z0-9_-]*$")


class LinesQuery(Fields):
    after: int = Field(0, ge=0, lt=2**63)


@route("GET", "/text", public=True)
async def start(request: web.Request) -> web.StreamResponse:
    """What this is and what happens to what is written; who is in a conversation goes on with it."""
    if await _place(request) is not None:
        return redirect(request, "/text/talk")
    return await _start(request, {})


@route("POST", "/text", public=True, max_body=4096)
async def begin(request: web.Request) -> web.StreamResponse:
    """Open a conversation: the notice was agreed to; a number is not asked for but may be left."""
    form, ctx = await read_form(request, StartForm), context(request)
    if not ctx.settings.text.enabled:
        return await _start(request, {"phone": form.phone}, "text_closed")
    if form.agree != "1":
        return await _start(request, {"phone": form.phone}, "text_agree")
    phone = normalise_phone(form.phone, area=ctx.settings.city.phone_area) if form.phone else None
    if phone is not None and phone.kind not in KIND:
        return await _start(request, {"phone": form.phone}, "text_phone")
    try:
        most = ctx.settings.text.opens_per_hour
        request.app[RATES].count("text.open", request[SOURCE], most=most, seconds=3600)
        async with ctx.db.begin() as uow:
            opened = await ctx.chats.open_web(uow, phone=phone.number if phone else None)
    except HotlineError as error:
        return await _start(request, {"phone": form.phone}, error.code)
    response = redirect(request, "/text/talk")
    keep = ctx.settings.text.missed_days * 86400
    response.set_cookie(
        _cookie(request), opened.token, path="/", httponly=True, samesite="Strict", secure=ctx.secure,
        max_age=keep,
    )  # fmt: skip
    return response


@route("GET", "/text/talk", public=True)
async def talk(request: web.Request) -> web.StreamResponse:
    """The conversation."""
    place = await _place(request)
    if place is None:
        return redirect(request, "/text")
    return await _talk(request, place, text="")


@route("GET", "/text/lines", public=True)
async def lines(request: web.Request) -> web.StreamResponse:
    """What is new behind a message, and how the conversation stands."""
    query = read_query(request, LinesQuery)
    request.app[RATES].count("text.read", request[SOURCE], most=READS_PER_MINUTE, seconds=60)
    place = await _place(request)
    if place is None:
        raise HotlineError("chat_unknown")
    return fragment(request, "text/_lines.html", **await _lines(request, place, query.after))


@route("POST", "/text/say", public=True, max_body=64 * 1024)
async def say(request: web.Request) -> web.StreamResponse:
    """Write. A refused message comes back in its field with the sentence beside it."""
    form, ctx = await read_form(request, SayForm), context(request)
    place = await _place(request)
    if place is None:
        raise HotlineError("chat_unknown")
    try:
        most = ctx.settings.text.messages_per_minute
        request.app[RATES].count("text.say", str(place.id), most=most, seconds=60)
        async with ctx.db.begin() as uow:
            await ctx.chats.say_citizen(uow, _token(request), form.text, form.key or new_token(9))
    except HotlineError as error:
        if error.code not in MENDED or wants_fragment(request):
            raise
        return await _talk(request, place, text=form.text, code=error.code)
    if wants_fragment(request):
        return web.Response(status=204)
    return redirect(request, "/text/talk#write")


@route("POST", "/text/leave", public=True, max_body=1024)
async def leave(request: web.Request) -> web.StreamResponse:
    """End the conversation; its token opens nothing any more."""
    await read_form(request, Fields)
    ctx, token = context(request), _token(request)
    if token:
        async with ctx.db.begin() as uow:
            await ctx.chats.leave(uow, token)
    response = await page(request, "text/over.html")
    response.del_cookie(_cookie(request), path="/", httponly=True, samesite="Strict", secure=ctx.secure)
    return response


@route("POST", "/gateway/sms", signed=True, max_body=16 * 1024)
async def hear(request: web.Request) -> web.StreamResponse:
    """A text message, signed by the gateway's adapter; 204 once it is kept, also for the second time."""
    ctx, headers = context(request), request.headers
    request.app[RATES].count("gateway.sms", request[SOURCE], most=600, seconds=60)
    body = await request.read()
    if len(body) > 16 * 1024:
        raise HotlineError("too_large")
    found = sms.checked(
        ctx.settings.secrets.webhook_key,
        ctx.clock.now(),
        timestamp=headers.get("HL-Timestamp", "")[:20],
        key=headers.get("HL-Message-Id", "")[:80],
        given=headers.get("HL-Signature", "")[:100],
        body=body,
    )
    phone = normalise_phone(found.number, area=ctx.settings.city.phone_area)
    if phone.number is None or phone.kind not in KIND:
        raise HotlineError("bad_request", field="from")
    async with ctx.db.begin() as uow:
        await ctx.chats.hear_sms(uow, phone.number, found.text, f"in:{found.key}")
    return web.Response(status=204)


# ---- what the pages show ------------------------------------------------------------------------


def _cookie(request: web.Request) -> str:
    return f"__Host-{COOKIE}" if context(request).secure else COOKIE


def _token(request: web.Request) -> str:
    """The token the browser brought, if it could be one of ours; empty otherwise."""
    token = request.cookies.get(_cookie(request), "")
    return token if len(token) <= MAX_TOKEN and token.isascii() else ""


async def _place(request: web.Request) -> queries.Place | None:
    """The conversation of this browser; None for none, for one that is long over, and for a made-up token."""
    token, ctx = _token(request), context(request)
    if not token:
        return None
    try:
        async with ctx.db.read() as session:
            return await queries.of_token(session, token, ctx.clock.now())
    except HotlineError:
        return None


async def _start(request: web.Request, typed: dict[str, str], code: str | None = None) -> web.StreamResponse:
    status, problem = 200, None
    if code is not None:
        _, problem = problem_of(HotlineError(code))
        status = problem.status
    enabled = context(request).settings.text.enabled
    values = {"typed": {"phone": "", **typed}, "problem": problem, "enabled": enabled}
    return await page(request, "text/start.html", status=status, **values)


async def _lines(request: web.Request, place: queries.Place, after: int) -> dict[str, Any]:
    ctx = context(request)
    async with ctx.db.read() as session:
        said = await queries.transcript(session, ctx.vault, place.id, after=after)
    return {
        "said": said,
        "words": WORDS[place.state](place),
        "over": place.state == "ended",
        "mine": "citizen",
    }


async def _talk(
    request: web.Request, place: queries.Place, *, text: str, code: str | None = None
) -> web.StreamResponse:
    status, problem = 200, None
    if code is not None:
        _, problem = problem_of(HotlineError(code))
        status = problem.status
    found = await _lines(request, place, 0)
    values = {"text": text, "key": new_token(9), "problem": problem, **found}
    return await page(request, "text/talk.html", status=status, **values)


def _waiting(place: queries.Place) -> str:
    if place.ahead:
        return f"正在为您转接话务员，前面还有 {place.ahead} 位。您可以先把事情写下来。"
    return "正在为您转接话务员。您可以先把事情写下来。"


WORDS: dict[str, Callable[[queries.Place], str]] = {
    "waiting": _waiting,
    "offered": _waiting,
    "active": lambda _: "话务员正在与您对话。",
    "missed": lambda _: "现在没有空闲的话务员。您的留言已经记下，回复会出现在这里。",
    "ended": lambda _: "本次文字服务已结束。",
}
