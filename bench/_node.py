"""A whole node on a database of its own, quiet until told otherwise, for measurements."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core import startup
from core.people import org
from core.people.actor import Actor
from core.people.permissions import Role
from core.settings import Settings, load_settings
from node import Node

EXTENSION = "1001"
LOGIN = "bench"


@asynccontextmanager
async def quiet_node() -> AsyncIterator[Node]:
    """A node with one agent at desk 1001, `LOGIN`, and a simulator that calls only when asked.

    Its embedded database lives in a temporary folder, unless HOTLINE_DATABASE__URL names another.
    """
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        settings = _settings(Path(folder))
        async with startup.database(settings) as url:
            await startup.prepare(url)
            node = Node(settings, url)
            await _one_agent(node)
            await node.start()
            try:
                yield node
            finally:
                await node.stop()


def _settings(folder: Path) -> Settings:
    return load_settings(
        environ={
            "HOTLINE_PATHS__VAR": str(folder),
            "HOTLINE_CLASSIFIER__STARTER": "false",  # training would take a core
            "HOTLINE_HTTP__PORT": "0",
            "HOTLINE_TELEPHONY__SIMULATOR__CALLS_PER_HOUR": "0",
            "HOTLINE_LOG__LEVEL": "WARNING",
        }
    )


async def _one_agent(node: Node) -> None:
    actor = Actor.system("bench")
    async with node.db.begin() as uow:
        city = await org.create_unit(uow, actor, kind="city", name="桂林", code="4503")
        await node.people.create_user(
            uow,
            actor,
            login=LOGIN,
            name="席位",
            password=node.settings.secrets.demo_password,
            unit_id=city.id,
            roles=frozenset({Role.AGENT}),
            extension=EXTENSION,
        )
