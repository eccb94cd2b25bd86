"""The node of `bench.floor` in a process of its own, and a bare server to measure it against.

    python -m bench._floor_node URL FOLDER PBX_PORT PBX_SECRET [PROFILE]
    python -m bench._floor_node --bare URL RATE

Prints its port. `begin` on standard input forgets what was measured so far, `end` prints as one line of
JSON how late the event loop was (milliseconds) and how much memory there was (MB, every second). The bare
server commits one row RATE times a second and tells everybody who listens: aiohttp and asyncpg, no more.
"""

import asyncio
import cProfile
import json
import random
import sys
import time
from array import array
from pathlib import Path

import asyncpg
from aiohttp import WSMsgType, web

from bench._floor_pbx import QUEUE
from bench._report import percentile, rss_mb
from bench._served import settings_in
from core import heap, log
from core.settings import Pbx, Settings
from core.startup import address
from node import Node

PBX = "pbx1"
WRAP_UP = 8  # seconds
STEP = 0.01  # seconds between two looks at the event loop


def settings_of(folder: Path) -> Settings:
    """A node with a PBX of its own and a short time after calls."""
    return settings_in(
        folder,
        HOTLINE_TELEPHONY__SOURCE="asterisk",
        HOTLINE_AGENTS__WRAP_UP_SECONDS=str(WRAP_UP),
        HOTLINE_LOG__LEVEL="WARNING",
    )


def beside(node: Node, port: int, secret: str, folder: Path) -> None:
    """Let the node follow the PBX at `port`."""
    node.telephony.use([Pbx(name=PBX, port=port, queue_log=folder / "queue_log")], {PBX: secret})


class Watch:
    """How late the loop is, and the memory."""

    def __init__(self) -> None:
        self.lags = array("d")  # small, since it is part of the memory that is measured
        self.memory = array("d")

    async def run(self) -> None:
        """Until cancelled."""
        looked = 0.0
        while True:
            planned = time.perf_counter() + STEP
            await asyncio.sleep(STEP)
            now = time.perf_counter()
            self.lags.append(max(0.0, now - planned) * 1000)
            if now - looked >= 1:
                looked = now
                self.memory.append(round(rss_mb(), 1))

    def told(self) -> str:
        shares = {f"p{round(share * 100)}": percentile(self.lags, share) for share in (0.5, 0.95, 0.99)}
        return json.dumps({**shares, "max": max(self.lags, default=0.0), "memory": self.memory.tolist()})


async def obey(watch: Watch) -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(watch.run())
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "begin":
            del watch.lags[:], watch.memory[:]
        else:
            print(watch.told(), flush=True)
    task.cancel()


async def serve(url: str, folder: Path, port: int, secret: str) -> None:
    """The node."""
    settings = settings_of(folder)
    log.configure_logging(settings)
    node = Node(settings, url)
    beside(node, port, secret, folder)
    heap.watch()
    await node.start()
    try:
        print(node.port, flush=True)
        await obey(Watch())
    finally:
        await node.stop()


# ---- the bare machine ---------------------------------------------------------------------------

TABLE = "CREATE TABLE IF NOT EXISTS bare_move (id bigint GENERATED ALWAYS AS IDENTITY, at float8, who int)"


async def bare(url: str, rate: float) -> None:
    """A commit and a frame for every listener, so many times a second; a commit for every click."""
    listeners: set[web.WebSocketResponse] = set()

    async def live(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        listeners.add(ws)
        async for message in ws:
            if message.type is WSMsgType.CLOSE:
                break
        listeners.discard(ws)
        return ws

    async def click(_: web.Request) -> web.Response:
        await pool.execute("INSERT INTO bare_move (at, who) VALUES ($1, 2)", time.time())
        return web.Response(status=204)

    async with asyncpg.create_pool(**address(url), min_size=2, max_size=4) as pool:
        await pool.execute(TABLE)
        app = web.Application()
        app.router.add_get("/live", live)
        app.router.add_post("/click", click)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        task = asyncio.create_task(_moves(pool, listeners, rate))
        await obey(Watch())
        task.cancel()
        await runner.cleanup()


async def _moves(pool: asyncpg.Pool, listeners: set[web.WebSocketResponse], rate: float) -> None:
    draw, due = random.Random(8), time.monotonic()
    while True:
        due += draw.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        began = time.time()
        await pool.execute("INSERT INTO bare_move (at, who) VALUES ($1, 1)", began)
        text = json.dumps({"t": "bare", "at": began})
        await asyncio.gather(*(ws.send_str(text) for ws in listeners), return_exceptions=True)


def main() -> None:
    if sys.argv[1] == "--bare":
        asyncio.run(bare(sys.argv[2], float(sys.argv[3])))
        return
    profile = cProfile.Profile(time.process_time) if len(sys.argv) > 5 else None
    if profile is not None:
        profile.enable()
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
    if profile is not None:
        profile.disable()
        profile.dump_stats(sys.argv[5])


__all__ = ["PBX", "QUEUE", "WRAP_UP", "beside", "settings_of"]
if __name__ == "__main__":
    main()
