"""`search rebuild`: the full-text index of tickets.

Imports stand inside the commands on purpose: `--help` must not load a database driver.
"""

import asyncio
from typing import Annotated

import typer

from core.commands import out, read_settings, refusals, say

search_app = typer.Typer(no_args_is_help=True, help="The full-text index of tickets.")


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
