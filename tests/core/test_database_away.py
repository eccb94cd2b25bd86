"""A database that starts, is full or keeps nobody's hold is waited for; no part of the node dies of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.clock import ManualClock
from core.db import Database
from core.event_log import EventTail
from core.events import EventBus
from core.leadership import Lease
from core.outbox import OutboxWorker
from core.relay import Relay
from core.settings import Leadership, Outbox
from tests.helpers import eventually

SSL_REQUEST = bytes([4, 0xD2, 0x16, 0x2F])
STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What PostgreSQL says to whoever comes while it starts."""
    head = await reader.readexactly(8)
    if head[4:] == SSL_REQUEST:
        writer.write(b"N")
        head = await reader.readexactly(8)
    await reader.readexactly(int.from_bytes(head[:4], "big") - 8)
    writer.write(b"E" + (len(STARTING) + 4).to_bytes(4, "big") + STARTING)
    await writer.drain()
    writer.close()


@pytest.fixture
async def starting(clock: ManualClock, bus: EventBus) -> AsyncIterator[Database]:
    server = await asyncio.start_server(turn_away, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    db = Database(f"postgresql+asyncpg://u:p@127.0.0.1:{port}/x", clock=clock, bus=bus)
    yield db
    await db.close()
    server.close()


async def test_a_server_that_is_starting_is_out_of_reach(starting: Database) -> None:
    with pytest.raises(OSError, match="CannotConnectNow"):
        await starting.ping()


def parts(db: Database, clock: ManualClock) -> dict[str, Callable[[], Awaitable[None]]]:
    """What runs as long as the node and must outlive every trouble of the database."""
    lease = Lease(db, "scheduler", "node-1", Leadership(heartbeat_seconds=0.01), clock)
    leading = Lease(db, "scheduler", "node-1", Leadership(), clock)
    leading.epoch, leading._renewed = 1, clock.monotonic()
    return {
        "lease": lease.run,
        "relay": Relay(db, leading, poll_seconds=0.01).run,
        "tail": EventTail(db, poll_seconds=0.01).run,
        "outbox": OutboxWorker(db, Outbox(poll_seconds=0.01)).run,
    }


@pytest.mark.parametrize("name", ["lease", "relay", "tail", "outbox"])
@pytest.mark.parametrize("error", [PoolTimeout("all connections are taken"), ConnectionError("starting")])
async def test_every_part_waits_for_the_database(
    starting: Database, clock: ManualClock, name: str, error: Exception
) -> None:
    refused = 0

    def refuse() -> None:
        nonlocal refused
        refused += 1
        raise error

    starting.begin = starting.read = refuse  # type: ignore[assignment, method-assign]  # the fault
    task = asyncio.ensure_future(parts(starting, clock)[name]())
    await eventually(lambda: refused)
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_error_of_the_database_does_not_repeat_what_was_typed(database: Database) -> None:
    with pytest.raises(DBAPIError) as refusal:
        async with database.read() as session:
            await session.execute(text("SELECT :told FROM nowhere"), {"told": "王小明住在解放路"})
    assert "王小明" not in str(refusal.value)
