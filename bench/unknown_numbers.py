"""Whether the time of an answer tells a number that exists from one that does not.

A node with its embedded database and the demo city, asked over HTTP as by citizens who follow a ticket at
the portal. Known numbers with a wrong code and numbers that do not exist take turns in random order, one at a
time. No address tries a number five times or asks more often than the shipped limits allow, so that no lock
and no brake answers instead. The answers must be alike, and so must be the times.

    python -m bench.unknown_numbers [--pairs 2000] [--tickets 600]
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientSession, ClientTimeout

from bench._report import console, finish, machine, median, percentile, progress
from bench._served import settings_in
from bench.public_intake import KilledNode
from core import startup
from node import Node
from routing.demo import Size, seed
from tickets import query_codes

Waits = dict[str, list[float]]
KNOWN, UNKNOWN = "a wrong code", "no such number"
LEAST, MOST = 0.9, 1.1  # median of unknown numbers to that of known ones
WARM = 100  # pairs before anything is counted
PER_SOURCE = query_codes.TRIES_OF_A_SOURCE - 1
PER_NUMBER = query_codes.TRIES_IN_ALL - PER_SOURCE  # before a number is locked for everybody


async def prepare(url: str, folder: Path, tickets: int) -> dict[str, list[str]]:
    """The demo city; numbers it has, and as many of the same shape that it has not."""
    await startup.prepare(url)
    node = Node(settings_in(folder), url)
    try:
        await seed(node.context, size=Size(tickets=tickets, records=0, missed=0))
        async with node.db.read() as session:
            query = sa.text("SELECT number FROM ticket ORDER BY id DESC LIMIT :most")
            known = list((await session.execute(query, {"most": tickets})).scalars())
    finally:
        node.passwords.close()
        await node.db.close()
        await node.backstage.close()
    taken = set(known)
    unknown = [f"{number[:12]}{int(number[12:]) + 500_000:06}" for number in known]
    return {KNOWN: known, UNKNOWN: [number for number in unknown if number not in taken]}


class Guesser:
    """Somebody who tries numbers, each time with a code that is wrong."""

    def __init__(self, base: str, session: ClientSession) -> None:
        self._base = base
        self._session = session
        self.answers: dict[str, set[tuple[int, int]]] = {KNOWN: set(), UNKNOWN: set()}

    async def attempt(self, kind: str, number: str, turn: int) -> float:
        """One try; the seconds until the answer was there. Its code has seven digits: nobody's has."""
        place = turn // PER_SOURCE
        source = f"10.{place // 65025 % 255}.{place // 255 % 255}.{place % 255}"
        headers = {"Origin": self._base, "Accept": "text/html", "X-Forwarded-For": source}
        form = {"number": number, "code": "1234567"}
        began = time.perf_counter()
        async with self._session.post(f"{self._base}/portal/track", data=form, headers=headers) as got:
            body = await got.read()
        seconds = time.perf_counter() - began
        self.answers[kind].add((got.status, len(body)))
        return seconds


async def play(base: str, numbers: dict[str, list[str]], pairs: int) -> tuple[Waits, Guesser]:
    """Seconds of every answer, by kind of number."""
    waits: Waits = {KNOWN: [], UNKNOWN: []}
    async with ClientSession(timeout=ClientTimeout(total=30)) as session:
        guesser = Guesser(base, session)
        with progress() as bar:
            task = bar.add_task("tries of each kind", total=WARM + pairs)
            for turn in range(WARM + pairs):
                for kind in random.sample((KNOWN, UNKNOWN), 2):
                    names = numbers[kind]
                    seconds = await guesser.attempt(kind, names[turn % len(names)], turn)
                    if turn >= WARM:
                        waits[kind].append(seconds)
                bar.advance(task)
    return waits, guesser


async def measure(options: Any) -> dict[str, Any]:
    """Everything in one run."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        async with startup.database(settings_in(folder)) as url:
            with console.status("the demo city"):
                numbers = await prepare(url, folder, options.tickets)
            node = KilledNode(url, folder)
            await asyncio.to_thread(node.start)
            try:
                waits, guesser = await play(f"http://127.0.0.1:{node.port}", numbers, options.pairs)
            finally:
                await asyncio.to_thread(node.stop)
    found: dict[str, Any] = {}
    for kind, seconds in waits.items():
        told = [1000 * value for value in seconds]
        found[kind] = {"tries": len(told), "p50": median(told), "p95": percentile(told, 0.95)}
    found["ratio"] = found[UNKNOWN]["p50"] / found[KNOWN]["p50"]
    found["ratio_p95"] = found[UNKNOWN]["p95"] / found[KNOWN]["p95"]
    found["answers"] = {kind: sorted(seen) for kind, seen in guesser.answers.items()}
    found["alike"] = guesser.answers[KNOWN] == guesser.answers[UNKNOWN] and len(guesser.answers[KNOWN]) == 1
    return found


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The table."""
    rows = [
        (kind, f"p50 {found[kind]['p50']:.2f}, p95 {found[kind]['p95']:.2f} ms", "")
        for kind in (KNOWN, UNKNOWN)
    ]
    return [
        *rows,
        ("median to median", f"{found['ratio']:.3f}", f"{LEAST:g} … {MOST:g}"),
        ("p95 to p95", f"{found['ratio_p95']:.3f}", ""),
        ("answers alike", "yes" if found["alike"] else str(found["answers"]), "yes"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.unknown_numbers", description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000, help="tries of each kind")
    parser.add_argument("--tickets", type=int, default=600, help="in the demo city")
    options = parser.parse_args()
    most = options.tickets * PER_NUMBER - WARM
    if not 0 < options.pairs <= most:
        parser.error(f"--pairs: 1 … {most} with {options.tickets} tickets, else locks would answer")
    about = machine()
    found = asyncio.run(measure(options))
    console.print(about)
    title = f"{options.pairs} tries of each kind at the portal, taking turns"
    finish("unknown_numbers", title, rows_of(found), {"machine": about, **found})
    return 0 if found["alike"] and LEAST <= found["ratio"] <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
