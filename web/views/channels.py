"""Where platforms post what citizens wrote: signed callbacks, answered within the request.

The platforms give us five seconds and then post again: the same message gets the answer of the first one,
which a second request simply waits for.
"""

from __future__ import annotations

from aiohttp import web

from core.errors import HotlineError
from core.ids import new_token
from routing.channels import Incoming, texts, weibo
from routing.channels.making import CitizenChannels
from routing.channels.signing import Signed
from web.context import SOURCE, context
from web.routes import route
from web.security.rates import RATES

MAX_BODY = 64 * 1024
POSTS_PER_MINUTE = 6000  # a platform posts for everybody


def channels_of(request: web.Request) -> CitizenChannels:
    """The channels in writing of this node. Raises `channel_off`."""
    found = context(request).citizen_channels
    if found is None:
        raise HotlineError("channel_off")
    return found


def _signed(request: web.Request) -> Signed:
    def part(name: str) -> str:
        return request.query.get(name, "")[:200]

    return Signed(part("signature"), part("timestamp"), part("nonce"), part("msg_signature"))


async def _body(request: web.Request, act: str) -> bytes:
    request.app[RATES].count(act, request[SOURCE], most=POSTS_PER_MINUTE, seconds=60)
    body = await request.read()
    if len(body) > MAX_BODY:
        raise HotlineError("too_large")
    return body


async def _heard(request: web.Request, said: Incoming) -> str:
    """What is answered; who writes without end is asked to wait, and nothing of it is kept."""
    ctx = context(request)
    try:
        most = ctx.settings.channels.messages_per_minute
        request.app[RATES].count("channel.say", f"{said.channel}:{said.sender}", most=most, seconds=60)
    except HotlineError:
        return texts.BUSY
    return (await channels_of(request).service.hear(said)).says


@route("GET", "/channels/wechat", public=True)
async def wechat_echo(request: web.Request) -> web.StreamResponse:
    """The platform asks whether the address is ours: its word comes back."""
    channel = channels_of(request).wechat
    if channel is None:
        raise HotlineError("channel_off")
    channel.codec.check(_signed(request), context(request).clock.now())
    return web.Response(text=request.query.get("echostr", "")[:200])


@route("POST", "/channels/wechat", signed=True, max_body=MAX_BODY)
async def wechat(request: web.Request) -> web.StreamResponse:
    """A message or an event of the official account."""
    found, now = channels_of(request), context(request).clock.now()
    channel = found.wechat
    if channel is None:
        raise HotlineError("channel_off")
    said = channel.codec.read(_signed(request), await _body(request, "channel.wechat"), now)
    says = "" if said is None else await _heard(request, said)
    if said is None or not says:
        return web.Response(text="success")
    answer = channel.codec.answer(said, found.account, says, now, new_token(9))
    return web.Response(body=answer, content_type="application/xml", charset="utf-8")


@route("GET", "/channels/weibo", public=True)
async def weibo_echo(request: web.Request) -> web.StreamResponse:
    """The platform asks whether the address is ours: its word comes back."""
    if channels_of(request).weibo is None:
        raise HotlineError("channel_off")
    ctx = context(request)
    weibo.check(ctx.settings.secrets.weibo_secret, _signed(request), ctx.clock.now())
    return web.Response(text=request.query.get("echostr", "")[:200])


@route("POST", "/channels/weibo", signed=True, max_body=MAX_BODY)
async def weibo_message(request: web.Request) -> web.StreamResponse:
    """A private message or an event of the Weibo account."""
    ctx = context(request)
    if channels_of(request).weibo is None:
        raise HotlineError("channel_off")
    body = await _body(request, "channel.weibo")
    said = weibo.read(ctx.settings.secrets.weibo_secret, _signed(request), body, ctx.clock.now())
    says = "" if said is None else await _heard(request, said)
    if said is None or not says:
        return web.json_response({"result": True})
    answer = weibo.answer(said, ctx.settings.channels.weibo.account, says)
    return web.Response(body=answer, content_type="application/json")
