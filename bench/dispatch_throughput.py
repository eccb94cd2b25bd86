"""Create and dispatch over HTTP through the whole service, against bare handlers, in one run.

Fifty agents, each signed in with a session of its own, work without pause in a process of their own
(`bench._agents`). One matter is three requests, as the browser sends them: a draft is opened, its
form becomes a ticket, the ticket is dispatched. Both sides answer the same requests:

  ours   a node as it runs by default (console, telephony, relay, outbox, log file), in its process
  bare   `bench._bare`: aiohttp and asyncpg alone, in processes of their own: "row" writes one row per
         request and does nothing else, "job" does by hand what the process asks for, and no more

Commits: one per request on either side (ours: the draft with its history; the ticket with history,
vault and the ended draft; the dispatch with history, each with its line of the event log). The
product makes more: a session is touched every 30 s, the relay numbers the event log in transactions
of its own. Pool: `database.pool_size`, twice that at most, on either side. The server is durable:
fsync and synchronous_commit on, which is checked. Rounds alternate; the ratio is that of the medians.

    python -m bench.dispatch_throughput [--agents 50] [--rounds 5] [--seconds 8] [--profile FILE]
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench._agents import STEPS, Agents, Load
from bench._report import console, finish, machine, median, progress
from bench._served import settings_in
from core import startup
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.settings import Settings
from node import Node
from tickets.models import Category
from web.security.sessions import cookie_name

WARM_UP = 2.0  # seconds before anything counts
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
BARE = {"row": "bare: one row per request", "job": "bare: the same job by hand"}


async def prepare(settings: Settings, url: str, agents: int) -> dict[str, Any]:
    """A city with one bureau, a category and so many agents with open sessions."""
    await startup.prepare(url)
    node = Node(settings, url)
    actor, made = Actor.system("bench"), {"cookies": [""] * agents}
    try:
        async with node.db.begin() as uow:
            city = await org.create_unit(uow, actor, kind="city", name="桂林", code="4503")
            desk = await org.create_unit(uow, actor, kind="hotline", name="热线", code="12345", parent=city)
            bureau = await org.create_unit(uow, actor, kind="bureau", name="城管委", code="cg", parent=city)
            category = Category(level=1, code="01", name="路灯", full_name="路灯", initials="ld", path=".1.")
            uow.session.add(category)
            await uow.session.flush()
            password = node.settings.secrets.demo_password
            for number in range(agents):
                await node.people.create_user(
                    uow,
                    actor,
                    login=f"bench{number}",
                    name=f"席位{number}",
                    password=password,
                    unit_id=desk.id,
                    roles=frozenset({Role.AGENT, Role.DISPATCHER}),
                    extension=str(1001 + number),
                )
        for number in range(agents):
            opened = await node.people.authenticate(f"bench{number}", password, source="127.0.0.1")
            made["cookies"][number] = f"{cookie_name(False)}={opened.token}"
        durable = {name: await _shown(node, name) for name in DURABLE}
        return {**made, "unit_id": bureau.id, "category_id": category.id, "durable": durable}
    finally:
        node.passwords.close()
        await node.db.close()


async def _shown(node: Node, name: str) -> str:
    async with node.db.read() as session:
        return str((await session.execute(sa.text(f"SHOW {name}"))).scalar_one())


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    base: str
    process_id: int

    def worked(self) -> float:
        """Processor seconds it has used so far."""
        return _worked(self.process_id)


def _worked(process_id: int, *, ended_children: bool = False) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11 : 15 if ended_children else 13]) / os.sysconf("SC_CLK_TCK")


class Postgres:
    """The embedded server of a folder, seen from outside."""

    def __init__(self, folder: Path) -> None:
        (pid_file,) = folder.rglob("postmaster.pid")
        self._postmaster = int(pid_file.read_text(encoding="ascii").split()[0])

    def worked(self) -> float:
        """Processor seconds all its processes have used so far; one that ends meanwhile may go missing."""
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text(
            encoding="ascii"
        )
        total = _worked(self._postmaster, ended_children=True)
        for child in children.split():
            with suppress(FileNotFoundError, ProcessLookupError):
                total += _worked(int(child))
        return total


@contextmanager
def process(*arguments: str) -> Iterator[Server]:
    """Start a server; it lives as long as the block."""
    running = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield Server(f"http://127.0.0.1:{int(running.stdout.readline())}", running.pid)
    finally:
        running.stdin.close()
        running.wait(30)
        running.stdout.close()


async def measure(agents: int, rounds: int, seconds: float, profile: str) -> dict[str, Any]:
    """Run the rounds; returns the figures."""
    figures: dict[str, Any] = {"machine": machine(), "agents": agents, "seconds_per_round": seconds}
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        settings = settings_in(folder)
        async with startup.database(settings) as url:
            prepared = await prepare(settings, url, agents)
            figures["durable"] = prepared.pop("durable")
            if set(figures["durable"].values()) != {"on"}:
                raise SystemExit(f"the server is not durable: {figures['durable']}")
            figures["pool_size"] = settings.database.pool_size
            figures |= await asyncio.to_thread(
                _rounds, url, folder, prepared, rounds, seconds, profile, settings.database.pool_size
            )
    return figures


def _rounds(
    url: str, folder: Path, prepared: dict[str, Any], rounds: int, seconds: float, profile: str, pool: int
) -> dict[str, Any]:
    served = ("bench._served", url, str(folder), *([profile] if profile else []))
    taken: dict[str, list[dict[str, Any]]] = {"row": [], "ours": [], "job": []}
    postgres = Postgres(folder)
    with (
        progress() as bars,
        Agents() as client,
        process("bench._bare", url, str(pool), "row") as row,
        process("bench._bare", url, str(pool), "job") as job,
        process(*served) as ours,
    ):
        task = bars.add_task("bare row, ours, bare job", total=rounds * 3)
        for _ in range(rounds):
            for side, server in (("row", row), ("ours", ours), ("job", job)):
                load = Load(base=server.base, warm_up=WARM_UP, seconds=seconds, **prepared)
                before = server.worked(), postgres.worked()
                found = client.run(load)
                after = server.worked(), postgres.worked()
                names = ("cpu_ms", "database_cpu_ms")
                for name, one, other in zip(names, before, after, strict=True):
                    found[name] = (other - one) * 1000 / found["sent"]
                taken[side].append(found)
                bars.advance(task)
    return {"rounds": taken} | _compared(taken)


def _compared(taken: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    def middle(side: str, *keys: str) -> float:
        found: list[Any] = list(taken[side])
        for key in keys:
            found = [each[key] for each in found]
        return median(found)

    rate = {side: middle(side, "requests_per_second") for side in taken}
    times = {
        side: {step: {name: middle(side, f"{step}_ms", name) for name in ("p50", "p95")} for step in STEPS}
        for side in taken
    }
    return {
        "requests_per_second": rate,
        "matters_per_second": {side: middle(side, "matters_per_second") for side in taken},
        "ratio": {side: rate["ours"] / rate[side] for side in ("row", "job") if rate[side]},
        "cpu_ms_per_request": {side: middle(side, "cpu_ms") for side in taken},
        "database_cpu_ms_per_request": {side: middle(side, "database_cpu_ms") for side in taken},
        "ms": times,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.dispatch_throughput", description=__doc__)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--profile", default="", help="write the node's profile here, for pstats")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.agents, options.rounds, options.seconds, options.profile))
    rate, each = figures["requests_per_second"], figures["matters_per_second"]
    rows = [
        (
            name,
            f"{rate[side]:,.0f} requests/s, {each[side]:,.0f} tickets/s, "
            f"{figures['cpu_ms_per_request'][side]:.2f} ms of processor per request, "
            f"{figures['database_cpu_ms_per_request'][side]:.2f} ms of the database's",
            "",
        )
        for side, name in ({**BARE, "ours": "through the whole service"}).items()
    ]
    rows += [(f"ratio to {BARE[side]}", f"{ratio:.2f}", "≥ 0.4") for side, ratio in figures["ratio"].items()]
    for step in STEPS:
        found = [figures["ms"][side][step] for side in ("ours", "row", "job")]
        rows.append(
            (
                f"{step}, p50 / p95: ours, row, job",
                ", ".join(f"{one['p50']:.0f} / {one['p95']:.0f} ms" for one in found),
                "",
            )
        )
    console.print(figures["machine"])
    finish("dispatch_throughput", f"Create and dispatch, {figures['agents']} agents", rows, figures)


if __name__ == "__main__":
    main()
