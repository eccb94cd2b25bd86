"""`demo seed`, `demo reset`: the demo city, made or made anew.

Imports stand inside on purpose: `--help` must not load a web server.
"""

import asyncio
from typing import TYPE_CHECKING

import typer

from core.commands import out, read_settings, refusals
from core.errors import HotlineError

if TYPE_CHECKING:
    from node import Node

demo_app = typer.Typer(no_args_is_help=True, help="The demo city; development only.")


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
                await seed_city(node, only_empty=True)
            finally:
                await node.stop()

    with refusals():
        settings = read_settings()
        if settings.mode != "development":
            raise HotlineError("development_only")
        asyncio.run(work())


async def seed_city(node: "Node", *, only_empty: bool) -> None:
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
