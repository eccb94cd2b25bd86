"""Twenty agents type: how soon the advice stands beside their forms, and whether the node notices.

A node with a model of the demo city's whole tree; twenty desks in a process of their own ask for advice on
a text of 400 characters as often as a form that is typed in does (a pause of half a second after each
answer). The lag of the node's event loop is taken meanwhile, and beside it the lag when nobody types.

    python -m bench.typing_agents [--seconds 30]
"""

import argparse
import asyncio
import json
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientSession, TCPConnector

from bench._node import LOGIN, quiet_node
from bench._report import console, finish, machine, percentile, rss_mb
from classifier import registry
from classifier.lessons import Lesson, train_apart
from classifier.registry import Trained
from core.people.actor import Actor
from node import Node
from routing.demo import matters, places
from tickets.models import Category, table_of

AGENTS = 20
PAUSE = 0.5  # seconds after the last key
STEP = 0.005  # seconds between two looks at the event loop
LENGTH = 400  # characters
TARGET_LAG_MS, TARGET_MB = 10.0, 400


def lessons(number: int) -> list[Lesson]:
    """Texts of the demo city with the leaves of its tree."""
    draw, kinds = random.Random(12345), matters.load()
    found = []
    for place in range(number):
        matter = kinds[place % len(kinds)]
        story = matters.Scene(draw, draw.choice(places.DISTRICTS)).tell(matter, "phone")
        found.append(Lesson(story.title, story.narrative, matter.category, str(place)))
    return found


async def with_model(node: Node, texts: list[Lesson]) -> None:
    """Train and take up."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        made = await loop.run_in_executor(pool, train_apart, texts, ())
    assert made is not None
    trained = Trained(made.digest, made.files, "file", made.rows, None, None, made.figures)
    async with node.db.begin() as uow:
        await registry.keep(uow, Actor.system("bench"), trained)
    await node.advisor.load()


async def lag(found: list[float]) -> None:
    """How late the event loop is, in milliseconds, until cancelled."""
    while True:
        planned = time.perf_counter() + STEP
        await asyncio.sleep(STEP)
        found.append(max(0.0, time.perf_counter() - planned) * 1000)


async def during(work: Any) -> list[float]:
    """The lags while `work` goes on."""
    found: list[float] = []
    watch = asyncio.create_task(lag(found))
    await work
    watch.cancel()
    return found


# ---- the desks, in a process of their own -------------------------------------------------------


async def type_on(base: str, cookie: str, texts: list[tuple[str, str]], seconds: float) -> list[float]:
    """Milliseconds of each piece of advice that twenty desks waited for."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    headers = {"Cookie": cookie, "Origin": base, "HX-Request": "true"}

    async def desk(client: ClientSession, number: int) -> None:
        await asyncio.sleep(PAUSE * number / AGENTS)
        turn = number
        while time.perf_counter() < end:
            title, narrative = texts[turn % len(texts)]
            turn += AGENTS
            began = time.perf_counter()
            fields = {"title": title, "narrative": narrative}
            async with client.post(f"{base}/agent/advice", data=fields, headers=headers) as answer:
                text = await answer.text()
                if answer.status != 200 or "data-take" not in text:
                    raise RuntimeError(f"{answer.status}: {text[:300]}")
            took.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(PAUSE)

    async with ClientSession(connector=TCPConnector(limit=0)) as client:
        await asyncio.gather(*(desk(client, number) for number in range(AGENTS)))
    return took


async def in_a_process(told: dict[str, Any]) -> list[float]:
    """`type_on` over there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.typing_agents", "--desks",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, _ = await process.communicate(json.dumps(told).encode())
    if process.returncode:
        raise RuntimeError("the desks failed")
    return list(json.loads(answer))


async def sign_in(base: str, password: str) -> str:
    """The cookies of a session."""
    async with ClientSession() as client:
        fields = {"login": LOGIN, "password": password}
        async with client.post(
            f"{base}/login", data=fields, headers={"Origin": base}, allow_redirects=False
        ) as answer:
            return "; ".join(f"{name}={one.value}" for name, one in answer.cookies.items())


async def measure(seconds: float) -> dict[str, Any]:
    """Everything, in one run."""
    async with quiet_node() as node:
        texts = lessons(3000)
        with console.status("training"):
            before = rss_mb()
            await with_model(node, texts)
        await _categories(node, {one.label for one in texts})
        base = f"http://127.0.0.1:{node.port}"
        cookie = await sign_in(base, node.settings.secrets.demo_password)
        asked = [(one.title, (one.detail * 8)[:LENGTH]) for one in texts[:400]]
        told = {"base": base, "cookie": cookie, "texts": asked, "seconds": seconds}
        await in_a_process({**told, "seconds": 3.0})
        with console.status("nobody types, then twenty do"):
            still = await during(asyncio.sleep(seconds / 3))
            took: list[float] = []

            async def busy() -> None:
                took.extend(await in_a_process(told))

            lags = await during(busy())
        return {"still": still, "lags": lags, "took": took, "rss": rss_mb(), "before": before}


async def _categories(node: Node, codes: set[str]) -> None:
    """Rows for the leaves, so that the advice has something to name."""
    values = [
        {"level": 3, "code": code, "name": code, "full_name": code, "initials": "", "path": ".", "sort": 0,
         "active": True}
        for code in sorted(codes)
    ]  # fmt: skip
    async with node.db.begin() as uow:
        await uow.session.execute(sa.insert(table_of(Category)), values)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.typing_agents", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--desks", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.desks:
        told = json.load(sys.stdin)
        pairs = [(title, narrative) for title, narrative in told["texts"]]
        print(json.dumps(asyncio.run(type_on(told["base"], told["cookie"], pairs, told["seconds"]))))
        return 0
    about = machine()
    found = asyncio.run(measure(options.seconds))
    late, p95 = percentile(found["lags"], 0.99), percentile(found["took"], 0.95)
    rows = [
        ("pieces of advice", f"{len(found['took'])}", ""),
        ("advice p50 / p95", f"{percentile(found['took'], 0.5):.1f} / {p95:.1f} ms", ""),
        ("loop lag p99 while twenty type", f"{late:.1f} ms", f"≤ {TARGET_LAG_MS:.0f} ms"),
        ("loop lag p99 when nobody types", f"{percentile(found['still'], 0.99):.1f} ms", ""),
        ("memory of the node with the model", f"{found['rss']:.0f} MB", f"≤ {TARGET_MB} MB"),
    ]
    figures = {
        "machine": about,
        "asked": len(found["took"]),
        "p50_ms": percentile(found["took"], 0.5),
        "p95_ms": p95,
        "lag_p99_ms": late,
        "still_lag_p99_ms": percentile(found["still"], 0.99),
        "rss_mb": found["rss"],
        "rss_before_mb": found["before"],
    }
    finish("typing_agents", "twenty agents type", rows, figures)
    return 0 if late <= TARGET_LAG_MS and found["rss"] <= TARGET_MB else 1


if __name__ == "__main__":
    sys.exit(main())
