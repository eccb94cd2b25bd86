"""Public pages under a rush: forms offered at a fixed rate, agents at work beside, a kill -9 in between.

One node with its embedded database and the demo city, as it runs by default. Three phases:

  quiet   agents alone: the p95 of their list and their ticket pages
  rush    the same, while `--rate` forms a second are offered; what the node does not take in is answered
          429 with Retry-After
  kill    a rush in which the node is killed (-9) and started again; forms without an answer are sent again
          with their key

Afterwards every form that was answered as taken in must be in the database once, and no other.

    python -m bench.public_intake [--seconds 60] [--rate 200] [--agents 20] [--tickets 3000]
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench._report import console, finish, machine, percentile
from bench._served import settings_in
from bench.floor import Process
from core import startup
from node import Node
from routing.demo import Size, seed
from web.security.sessions import cookie_name

SLOWER = 2.0  # agents' p95 beside the rush, to the quiet one


class KilledNode:
    """The node's process."""

    def __init__(self, url: str, folder: Path) -> None:
        self._arguments = (url, str(folder))
        self.port = "0"
        self._running: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait for its port, which it keeps."""
        command = [sys.executable, "-m", "bench._public_node", *self._arguments, self.port]
        self._running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._running.stdout is not None
        self.port = self._running.stdout.readline().strip()
        if not self.port:
            raise RuntimeError("the node did not start, see above")

    def kill(self) -> None:
        """kill -9."""
        assert self._running is not None
        os.kill(self._running.pid, signal.SIGKILL)
        self._running.wait(30)

    def stop(self) -> None:
        """End it cleanly."""
        if self._running is not None and self._running.stdin is not None:
            self._running.stdin.close()
            self._running.wait(60)


async def prepare(url: str, folder: Path, options: Any) -> dict[str, Any]:
    """The demo city, agents who are signed in, tickets they may open."""
    await startup.prepare(url)
    node = Node(settings_in(folder), url)
    try:
        await seed(node.context, size=Size(tickets=options.tickets, records=options.tickets // 3, missed=20))
        password = node.settings.secrets.demo_password
        cookies = []
        for number in range(1, options.agents + 1):
            opened = await node.people.authenticate(f"agent{number:02}", password, source="127.0.0.1")
            cookies.append(f"{cookie_name(False)}={opened.token}")
        async with node.db.read() as session:
            ids = (
                await session.execute(sa.text("SELECT id FROM ticket ORDER BY id DESC LIMIT 500"))
            ).scalars()
            return {"cookies": cookies, "tickets": list(ids)}
    finally:
        node.passwords.close()
        await node.db.close()
        await node.backstage.close()


def play(url: str, folder: Path, told: dict[str, Any], options: Any) -> dict[str, Any]:
    """The three phases."""
    node = KilledNode(url, folder)
    node.start()
    clients = Process("bench._public_clients")
    try:
        clients.say(json.dumps({**told, "base": f"http://127.0.0.1:{node.port}"}))
        run(clients, 5, 0)  # what is loaded once is loaded
        found = {
            "quiet": run(clients, options.seconds, 0),
            "rush": run(clients, options.seconds, options.rate),
        }
        clients.say(json.dumps({"seconds": max(10.0, options.seconds / 3), "rate": options.rate}))
        with console.status("the node is killed and started again"):
            time.sleep(3 + random.random())
            node.kill()
            node.start()
            found["kill"] = json.loads(clients.hear())
    finally:
        clients.close()
        node.stop()
    return found


def run(clients: Process, seconds: float, rate: float) -> dict[str, Any]:
    """One phase."""
    clients.say(json.dumps({"seconds": seconds, "rate": rate}))
    with console.status(f"{rate:g} forms a second for {seconds:g} s"):
        found: dict[str, Any] = json.loads(clients.hear())
    return found


async def stored(url: str, folder: Path, taken: list[str]) -> dict[str, int]:
    """How the database agrees with the answers."""
    node = Node(settings_in(folder), url)
    try:
        async with node.db.read() as session:
            rows = (await session.execute(sa.text("SELECT key, ticket_id FROM submission"))).all()
            web = sa.text("SELECT count(*) FROM ticket t JOIN submission s ON s.ticket_id = t.id")
            tickets = (await session.execute(web)).scalar_one()
            codes = sa.text("SELECT count(*) FROM citizen_consent")
            consents = (await session.execute(codes)).scalar_one()
    finally:
        node.passwords.close()
        await node.db.close()
        await node.backstage.close()
    keys = [row.key for row in rows]
    return {
        "taken": len(taken),
        "lost": len(set(taken) - set(keys)),
        "twice": len(keys) - len(set(keys)),
        "unasked": len(set(keys) - set(taken)),
        "tickets": tickets,
        "consents": consents,
    }


async def measure(options: Any) -> dict[str, Any]:
    """Everything in one run."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        async with startup.database(settings_in(folder)) as url:
            with console.status("the demo city"):
                told = await prepare(url, folder, options)
            found = await asyncio.to_thread(play, url, folder, told, options)
            taken = [*found["rush"]["taken"], *found["kill"]["taken"]]
            found["stored"] = await stored(url, folder, taken)
    for phase in ("quiet", "rush", "kill"):
        waits = [seconds * 1000 for _, seconds in found[phase].pop("pages")]
        found[phase]["pages"] = len(waits)
        found[phase]["p50"], found[phase]["p95"] = percentile(waits, 0.5), percentile(waits, 0.95)
        found[phase]["taken"] = len(found[phase]["taken"])
    found["slower"] = found["rush"]["p95"] / found["quiet"]["p95"] if found["quiet"]["p95"] else 0.0
    return found


def rows_of(found: dict[str, Any], options: Any) -> list[tuple[str, str, str]]:
    """The table."""
    rush, kill, kept = found["rush"], found["kill"], found["stored"]
    return [
        ("offered / taken in / refused", f"{rush['offered']} / {rush['taken']} / {rush['refused']}", ""),
        ("taken in a second", f"{rush['taken'] / options.seconds:.1f}", ""),
        ("refused without Retry-After", f"{rush['no_retry_after'] + kill['no_retry_after']}", "0"),
        ("other answers", str({**rush["odd"], **kill["odd"]} or "none"), "none"),
        ("agents' pages, quiet", f"p50 {found['quiet']['p50']:.0f}, p95 {found['quiet']['p95']:.0f} ms", ""),
        ("agents' pages, beside it", f"p50 {rush['p50']:.0f}, p95 {rush['p95']:.0f} ms", ""),
        ("slower by", f"{found['slower']:.2f}", f"≤ {SLOWER:g}"),
        ("kill -9: offered / taken in", f"{kill['offered']} / {kill['taken']}", ""),
        ("kill -9: sent again", f"{kill['resent']}", ""),
        ("answered as taken in, not stored", f"{kept['lost']}", "0"),
        ("stored twice", f"{kept['twice']}", "0"),
        ("stored, never answered so", f"{kept['unasked']}", "0"),
        ("tickets and consents of them", f"{kept['tickets']} / {kept['consents']}", f"{kept['taken']}"),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.public_intake", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=200.0, help="forms offered a second")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--tickets", type=int, default=3000, help="in the demo city beforehand")
    options = parser.parse_args()
    about = machine()
    found = asyncio.run(measure(options))
    console.print(about)
    title = f"{options.rate:g} forms/s offered, {options.seconds:g} s, {options.agents} agents beside"
    finish("public_intake", title, rows_of(found, options), {"machine": about, **found})
    kept, late = found["stored"], found["rush"]["no_retry_after"] + found["kill"]["no_retry_after"]
    whole = not (kept["lost"] or kept["twice"] or kept["unasked"] or late)
    plain = not found["rush"]["odd"] and not found["kill"]["odd"]
    return 0 if whole and plain and found["slower"] <= SLOWER else 1


if __name__ == "__main__":
    sys.exit(main())
