"""Citizens who send forms at a fixed rate whatever the answers, and agents at work beside them.

Told in one line of JSON: base, cookies (of agents), tickets (ids). Then one line per phase, `{"seconds",
"rate"}`; answers with one line: what became of every key, and how long agents waited. Ends with its input.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

AGAIN = 0.1  # of those taken in are sent once more
PATIENCE = 90.0  # seconds in which a form without an answer is sent again
PAUSE = 0.5  # seconds between two pages of one agent
TEXT = "中山路与解放路口的路灯不亮，已经三个晚上了，老人出门不方便，希望尽快修好。"


class Clients:
    """Everybody at their browsers."""

    def __init__(self, told: dict[str, Any], session: ClientSession) -> None:
        self.told = told
        self.session = session
        self.done: dict[str, Any] = {"taken": [], "refused": 0, "no_retry_after": 0, "odd": {}, "resent": 0}

    async def phase(self, seconds: float, rate: float) -> dict[str, Any]:
        """Forms at `rate` a second for so long, agents beside; ends when every form has an answer."""
        self.done = {"taken": [], "refused": 0, "no_retry_after": 0, "odd": {}, "resent": 0}
        ends = time.monotonic() + seconds
        pages: list[tuple[float, float]] = []
        people = [asyncio.create_task(self.agent(cookie, ends, pages)) for cookie in self.told["cookies"]]
        forms, began, count = [], time.monotonic(), 0
        while rate and time.monotonic() < ends:
            due = began + count / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            forms.append(asyncio.create_task(self.form(uuid4().hex)))
            count += 1
        await asyncio.gather(*people, *forms)
        return {"offered": count, "pages": pages, **self.done}

    async def form(self, key: str) -> None:
        """One form. Without an answer it is sent again with its key, until it has one."""
        status, wait = await self.answered(key)
        if status == 303:
            self.done["taken"].append(key)
            if random.random() < AGAIN:
                status, _ = await self.answered(key)
                if status not in (303, 429):
                    self.note(f"again: {status}")
        elif status == 429:
            self.done["refused"] += 1
            self.done["no_retry_after"] += wait is None
        else:
            self.note(str(status or "no answer"))

    async def answered(self, key: str) -> tuple[int, str | None]:
        """The answer, however often it takes; after one that was lost, also past a 429.

        Whoever was told to come again as often as he has patience for was refused; status 0: never answered.
        """
        until, lost = time.monotonic() + PATIENCE, False
        status, wait = 0, None
        while time.monotonic() < until:
            try:
                status, wait = await self.post(key)
            except (ClientError, TimeoutError, OSError):
                lost, status, wait = True, 0, None
                self.done["resent"] += 1
                await asyncio.sleep(random.uniform(0.3, 1.0))
                continue
            if status != 429 or not lost:  # it may have been taken in before the answer was lost
                return status, wait
            await asyncio.sleep(float(wait or 1) + random.random())
        return status, wait

    def note(self, what: str) -> None:
        self.done["odd"][what] = self.done["odd"].get(what, 0) + 1

    async def post(self, key: str) -> tuple[int, str | None]:
        base = self.told["base"]
        form = {"key": key, "narrative": TEXT, "phone": f"138{random.randrange(10**8):08}", "agree": "1"}
        source = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        headers = {"Origin": base, "Accept": "text/html", "X-Forwarded-For": source}
        sent = self.session.post(f"{base}/portal/submit", data=form, headers=headers, allow_redirects=False)
        async with sent as got:
            await got.read()
            return got.status, got.headers.get("Retry-After")

    async def agent(self, cookie: str, ends: float, pages: list[tuple[float, float]]) -> None:
        """A list, a ticket's page, and a pause, again and again."""
        while time.monotonic() < ends:
            for path in ("/tickets", f"/tickets/{random.choice(self.told['tickets'])}"):
                began = time.monotonic()
                headers = {"Cookie": cookie, "Accept": "text/html"}
                try:
                    async with self.session.get(self.told["base"] + path, headers=headers) as got:
                        await got.read()
                        if got.status != 200:
                            self.note(f"agent: {got.status}")
                except (ClientError, TimeoutError, OSError):
                    await asyncio.sleep(PAUSE)  # the node is gone for a moment: no page to take the time of
                    continue
                pages.append((began, time.monotonic() - began))
                await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))


async def main() -> None:
    told = json.loads(await asyncio.to_thread(sys.stdin.readline))
    connector = TCPConnector(limit=0, ttl_dns_cache=3600)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=30)) as session:
        clients = Clients(told, session)
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            print(json.dumps(await clients.phase(asked["seconds"], asked["rate"])), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
