"""The supervisor's dashboard at 10 k and 1 M stored tickets, in one run.

Databases on one embedded server hold the same city with more and more tickets (`bench._archive`), which
fills facts and sums as the leader would have; each is served by a node in a process of its own. Measured
are the page and its panels over HTTP, and the lists behind its numbers. Sizes take turns within every
round, so that a busy machine burdens all alike. What counts is the ratio of the p95 at the largest size
to the smallest.

    python -m bench.dashboard [--sizes 10000 1000000] [--rounds 100]
"""

import argparse
import asyncio
import random
import re
import tempfile
from contextlib import AsyncExitStack
from html import unescape
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, CookieJar

from bench._report import machine, progress
from bench._served import settings_in
from bench.lists import Place, compared, make_place, tell
from core import startup

PANELS = ("stages", "risk", "units", "rates", "hot")
TARGET = 1.5
LINKS = re.compile(r'href="(/measures/[^"]+)"')


async def measure(sizes: list[int], rounds: int, folder: Path) -> dict[str, Any]:
    """Make the databases, take turns; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "sizes": sizes, "rounds": rounds}
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(startup.database(settings_in(folder)))
        places = [await make_place(stack, url, folder, size, figures) for size in sizes]
        client = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
        links = {place.size: await _links(place, client) for place in places}
        with progress() as bars:
            task = bars.add_task("dashboard", total=rounds)
            for number in range(rounds + 5):
                for place in places:
                    await _round(place, client, random.Random(number), links[place.size], count=number >= 5)
                bars.advance(task)
    return figures | compared(places)


async def _get(place: Place, client: ClientSession, path: str) -> str:
    headers = {"Cookie": place.cookies["supervision"], "Accept": "text/html"}
    async with client.get(place.base + path, headers=headers) as answer:
        text = await answer.text()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]}")
        return text


async def _links(place: Place, client: ClientSession) -> list[str]:
    """Every number of the page."""
    found = sorted({unescape(path) for path in LINKS.findall(await _get(place, client, "/dashboard"))})
    if len(found) < 20:
        raise RuntimeError(f"only {len(found)} numbers on the dashboard of {place.size} tickets")
    return found


async def _round(
    place: Place, client: ClientSession, draw: random.Random, links: list[str], *, count: bool
) -> None:
    ways = {"page: dashboard": "/dashboard", "list behind a number": draw.choice(links)}
    ways |= {f"panel: {name}": f"/dashboard/panels/{name}" for name in PANELS}
    for name, path in ways.items():
        await place.timed(name, lambda path=path: _get(place, client, path), count=count)  # type: ignore[misc]  # a default binds it


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.dashboard", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        figures = asyncio.run(measure(options.sizes, options.rounds, Path(folder)))
    tell("dashboard", figures, lambda name: TARGET if name == "page: dashboard" else None)


if __name__ == "__main__":
    main()
