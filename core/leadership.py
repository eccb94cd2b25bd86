"""One leader per role, by a lease row with a fencing number.

A lease is taken when free or run out, renewed every second, and each write of the role checks the
epoch inside its own transaction (`fence`), so a leader that froze writes nothing when it wakes:

* `fence` takes FOR KEY SHARE on the lease row of its epoch. Renewals change no key and do not wait
  for it; a take-over locks FOR UPDATE and therefore waits for writes already under way.
* A frozen leader may hold that lock for ever. After half a second the take-over ends the sessions
  that block it (they belong to the same database user): their transactions roll back. Such a session
  is idle in its transaction, or "active" and waiting for the rest of a question that does not come.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Text, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Field

from core.clock import Clock
from core.db import Database, Table, UnitOfWork, sqlstate, time_column
from core.errors import HotlineError
from core.settings import Leadership

logger = logging.getLogger(__name__)
LOCK_NOT_AVAILABLE = "55P03"

CREATE = text(
    "INSERT INTO lease (role, owner, epoch, until) VALUES (:role, '', 0, now()) ON CONFLICT DO NOTHING"
)
LOOK = text("SELECT epoch, owner, until < now() AS free FROM lease WHERE role = :role")
LOCK = text("SELECT epoch FROM lease WHERE role = :role AND until < now() FOR UPDATE")
TAKE = text(
    "UPDATE lease SET owner = :owner, epoch = epoch + 1, until = now() + make_interval(secs => :ttl) "
    "WHERE role = :role RETURNING epoch"
)
RENEW = text(
    "UPDATE lease SET until = now() + make_interval(secs => :ttl) "
    "WHERE role = :role AND epoch = :epoch RETURNING epoch"
)
RELEASE = text("UPDATE lease SET until = now() WHERE role = :role AND epoch = :epoch")
FENCE = "SELECT 1 FROM lease WHERE role = $1 AND epoch = $2 FOR KEY SHARE"
END_BLOCKERS = text(
    """
    SELECT pg_terminate_backend(l.pid) FROM pg_locks l
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.relation = 'lease'::regclass AND l.pid <> pg_backend_pid()
      AND (a.state = 'idle in transaction' OR (a.state = 'active' AND a.wait_event_type = 'Client'))
      AND a.state_change < now() - make_interval(secs => :idle)
    """
)


class LeaseRow(Table, table=True):
    """Who leads a role; `epoch` grows by one with each take-over."""

    __tablename__: ClassVar[str] = "lease"
    role: str = Field(primary_key=True, sa_type=Text)
    owner: str = Field(sa_type=Text)
    epoch: int
    until: datetime = Field(sa_column=time_column())


class Lease:
    """This node's side of one role's lease."""

    def __init__(self, db: Database, role: str, owner: str, settings: Leadership, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self.role = role
        self.owner = owner
        self.epoch = 0
        self._renewed = float("-inf")

    @property
    def is_leader(self) -> bool:
        """True while this node may believe that it leads; `fence` is what decides."""
        fresh = self._clock.monotonic() - self._renewed < self._settings.self_fence_seconds
        return self.epoch > 0 and fresh

    async def fence(self, uow: UnitOfWork) -> None:
        """Make sure `uow` commits only if this node still leads; raises `lease_lost`."""
        if not self.epoch or not await uow.fetch(FENCE, self.role, self.epoch):
            raise HotlineError("lease_lost", role=self.role)

    async def try_take(self) -> bool:
        """Take the lease if it is free; True when this node leads now."""
        async with self._db.begin() as uow:
            await uow.session.execute(CREATE, {"role": self.role})
        async with self._db.read() as session:
            row = (await session.execute(LOOK, {"role": self.role})).one()
        if not row.free:
            return False
        asked = self._clock.monotonic()
        epoch = await self._take_from_the_frozen()
        if epoch is None:
            return False
        self.epoch, self._renewed = epoch, asked
        return True

    async def _take_from_the_frozen(self) -> int | None:
        """Take it; sessions of a frozen leader that stand in the way are ended, and it is tried once more."""
        for _ in range(2):
            try:
                return await self._take()
            except DBAPIError as error:
                if sqlstate(error) != LOCK_NOT_AVAILABLE:
                    raise
            await self._end_blockers()
        return None

    async def _take(self) -> int | None:
        async with self._db.begin() as uow:
            await uow.session.execute(text("SET LOCAL lock_timeout = '500ms'"))
            if (await uow.session.execute(LOCK, {"role": self.role})).first() is None:
                return None
            params = {"role": self.role, "owner": self.owner, "ttl": self._settings.lease_seconds}
            return int((await uow.session.execute(TAKE, params)).scalar_one())

    async def _end_blockers(self) -> None:
        async with self._db.begin() as uow:
            ended = await uow.session.execute(END_BLOCKERS, {"idle": self._settings.lease_seconds / 2})
            logger.warning("ended sessions of a frozen leader", extra={"count": len(ended.all())})

    async def renew(self) -> bool:
        """Renew; False when somebody else took over."""
        asked = self._clock.monotonic()
        async with self._db.begin() as uow:
            params = {"role": self.role, "epoch": self.epoch, "ttl": self._settings.lease_seconds}
            kept = (await uow.session.execute(RENEW, params)).first() is not None
        if kept:
            self._renewed = asked
        return kept

    async def release(self) -> None:
        """Give the lease back, so that a standby need not wait for it to run out."""
        if self.epoch:
            async with self._db.begin() as uow:
                await uow.session.execute(RELEASE, {"role": self.role, "epoch": self.epoch})
        self.epoch = 0

    async def run(
        self,
        on_gain: Callable[[], Awaitable[None]] | None = None,
        on_lose: Callable[[], Awaitable[None]] | None = None,
        *,
        outlasts: bool = False,
    ) -> None:
        """Strive for the lease until cancelled, calling back at each change.

        `on_gain` starts the role's work and must return; `on_lose` ends it. With `outlasts` the work
        goes on while the database is out of reach, until another node is known to lead: for work that
        gathers in memory what nobody tells twice, and fences every write.
        """
        leading = False
        try:
            while True:
                held = await self._beat(leading)
                if held is None:  # nobody can say
                    held = leading and (outlasts or self.is_leader)
                if held and not leading:
                    logger.info("took the lease", extra={"role": self.role, "epoch": self.epoch})
                    leading = True
                    if on_gain:
                        await on_gain()
                elif leading and not held:
                    logger.warning("lost the lease", extra={"role": self.role, "epoch": self.epoch})
                    leading = False
                    if on_lose:
                        await on_lose()
                await asyncio.sleep(self._settings.heartbeat_seconds)
        finally:
            if leading and on_lose:
                await on_lose()

    async def _beat(self, leading: bool) -> bool | None:
        """Whether this node leads; None when the database is out of reach."""
        try:
            async with asyncio.timeout(self._settings.self_fence_seconds):
                return await (self.renew() if leading else self.try_take())
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            logger.warning("lease out of reach", extra={"role": self.role, "error": type(error).__name__})
            return None
