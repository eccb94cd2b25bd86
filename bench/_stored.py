"""The same stream with the database beside it: a whole node's follower, writer and intake."""

import asyncio
import time
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from bench._feed import SECRET, Block, Feed
from bench._node import quiet_node
from bench._report import percentile, rss_mb
from core.settings import Pbx
from node import Node
from telephony.ami.connection import AmiConnection, PbxAddress
from telephony.calls import interest
from telephony.follower import Follower
from telephony.models import CallSession

NAME = "bench"
WITHIN = 600.0  # seconds until every session must be stored
LAG_STEP = 0.005


async def store_all(block: Block, calls: int) -> dict[str, Any]:
    """Send `block` once; events per second until its last session stands in the database as ended."""
    async with quiet_node() as node:
        with Feed(block, len(block)) as feed:
            pbx = Pbx(name=NAME, port=feed.port)
            follower = Follower(
                node.db, node.clock, pbx, node.telephony.store(NAME), node.leases["telephony"]
            )
            address = PbxAddress(NAME, "127.0.0.1", feed.port, "hotline", SECRET)
            line = AmiConnection(address, follower, wanted=interest())
            lags: list[float] = []
            tasks = [asyncio.create_task(follower.run(line)), asyncio.create_task(_lag(lags))]
            try:
                return {**await _until_stored(node, line, feed, calls), "lag_ms": _spread(lags)}
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _until_stored(node: Node, line: AmiConnection, feed: Feed, calls: int) -> dict[str, Any]:
    started = taken = 0.0
    async with asyncio.timeout(WITHIN):
        while True:
            await asyncio.sleep(0.02)
            link = line._link
            if link is None or not line.connected:
                continue
            started = started or time.perf_counter()
            seen = link.inbox.seen - link.inbox.depth
            feed.handled(seen)
            if seen < feed.total:
                continue
            taken = taken or time.perf_counter()
            if await _ended(node) >= calls:
                break
    now = time.perf_counter()
    return {
        "events": feed.total,
        "sessions": calls,
        "taken_in_per_second": feed.total / (taken - started),
        "stored_per_second": feed.total / (now - started),
        "sessions_per_second": calls / (now - started),
        "rss_mb": rss_mb(),
    }


async def _ended(node: Node) -> int:
    async with node.db.read() as session:
        query = select(func.count()).where(
            col(CallSession.pbx) == NAME, col(CallSession.ended_at).is_not(None)
        )
        return int((await session.execute(query)).scalar_one())


async def _lag(lags: list[float]) -> None:
    while True:
        planned = time.perf_counter() + LAG_STEP
        await asyncio.sleep(LAG_STEP)
        lags.append((time.perf_counter() - planned) * 1000)


def _spread(lags: list[float]) -> dict[str, float]:
    return {"p50": percentile(lags, 0.5), "p99": percentile(lags, 0.99), "max": percentile(lags, 1.0)}
