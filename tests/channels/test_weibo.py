"""Weibo's private messages: the same dialogue behind another signature, and answers by its interface."""

import json
from collections.abc import AsyncIterator
from urllib.parse import unquote

import aiohttp
import pytest
from aiohttp import web

from core.notify.calls import Calls
from core.notify.guard import networks
from core.notify.ports import DeliveryFailed
from core.settings import Settings, WeiboChannel, load_settings
from routing.channels import Outgoing, Unreachable
from routing.channels.signing import digest
from routing.channels.weibo import Weibo
from tests.channels.conftest import Rig

SECRET = "weibo-app-secret"


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    return load_settings(
        environ={
            "HOTLINE_PATHS__VAR": str(settings.paths.var),
            "HOTLINE_HTTP__PORT": "0",
            "HOTLINE_CHANNELS__WEIBO__MODE": "platform",
            "HOTLINE_CHANNELS__WEIBO__ACCOUNT": "5000",
            "HOTLINE_SECRETS__WEIBO_SECRET": SECRET,
        }
    )


class Says:
    """The platform's side of the callback."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.serial = rig, 0

    async def __call__(self, text: object, *, ident: int | None = None, **over: str) -> tuple[int, str]:
        self.serial += 1
        body = {"type": "text", "receiver_id": 5000, "sender_id": 7001, "text": text}
        return await self.post({**body, "id": ident or self.serial}, **over)

    async def post(self, body: object, **over: str) -> tuple[int, str]:
        self.serial += 1
        at, nonce = str(int(self.rig.clock.now().timestamp())), f"n{self.serial}"
        query = {"timestamp": at, "nonce": nonce, "signature": digest(SECRET, at, nonce), **over}
        url = f"{self.rig.console.base}/channels/weibo"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with aiohttp.ClientSession() as http, http.post(url, params=query, data=raw) as answer:
            text = await answer.text()
        if answer.status != 200 or "data" not in json.loads(text):
            return answer.status, ""
        return answer.status, str(json.loads(unquote(json.loads(text)["data"]))["text"])


@pytest.fixture
def says(rig: Rig) -> Says:
    return Says(rig)


async def test_a_dialogue_becomes_a_ticket(rig: Rig, says: Says) -> None:
    for words in ("公园里有人乱倒垃圾", "七星公园南门", "好了", "李四 13900000002"):
        await says(words)
    first = await says("确认", ident=900)
    again = await says("确认", ident=900)
    ticket = await rig.ticket()
    assert ticket.channel == "weibo"
    assert ticket.number in first[1]
    assert first == again
    assert await rig.tickets() == 1


async def test_what_is_not_signed_makes_nothing(rig: Rig, says: Says) -> None:
    assert (await says("路灯坏了", signature="0" * 40))[0] == 400
    assert (await says("路灯坏了", timestamp="1"))[0] == 400
    assert await rig.scalar("SELECT count(*) FROM channel_message") == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 5000,
        {"type": "text", "sender_id": "x", "text": "a"},
        {"type": "position", "sender_id": 1, "data": {"latitude": "x"}},
        {"type": "position", "sender_id": 1, "data": [1]},
        {"type": "position", "sender_id": 1, "data": {"latitude": 1e999, "longitude": 1}},
    ],
)
async def test_what_no_platform_posts_is_a_bad_request(says: Says, body: object) -> None:
    assert (await says.post(body))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"type": "text", "sender_id": 1, "text": {"a": 1}},
        {"type": {"a": 1}, "sender_id": 1},
        {"type": "image", "sender_id": 1, "data": {"tovfid": None}},
        {"type": "event", "sender_id": 1, "data": {"subtype": "follow"}},
        {"type": "event", "sender_id": 1, "data": {"subtype": "scan"}},
    ],
)
async def test_odd_messages_are_taken_calmly(rig: Rig, says: Says, body: object) -> None:
    assert (await says.post(body))[0] == 200
    assert await rig.tickets() == 0


@pytest.fixture
async def platform() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Weibo's interface for answers."""
    taken: list[dict[str, str]] = []

    async def reply(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        taken.append(form)
        if form["receiver_id"] == "404":
            return web.json_response({"error_code": 20016, "error": "not follower"})
        if form["access_token"] != "right":
            return web.json_response({"error_code": 21332})
        return web.json_response({"result": True})

    app = web.Application()
    app.router.add_post("/2/messages/reply.json", reply)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", taken
    await runner.cleanup()


async def test_news_go_by_the_interface(rig: Rig, platform: tuple[str, list[dict[str, str]]]) -> None:
    calls = Calls(allowed=networks(("127.0.0.1/32",)))
    channel = Weibo(WeiboChannel(api=platform[0]), "right", calls)
    await channel.send(Outgoing("k", "7001", "已转交", rig.clock.now()))
    assert json.loads(platform[1][0]["data"]) == {"text": "已转交"}
    with pytest.raises(Unreachable):
        await channel.send(Outgoing("k", "404", "已转交", rig.clock.now()))
    with pytest.raises(DeliveryFailed, match="weibo_21332"):
        await Weibo(WeiboChannel(api=platform[0]), "wrong", calls).send(
            Outgoing("k", "7001", "x", rig.clock.now())
        )
    with pytest.raises(DeliveryFailed, match="address_refused"):  # nobody allowed the inside of the network
        await Weibo(WeiboChannel(api=platform[0]), "right", Calls()).send(
            Outgoing("k", "7001", "x", rig.clock.now())
        )
