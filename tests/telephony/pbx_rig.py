"""A service following a scripted PBX: feed it recordings, cut its line, restart it, look at its rows."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.clock import Clock
from core.db import Database, UnitOfWork
from core.events import Event, EventBus, LiveEvent
from core.leadership import Lease
from core.people.service import PeopleService
from core.privacy import Vault
from core.settings import Leadership, Pbx, Settings
from telephony.ami.connection import AmiConnection, PbxAddress
from telephony.ami.messages import AmiEvent
from telephony.calls import interest
from telephony.follower import Follower
from telephony.models import AgentState, CallLeg, CallSession, PbxState
from telephony.service import TelephonyService
from tests.telephony.peer import QUICK, Action, ScriptedPeer

TABLES: dict[str, Any] = {
    "session": CallSession.__table__,  # type: ignore[attr-defined]  # set by SQLModel
    "leg": CallLeg.__table__,  # type: ignore[attr-defined]  # set by SQLModel
    "pbx": PbxState.__table__,  # type: ignore[attr-defined]  # set by SQLModel
    "agent": AgentState.__table__,  # type: ignore[attr-defined]  # set by SQLModel
}


class FakePbx(ScriptedPeer):
    """A peer with channels: `lists` are the frames its snapshot answers with."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[dict[str, str]]] = {"CoreShowChannels": [], "QueueStatus": []}
        for name in self.lists:
            self.answers[name] = lambda _, action: self.listed(action)

    def listed(self, action: Action) -> None:
        name = action["Action"]
        self.success(action, EventList="start")
        items = {"CoreShowChannels": "CoreShowChannel", "QueueStatus": "QueueEntry"}[name]
        for item in self.lists[name]:
            self.event(items, ActionID=action["ActionID"], **item)
        done = {"CoreShowChannels": "CoreShowChannelsComplete", "QueueStatus": "QueueStatusComplete"}[name]
        self.event(done, ActionID=action["ActionID"], EventList="Complete")

    def play(self, events: list[AmiEvent]) -> None:
        """Write recorded events as they were."""
        for event in events:
            lines = [f"{key}: {value}" for key, value in event.lines]
            self.write("\r\n".join(lines).encode() + b"\r\n\r\n")


class QuickService(TelephonyService):
    """The service with the patience of a test."""

    def _line(self, pbx: Pbx, follower: Follower) -> AmiConnection:
        address = PbxAddress(pbx.name, pbx.host, pbx.port, pbx.username, "secret")
        return AmiConnection(address, follower, timings=QUICK, wanted=interest())


class Told:
    """Every event the bus carried."""

    def __init__(self, bus: EventBus) -> None:
        self.events: list[Event] = []
        bus.after(LiveEvent, self._note)

    async def _note(self, event: Event) -> None:
        self.events.append(event)

    def counts(self) -> Counter[str]:
        return Counter(type(event).__name__ for event in self.events)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Rig:
    """Everything one test needs."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        bus: EventBus,
        vault: Vault,
        people: PeopleService,
        settings: Settings,
        folder: Path,
    ) -> None:
        self.db, self.clock, self.vault, self.people, self.settings = db, clock, vault, people, settings
        self.pbx = FakePbx()
        self.told = Told(bus)
        self.queue_log = folder / "queue_log"
        self.service: QuickService | None = None
        self.lease = Lease(db, "telephony", "node-1", Leadership(lease_seconds=3600), clock)

    async def start(self) -> None:
        await self.pbx.start()
        assert await self.lease.try_take()

    @contextlib.asynccontextmanager
    async def node(
        self, *, queue_log: bool = False, extra: tuple[Pbx, ...] = ()
    ) -> AsyncIterator[QuickService]:
        """A node that follows the PBX for the length of the block; leaving it is its death."""
        service = QuickService(self.db, self.clock, self.vault, self.people, self.settings)
        path = self.queue_log if queue_log else None
        self.service = service
        service.use([Pbx(name="pbx1", port=self.pbx.port, queue_log=path), *extra], {})
        task = asyncio.create_task(service.run(self.lease))
        try:
            yield service
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def rows(self, name: str) -> list[dict[str, Any]]:
        async with self.db.read() as session:
            table = TABLES[name]
            order = table.c.id if "id" in table.c else table.c.pbx
            return [dict(row) for row in (await session.execute(select(table).order_by(order))).mappings()]

    async def ended(self, count: int) -> bool:
        """True when that many sessions have ended and none is open."""
        rows = await self.rows("session")
        return len(rows) == count and all(row["ended_at"] is not None for row in rows)

    async def state(self, pbx: str = "pbx1") -> dict[str, Any]:
        return next((row for row in await self.rows("pbx") if row["pbx"] == pbx), {})

    async def connected(self) -> bool:
        follower = self.service.followers.get("pbx1") if self.service else None
        known = follower is not None and follower.state.connected
        return known and bool((await self.state()).get("connected"))


class BrokenDatabase:
    """Makes every unit of work fail, as a full disk or a dead server does."""

    def __init__(self, db: Database, error: Exception) -> None:
        self._db = db
        self._begin = db.begin
        self._error = error
        self.refused = 0

    def __enter__(self) -> "BrokenDatabase":
        @contextlib.asynccontextmanager
        async def refuse() -> AsyncIterator[UnitOfWork]:
            self.refused += 1
            raise self._error
            yield  # pragma: no cover

        self._db.begin = refuse  # type: ignore[method-assign, assignment]  # the fault this helper injects
        return self

    def __exit__(self, *_: object) -> None:
        self._db.begin = self._begin  # type: ignore[method-assign]  # back to working


__all__ = ["BrokenDatabase", "FakePbx", "Rig"]
