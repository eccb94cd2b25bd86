"""`run` on a machine with nothing: demo city, address, accounts; clean ends, starts after unclean ones."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.postgres import EmbeddedPostgres
from core.settings import DEMO_PASSWORD
from tests.helpers import eventually
from tests.ops.node_process import NodeProcess

pytestmark = pytest.mark.slow


@pytest.fixture
async def node(place: Path) -> AsyncIterator[NodeProcess]:
    environment = {
        "HOTLINE_PATHS__VAR": str(place / "var"),
        "HOTLINE_TELEPHONY__SIMULATOR__CALLS_PER_HOUR": "0",
    }
    made = NodeProcess(environment, place / "node.log")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()
    server = EmbeddedPostgres(place / "var" / "postgres")
    await asyncio.to_thread(server.start)  # takes up what a failed test may have left, to stop it
    await asyncio.to_thread(server.stop)


async def test_a_first_start_says_where_it_is_and_every_end_leaves_a_startable_machine(
    node: NodeProcess, place: Path
) -> None:
    server = EmbeddedPostgres(place / "var" / "postgres")
    await node.start()
    await eventually(lambda: "password of all of them" in node.log.read_text(), what="it greets")
    said = node.log.read_text()
    assert f"{node.url}/" in said
    assert DEMO_PASSWORD in said
    assert "班长" in said
    assert await node.stop() == 0
    assert not server.is_running()

    await node.start()
    node.kill()
    assert server.is_running(), "the server outlives a killed node, and is taken up by the next"
    neighbour = NodeProcess(node.environment, place / "neighbour.log")
    await node.start()
    await neighbour.start()
    assert await node.stop() == 0
    assert server.is_running(), "the neighbour still needs it"
    assert await neighbour.stop() == 0
    assert not server.is_running()


@pytest.mark.parametrize("moment", [0.3, 0.8, 1.5])
async def test_an_end_in_the_middle_of_the_start_is_clean(
    node: NodeProcess, moment: float, place: Path
) -> None:
    node.spawn()
    assert node.process is not None
    await asyncio.wait([asyncio.create_task(asyncio.to_thread(node.process.wait))], timeout=moment)
    assert node.process.poll() is None, node.log.read_text()
    assert await node.stop() in (0, -15)  # before Python has come so far as to listen it just ends
    assert "Traceback" not in node.log.read_text()
    if (place / "var" / "postgres").exists():
        assert not EmbeddedPostgres(place / "var" / "postgres").is_running()
