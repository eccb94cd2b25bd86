"""One leader numbers what others wrote: the event log's `seq` and the audit log's chain.

Numbering inside the writers' transactions would make them wait for one another; numbering by one
relay right after the commit costs them nothing. The relay belongs to the `scheduler` leader and
fences every write, so a relay that slept cannot number twice.
"""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core import audit
from core.db import Database
from core.errors import HotlineError
from core.leadership import Lease
from core.wake import Wake

logger = logging.getLogger(__name__)
BATCH = 1000
REST = 0.025  # seconds after each numbering: what comes alone is numbered at once, a rush in batches
AUDIT_EVERY = 0.5  # seconds; the chain may be a second late, screens may not

NUMBER_EVENTS = text(
    """
    WITH fresh AS (
        SELECT id, row_number() OVER (ORDER BY id) AS n
        FROM event_log WHERE seq IS NULL ORDER BY id LIMIT :batch
    ), head AS (SELECT coalesce(max(seq), 0) AS seq FROM event_log)
    UPDATE event_log SET seq = head.seq + fresh.n
    FROM fresh, head WHERE event_log.id = fresh.id
    """
)


class Relay:
    """Numbers events within milliseconds and links audit rows within a second."""

    def __init__(self, db: Database, lease: Lease, *, poll_seconds: float) -> None:
        self._db = db
        self._lease = lease
        self._poll = poll_seconds
        self._wake = Wake()
        self.numbered: Callable[[], None] = lambda: None  # the tail's wake-up

    def wake(self) -> None:
        """A transaction of this node wrote to the event log."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; only the leader does anything."""
        audit_due = 0.0
        while True:
            try:
                count = await self.number_events()
                if self._db.clock.monotonic() >= audit_due:
                    linked = await self.link_audit()
                    audit_due = self._db.clock.monotonic() + (0 if linked == BATCH else AUDIT_EVERY)
            except (SQLAlchemyError, OSError, HotlineError) as error:
                # The lease was lost or the database is away: both mend themselves.
                logger.warning("relay paused", extra={"error": str(error)[:200]})
                await asyncio.sleep(0.5)
                continue
            if count:
                self.numbered()
                await asyncio.sleep(REST)
            if count < BATCH:
                await self._wake.wait(self._poll)

    async def number_events(self) -> int:
        """Give the next numbers to committed rows; returns how many. 0 when not the leader."""
        if not self._lease.is_leader:
            return 0
        async with self._db.read() as session:
            waiting = await session.execute(text("SELECT 1 FROM event_log WHERE seq IS NULL LIMIT 1"))
            if waiting.first() is None:
                return 0
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            result = await uow.session.execute(NUMBER_EVENTS, {"batch": BATCH})
            return result.rowcount  # type: ignore[attr-defined, no-any-return]  # a cursor result

    async def link_audit(self) -> int:
        """Link new audit rows to the chain; returns how many. 0 when not the leader."""
        if not self._lease.is_leader:
            return 0
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            return await audit.link(uow, limit=BATCH)
