"""The browsers of `bench.floor` in a process of their own: agents at their seats, leaders at the live floor.

An agent does what the seat's page does (`pieces.js`): events of his own calls and of his own state make it
fetch what changed, and it looks every ten seconds besides. A leader does what the
live floor does: events make it fetch the pieces that changed since its mark, at most once in 0.3 s.

One line of JSON on standard input says where to and for whom; `ready` is printed when all listen; any
further line ends it, and what was seen is printed as one line of JSON.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TCPConnector,
    WSMsgType,
)

from bench._floor_clicks import Clicker

TOPICS = {"agent", "call", "pbx", "help", "language"}
BURST, SETTLE, EVERY = 0.04, 0.3, 3.0  # seconds: of hl-floor
# Of the seat's page (`pieces.js`): topics, and seconds before a look, between two, and without any event.
SEAT_TOPICS = {"agent", "call", "callback", "control", "draft", "pbx"}
SEAT_BURST, SEAT_SETTLE, SEAT_EVERY = 0.03, 0.15, 10.0
PIECES = ("banner", "tabs", "head", "phone", "controls", "state", "figures")
MARK = re.compile(r'<hl-floor[^>]* mark="([^"]*)"')
STATE = re.compile(r'data-agent="(\d+)" data-state="(\w+)"')


class Browsers:
    """All of them, over one connector."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.base: str = told["base"]
        self.pops: list[tuple[str, float]] = []  # extension, when the banner came
        self.seen: list[tuple[int, float, int, str]] = []  # leader, when, person, state
        self.frames: list[tuple[int, float, int, str]] = []  # the same as the socket told it
        self.bare: list[float] = []
        self.clicks: list[tuple[float, str, str]] = []  # when, what, extension
        self.bare_clicks: list[float] = []  # milliseconds
        self.requests: Counter[str] = Counter()
        self.client: ClientSession

    def headers(self, cookie: str) -> dict[str, str]:
        return {"Cookie": cookie, "Origin": self.base, "HX-Request": "true", "HL-Background": "1"}

    async def fetch(self, cookie: str, path: str) -> str:
        """A page or a piece of one; failures are counted, since a browser tries again as well."""
        name = path.partition("?")[0]
        try:
            async with self.client.get(self.base + path, headers=self.headers(cookie)) as answer:
                text = await answer.text()
                self.requests[name if answer.status == 200 else f"{name} {answer.status}"] += 1
                return text if answer.status == 200 else ""
        except (ClientError, TimeoutError):
            self.requests[f"{name} failed"] += 1
            return ""

    async def run(self) -> dict[str, Any]:
        """Listen until told to stop."""
        connector = TCPConnector(limit=0)
        async with ClientSession(connector=connector, timeout=ClientTimeout(total=30)) as self.client:
            people = [Seat(self, *one) for one in self.told["agents"]]
            leaders = [Leader(self, number, one) for number, one in enumerate(self.told["leaders"])]
            tasks = [asyncio.create_task(one.run()) for one in (*people, *leaders)]
            while not all(one.open for one in (*people, *leaders)):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.05)
            print("ready", flush=True)
            bare = bool(self.told.get("bare"))
            clickers = [Clicker(self, *one, bare=bare) for one in self.told["clickers"]]
            tasks += [asyncio.create_task(one.run()) for one in clickers]
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return {
            "pops": self.pops,
            "seen": self.seen,
            "frames": self.frames,
            "bare": self.bare,
            "clicks": self.clicks,
            "bare_clicks": self.bare_clicks,
            "requests": self.requests,
        }


class Tab:
    """One page with its socket."""

    def __init__(self, browsers: Browsers, cookie: str) -> None:
        self.browsers = browsers
        self.cookie = cookie
        self.open = False
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen; anything that comes is handed on with its time."""
        browsers = self.browsers
        url = browsers.base.replace("http", "ws", 1) + "/live"
        headers = browsers.headers(self.cookie)
        async with browsers.client.ws_connect(url, headers=headers, max_msg_size=0) as socket:
            self.open = True
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                frame = json.loads(message.data)
                await self._take(socket, frame)

    async def _take(self, socket: ClientWebSocketResponse, frame: dict[str, Any]) -> None:
        if frame["t"] == "ping":
            await socket.send_str('{"t":"pong"}')
        elif frame["t"] == "bare":
            self.browsers.bare.append((time.time() - frame["at"]) * 1000)
        elif frame["t"] in ("event", "reset"):
            self.hear(frame, time.time())

    def hear(self, frame: dict[str, Any], now: float) -> None:
        raise NotImplementedError

    def start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Look:
    """A piece of a page that is fetched after events: never twice at once, never twice within `settle`."""

    def __init__(self, tab: Tab, settle: float, burst: float, fetch: Callable[[], Awaitable[None]]) -> None:
        self._tab, self._settle, self._burst, self._fetch = tab, settle, burst, fetch
        self._asked = float("-inf")
        self._due = self._busy = self._again = False

    def soon(self) -> None:
        """An event happened."""
        if not self._due:
            self._due = True
            rest = max(self._burst, self._asked + self._settle - time.monotonic())
            self._tab.start(self._wait(rest))

    async def _wait(self, rest: float) -> None:
        if rest > 0:
            await asyncio.sleep(rest)
        self._due = False
        if self._busy:
            self._again = True
            return
        self._busy, self._asked = True, time.monotonic()
        try:
            await self._fetch()
        finally:
            self._busy = False
        if self._again:
            self._again = False
            self.soon()


class Seat(Tab):
    """An agent's."""

    def __init__(self, browsers: Browsers, cookie: str, extension: str) -> None:
        super().__init__(browsers, cookie)
        self.extension = extension
        self._marks = dict.fromkeys(PIECES, "")
        self._look = Look(self, SEAT_SETTLE, SEAT_BURST, self._fetch)

    async def run(self) -> None:
        if not self.browsers.told.get("bare"):
            self.start(self._poll())
        await super().run()

    async def _poll(self) -> None:
        await asyncio.sleep(SEAT_EVERY * (int(self.extension) % 100) / 100)  # not all at once
        while True:
            self._look.soon()
            await asyncio.sleep(SEAT_EVERY)

    def hear(self, frame: dict[str, Any], now: float) -> None:
        whole = frame["t"] == "reset"
        if whole:
            self.browsers.requests["reset"] += 1
        if whole or frame["topic"] in SEAT_TOPICS:
            self._look.soon()

    async def _fetch(self) -> None:
        have = ",".join(f"{name}.{mark}" for name, mark in self._marks.items())
        text = await self.browsers.fetch(self.cookie, f"/seat/pieces?have={have}")
        if not text:
            return
        pieces = json.loads(text)["pieces"]
        self._marks |= {name: one["mark"] for name, one in pieces.items()}
        self.browsers.requests["pieces"] += len(pieces)
        if "data-session" in pieces.get("banner", {}).get("html", ""):
            self.browsers.pops.append((self.extension, time.time()))


class Leader(Tab):
    """A shift leader's live floor."""

    def __init__(self, browsers: Browsers, number: int, cookie: str) -> None:
        super().__init__(browsers, cookie)
        self.number = number
        self._mark = ""
        self._floor = Look(self, SETTLE, BURST, self._changes)

    async def run(self) -> None:
        if not self.browsers.told.get("bare"):
            found = MARK.search(await self.browsers.fetch(self.cookie, "/floor"))
            self._mark = found[1] if found else ""
            self.start(self._every())
        await super().run()

    async def _every(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._floor.soon()

    def hear(self, frame: dict[str, Any], now: float) -> None:
        if frame["t"] == "reset":
            self.browsers.requests["reset"] += 1
            self._floor.soon()
        elif frame["topic"] in TOPICS:
            if frame["topic"] == "agent" and frame["kind"] == "state":
                self.browsers.frames.append((self.number, now, frame["ref"], frame["data"]["state"]))
            self._floor.soon()

    async def _changes(self) -> None:
        text = await self.browsers.fetch(self.cookie, f"/floor/changes?mark={self._mark}")
        if text:
            answer, now = json.loads(text), time.time()
            self._mark = answer["mark"]
            for piece in answer["pieces"].values():
                if row := STATE.search(piece):
                    self.browsers.seen.append((self.number, now, int(row[1]), row[2]))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Browsers(json.loads(sys.stdin.readline())).run())), flush=True)
