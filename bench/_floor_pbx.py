"""The PBX of `bench.floor` in a process of its own: a simulator without members, until agents sign in.

    python -m bench._floor_pbx FOLDER

Prints its port and its secret; a line `RATE SECONDS TALK` on standard input lets citizens call at so many
a second for so long and talk so many seconds in the mean. When the last call is over it prints, as one line
of JSON, when each ring, answer and hanging up of a telephone left, and when each order of a click came:
[epoch seconds, what, extension].
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

from bench import _floor_clicks
from core.clock import SystemClock
from telephony.simulator import CallPlan, Did, PbxConfig, QueueConfig, Simulator
from telephony.simulator.callers import citizen
from telephony.simulator.floor import Manner
from telephony.simulator.wire import Headers, first

PATIENCE = 120.0  # seconds until a call that still waits or talks is left alone
QUEUE = "hotline"


class Hall:
    """The simulator, and what left it."""

    def __init__(self, folder: Path) -> None:
        config = PbxConfig(
            queues=(QueueConfig(QUEUE, (), timeout=20.0), QueueConfig(_floor_clicks.QUEUE, ())),
            dids=(
                Did("12345", QUEUE, 120.0, greeting=True),
                Did(_floor_clicks.NUMBER, _floor_clicks.QUEUE, 120.0),
            ),
        )
        manner = Manner(pick_up=2.0, miss=0.01)
        self.simulator = Simulator(
            clock=SystemClock(), config=config, manner=manner, queue_log=folder / "queue_log"
        )
        self.marks: list[tuple[float, str, str]] = []
        self.orders: list[tuple[float, str, str]] = []
        self._talking: set[str] = set()
        self._clicked = _floor_clicks.Orders()
        self.simulator.tap(self._hear)

    def _hear(self, name: str, headers: Headers) -> None:
        if name == "AgentCalled":
            self._mark("ringing", first(headers, "Interface").partition("/")[2])
        elif name == "AgentConnect":
            extension = first(headers, "Interface").partition("/")[2]
            self._talking.add(first(headers, "DestUniqueid"))
            self._mark("talking", extension)
        elif name == "Hangup" and first(headers, "Uniqueid") in self._talking:
            self._talking.discard(first(headers, "Uniqueid"))
            self._mark("wrap_up", first(headers, "Channel").partition("/")[2].partition("-")[0])

    def ordered(self, action: Headers) -> None:
        """An order came from the node."""
        found = self._clicked.order_of(action)
        if found is not None:
            self.orders.append((time.time(), *found))

    def _mark(self, what: str, extension: str) -> None:
        if extension not in _floor_clicks.extensions():
            self.marks.append((time.time(), what, extension))

    async def play(self, rate: float, seconds: float, talk: float) -> None:
        """Citizens call, one after the other, at random."""
        self.marks.clear()
        self.orders.clear()
        for extension in _floor_clicks.holders():
            self.simulator.place_call(
                did=_floor_clicks.NUMBER, agent=extension, answer_after=0.5, talk=seconds + 2
            )
        draw = random.Random(8)
        due = time.monotonic()
        end = due + seconds
        number = 0
        while (due := due + draw.expovariate(rate)) < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            who, number = citizen(number % 10_000), number + 1
            self.simulator.floor.place(
                CallPlan(
                    number=who.number, name=who.name, menu=0.3, talk=max(2.0, draw.expovariate(1 / talk)),
                    ended_by="agent" if draw.random() < 0.3 else "citizen",
                )
            )  # fmt: skip
        last = time.monotonic() + PATIENCE
        while self.simulator.calls and time.monotonic() < last:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.2)


async def serve(folder: Path) -> None:
    """Until standard input ends."""
    hall, loop = Hall(folder), asyncio.get_running_loop()
    port = await hall.simulator.start()
    hall.simulator.server.on_action = hall.ordered
    print(port, hall.simulator.secret, flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        rate, seconds, talk = (float(word) for word in line.split())
        began = time.time()
        await hall.play(rate, seconds, talk)
        told = {"marks": hall.marks, "orders": hall.orders, "heard": (began, time.time())}
        print(json.dumps(told), flush=True)
    await hall.simulator.stop()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
