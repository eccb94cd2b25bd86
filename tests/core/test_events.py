"""The two kinds of events, the log that screens follow, the relay that numbers it."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from core.clock import ManualClock, SystemClock
from core.db import Database, UnitOfWork
from core.event_log import EventTail
from core.events import Audience, Event, EventBus, LiveEvent, LiveNote
from core.leadership import Lease
from core.relay import Relay
from core.settings import Settings
from tests.helpers import eventually


@dataclass(frozen=True)
class Happened(Event):
    number: int


@dataclass(frozen=True)
class Seen(LiveEvent):
    number: int

    @property
    def live(self) -> LiveNote:
        return LiveNote("test", "seen", self.number, 1, Audience(users=(7,)), {"a": 1})


async def _count(db: Database, table: str) -> int:
    async with db.read() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_a_failing_within_handler_undoes_the_write(database: Database, bus: EventBus) -> None:
    async def refuse(_uow: UnitOfWork, _event: Happened) -> None:
        raise RuntimeError("no")

    bus.within(Happened, refuse)
    with pytest.raises(RuntimeError):
        async with database.begin() as uow:
            await uow.emit(Seen(1))
            await uow.emit(Happened(1))
    assert await _count(database, "event_log") == 0


async def test_after_handlers_hear_only_of_what_was_committed(database: Database, bus: EventBus) -> None:
    heard: list[int] = []

    async def hear(event: Happened) -> None:
        heard.append(event.number)

    bus.after(Happened, hear)
    with pytest.raises(RuntimeError):
        async with database.begin() as uow:
            await uow.emit(Happened(1))
            raise RuntimeError("rolled back")
    async with database.begin() as uow:
        await uow.emit(Happened(2))
        assert heard == []
    assert heard == [2]


async def test_a_failing_after_handler_hurts_neither_writer_nor_neighbours(
    database: Database, bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    async def fail(_event: Happened) -> None:
        raise RuntimeError("no")

    async def hear(event: Happened) -> None:
        heard.append(event.number)

    bus.after(Happened, fail)
    bus.after(Happened, hear)
    async with database.begin() as uow:
        await uow.emit(Happened(3))
    assert heard == [3]
    assert "after-commit handler failed" in caplog.text


@pytest.fixture
async def lease(database: Database, settings: Settings) -> Lease:
    lease = Lease(database, "scheduler", "one", settings.leadership, SystemClock())
    assert await lease.try_take()
    return lease


async def test_overlapping_writers_are_numbered_without_gaps_or_going_back(
    database: Database, lease: Lease
) -> None:
    relay = Relay(database, lease, poll_seconds=0.01)
    tail = EventTail(database, poll_seconds=0.01)
    seen: list[int] = []
    started, finish = asyncio.Event(), asyncio.Event()

    async def slow_writer() -> None:
        async with database.begin() as uow:
            await uow.emit(Seen(100))
            await uow.write_notes()
            await uow.send()  # takes the lower id …
            started.set()
            await finish.wait()  # … and commits later

    task = asyncio.create_task(slow_writer())
    await started.wait()
    async with database.begin() as uow:
        await uow.emit(Seen(200))
    assert await relay.number_events() == 1
    seen += [event.ref for event in await tail.read(0, 10)]
    finish.set()
    await task
    assert await relay.number_events() == 1
    events = await tail.read(1, 10)
    seen += [event.ref for event in events]
    assert seen == [200, 100]
    assert [event.seq for event in events] == [2]
    assert events[0].audience == Audience(users=(7,))


async def test_only_the_leader_numbers(database: Database, settings: Settings, lease: Lease) -> None:
    standby = Lease(database, "scheduler", "two", settings.leadership, SystemClock())
    assert not await standby.try_take()
    async with database.begin() as uow:
        await uow.emit(Seen(1))
    assert await Relay(database, standby, poll_seconds=1).number_events() == 0
    assert await Relay(database, lease, poll_seconds=1).number_events() == 1


async def test_the_tail_hands_every_batch_to_its_listeners_in_order(
    database: Database, lease: Lease, clock: ManualClock
) -> None:
    relay = Relay(database, lease, poll_seconds=0.01)
    tail = EventTail(database, poll_seconds=0.01)
    seen: list[int] = []
    done = asyncio.Event()

    async def listen(batch: object) -> None:
        seen.extend(event.ref for event in batch)  # type: ignore[attr-defined]  # a sequence of notes
        if len(seen) == 20:
            done.set()

    tail.listen(listen)
    relay.numbered = tail.wake
    database.log_written = relay.wake
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(tail.run())]
    try:
        await eventually(lambda: tail.following, what="the tail has found where the log ends")
        for number in range(20):
            async with database.begin() as uow:
                await uow.emit(Seen(number))
        async with asyncio.timeout(10):
            await done.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert seen == list(range(20))
