"""How long lists, a ticket page and searches take at 10 k, 100 k and 1 M stored tickets, in one run.

Three databases on one embedded server hold the same city with more and more tickets (`bench._archive`);
each is served by a node in a process of its own. Two levels: "asked" is the product's own questions to
the database, "page" is the answer over HTTP. Sizes take turns within every round, so that a busy
machine burdens all alike. What counts is the ratio of the p95 at the largest size to the smallest.

    python -m bench.lists [--sizes 10000 100000 1000000] [--rounds 60]
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession, CookieJar
from sqlalchemy import make_url

from bench._archive import City, fill, make_city
from bench._report import console, finish, machine, percentile, progress
from bench._served import settings_in
from bench.dispatch_throughput import process
from core import startup
from core.people.actor import Actor
from node import Node
from tickets import queries
from tickets.queries import Queue, TodoFilters
from tickets.search import query as search
from web.security.sessions import cookie_name

SEEN = 200  # different tickets whose page is opened
PHRASES = {
    "search, common": ("路灯", "小区", "施工", "物业"),
    "search, rare": ("琴潭客运站", "第三村民小组", "黑色双肩包", "装有证件的钱包"),
    "search, nothing": ("不存在的词语", "量子纠缠"),
}
TARGETS = {"search": 3.0}
TARGET = 1.5
Asked = Callable[[], Awaitable[object]]


@dataclass
class Place:
    """One size: its database, its node, who looks."""

    size: int
    node: Node
    base: str
    people: dict[str, Actor]
    cookies: dict[str, str]
    tickets: list[int]  # of the busiest unit
    times: dict[str, list[float]] = field(default_factory=dict)  # milliseconds by what was done

    @property
    def now(self) -> datetime:
        return self.node.clock.now()

    async def timed(self, name: str, work: Asked, *, count: bool) -> None:
        """Do it once; the time counts unless this is the warm-up."""
        started = time.perf_counter()
        await work()
        if count:
            self.times.setdefault(name, []).append((time.perf_counter() - started) * 1000)


def questions(place: Place, draw: random.Random) -> dict[str, Asked]:
    """What the screens ask the database, by what is measured."""
    bureau, district = place.people["bureau"], place.people["district"]
    desk = place.people["dispatcher"]
    ticket = draw.choice(place.tickets)

    def asking(work: Callable[[Any], Awaitable[object]]) -> Asked:
        async def ask() -> None:
            async with place.node.db.read() as session:
                await work(session)

        return ask

    async def todo(session: Any, actor: Actor) -> None:
        await queries.todo_list(session, actor, now=place.now)
        await queries.todo_counts(session, actor, now=place.now)

    async def page(session: Any) -> None:
        await queries.ticket_page(session, bureau, ticket)
        await queries.timeline(session, bureau, ticket)

    async def queue(session: Any) -> None:
        await queries.queue_list(session, desk, Queue.DISPATCH)
        await queries.queue_counts(session, desk)

    found = {
        "to-do of a bureau": asking(lambda session: todo(session, bureau)),
        "to-do of a district": asking(lambda session: todo(session, district)),
        "to-do, overdue": asking(
            lambda session: queries.todo_list(session, bureau, TodoFilters(urgency="overdue"), now=place.now)
        ),
        "ticket page": asking(page),
        "dispatch queue": asking(queue),
        "call-back list": asking(lambda session: queries.revisit_list(session, place.people["callback"])),
        "all tickets": asking(lambda session: queries.ticket_list(session, desk)),
        "a department's tickets": asking(lambda session: queries.ticket_list(session, bureau)),
    }
    for name, phrases in PHRASES.items():
        phrase = draw.choice(phrases)
        found[name] = asking(lambda session, phrase=phrase: search.find(session, desk, phrase))  # type: ignore[misc]  # a default binds it
    rare = draw.choice(PHRASES["search, rare"])
    found["search, count of a common one"] = asking(lambda session: search.count(session, desk, "路灯"))
    found["search, of a department"] = asking(lambda session: search.find(session, bureau, rare))
    return found


def pages(place: Place, client: ClientSession, draw: random.Random) -> dict[str, Asked]:
    """The same as people see it, over HTTP."""

    def getting(who: str, path: str) -> Asked:
        async def get() -> None:
            headers = {"Cookie": place.cookies[who], "Accept": "text/html"}
            async with client.get(place.base + path, headers=headers) as answer:
                text = await answer.text()
                if answer.status != 200:
                    raise RuntimeError(f"{path} for {who}: {answer.status} {text[:300]}")

        return get

    return {
        "page: workbench": getting("bureau", "/workbench"),
        "page: a department's tickets": getting("bureau", "/unit"),
        "page: ticket": getting("bureau", f"/tickets/{draw.choice(place.tickets)}"),
        "page: dispatch desk": getting("dispatcher", "/dispatch"),
        "page: all tickets": getting("dispatcher", "/tickets"),
        "page: search, common": getting("dispatcher", f"/search?text={quote('路灯')}"),
        "page: search, rare": getting("dispatcher", f"/search?text={quote('黑色双肩包')}"),
    }


async def measure(sizes: Sequence[int], rounds: int, folder: Path) -> dict[str, Any]:
    """Make the databases, then take turns; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "sizes": list(sizes), "rounds": rounds}
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(startup.database(settings_in(folder)))
        places = [await make_place(stack, url, folder, size, figures) for size in sizes]
        client = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
        with progress() as bars:
            for turn in bars.track(range(-2, rounds), description="taking turns"):
                for place in places:
                    draw = random.Random(turn)
                    work = questions(place, draw) | pages(place, client, draw)
                    for name, asked in work.items():
                        await place.timed(name, asked, count=turn >= 0)
    figures |= compared(places)
    return figures


async def make_place(
    stack: AsyncExitStack, url: str, folder: Path, size: int, figures: dict[str, Any]
) -> Place:
    """A database of so many tickets, and a node that serves it."""
    mine, own = make_url(url).set(database=f"bench_{size}"), folder / str(size)
    own.mkdir(exist_ok=True)
    settings = settings_in(own)
    connection = await startup.connect(url)
    await connection.execute(f"CREATE DATABASE bench_{size} ENCODING 'UTF8' TEMPLATE template0")
    await connection.close()
    address = mine.render_as_string(hide_password=False)
    await startup.prepare(address)
    node = Node(settings, address)
    stack.push_async_callback(node.db.close)
    stack.callback(node.passwords.close)
    city = await make_city(node)
    started = time.perf_counter()
    with progress() as bars:
        task = bars.add_task(f"{size:,} tickets", total=size)
        await fill(address, node.vault, size, node.clock.now(), lambda made: bars.advance(task, made))
    figures.setdefault("seconds_to_make", {})[size] = round(time.perf_counter() - started, 1)
    server = stack.enter_context(process("bench._served", address, str(own)))
    return Place(size, node, server.base, *await _people(node, city), await _tickets(node, city))


async def _people(node: Node, city: City) -> tuple[dict[str, Actor], dict[str, str]]:
    actors, cookies = {}, {}
    for login in city.logins:
        opened = await node.people.authenticate(login, city.password, source="127.0.0.1")
        actors[login], cookies[login] = opened.actor, f"{cookie_name(False)}={opened.token}"
    return actors, cookies


async def _tickets(node: Node, city: City) -> list[int]:
    """Some tickets of the busiest unit, of every age."""
    rows = await node.db.fetch(
        "SELECT ticket_id FROM (SELECT ticket_id, row_number() OVER (ORDER BY ticket_id) AS place, "
        "count(*) OVER () AS every FROM ticket_unit WHERE unit_id = $1 AND until IS NULL) AS t "
        "WHERE mod(place, greatest(every / $2, 1)) = 0 LIMIT $2",
        city.busiest_unit,
        SEEN,
    )
    return [row["ticket_id"] for row in rows]


def compared(places: Sequence[Place]) -> dict[str, Any]:
    """p50 and p95 of everything that was timed, by size, and the largest size's to the smallest's."""
    names = list(places[0].times)
    found: dict[str, Any] = {}
    for kind, share in (("p50_ms", 0.5), ("p95_ms", 0.95)):
        found[kind] = {
            name: {place.size: percentile(place.times[name], share) for place in places} for name in names
        }
    small, large = places[0].size, places[-1].size
    found["ratio"] = {
        name: {kind: found[kind][name][large] / found[kind][name][small] for kind in ("p50_ms", "p95_ms")}
        for name in names
    }
    return found


def tell(name: str, figures: dict[str, Any], target: Callable[[str], float | None]) -> None:
    """Print what `compared` found, with the target of each measure (None: it has none), and keep it."""
    rows = []
    for measure, found in figures["p95_ms"].items():
        times = ", ".join(f"{size:,}: {value:.1f}" for size, value in found.items())
        ratio, most = figures["ratio"][measure], target(measure)
        words = f"{times} ms; ratio {ratio['p95_ms']:.2f} (p50 {ratio['p50_ms']:.2f})"
        rows.append((measure, words, "" if most is None else f"≤ {most}"))
    console.print(figures["machine"])
    made = ", ".join(f"{size:,} in {seconds:.0f} s" for size, seconds in figures["seconds_to_make"].items())
    console.print(f"tickets made: {made}")
    finish(name, "p95 by stored tickets", rows, figures)


def _target(measure: str) -> float:
    return next((limit for kind, limit in TARGETS.items() if kind in measure), TARGET)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.lists", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        figures = asyncio.run(measure(options.sizes, options.rounds, Path(folder)))
    tell("lists", figures, _target)


if __name__ == "__main__":
    main()
