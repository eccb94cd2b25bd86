"""`run`: a node from its database to the greeting, until somebody ends it.

Imports stand inside on purpose: a start must reach its first page within three seconds.
"""

import asyncio
import contextlib
import signal
from importlib import import_module
from typing import TYPE_CHECKING

from rich.table import Table

from command_line.demo import seed_city
from core.commands import log_to_a_file, out, read_settings, refusals

if TYPE_CHECKING:
    from core.settings import Settings
    from node import Node


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
            await seed_city(node, only_empty=True)
        heap.watch()
        await node.start()
        await _greet(node)
        await heap.search_nightly(node.clock)
    finally:
        await node.stop()


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
