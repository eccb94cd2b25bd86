"""One leader, and one that froze writes nothing when it wakes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Never

import asyncpg
import pytest
from sqlalchemy import make_url, text

from core.clock import SystemClock
from core.db import Database
from core.errors import HotlineError
from core.events import EventBus
from core.leadership import FENCE, Lease
from core.settings import Leadership
from core.silence import end_silent
from tests.helpers import eventually

SHORT = Leadership(heartbeat_seconds=0.05, lease_seconds=0.3, self_fence_seconds=0.2)


def _lease(db: Database, owner: str, settings: Leadership = SHORT) -> Lease:
    return Lease(db, "telephony", owner, settings, SystemClock())


async def test_only_one_of_two_gets_the_lease(database: Database) -> None:
    first, second = _lease(database, "a", Leadership()), _lease(database, "b", Leadership())
    taken = await asyncio.gather(first.try_take(), second.try_take())
    assert sorted(taken) == [False, True]


async def test_a_released_lease_is_taken_at_once(database: Database) -> None:
    first, second = _lease(database, "a", Leadership()), _lease(database, "b", Leadership())
    assert await first.try_take()
    await first.release()
    assert await second.try_take()
    assert second.epoch == 2


async def test_a_lease_that_ran_out_is_taken_and_its_old_owner_is_fenced(database: Database) -> None:
    old, new = _lease(database, "a"), _lease(database, "b")
    assert await old.try_take()
    assert await eventually(new.try_take)
    assert not await old.renew()
    with pytest.raises(HotlineError, match="lease_lost"):
        async with database.begin() as uow:
            await old.fence(uow)
    async with database.begin() as uow:
        await new.fence(uow)


async def test_renewing_does_not_wait_for_writes_under_way(database: Database) -> None:
    lease = _lease(database, "a", Leadership())
    assert await lease.try_take()
    async with database.begin() as uow:
        await lease.fence(uow)
        async with asyncio.timeout(5):
            assert await lease.renew()


async def test_a_leader_frozen_in_mid_transaction_neither_blocks_nor_writes(
    database: Database, database_url: str
) -> None:
    frozen_db = Database(database_url, clock=SystemClock(), bus=EventBus(), pool_size=2)
    old, new = _lease(frozen_db, "a"), _lease(database, "b")
    assert await old.try_take()
    with pytest.raises(Exception, match=r"(?i)connection|terminat|another operation"):
        async with frozen_db.begin() as uow:
            await old.fence(uow)
            await uow.session.execute(text("INSERT INTO lease VALUES ('stray', 'a', 1, now())"))
            # Here the old leader sleeps: it neither commits nor rolls back, and holds its lock.
            assert await eventually(new.try_take, within=20)
    async with database.read() as session:
        stray = await session.execute(text("SELECT count(*) FROM lease WHERE role = 'stray'"))
        assert stray.scalar_one() == 0
    await frozen_db.close()


async def test_a_leader_frozen_in_the_middle_of_a_question_does_not_block(
    database: Database, database_url: str
) -> None:
    old, new = _lease(database, "a"), _lease(database, "b")
    assert await old.try_take()
    async with stuck(database_url, old.epoch):
        assert await eventually(new.try_take, within=20)


async def test_whoever_is_silent_in_the_middle_of_a_question_is_ended(
    database: Database, database_url: str
) -> None:
    lease = _lease(database, "a")
    assert await lease.try_take()
    async with stuck(database_url, lease.epoch):
        assert await end_silent(database, after=timedelta(hours=1)) == 0

        async def ended() -> bool:  # the server has to have begun to wait for the client
            return await end_silent(database, after=timedelta(0)) == 1

        await eventually(ended, what="who is silent is ended")
        async with asyncio.timeout(10):
            await lease.release()


@contextlib.asynccontextmanager
async def stuck(database_url: str, epoch: int) -> AsyncIterator[None]:
    """A client that holds the lock of a fence and froze before its question was whole."""
    connection = await asyncpg.connect(
        make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False),
        server_settings={"application_name": "hotline frozen"},
    )
    asks = asyncio.Event()

    async def rest() -> AsyncIterator[bytes]:
        asks.set()
        await asyncio.Event().wait()
        yield b""

    async def question() -> None:
        async with connection.transaction():
            assert await connection.fetch(FENCE.replace("KEY SHARE", "UPDATE"), "telephony", epoch)
            await connection.execute("CREATE TEMP TABLE told (line text)")
            await connection.copy_to_table("told", source=rest())

    task = asyncio.create_task(question())
    await asks.wait()
    yield
    await eventually(lambda: connection.is_closed() or task.done(), what="the client hears of its end")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    connection.terminate()


async def test_gain_and_loss_are_told(database: Database) -> None:
    lease = _lease(database, "a")
    told: list[str] = []

    async def gained() -> None:
        told.append("gained")

    async def lost() -> None:
        told.append("lost")

    task = asyncio.create_task(lease.run(gained, lost))
    await eventually(lambda: told == ["gained"])
    async with database.begin() as uow:
        await uow.session.execute(text("UPDATE lease SET epoch = epoch + 1, until = now() + interval '9 s'"))
    await eventually(lambda: told == ["gained", "lost"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def out_of_reach(db: Database) -> Iterator[None]:
    """Every unit of work fails, as with a dead server."""

    def refuse() -> Never:
        raise ConnectionError("away")

    begin, read = db.begin, db.read
    db.begin = db.read = refuse  # type: ignore[method-assign, assignment]  # the fault
    try:
        yield
    finally:
        db.begin, db.read = begin, read  # type: ignore[method-assign]  # back to working


@pytest.mark.parametrize(
    ("outlasts", "told"),
    [(True, ["gained"]), (False, ["gained", "lost", "gained"])],
    ids=["outlasts", "gives up"],
)
async def test_work_that_outlasts_goes_on_while_the_database_is_away(
    database: Database, outlasts: bool, told: list[str]
) -> None:
    heard: list[str] = []

    async def gained() -> None:
        heard.append("gained")

    async def lost() -> None:
        heard.append("lost")

    lease = _lease(database, "a")
    task = asyncio.create_task(lease.run(gained, lost, outlasts=outlasts))
    await eventually(lambda: heard and lease.is_leader)
    with out_of_reach(database):
        await eventually(lambda: not lease.is_leader)
        await eventually(lambda: outlasts or "lost" in heard)
    await eventually(lambda: lease.is_leader)
    await eventually(lambda: heard == told)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_work_that_outlasts_ends_when_somebody_else_took_over(database: Database) -> None:
    lost = asyncio.Event()

    async def lose() -> None:
        lost.set()

    first, second = _lease(database, "a"), _lease(database, "b", Leadership())
    task = asyncio.create_task(first.run(None, lose, outlasts=True))
    await eventually(lambda: first.is_leader)
    with out_of_reach(database):
        await eventually(lambda: not first.is_leader)
    async with database.begin() as uow:
        await uow.session.execute(text("UPDATE lease SET until = now(), epoch = epoch + 1"))
    await eventually(lost.is_set)
    assert await eventually(second.try_take)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
