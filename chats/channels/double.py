"""A double of an SMS gateway, over HTTP with signatures on both ways: for development and for tests.

It takes what we send as a gateway's adapter would, refusing what is not signed, and lets somebody write
to us from a number. A telephone on a table, with no network behind it.
"""

import json
from collections import defaultdict
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import web

from core.clock import Clock
from core.ids import new_token
from core.notify.webhook import signature


class GatewayDouble:
    """Listens on a free port of this machine; `told` is what each number was sent, in order."""

    def __init__(self, secret: str, clock: Clock, *, inbound: str = "") -> None:
        self._secret = secret
        self._clock = clock
        self.inbound = inbound  # where what people write is posted to
        self.told: dict[str, list[str]] = defaultdict(list)
        self.refused = 0
        self.fails = 0  # so many of the next deliveries are answered 503
        self._keys: set[str] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "GatewayDouble":
        app = web.Application()
        app.router.add_post("/send", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/send"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body, key = await request.read(), request.headers.get("HL-Message-Id", "")
        wanted = signature(self._secret, request.headers.get("HL-Timestamp", ""), key, body)
        if request.headers.get("HL-Signature") != wanted:
            self.refused += 1
            return web.Response(status=401)
        if self.fails > 0:
            self.fails -= 1
            return web.Response(status=503)
        if key not in self._keys:
            self._keys.add(key)
            data = json.loads(body)
            self.told[data["to"]].append(data["text"])
        return web.Response(status=204)

    async def say(self, number: str, text: str, *, key: str | None = None, **over: Any) -> int:
        """Somebody writes to the hotline; returns the status of the answer. `over` replaces headers."""
        ident = key or new_token(9)
        body = json.dumps({"id": ident, "from": number, "text": text}, ensure_ascii=False).encode()
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "HL-Timestamp": timestamp,
            "HL-Message-Id": ident,
            "HL-Signature": signature(self._secret, timestamp, ident, body),
        }
        sent = {**headers, **over}
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.inbound, data=body, headers=sent) as answer,
        ):
            return answer.status
