"""A WeChat of our own, over HTTP with signatures on both ways: for development and for tests.

It answers the calls of the programming interface as the platform documents them, posts what people say
to our callback, and keeps what each of them was shown. Nobody's telephone, and no network behind it.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from core.clock import Clock
from core.ids import new_token
from routing.channels.signing import digest
from routing.channels.wechat import Codec
from routing.channels.xml import fields

TOKEN, SECRET, APP_ID, ACCOUNT = "double-token", "double-secret", "wxdouble", "gh_double"
MOST_KEPT = 200


@dataclass(frozen=True)
class Bubble:
    """One line of a conversation as the person sees it; `options`: (code, label) of what can be tapped."""

    mine: bool
    text: str
    options: tuple[tuple[str, str], ...] = ()
    state: str = ""


@dataclass
class WechatDouble:
    """Listens on a free port of this machine; `shown` is what each person sees, in order."""

    clock: Clock
    aes_key: str = ""
    callback: str = ""
    template_id: str = "double-template"
    shown: dict[str, list[Bubble]] = field(default_factory=lambda: defaultdict(list))
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)  # said nothing for 48 hours
    tokens: int = 0
    expired: bool = False
    fails: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self.codec = Codec(TOKEN, APP_ID, self.aes_key)
        self._runner: web.AppRunner | None = None
        self._serial = 0
        self._seen: set[str] = set()

    async def start(self) -> None:
        """Begin to listen."""
        app = web.Application()
        app.router.add_post("/cgi-bin/stable_token", self._token)
        app.router.add_post("/cgi-bin/message/template/send", self._template)
        app.router.add_post("/cgi-bin/message/custom/send", self._custom)
        app.router.add_get("/cgi-bin/media/get", self._media)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> "WechatDouble":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ---- the programming interface ---------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (body.get("appid"), body.get("secret")) != (APP_ID, SECRET):
            return web.json_response({"errcode": 40125, "errmsg": "invalid appsecret"})
        if self.expired:
            self.tokens += 1
            self.expired = False
        return web.json_response({"access_token": f"double-{self.tokens}", "expires_in": 7200})

    def _refused(self, request: web.Request, to: str) -> web.Response | None:
        if request.query.get("access_token") != f"double-{self.tokens}" or self.expired:
            return web.json_response({"errcode": 40001, "errmsg": "invalid credential"})
        if self.fails > 0:
            self.fails -= 1
            return web.json_response({"errcode": -1, "errmsg": "system error"})
        if to in self.gone:
            return web.json_response({"errcode": 43004, "errmsg": "require subscribe"})
        return None

    async def _template(self, request: web.Request) -> web.Response:
        body = await request.json()
        refused = self._refused(request, body["touser"])
        if refused is not None:
            return refused
        if body.get("template_id") != self.template_id:
            return web.json_response({"errcode": 40037, "errmsg": "invalid template_id"})
        mark = str(body.get("client_msg_id", ""))
        if mark not in self._seen:
            self._seen.add(mark)
            values = {name: one["value"] for name, one in body["data"].items()}
            text = "\n".join(values.values())
            self._show(body["touser"], Bubble(False, text, state=values.get("phrase2", "")))
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": 1})

    async def _custom(self, request: web.Request) -> web.Response:
        body = await request.json()
        to = body["touser"]
        refused = self._refused(request, to)
        if refused is not None:
            return refused
        if to in self.silent:
            return web.json_response({"errcode": 45015, "errmsg": "response out of time limit"})
        if body["msgtype"] == "msgmenu":
            menu = body["msgmenu"]
            lines = tuple((one["id"], one["content"]) for one in menu["list"])
            self._show(to, Bubble(False, f"{menu['head_content']}\n{menu['tail_content']}", lines))
        else:
            self._show(to, Bubble(False, body["text"]["content"]))
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _media(self, request: web.Request) -> web.Response:
        refused = self._refused(request, "")
        if refused is not None:
            return refused
        found = self.media.get(request.query.get("media_id", ""))
        if found is None:
            return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
        return web.Response(body=found[1], content_type=found[0])

    def _show(self, person: str, bubble: Bubble) -> None:
        self.shown[person] = [*self.shown[person], bubble][-MOST_KEPT:]

    # ---- the people ------------------------------------------------------------------------------

    async def say(self, person: str, text: str, **over: Any) -> tuple[int, str]:
        """A text message; returns the status and the words that came back at once."""
        self._show(person, Bubble(True, text))
        return await self.post(person, {"MsgType": "text", "Content": text}, **over)

    async def tap(self, person: str, code: str, label: str) -> tuple[int, str]:
        """A button of a menu message."""
        self._show(person, Bubble(True, label))
        return await self.post(person, {"MsgType": "text", "Content": label, "bizmsgmenuid": code})

    async def send(self, person: str, mime: str, data: bytes, recognised: str = "") -> tuple[int, str]:
        """A picture, or a voice message (`audio/…`), with what the platform understood of it."""
        ident = "media-" + hashlib.sha256(data).hexdigest()[:20]
        self.media[ident] = (mime, data)
        voice = mime.startswith("audio/")
        self._show(person, Bubble(True, "（语音）" + recognised if voice else "（照片）"))
        what = {"MsgType": "voice" if voice else "image", "MediaId": ident}
        if voice:
            what |= {"Format": "amr", "Recognition": recognised}
        return await self.post(person, what)

    async def point(self, person: str, latitude: float, longitude: float, label: str) -> tuple[int, str]:
        """A place on the map."""
        self._show(person, Bubble(True, f"（位置）{label}"))
        where = {"Location_X": str(latitude), "Location_Y": str(longitude), "Scale": "16", "Label": label}
        return await self.post(person, {"MsgType": "location", **where})

    async def event(self, person: str, name: str) -> tuple[int, str]:
        """`subscribe` or `unsubscribe`."""
        (self.gone.add if name == "unsubscribe" else self.gone.discard)(person)
        return await self.post(person, {"MsgType": "event", "Event": name})

    async def post(
        self,
        person: str,
        what: dict[str, str],
        *,
        msg_id: str | None = None,
        timestamp: str | None = None,
        nonce: str | None = None,
        signature: str | None = None,
    ) -> tuple[int, str]:
        """Post a message as the platform does; what is given replaces what it would make itself."""
        self._serial += 1
        at = timestamp or str(int(self.clock.now().timestamp()))
        once = nonce or new_token(9)
        body = {"ToUserName": ACCOUNT, "FromUserName": person, "CreateTime": at, **what}
        if what["MsgType"] != "event":
            stamp = int(self.clock.now().timestamp() * 1000)
            body["MsgId"] = msg_id or f"{stamp}{self._serial:06d}"
        raw = (
            "<xml>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in body.items()) + "</xml>"
        )
        return await self.deliver(raw.encode(), at, once, signature)

    async def deliver(
        self, raw: bytes, timestamp: str, nonce: str, signature: str | None = None
    ) -> tuple[int, str]:
        """Post a body, encrypted where the account is; returns the status and the words of the answer."""
        query = {"timestamp": timestamp, "nonce": nonce}
        query["signature"] = digest(TOKEN, timestamp, nonce) if signature is None else signature
        if self.codec.sealed:
            raw = self.codec.seal(raw, timestamp, nonce)
            found = fields(raw)
            query |= {"encrypt_type": "aes", "msg_signature": found["MsgSignature"]}
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.callback, params=query, data=raw, headers={"Content-Type": "text/xml"}) as answer,
        ):
            body = await answer.read()
            return answer.status, self._read(answer.status, body)

    def _read(self, status: int, body: bytes) -> str:
        if status != 200 or not body.startswith(b"<xml>"):
            return ""
        found = fields(body)
        if "Encrypt" in found:
            found = self.codec.opened(found)
        text = found.get("Content", "")
        if text:
            self._show(found["ToUserName"], Bubble(False, text))
        return text
