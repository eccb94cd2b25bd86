"""One connection for one transaction: shared by SQL texts and session, given back whatever happens."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.driver import Link
from core.outbox import OutboxRow
from tests.core.test_writes import _kept, _row
from tests.helpers import eventually

TABLE: sa.Table = OutboxRow.__table__  # type: ignore[attr-defined]  # set by SQLModel
BACKEND = "SELECT pg_backend_pid() AS pid"


def _taken(database: Database) -> int:
    pool: Any = database.engine.sync_engine.pool
    return int(pool.checkedout())


async def _end(database: Database, pid: int) -> None:
    async with database.read() as session:
        await session.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


async def test_texts_and_session_share_the_transaction_whichever_comes_first(database: Database) -> None:
    for session_first in (True, False):
        async with database.begin() as uow:
            one = (await uow.session.execute(sa.text(BACKEND))).scalar_one() if session_first else None
            fast = (await uow.fetch(BACKEND))[0]["pid"]
            slow = (await uow.session.execute(sa.text(BACKEND))).scalar_one()
        assert fast == slow
        assert one in (fast, None)
    assert _taken(database) == 0


async def test_a_session_undoes_what_was_fetched_before_it_was_made(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.begin() as uow:
            await uow.put(TABLE, _row(uow, "a"))
            await uow.send()
            await uow.session.execute(sa.select(TABLE.c.id))
            raise ZeroDivisionError
    assert await _kept(database) == []
    assert _taken(database) == 0


async def test_a_connection_that_ended_while_it_rested_is_replaced(database: Database) -> None:
    pid = (await database.fetch(BACKEND))[0]["pid"]
    other = Link(database.engine)
    await other.take()  # the resting one, so that it is not the one that ends it
    await _end(database, pid)
    await other.give_back()
    assert (await database.fetch(BACKEND))[0]["pid"] != pid
    assert _taken(database) == 0


async def test_a_connection_that_ends_within_a_transaction_is_told_and_not_used_again(
    database: Database,
) -> None:
    with pytest.raises(DBAPIError):
        async with database.begin() as uow:
            await uow.put(TABLE, _row(uow, "a"))
            await uow.send()
            await _end(database, (await uow.fetch(BACKEND))[0]["pid"])
            await uow.fetch(BACKEND)
    assert _taken(database) == 0
    assert await _kept(database) == []


@pytest.mark.parametrize("by_session", [True, False])
async def test_whoever_is_cancelled_gives_the_connection_back_without_his_writes(
    database: Database, by_session: bool
) -> None:
    async with database.begin() as holder:
        await holder.fetch("LOCK TABLE lease IN ACCESS EXCLUSIVE MODE")

        async def waits() -> None:
            async with database.begin() as uow:
                await uow.put(TABLE, _row(uow, "a"))
                await uow.send()
                if by_session:
                    await uow.session.execute(sa.text("SELECT 1 FROM lease"))
                await uow.fetch("SELECT 1 FROM lease")

        task = asyncio.create_task(waits())
        blocked = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        await eventually(lambda: database.fetch(blocked))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert _taken(database) == 1
    assert _taken(database) == 0
    assert await _kept(database) == []


async def test_connections_opened_in_a_rush_are_kept_for_the_next(database: Database) -> None:
    async def rush() -> set[int]:
        links = [Link(database.engine) for _ in range(10)]
        for link in links:
            await link.take()
        pids = {(await link.fetch(BACKEND, ()))[0]["pid"] for link in links}
        for link in links:
            await link.give_back()
        return pids

    first = await rush()
    assert len(first) == 10
    assert await rush() == first
