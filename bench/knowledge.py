"""How long knowledge is looked for at 1 k and 50 k articles in force, in one run.

Two databases on one embedded server hold articles of the same kind: the categories of the demo city,
with places and aspects. Asked are the product's own questions: suggestions for what an agent wrote down
(texts of about 400 characters), with a category, before anything is written; and searches by common
words, rare ones, synonyms, and what nobody wrote of. Sizes take turns within every round. What counts is
the ratio of the p95 at the largest size to the smallest.

    python -m bench.knowledge [--sizes 1000 50000] [--rounds 200]
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from bench._report import console, finish, machine, percentile, progress
from bench._served import settings_in
from core import startup
from core.clock import SystemClock
from core.db import Database
from core.events import EventBus
from core.people import org
from core.people.actor import Actor
from core.people.permissions import ROLE_PERMISSIONS, Role
from routing.demo import categories, places
from routing.demo.knowledge import SYNONYMS, articles
from routing.demo.seed import make_categories
from tickets.knowledge import search
from tickets.knowledge.bulk import insert_published
from tickets.knowledge.models import KnowledgeSynonym
from tickets.knowledge.search import Place
from tickets.models import table_of

DAY = date(2026, 11, 30)
TARGET = 2.0
ASPECTS = ("办理材料", "收费标准", "投诉渠道", "受理窗口", "办结期限", "申请条件", "网上预约", "补贴政策")
OPENINGS = ("来电人住在{town}，", "市民反映，{town}一带", "来电人称在{town}租房，")
WORDS = {
    "search, common words": ("小区 收费", "补贴", "申请条件", "投诉渠道"),
    "search, rare words": ("漓江水质 申请条件", "砂糖橘 补贴", "危险废物 投诉"),
    "search, synonyms": ("电瓶车 上牌", "驾照 材料", "欠薪 投诉"),
    "search, nothing": ("量子纠缠", "月球 旅行 签证"),
}
AGENT = Actor(1, "agent", "坐席", frozenset({Role.AGENT}), ROLE_PERMISSIONS[Role.AGENT], None, "", "")
Asked = Callable[[AsyncSession], Awaitable[object]]


@dataclass
class Shelf:
    """One size: its database, and what was timed on it in milliseconds."""

    size: int
    db: Database
    categories: list[int]
    times: dict[str, list[float]] = field(default_factory=dict)

    async def timed(self, name: str, asked: Asked, *, count: bool) -> None:
        """Ask once, in a session of its own as a request does; the warm-up does not count."""
        started = time.perf_counter()
        async with self.db.read() as session:
            await asked(session)
        if count:
            self.times.setdefault(name, []).append((time.perf_counter() - started) * 1000)


def contents(unit: int, ids: dict[str, int], draw: random.Random) -> Iterator[dict[str, Any]]:
    """Articles without end: the demo's own first, then categories with towns and aspects."""
    plain = {
        "district_id": None, "audience": "public", "valid_from": DAY, "valid_to": None, "unit_id": unit,
    }  # fmt: skip
    for one in articles():
        texts = {"question": one.texts["Q"], "answer": one.texts["A"], "basis": one.texts["B"]}
        yield plain | texts | {"category_id": ids[one.category], "uses": one.uses}
    leaves = [node for node in categories.nodes() if node.level == 3]
    towns = [f"{one.short}{town}" for one in places.DISTRICTS for town in one.towns]
    while True:
        leaf, town, aspect = draw.choice(leaves), draw.choice(towns), draw.choice(ASPECTS)
        number = draw.randrange(1000)
        yield plain | {
            "question": f"{town}{leaf.name}的{aspect}（第{number}类）",
            "answer": f"{town}居民办理{leaf.name}，{aspect}以主管部门公布为准。" * draw.randint(2, 8),
            "basis": "以主管部门公布为准",
            "category_id": ids[leaf.code],
            "uses": int(draw.paretovariate(1.1)),
        }


async def make_shelf(stack: AsyncExitStack, url: str, size: int) -> Shelf:
    """A database with so many articles in force."""
    name = f"bench_{size}"
    connection = await startup.connect(url)
    await connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    await connection.close()
    address = make_url(url).set(database=name).render_as_string(hide_password=False)
    await startup.prepare(address)
    db = Database(address, clock=SystemClock(), bus=EventBus(), pool_size=2)
    stack.push_async_callback(db.close)
    async with db.begin() as uow:
        system = Actor.system("bench")
        city = await org.create_unit(uow, system, kind="city", name="桂林市", code="c")
        unit = await org.create_unit(uow, system, kind="bureau", name="市局", code="b", parent=city)
        ids = await make_categories(uow)
        rows = [{"words": list(words), "made_at": uow.now} for words in SYNONYMS]
        await uow.session.execute(sa.insert(table_of(KnowledgeSynonym)), rows)
        made = islice(contents(unit.id, ids, random.Random(size)), size)
        with progress() as bars:
            task = bars.add_task(f"{size:,} articles", total=size)
            while chunk := list(islice(made, 2000)):
                await insert_published(uow.session, chunk, at=uow.now)
                bars.advance(task, len(chunk))
    connection = await startup.connect(address)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return Shelf(size, db, [ids[node.code] for node in categories.nodes() if node.level == 3])


def questions(shelf: Shelf, draw: random.Random) -> dict[str, Asked]:
    """What is asked in one round, by what is measured."""
    place = Place(draw.choice(shelf.categories))
    text = _narrative(draw)
    found: dict[str, Asked] = {
        "suggest, 400 characters": lambda session: search.suggest(session, AGENT, text, DAY),
        "suggest, with a category": lambda session: search.suggest(session, AGENT, text, DAY, place=place),
        "suggest, a few words": lambda session: search.suggest(session, AGENT, text[:24], DAY),
        "before anything is written": lambda session: search.search(session, AGENT, "", DAY),
    }
    for name, words in WORDS.items():
        typed = draw.choice(words)
        found[name] = lambda session, typed=typed: search.search(session, AGENT, typed, DAY)  # type: ignore[misc]  # a default binds it
    return found


def _narrative(draw: random.Random) -> str:
    """What an agent writes down in 400 characters: about two matters, with places."""
    leaves = [node.name for node in categories.nodes() if node.level == 3]
    town = draw.choice([town for one in places.DISTRICTS for town in one.towns])
    parts = [draw.choice(OPENINGS).format(town=town)]
    while sum(map(len, parts)) < 400:
        aspect = draw.choice(ASPECTS)
        parts.append(f"想了解{draw.choice(leaves)}的{aspect}，之前问过社区，工作人员让打热线，至今没有结果。")
    return "".join(parts)[:400]


async def measure(sizes: list[int], rounds: int, folder: Path) -> dict[str, Any]:
    """Make the databases, take turns; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "sizes": sizes, "rounds": rounds}
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(startup.database(settings_in(folder)))
        shelves = [await make_shelf(stack, url, size) for size in sizes]
        with progress() as bars:
            for turn in bars.track(range(-10, rounds), description="taking turns"):
                for shelf in shelves:
                    for name, asked in questions(shelf, random.Random(turn)).items():
                        await shelf.timed(name, asked, count=turn >= 0)
    small, large = shelves[0], shelves[-1]
    for kind, share in (("p50_ms", 0.5), ("p95_ms", 0.95)):
        figures[kind] = {
            name: {shelf.size: percentile(shelf.times[name], share) for shelf in shelves}
            for name in small.times
        }
    figures["ratio"] = {
        name: figures["p95_ms"][name][large.size] / figures["p95_ms"][name][small.size]
        for name in small.times
    }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.knowledge", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 50_000])
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        figures = asyncio.run(measure(options.sizes, options.rounds, Path(folder)))
    console.print(figures["machine"])
    rows = []
    for name, found in figures["p95_ms"].items():
        times = ", ".join(f"{size:,}: {value:.1f}" for size, value in found.items())
        rows.append((name, f"{times} ms; ratio {figures['ratio'][name]:.2f}", f"≤ {TARGET}"))
    finish("knowledge", "p95 by articles in force", rows, figures)


if __name__ == "__main__":
    main()
