"""How long it takes to find open tickets about the same matter, at 10 k and 1 M stored tickets.

Two databases hold the same city (`bench._archive`: what is open grows with it); the leader's own follower
makes the signatures. A round asks for a matter that is being typed: its title alone, title and half a
text, all of it. What counts is the ratio of the p95 at the largest size to that at the smallest. Beside
it: what making a ticket costs the writer (nothing: no statement more), and the follower's pace.

    python -m bench.duplicates [--sizes 10000 1000000] [--rounds 200]
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from bench._archive import fill, make_city
from bench._report import console, finish, machine, percentile, progress
from bench._served import settings_in
from core import startup
from core.people.actor import Actor
from node import Node
from routing.demo import matters
from routing.demo.places import DISTRICTS
from tickets.duplicates import features
from tickets.duplicates.alike import Asked, alike
from tickets.duplicates.signatures import Signatures
from tickets.duplicates.statistics import STATISTICS, Known, Statistics

TARGET = 2.0
Texts = Sequence[tuple[str, str, str]]


@dataclass
class Place:
    """One size: its database and who asks."""

    size: int
    node: Node
    agent: Actor
    open_tickets: int
    statistics: Statistics
    times: dict[str, list[float]] = field(default_factory=dict)
    found: list[int] = field(default_factory=list)


def asked(texts: Texts, draw: random.Random) -> dict[str, Asked]:
    """One matter as it stands after the title, halfway, and at the end."""
    title, text, address = draw.choice(texts)
    return {
        "title alone": Asked(title, ""),
        "half the text": Asked(title, text[: len(text) // 2]),
        "all of it": Asked(title, text, address),
    }


def told(count: int) -> Texts:
    """Matters as the demo city tells them, of another seed than the archive's."""
    draw, known = random.Random(91), matters.load()
    weights = [matter.weight for matter in known]
    stories = []
    for _ in range(count):
        (matter,) = draw.choices(known, weights)
        story = matters.Scene(draw, draw.choice(DISTRICTS)).tell(matter, "phone")
        stories.append((story.title, story.narrative, story.address))
    return stories


async def measure(sizes: Sequence[int], rounds: int, folder: Path) -> dict[str, Any]:
    """Make the databases, then take turns; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "sizes": list(sizes), "rounds": rounds}
    features.load()
    texts = told(500)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(startup.database(settings_in(folder)))
        places = [await make_place(stack, url, folder, size, figures) for size in sizes]
        with progress() as bars:
            for turn in bars.track(range(-10, rounds), description="taking turns"):
                for place in places:
                    await ask(place, asked(texts, random.Random(turn)), count=turn >= 0)
    figures["p95_ms"] = {p.size: {n: percentile(t, 0.95) for n, t in p.times.items()} for p in places}
    figures["p50_ms"] = {p.size: {n: percentile(t, 0.5) for n, t in p.times.items()} for p in places}
    figures["found"] = {p.size: sum(p.found) / len(p.found) for p in places}
    figures["open"] = {p.size: p.open_tickets for p in places}
    return figures


async def ask(place: Place, questions: dict[str, Asked], *, count: bool) -> None:
    """Each question once; the statistics are those of this place."""
    STATISTICS.__dict__.update(place.statistics.__dict__)
    for name, one in questions.items():
        started = time.perf_counter()
        async with place.node.db.read() as session:
            found = await alike(session, place.agent, one, place.node.clock.now())
        if count:
            place.times.setdefault(name, []).append((time.perf_counter() - started) * 1000)
            place.found.append(len(found))


async def make_place(
    stack: AsyncExitStack, url: str, folder: Path, size: int, figures: dict[str, Any]
) -> Place:
    """A database of so many tickets with its signatures."""
    mine, own = make_url(url).set(database=f"bench_{size}"), folder / str(size)
    own.mkdir(exist_ok=True)
    connection = await startup.connect(url)
    await connection.execute(f"CREATE DATABASE bench_{size} ENCODING 'UTF8' TEMPLATE template0")
    await connection.close()
    address = mine.render_as_string(hide_password=False)
    await startup.prepare(address)
    node = Node(settings_in(own), address)
    stack.push_async_callback(node.db.close)
    stack.callback(node.passwords.close)
    city = await make_city(node)
    with progress() as bars:
        task = bars.add_task(f"{size:,} tickets", total=size)
        await fill(address, node.vault, size, node.clock.now(), lambda made: bars.advance(task, made))
    lease = node.leases["scheduler"]
    leading = asyncio.create_task(lease.run(_nothing, _nothing))
    while not lease.is_leader:  # noqa: ASYNC110 - the lease offers no event
        await asyncio.sleep(0.05)
    started = time.perf_counter()
    await Signatures(node.db, lease).run()
    seconds = time.perf_counter() - started
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    (row,) = await node.db.fetch("SELECT count(*) AS n FROM ticket_signature")
    await _analyse(address)
    figures.setdefault("signatures_per_second", {})[size] = round(row["n"] / seconds)
    opened = await node.people.authenticate("dispatcher", city.password, source="127.0.0.1")
    statistics = Statistics()
    async with node.db.read() as session:
        known = await statistics.known(session)
    assert isinstance(known, Known)
    return Place(size, node, opened.actor, int(row["n"]), statistics)


async def _nothing() -> None:
    """The lease is led for nothing else here."""


async def _analyse(address: str) -> None:
    """What autovacuum does of itself within minutes."""
    connection = await startup.connect(address)
    await connection.execute("VACUUM (ANALYZE) ticket_signature")
    await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.duplicates", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        figures = asyncio.run(measure(options.sizes, options.rounds, Path(folder)))
    small, large = options.sizes[0], options.sizes[-1]
    rows = []
    for name, value in figures["p95_ms"][large].items():
        before = figures["p95_ms"][small][name]
        words = f"{small:,}: {before:.1f}, {large:,}: {value:.1f} ms; ratio {value / before:.2f}"
        rows.append((f"p95, {name}", words, f"≤ {TARGET}"))
    for size in options.sizes:
        words = f"{figures['open'][size]:,} signatures, {figures['signatures_per_second'][size]} a second"
        rows.append((f"{size:,} tickets", f"{words}; {figures['found'][size]:.1f} found", ""))
    console.print(figures["machine"])
    finish("duplicates", "open tickets about the same matter", rows, figures)


if __name__ == "__main__":
    main()
