"""Clicks of `bench.floor`: from an agent's POST until the PBX has the order that follows from it.

Some agents at telephones of their own take no calls of the queue: one half goes on a break and comes back,
the other half has a call each and puts it on hold and takes it back. Each does so every `EVERY` seconds.
"""

import asyncio
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiohttp import ClientError, ClientSession

from telephony.simulator.wire import Headers, first

FIRST = 1901  # the first of their extensions
PAUSERS, HOLDERS = 4, 4
QUEUE, NUMBER = "quiet", "12346"  # where they sit, and what their own callers dial; nobody else does
EVERY = 2.0
CALL = re.compile(r"/seat/calls/(\d+)/")
TELEPHONE = re.compile(r"PJSIP/(\d+)")
SENT = {"not-ready": "pause", "ready": "unpause", "hold": "move", "resume": "move"}


def extensions() -> list[str]:
    """Of the pausers, then of the holders."""
    return [str(FIRST + number) for number in range(PAUSERS + HOLDERS)]


def holders() -> list[str]:
    """Those that have a call to put on hold."""
    return extensions()[PAUSERS:]


class Orders:
    """Tells which actions are orders of clicks. After its first hold a call is moved by the citizen's channel
    alone, which is known to belong to a telephone from then on."""

    def __init__(self) -> None:
        self._moved: dict[str, str] = {}

    def order_of(self, action: Headers) -> tuple[str, str] | None:
        """What an action is an order of a click for, and at which telephone."""
        found, citizen = _order(action), first(action, "Channel")
        if found is not None and found[0] == "move":
            self._moved[citizen] = found[1]
        elif first(action, "Action").lower() == "redirect" and citizen in self._moved:
            return "move", self._moved[citizen]
        return found


def _order(action: Headers) -> tuple[str, str] | None:
    name = first(action, "Action").lower()
    if name == "queuepause":
        what, where = "pause" if first(action, "Paused") == "true" else "unpause", first(action, "Interface")
    elif name == "queueadd" and first(action, "Paused") == "true":
        what, where = "pause", first(action, "Interface")  # a break before the first place in the queue
    elif name == "redirect":
        what, where = "move", f"{first(action, 'Channel')} {first(action, 'ExtraChannel')}"
    else:
        return None
    found = [one for one in TELEPHONE.findall(where) if one in extensions()]
    return (what, found[0]) if found else None


def took(
    clicks: Sequence[Sequence[Any]], orders: Sequence[Sequence[Any]], heard: tuple[float, float]
) -> tuple[dict[str, list[float]], int]:
    """Milliseconds from each click to its order by what was clicked, and how many had none before the next.

    Left out are clicks whose order might have come when the PBX did not listen: before and after `heard`.
    """
    came: dict[tuple[str, str], list[float]] = defaultdict(list)
    for at, what, extension in orders:
        came[(extension, what)].append(at)
    mine: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for at, what, extension in clicks:
        mine[extension].append((at, what))
    found: dict[str, list[float]] = {what: [] for what in SENT}
    lost = 0
    for extension, rows in mine.items():
        for place, (at, what) in enumerate(rows):
            if not heard[0] < at < heard[1] - EVERY:
                continue
            until = rows[place + 1][0] if place + 1 < len(rows) else at + EVERY
            order = next((one for one in came[(extension, SENT[what])] if at <= one < until), None)
            lost += order is None
            found[what] += [] if order is None else [(order - at) * 1000]
    return found, lost


class Browsers(Protocol):
    """What a clicker needs of everybody's browsers."""

    base: str
    client: ClientSession
    clicks: list[tuple[float, str, str]]
    bare_clicks: list[float]
    requests: Counter[str]

    def headers(self, cookie: str) -> dict[str, str]: ...

    async def fetch(self, cookie: str, path: str) -> str: ...


class Clicker:
    """One of these agents; in the bare run he posts to the bare server at the same rate."""

    def __init__(self, browsers: Browsers, cookie: str, extension: str, *, bare: bool) -> None:
        self._browsers, self._cookie, self._extension, self._bare = browsers, cookie, extension, bare
        self._number = 0
        self._call = ""

    async def run(self) -> None:
        """Click until cancelled."""
        place = extensions().index(self._extension)
        due = time.monotonic() + EVERY * (1 + place / len(extensions()))  # not all at once
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += EVERY
            self._number += 1
            if self._bare:
                await self._bare_click()
            elif self._extension in holders():
                await self._hold()
            else:
                away = self._number % 2 == 1
                await self._post("not-ready" if away else "ready", {"reason": "break"} if away else {})

    async def _hold(self) -> None:
        if not self._call:
            text = await self._browsers.fetch(self._cookie, "/seat/pieces?have=controls.")
            found = (
                CALL.search(json.loads(text)["pieces"].get("controls", {}).get("html", "")) if text else None
            )
            self._call = found[1] if found else ""
        if not self._call:
            self._number -= 1  # the call has not come yet
            return
        act = "hold" if self._number % 2 == 1 else "resume"
        fields = {"token": f"bench-{self._extension}-{self._number}"}
        await self._post(act, fields, f"/seat/calls/{self._call}/{act}")

    async def _post(self, what: str, fields: Mapping[str, str], path: str = "") -> None:
        browsers, began = self._browsers, time.time()
        url = browsers.base + (path or f"/seat/{what}")
        try:
            async with browsers.client.post(
                url, data=fields, headers=browsers.headers(self._cookie)
            ) as answer:
                await answer.read()
                if answer.status in (200, 204):
                    browsers.clicks.append((began, what, self._extension))
                else:
                    browsers.requests[f"{what} {answer.status}"] += 1
        except (ClientError, TimeoutError):
            browsers.requests[f"{what} failed"] += 1

    async def _bare_click(self) -> None:
        browsers, began = self._browsers, time.perf_counter()
        async with browsers.client.post(browsers.base + "/click") as answer:
            await answer.read()
        browsers.bare_clicks.append((time.perf_counter() - began) * 1000)
