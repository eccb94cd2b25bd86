"""What must not be lost is sent at least once, and given up in sight of people."""

import asyncio
from typing import Any

import pytest

from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.outbox import OutboxMessage, OutboxWorker, enqueue, list_dead
from core.people.actor import Actor
from core.settings import Outbox

SETTINGS = Outbox(max_attempts=3, backoff_seconds=10)


async def _enqueue(db: Database, dedup: str = "one", payload: dict[str, Any] | None = None) -> None:
    async with db.begin() as uow:
        await enqueue(uow, kind="sms", dedup=dedup, payload=payload or {})


async def test_a_message_is_sent_once_and_a_repeated_write_is_ignored(database: Database) -> None:
    sent: list[OutboxMessage] = []

    async def send(message: OutboxMessage) -> None:
        sent.append(message)

    worker = OutboxWorker(database, SETTINGS)
    worker.register("sms", send)
    await _enqueue(database, payload={"ticket": 1})
    await _enqueue(database, payload={"ticket": 2})
    assert await worker.send_due() == 1
    assert await worker.send_due() == 0
    assert [message.payload for message in sent] == [{"ticket": 1}]


async def test_a_message_of_a_rolled_back_write_is_never_sent(database: Database) -> None:
    worker = OutboxWorker(database, SETTINGS)
    worker.register("sms", pytest.fail)  # type: ignore[arg-type]  # must not be called
    with pytest.raises(RuntimeError):
        async with database.begin() as uow:
            await enqueue(uow, kind="sms", dedup="x", payload={})
            raise RuntimeError("rolled back")
    assert await worker.send_due() == 0


async def test_failures_wait_longer_each_time_and_end_as_a_dead_letter(
    database: Database, clock: ManualClock
) -> None:
    async def fail(_message: OutboxMessage) -> None:
        raise ConnectionError("gateway away")

    worker = OutboxWorker(database, SETTINGS)
    worker.register("sms", fail)
    await _enqueue(database)
    assert await worker.send_due() == 1
    clock.advance(9)
    assert await worker.send_due() == 0
    clock.advance(2)
    assert await worker.send_due() == 1
    clock.advance(21)
    assert await worker.send_due() == 1
    clock.advance(100_000)
    assert await worker.send_due() == 0
    async with database.read() as session:
        [dead] = await list_dead(session)
    assert dead.last_error == "ConnectionError: gateway away"
    assert dead.attempts == 3


async def test_a_dead_letter_can_be_sent_again(database: Database, clock: ManualClock) -> None:
    fail = True
    sent: list[int] = []

    async def send(message: OutboxMessage) -> None:
        if fail:
            raise ConnectionError("away")
        sent.append(message.id)

    worker = OutboxWorker(database, Outbox(max_attempts=1))
    worker.register("sms", send)
    await _enqueue(database)
    await worker.send_due()
    async with database.read() as session:
        [dead] = await list_dead(session)
    fail = False
    async with database.begin() as uow:
        await worker.resend(uow, Actor.system("test"), dead.id)
    await worker.send_due()
    assert sent == [dead.id]
    with pytest.raises(HotlineError, match="message_not_dead"):
        async with database.begin() as uow:
            await worker.resend(uow, Actor.system("test"), dead.id)


async def test_two_workers_never_send_the_same_message(database: Database) -> None:
    sent: list[int] = []

    async def send(message: OutboxMessage) -> None:
        sent.append(message.id)

    workers = [OutboxWorker(database, SETTINGS) for _ in range(2)]
    for worker in workers:
        worker.register("sms", send)
    for number in range(30):
        await _enqueue(database, dedup=str(number))
    await asyncio.gather(*(worker.send_due() for worker in workers))
    assert len(sent) == len(set(sent)) == 30


async def test_a_message_of_a_worker_that_died_is_taken_up_again(
    database: Database, clock: ManualClock
) -> None:
    sent: list[int] = []

    async def die(_message: OutboxMessage) -> None:
        raise asyncio.CancelledError

    async def send(message: OutboxMessage) -> None:
        sent.append(message.id)

    dying, living = OutboxWorker(database, SETTINGS), OutboxWorker(database, SETTINGS)
    dying.register("sms", die)
    living.register("sms", send)
    await _enqueue(database)
    with pytest.raises(asyncio.CancelledError):
        await dying.send_due()
    assert await living.send_due() == 0
    clock.advance(61)
    assert await living.send_due() == 1
    assert len(sent) == 1
