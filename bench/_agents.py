"""Fifty agents in a process of their own: one client for the product and for the bare handler.

Each agent does what the browser at a desk does for one matter, again and again, without a pause:
POST /drafts (a form is opened), POST /drafts/ID/ticket (the filled form becomes a ticket), POST
/tickets/ID/dispatch. One request after the other, since each needs the answer before it.

Commands come as JSON lines on standard input, answers go out as JSON lines.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, TCPConnector

NUMBER = re.compile(r"(?:draft=|/tickets/)(\d+)")
STEPS = ("draft", "ticket", "dispatch")
TEXT = (
    "市民来电反映:中山路与三里店大道交叉口一带的路灯已经连续三个晚上不亮,附近有小学和菜市场,"
    "晚上接孩子的家长很多,路口又没有信号灯,前天晚上有老人被电动车碰倒。此前曾向社区反映,"
    "社区答复不归其管理。请相关单位尽快安排检修,并答复市民具体的修复时间。"
)


@dataclass
class Load:
    """What to send where, for how long."""

    base: str
    cookies: list[str]  # one signed-in session per agent
    unit_id: int
    category_id: int
    warm_up: float  # seconds
    seconds: float


@dataclass
class Taken:
    """What came back within the measured time; times in milliseconds by step."""

    journeys: int = 0
    sent: int = 0  # requests, those of the warm-up too
    requests: int = 0
    times: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})


class Agent:
    """One desk."""

    def __init__(self, client: ClientSession, load: Load, number: int) -> None:
        self._client = client
        self._load = load
        self._number = number
        self._headers = {
            "Cookie": load.cookies[number],
            "Origin": load.base,
            "Accept": "text/html",
            "HX-Request": "true",
        }
        self._done = 0

    async def work(self, taken: Taken, begin: float, end: float) -> None:
        """Matter after matter until `end`; what finishes between `begin` and `end` counts."""
        while time.perf_counter() < end:
            times = await self._matter()
            now = time.perf_counter()
            taken.sent += len(STEPS)
            if begin <= now < end:
                taken.journeys += 1
                taken.requests += len(STEPS)
                for step, seconds in zip(STEPS, times, strict=True):
                    taken.times[step].append(round(seconds * 1000, 2))

    async def _matter(self) -> list[float]:
        draft, first = await self._post("/drafts", {})
        ticket, second = await self._post(f"/drafts/{draft}/ticket", self._form())
        fields = {"version": "1", "unit_id": str(self._load.unit_id), "note": "请核实处理", "back": "desk"}
        _, third = await self._post(f"/tickets/{ticket}/dispatch", fields)
        return [first, second, third]

    def _form(self) -> dict[str, str]:
        self._done += 1
        return {
            "version": "1",
            "type": "help",
            "urgency": "normal",
            "confidentiality": "normal",
            "channel": "phone",
            "category_id": str(self._load.category_id),
            "title": "中山路路灯不亮",
            "narrative": TEXT,
            "address": "中山路与三里店大道交叉口",
            "citizen_name": "王小明",
            "phone": f"139{self._number:03}{self._done % 100_000:05}",
            "wants_reply": "true",
        }

    async def _post(self, path: str, fields: dict[str, str]) -> tuple[str, float]:
        """The id in the answer (the draft's, the ticket's) and how long it took."""
        started = time.perf_counter()
        async with self._client.post(
            self._load.base + path, data=fields, headers=self._headers, allow_redirects=False
        ) as answer:
            text = await answer.text()
            place = answer.headers.get("HX-Redirect") or text
            if answer.status >= 300:
                raise RuntimeError(f"{path}: {answer.status} {text[:500]}")
        found = NUMBER.search(place)
        return found[1] if found else "", time.perf_counter() - started


async def run(load: Load) -> Taken:
    """All agents at once."""
    taken = Taken()
    async with ClientSession(connector=TCPConnector(limit=0)) as client:
        begin = time.perf_counter() + load.warm_up
        end = begin + load.seconds
        agents = [Agent(client, load, number) for number in range(len(load.cookies))]
        await asyncio.gather(*(agent.work(taken, begin, end) for agent in agents))
    return taken


class Agents:
    """The process of the agents, seen from outside. Use as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench._agents"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, load: Load) -> dict[str, Any]:
        """Put `load` on; returns requests per second, matters per second and p50/p95 by step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(vars(load)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the agents gave up, see above")
        return dict(json.loads(line))

    def __enter__(self) -> "Agents":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _answer(load: Load) -> dict[str, Any]:
    worked = time.process_time()
    taken = asyncio.run(run(load))
    figures: dict[str, Any] = {
        "sent": taken.sent,
        "requests_per_second": taken.requests / load.seconds,
        "matters_per_second": taken.journeys / load.seconds,
        "client_cpu_share": (time.process_time() - worked) / (load.seconds + load.warm_up),
    }
    for step, times in taken.times.items():
        ordered = sorted(times) or [0.0]
        figures[f"{step}_ms"] = {
            name: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
            for name, share in (("p50", 0.5), ("p95", 0.95))
        }
    return figures


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_answer(Load(**json.loads(line)))), flush=True)
