"""The command line. Every command is thin: settings, one call into the product, plain lines out.

Imports stand inside the commands on purpose: a start must reach its first page within three
seconds, and `--help` must not load a web server.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from classifier import commands as classifying
from core.commands import add_to, log_to_a_file, out, read_settings, refusals, say
from core.errors import HotlineError
from sla.measures.commands import measures_app
from tickets.certificates.commands import certificates_app
from tickets.duplicates.commands import clusters
from tickets.export.fonts import FONT

if TYPE_CHECKING:
    from core.doctor import Check, Level
    from core.settings import Pbx, Settings
    from node import Node

ROOT = Path(__file__).resolve().parent
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="12345 government hotline: contact centre and ticketing for a city.",
)
demo_app = typer.Typer(no_args_is_help=True, help="The demo city; development only.")
search_app = typer.Typer(no_args_is_help=True, help="The full-text index of tickets.")
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
def run() -> None:
    """Start a node: database, migrations, demo city when empty, console, telephony."""
    from core.startup import check_port

    with refusals():
        settings = read_settings()
        check_port(settings)
        log_to_a_file(settings)
        asyncio.run(_run(settings))


async def _run(settings: "Settings") -> None:
    """Live until Ctrl-C or SIGTERM; both end it cleanly at any moment, a second one at once."""
    from core import startup

    loop, life = asyncio.get_running_loop(), asyncio.current_task()
    assert life is not None

    def end() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        out.print("stopping …", style="dim")
        life.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        loading = asyncio.create_task(asyncio.to_thread(import_module, "node"))  # while the database starts
        async with startup.database(settings) as url:
            await startup.prepare(url)
            await loading
            await _live(settings, url)


async def _live(settings: "Settings", url: str) -> None:
    from core import heap
    from node import Node

    node = Node(settings, url)
    try:
        if settings.mode == "development":
            await _seed(node, only_empty=True)
        heap.watch()
        await node.start()
        await _greet(node)
        await heap.search_nightly(node.clock)
    finally:
        await node.stop()


async def _seed(node: "Node", *, only_empty: bool) -> None:
    """The demo city, with a progress bar; `only_empty`: not where there are units already."""
    from rich.progress import Progress

    from routing.demo import is_empty, seed
    from sla.demo import Past
    from sla.measures.recount import start_over

    if only_empty and not await is_empty(node.db):
        return
    past = Past(node.people, node.limits, node.supervision)
    with Progress(console=out, transient=True) as bar:
        task = bar.add_task(f"demo city {node.settings.city.name}", total=1.0)
        await seed(node.context, progress=lambda share: bar.update(task, completed=share), then=past.make)
    async with node.db.begin() as uow:
        await start_over(uow)


async def _greet(node: "Node") -> None:
    """Where the console is, and in development who can sign in."""
    from core.people.first import examples
    from web.words import ROLE_WORDS

    settings = node.settings
    address = settings.http.public_url or f"http://{settings.http.host}:{node.port}/"
    out.print(f"{settings.city.name} 12345: [bold]{address}[/bold]   stop: Ctrl-C")
    if settings.mode == "development" and node.port:
        table = Table("sign in as", "name", "岗位", "post", box=None, pad_edge=False)
        for login, name, roles in await examples(node.db):
            table.add_row(
                login, name, *(" ".join(words) for words in ([ROLE_WORDS[one] for one in roles], roles))
            )
        out.print(table)
        out.print(f"password of all of them: [bold]{settings.secrets.demo_password}[/bold]")


@app.command(context_settings=PASS_ON)
def test(context: typer.Context) -> None:
    """Run every test this machine can run; further words go to pytest."""
    from tests.abilities import ABILITIES

    os.chdir(ROOT)
    missing = [ability for ability in ABILITIES if not ability.present()]
    arguments = [sys.executable, "-m", "pytest", *(context.args or [])]
    status = os.spawnve(os.P_WAIT, sys.executable, arguments, {**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S606 - our own interpreter
    for ability in missing:
        out.print(
            f"skipped: {ability.tests} ({ability.name}). Enable: {ability.enable}",
            markup=False,
            soft_wrap=True,
        )
    raise typer.Exit(status)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A recorded AMI stream.")],
    queue_log: Annotated[Path | None, typer.Option(help="The queue_log of the same time.")] = None,
    trunk: Annotated[list[str] | None, typer.Option(help="Endpoint that leads to the citizens.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
) -> None:
    """Feed a recorded AMI stream through the same code as a live one and print its call sessions."""
    from telephony.replay import replay_file

    with refusals():
        for path in filter(None, (file, queue_log)):
            if not os.access(path, os.R_OK) or path.is_dir():
                raise HotlineError("recording_unreadable", file=str(path), why="no such file, or no right to")
        sessions = replay_file(file, queue_log, tuple(trunk or ("trunk",)))
        if not sessions and not _looks_like_ami(file):
            raise HotlineError("recording_unreadable", file=str(file), why="it is no AMI stream")
    if as_json:
        print(json.dumps(sessions, ensure_ascii=False, indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("session", "direction", "caller", "queues", "outcome", "agents", "wait", "talk"):
        table.add_column(name, overflow="fold")  # a shortened number helps nobody
    for call in sessions:
        agents = ", ".join(leg["agent"] for leg in call["legs"])
        talk = sum(leg["talk_seconds"] for leg in call["legs"])
        row = (
            call["session"],
            call["direction"],
            call["caller"],
            ", ".join(call["queues"]),
            call["outcome"],
            agents,
        )
        table.add_row(
            *(str(value or "-") for value in row), f"{call['wait_seconds'] or 0:.0f}", f"{talk:.0f}"
        )
    out.print(table)


def _looks_like_ami(file: Path) -> bool:
    """An empty recording is one; else it greets, tells or answers as a manager does near its beginning."""
    with file.open("rb") as stream:
        beginning = stream.read(1 << 20)
    return not beginning or any(
        mark in beginning for mark in (b"Asterisk Call Manager", b"Event:", b"Response:")
    )


@app.command()
def due(
    start: Annotated[str, typer.Option(help="2026-09-28T10:00+08:00; without a zone: the city's time.")],
    limit: Annotated[str, typer.Option(help="10wd, 4wh (working hours), 24h, 15m.")],
    calendar: Annotated[
        str, typer.Option(help="city: as in force; national: no days of the city; or a file of days.")
    ] = "city",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """When a limit is over, and why: every day skipped, every make-up day counted."""
    from core.clock import to_city
    from core.settings import load_settings
    from sla import clocks, explain, sources
    from sla.stored import in_use

    with refusals():
        begin, length, settings = clocks.parse_start(start), clocks.parse_limit(limit), load_settings()
        if calendar == "city":
            used = asyncio.run(in_use(settings))
            days, source = used.calendar, used.calendar_from
        else:
            days, source = sources.named_calendar(settings.city, calendar), calendar
        told = explain.explain(days, begin, length)
    if as_json:
        data = {"calendar": calendar, "calendar_from": source, **explain.as_data(told)}
        print(json.dumps(data, ensure_ascii=False, indent=1))
        return
    say(f"due {to_city(told.due):%Y-%m-%d %H:%M}")
    say(explain.in_chinese(told))
    say(explain.in_english(told))
    say(f"calendar: {source}")


@app.command()
def corpus(
    file: Annotated[Path, typer.Option("--out", help="The CSV file to write.")],
    size: Annotated[int, typer.Option(min=1, max=100_000, help="How many texts.")] = 6000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file, byte for byte.")] = 12345,
) -> None:
    """Write the starter corpus: synthetic texts about every matter of the demo city, for training."""
    from itertools import islice

    from rich.progress import track

    from classifier.starter import leaves, texts, write

    with refusals():
        try:
            with file.open("w", encoding="utf-8", newline="") as stream:
                made = track(islice(texts(seed), size), "corpus", total=size, console=out, transient=True)
                number = write(made, stream)
        except OSError as error:
            raise HotlineError("file_unwritable", file=str(file), why=error.strerror or str(error)) from None
    say(f"{file}: {number} synthetic texts about {len(leaves())} matters")


@app.command()
def doctor() -> None:
    """Look at this machine and installation; say what is wrong and what helps."""
    from core import doctor as looks
    from core.startup import database

    marks = {
        "ok": "[green]ok  [/green]",
        "warn": "[yellow]warn[/yellow]",
        "fail": "[bold red]fail[/bold red]",
    }
    worst: list[str] = []

    async def show(checks: list[looks.Check]) -> None:
        async for finding in looks.examine(checks):
            worst.append(finding.level)
            out.print(f"{marks[finding.level]} {finding.name}: {escape(finding.text)}", soft_wrap=True)
            if finding.help:
                out.print(f"     {finding.help}", markup=False, soft_wrap=True)

    async def work() -> None:
        await show(
            [
                *looks.machine_checks(settings),
                _calendar_check(settings),
                _pack_check(settings),
                *_pbx_checks(settings),
            ]
        )
        async with database(settings) as url:
            await show(looks.database_checks(url))

    with refusals():
        settings = read_settings()
        asyncio.run(work())
    raise typer.Exit(1 if "fail" in worst else 0)


def _calendar_check(settings: "Settings") -> "Check":
    """The file of the city's days, and whether the next year's days off are known when they should be."""
    from core.clock import SystemClock, to_city
    from core.doctor import Check
    from core.startup import explain
    from sla.sources import year_to_come
    from sla.stored import in_use

    async def look() -> "tuple[Level, str, str]":
        try:
            used = await in_use(settings)
        except HotlineError as error:
            return ("fail", *explain(error))
        calendar = used.calendar
        missing = year_to_come(calendar, to_city(SystemClock().now()).date())
        if missing is not None:
            return (
                "warn",
                f"the days off of {missing} are not known; deadlines count its statutory dates only"
                f" ({used.calendar_from})",
                "when the notice is out (November): enter its days on the page 日历, confirm the year",
            )
        return "ok", f"days off known up to {max(calendar.known)}; {used.calendar_from}", ""

    return Check("calendar", look)


def _pack_check(settings: "Settings") -> "Check":
    """The limits in force, and whether they are counted by the hours they were made for."""
    from core.doctor import Check
    from core.startup import explain
    from sla.calendar import parse_spans
    from sla.packs import named_pack
    from sla.stored import in_use

    async def look() -> "tuple[Level, str, str]":
        try:
            named_pack(settings.sla.pack)  # a node does not start without it
            used = await in_use(settings)
        except HotlineError as error:
            return ("fail", *explain(error))
        pack = used.pack
        if pack.office_hours != parse_spans(settings.city.office_hours, where="city.office_hours"):
            return (
                "warn",
                f"the policy pack {pack.name} is made for other office hours than city.office_hours",
                "limits are counted by city.office_hours; correct those of the pack on the page 时限政策",
            )
        return "ok", f"{pack.name}, from {pack.effective} on; {used.pack_from}", ""

    return Check("limits", look)


def _pbx_checks(settings: "Settings") -> "list[Check]":
    """One check for each configured PBX: does it let us in?"""
    from core.doctor import Check

    pbxs = settings.telephony.pbx if settings.telephony.source == "asterisk" else ()
    return [Check(f"PBX {pbx.name}", partial(_ask_pbx, pbx, settings)) for pbx in pbxs]


async def _ask_pbx(pbx: "Pbx", settings: "Settings") -> "tuple[Level, str, str]":
    """Connect and log in as the node would."""
    from telephony.ami.connection import AmiConnection, PbxAddress

    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    class Listener:
        async def line_up(self, line: AmiConnection) -> None:
            reply = await line.ask("CoreSettings")
            heard.set_result(f"Asterisk {reply.get('AsteriskVersion') or 'of unknown version'}")

        async def line_events(self, events: object) -> None:
            """Nothing to do: only the login is asked for."""

        async def line_down(self, reason: str) -> None:
            if not heard.done():
                heard.set_exception(HotlineError("pbx_refused", reason=reason))

    secret = settings.secrets.pbx_passwords.get(pbx.name, "")
    line = AmiConnection(PbxAddress(pbx.name, pbx.host, pbx.port, pbx.username, secret), Listener())
    running = asyncio.create_task(line.run())
    try:
        return "ok", await heard, ""
    except HotlineError as error:
        where, why = f"{pbx.host}:{pbx.port}", error.params.get("reason", error.code)
        return (
            "fail",
            f"{where}: {why}",
            "check manager.conf: permit, secret (docs/asterisk.md)",
        )
    finally:
        running.cancel()


@app.command(context_settings=PASS_ON)
def bench(context: typer.Context, name: Annotated[str, typer.Argument()] = "") -> None:
    """Run a measurement of the folder bench; without a name, list them."""
    found = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem[0] != "_")
    if name not in found:
        out.print("measurements: " + ", ".join(found))
        raise typer.Exit(2 if name else 0)
    arguments = [sys.executable, "-m", f"bench.{name}", *context.args]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    raise typer.Exit(os.spawnve(os.P_WAIT, sys.executable, arguments, environment))  # noqa: S606 - our own interpreter


@search_app.command("rebuild")
def search_rebuild(
    everything: Annotated[bool, typer.Option("--all", help="Throw the index away first.")] = False,
) -> None:
    """Index the texts of tickets that are not indexed yet; goes on where it stopped."""
    from rich.progress import Progress

    from core.clock import SystemClock
    from core.db import Database
    from core.events import EventBus
    from core.startup import database, prepare
    from tickets.search.rebuild import rebuild

    async def work() -> int:
        async with database(settings) as url:
            await prepare(url)
            db = Database(url, clock=SystemClock(), bus=EventBus())
            try:
                with Progress(console=out) as bar:
                    task = bar.add_task("search index", total=None)
                    return await rebuild(
                        db,
                        everything=everything,
                        progress=lambda done, most: bar.update(task, completed=done, total=most),
                    )
            finally:
                await db.close()

    with refusals():
        settings = read_settings()
        say(f"search index: {asyncio.run(work())} tickets indexed")


@demo_app.command("seed")
def demo_seed() -> None:
    """Fill an empty database with the demo city."""
    _demo(reset=False)


@demo_app.command("reset")
def demo_reset() -> None:
    """Remove everything and make the demo city anew."""
    _demo(reset=True)


def _demo(*, reset: bool) -> None:
    from core import migrate as migrations
    from core.startup import database, prepare

    async def work() -> None:
        from node import Node

        async with database(settings) as url:
            if reset:
                await migrations.downgrade(url, "base")
            await prepare(url)
            node = Node(settings, url)
            try:
                await _seed(node, only_empty=True)
            finally:
                await node.stop()

    with refusals():
        settings = read_settings()
        if settings.mode != "development":
            raise HotlineError("development_only")
        asyncio.run(work())


add_to(app)
app.command()(clusters)
classifying.add_to(app, FONT)
app.add_typer(demo_app, name="demo")
app.add_typer(search_app, name="search")
app.add_typer(measures_app, name="measures")
app.add_typer(certificates_app, name="certificates")

if __name__ == "__main__":
    app(prog_name="hotline.py")
