"""A full floor: 200 agents signed in, 8 calls a second, ten shift leaders who look on; one node.

Four processes on one machine: a simulated PBX (`_floor_pbx`), the node as it runs by default with its
embedded database (`_floor_node`), and everybody's browsers without the drawing (`_floor_clients`). Talk and
work after it take 20 s in the mean, so that 160 of 200 agents are busy. Taken is:

  ring → pop         from the ring leaving the PBX until the seat has the banner of that call
  state → leaders    from a telephone's change leaving the PBX (of an end of work after a call: from its
                     deadline) until each leader's table shows it; a state that a following one overtook
                     within a second is left out
  click → order      from an agent's POST of ready, not ready, hold or its end until the PBX has the order
  loop lag, memory   of the node

and, before it, what this machine does with none of our work: a commit and a frame to as many listeners,
as often as states change, and a POST with a commit for as many clicks (`bare`).

    python -m bench.floor [--seconds 600] [--agents 200] [--rate 8] [--profile FILE]
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from bench import _floor_clicks
from bench._floor_matching import LEADERS, delays, memory, pops
from bench._floor_node import QUEUE, WRAP_UP, beside, settings_of
from bench._report import console, finish, machine, percentile
from bench.dispatch_throughput import Postgres, Server
from core import startup
from core.catalog.models import CallQueue, CallQueueMember
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.settings import Settings
from core.tables import table_of
from node import Node
from web.security.sessions import cookie_name

TALK = 20.0 - WRAP_UP  # seconds in the mean
STATES_PER_CALL = 4  # ringing, talking, work after it, ready
BARE_SECONDS = 20.0
FIRST = 1001
TARGETS = {"pop": 300.0, "state": 1000.0, "click": 100.0, "lag": 50.0}  # milliseconds
GROWTH = 0.10  # of the memory, between the second and the last tenth of the time


class Worker(Protocol):
    """Something that uses the processor."""

    def worked(self) -> float:
        """Processor seconds so far."""


class Process:
    """One of ours, spoken to line by line."""

    def __init__(self, *arguments: str) -> None:
        self._running = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def worked(self) -> float:
        """Processor seconds so far."""
        return Server("", self._running.pid).worked()

    def say(self, line: str) -> None:
        assert self._running.stdin is not None
        self._running.stdin.write(line + "\n")
        self._running.stdin.flush()

    def hear(self) -> str:
        """The next line; it may take long."""
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._running.args!r} gave up, see above")
        return line.strip()

    def close(self) -> None:
        assert self._running.stdin is not None
        self._running.stdin.close()
        self._running.wait(60)


@contextmanager
def process(*arguments: str) -> Iterator[Process]:
    running = Process(*arguments)
    try:
        yield running
    finally:
        running.close()


async def prepare(settings: Settings, url: str, agents: int, port: int, secret: str) -> dict[str, Any]:
    """A hotline whose agents are signed in at their telephones, and everybody's open sessions."""
    await startup.prepare(url)
    node = Node(settings, url)
    beside(node, port, secret, settings.var)
    actor, password = Actor.system("bench"), settings.secrets.demo_password
    people: dict[str, int] = {}
    try:
        async with node.db.begin() as uow:
            city = await org.create_unit(uow, actor, kind="city", name="桂林", code="4503")
            desk = await org.create_unit(uow, actor, kind="hotline", name="热线", code="12345", parent=city)
            clicking = _floor_clicks.extensions()
            for number in range(agents + LEADERS + len(clicking)):
                leads = agents <= number < agents + LEADERS
                other = clicking[number - agents - LEADERS] if number >= agents + LEADERS else ""
                people[f"bench{number}"] = await node.people.create_user(
                    uow,
                    actor,
                    login=f"bench{number}",
                    name=f"班长{number}" if leads else f"席位{number}",
                    password=password,
                    unit_id=desk.id,
                    roles=frozenset({Role.SHIFT_LEADER if leads else Role.AGENT}),
                    extension=None if leads else other or str(FIRST + number),
                )
            queue, member = table_of(CallQueue), table_of(CallQueueMember)
            ident = await uow.session.scalar(sa.select(queue.c.id).where(queue.c.name == QUEUE))
            places = [
                {"queue_id": ident, "user_id": user, "penalty": 0} for user in [*people.values()][:agents]
            ]
            quiet = (
                sa.insert(queue)
                .values(name=_floor_clicks.QUEUE, label="无来电", kind="queue")
                .returning(queue.c.id)
            )
            aside = int((await uow.session.execute(quiet)).scalar_one())
            clickers = [*people.values()][agents + LEADERS :]
            places += [{"queue_id": aside, "user_id": user, "penalty": 0} for user in clickers]
            await uow.session.execute(sa.insert(member), places)
        for user in [*[*people.values()][:agents], *clickers]:
            async with node.db.begin() as uow:
                who = await node.people.actor_for_user(uow.session, user)
                assert who is not None
                await node.telephony.agents.sign_in(uow, who)
        async with node.db.begin() as uow:  # as the database does by itself in its first minutes
            await uow.session.execute(sa.text("ANALYZE"))
        cookies = []
        for login in people:
            opened = await node.people.authenticate(login, password, source="127.0.0.1")
            cookies.append(f"{cookie_name(False)}={opened.token}")
    finally:
        node.passwords.close()
        await node.db.close()
    extensions = [str(FIRST + number) for number in range(agents)]
    return {
        "agents": list(zip(cookies[:agents], extensions, strict=True)),
        "leaders": cookies[agents : agents + LEADERS],
        "clickers": list(zip(cookies[agents + LEADERS :], clicking, strict=True)),
        "users": dict(zip(extensions, [*people.values()][:agents], strict=True)),
    }


def bare(url: str, told: dict[str, Any], rate: float) -> dict[str, Any]:
    """What the machine does by itself."""
    with process("bench._floor_node", "--bare", url, str(rate)) as server:
        base = f"http://127.0.0.1:{server.hear()}"
        with process("bench._floor_clients") as clients:
            clients.say(json.dumps({**told, "base": base, "bare": True}))
            clients.hear()
            server.say("begin")
            time.sleep(BARE_SECONDS)
            server.say("end")
            lag = json.loads(server.hear())
            clients.say("stop")
            told_back = json.loads(clients.hear())
    found = told_back["bare"]
    shares = {"p50": percentile(found, 0.5), "p99": percentile(found, 0.99), "frames": len(found)}
    return {"lag": lag, **shares, "click_ms": _shares(told_back["bare_clicks"])}


def play(url: str, folder: Path, told: dict[str, Any], pbx: Process, options: Any) -> dict[str, Any]:
    """The floor at work."""
    arguments = [url, str(folder), *options.pbx, *([options.profile] if options.profile else [])]
    with process("bench._floor_node", *arguments) as node:
        base = f"http://127.0.0.1:{node.hear()}"
        with process("bench._floor_clients") as clients:
            clients.say(json.dumps({**told, "base": base}))
            clients.hear()
            time.sleep(3)  # the line to the PBX, and every agent's place in its queue
            node.say("begin")
            work: dict[str, Worker] = {
                "node": node, "PBX": pbx, "browsers": clients, "database": Postgres(folder),
            }  # fmt: skip
            before, began = {name: one.worked() for name, one in work.items()}, time.monotonic()
            pbx.say(f"{options.rate} {options.seconds} {TALK}")
            with console.status(f"{options.seconds:.0f} s of calls"):
                left = json.loads(pbx.hear())
            time.sleep(WRAP_UP + 3)
            took = time.monotonic() - began
            spent = {name: (one.worked() - before[name]) / took for name, one in work.items()}
            node.say("end")
            lag = json.loads(node.hear())
            clients.say("stop")
            seen = json.loads(clients.hear())
    return {**left, "lag": lag, "cores": spent, **seen}


async def measure(options: Any) -> dict[str, Any]:
    """Everything in one run."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        folder = Path(name)
        settings = settings_of(folder)
        with process("bench._floor_pbx", name) as pbx:
            port, secret = pbx.hear().split()
            options.pbx = (port, secret)
            async with startup.database(settings) as url:
                with console.status("people sign in"):
                    told = await prepare(settings, url, options.agents, int(port), secret)
                users = told.pop("users")
                with console.status("the bare machine"):
                    alone = await asyncio.to_thread(bare, url, told, options.rate * STATES_PER_CALL)
                found = await asyncio.to_thread(play, url, folder, told, pbx, options)
    rang, no_pop = pops(found)
    shown, unseen = delays(found, "seen", users)
    by_click, unordered = _floor_clicks.took(found["clicks"], found["orders"], found["heard"])
    clicked = [one for taken in by_click.values() for one in taken]
    framed, unheard = delays(found, "frames", users)
    return {
        "calls": sum(what == "talking" for _, what, _ in found["marks"]),
        "rings": len(rang) + no_pop,
        "no_pop": no_pop,
        "pop_ms": _shares(rang),
        "unseen": unseen,
        "seen": len(shown),
        "state_ms": _shares(shown),
        "clicks": len(clicked),
        "unordered": unordered,
        "click_ms": _shares(clicked),
        "clicks_ms": {what: {"clicks": len(taken), **_shares(taken)} for what, taken in by_click.items()},
        "unheard": unheard,
        "frame_ms": _shares(framed),
        "lag_ms": {name: value for name, value in found["lag"].items() if name != "memory"},
        "memory": memory(found["lag"]["memory"]),
        "requests": found["requests"],
        "cores": found["cores"],
        "bare": alone,
    }


def _shares(values: list[float]) -> dict[str, float]:
    found = {f"p{round(share * 100)}": percentile(values, share) for share in (0.5, 0.95, 0.99)}
    return {**found, "max": max(values, default=0.0)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.floor", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--rate", type=float, default=8.0, help="calls a second")
    parser.add_argument("--profile", default="", help="write the node's profile here, for pstats")
    options = parser.parse_args()
    about = machine()
    found = asyncio.run(measure(options))
    console.print(about)
    title = f"{options.agents} agents, {options.rate:g} calls/s, {options.seconds:.0f} s"
    finish("floor", title, rows_of(found), {"machine": about, **found})
    fast = all(found[f"{name}_ms"]["p99"] < most for name, most in TARGETS.items())
    fast = (
        fast
        and not found["unordered"]
        and all(one["clicks"] and one["p99"] < TARGETS["click"] for one in found["clicks_ms"].values())
    )
    return 0 if fast and found["memory"]["growth"] < GROWTH and not found["no_pop"] else 1


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The table."""
    alone, kept = found["bare"], found["memory"]
    return [
        ("calls talked / rings", f"{found['calls']} / {found['rings']}", ""),
        ("rings without a pop", f"{found['no_pop']}", "0"),
        ("ring → pop", _spread(found["pop_ms"]), "p99 < 300 ms"),
        ("state → leaders", _spread(found["state_ms"]), "p99 < 1000 ms"),
        ("  of it until the frame", _spread(found["frame_ms"]), ""),
        ("click → order at the PBX", _spread(found["click_ms"]), "p99 < 100 ms"),
        *(
            (f"  {what}", f"{one['clicks']} clicks, {_spread(one)}", "")
            for what, one in found["clicks_ms"].items()
        ),
        ("  clicks with / without an order", f"{found['clicks']} / {found['unordered']}", ""),
        ("states seen / not seen by a leader", f"{found['seen']} / {found['unseen']}", ""),
        ("loop lag", _spread(found["lag_ms"]), "p99 < 50 ms"),
        ("memory", f"{kept['early_mb']:.0f} → {kept['late_mb']:.0f} MB ({kept['growth']:+.1%})", "flat"),
        ("processors", ", ".join(f"{name} {n:.2f}" for name, n in found["cores"].items()), ""),
        ("bare: commit and frame", f"{alone['p50']:.1f} / {alone['p99']:.1f} ms", ""),
        (
            "bare: a POST with a commit",
            f"{alone['click_ms']['p50']:.1f} / {alone['click_ms']['p99']:.1f} ms",
            "",
        ),
        ("bare: loop lag p99", f"{alone['lag']['p99']:.1f} ms", ""),
        ("a leader's frame to the bare one", f"{_ratio(found, 'p50')} / {_ratio(found, 'p99')}", ""),
    ]


def _spread(found: dict[str, float]) -> str:
    return f"p50 {found['p50']:.0f}, p99 {found['p99']:.0f}, longest {found['max']:.0f} ms"


def _ratio(found: dict[str, Any], share: str) -> str:
    """Of the frame that tells a leader, to the bare one."""
    alone = found["bare"][share]
    return f"{found['frame_ms'][share] / alone:.1f}" if alone else "?"


if __name__ == "__main__":
    sys.exit(main())
