"""Old rows go, the newest numbered event stays because the next number follows it."""

from dataclasses import dataclass

from sqlalchemy import text

from core import retention
from core.clock import ManualClock, SystemClock
from core.db import Database
from core.events import Audience, LiveEvent, LiveNote
from core.leadership import Lease
from core.outbox import enqueue
from core.relay import Relay
from core.settings import Settings


@dataclass(frozen=True)
class Seen(LiveEvent):
    number: int

    @property
    def live(self) -> LiveNote:
        return LiveNote("test", "seen", self.number, 1, Audience())


async def _emit(db: Database, *numbers: int) -> None:
    async with db.begin() as uow:
        for number in numbers:
            await uow.emit(Seen(number))


async def test_numbers_go_on_after_everything_old_was_deleted(
    database: Database, clock: ManualClock, settings: Settings
) -> None:
    lease = Lease(database, "scheduler", "one", settings.leadership, SystemClock())
    assert await lease.try_take()
    relay = Relay(database, lease, poll_seconds=1)
    await _emit(database, 1, 2, 3)
    await relay.number_events()
    await _emit(database, 4)  # committed, not yet numbered: nobody has seen it
    clock.advance(8 * 86400)
    assert await retention.sweep(database) == 2
    await relay.number_events()
    async with database.read() as session:
        rows = await session.execute(text("SELECT ref, seq FROM event_log ORDER BY seq"))
        assert [tuple(row) for row in rows] == [(3, 3), (4, 4)]


async def test_messages_that_were_not_sent_are_kept(database: Database, clock: ManualClock) -> None:
    async with database.begin() as uow:
        for dedup in ("sent", "dead", "waiting"):
            await enqueue(uow, kind="sms", dedup=dedup, payload={})
        for column, name in (("done_at", "sent"), ("dead_at", "dead")):
            await uow.session.execute(
                text(f"UPDATE outbox SET {column} = :now WHERE dedup = :name"), {"now": uow.now, "name": name}
            )
    clock.advance(31 * 86400)
    await retention.sweep(database)
    async with database.read() as session:
        left = await session.execute(text("SELECT dedup FROM outbox ORDER BY dedup"))
        assert list(left.scalars()) == ["dead", "waiting"]
