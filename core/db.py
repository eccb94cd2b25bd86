"""The database: engine, unit of work, retries. PostgreSQL only."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import Engine, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from core import event_log
from core.clock import Clock
from core.driver import Link
from core.events import Event, EventBus, LiveEvent, LiveNote
from core.tables import Table, id_column, json_column, metadata, ref_column, time_column
from core.writes import Batch, Parts

__all__ = [
    "Database",
    "Table",
    "UnitOfWork",
    "constraint_of",
    "id_column",
    "json_column",
    "metadata",
    "ref_column",
    "sqlstate",
    "time_column",
]
T = TypeVar("T")
RETRYABLE = {"40001", "40P01"}  # serialization failure, deadlock
# A server that starts, stops or is full; SQLAlchemy translates the driver's errors only once connected.
TURNED_AWAY = (
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresConnectionError,
)
MAX_TRIES = 5
WRITES = re.compile(r"[\s(]*(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|CREATE|ALTER|DROP)\b", re.IGNORECASE)


class OrderedSession(AsyncSession):
    """A session that sends what was taken down with `UnitOfWork.put` before it asks anything."""

    unsent: Callable[[], Awaitable[None]] | None = None

    async def _send(self) -> None:
        if self.unsent is not None:
            await self.unsent()

    if not TYPE_CHECKING:  # the signatures stay those of AsyncSession

        async def execute(self, *args: Any, **options: Any) -> Any:
            await self._send()
            return await super().execute(*args, **options)

        async def scalar(self, *args: Any, **options: Any) -> Any:
            await self._send()
            return await super().scalar(*args, **options)

        async def scalars(self, *args: Any, **options: Any) -> Any:
            await self._send()
            return await super().scalars(*args, **options)

        async def get(self, *args: Any, **options: Any) -> Any:
            await self._send()
            return await super().get(*args, **options)

        async def flush(self, *args: Any, **options: Any) -> None:
            await self._send()
            await super().flush(*args, **options)


class Overtaken(Exception):
    """A row that was looked at without a lock had changed when the writes arrived: nothing was written."""


class UnitOfWork:
    """One transaction: its session, its instant, and the events that belong to it.

    There are two ways to the database, in one transaction and in the order of the calls: `session`,
    for everything, and `fetch`, `put` and `change`, for the few paths that must be fast. `put` and
    `change` are only taken down; they go out as one statement before anything is asked through either
    way, and at the latest before the commit.

    A `hopeful` one (see `Database.retrying`) looks at the row it is about without a lock and names its
    version when it writes; if somebody was faster, `Overtaken` is raised and nothing has happened.
    """

    def __init__(
        self,
        link: Link,
        now: datetime,
        bus: EventBus,
        *,
        lent: dict[str, Any] | None = None,
        hopeful: bool = False,
    ) -> None:
        self.now = now
        self._lent = lent
        self.hopeful = hopeful
        self._looked_at: set[tuple[str, int]] = set()
        self._link = link
        self._session: OrderedSession | None = None
        self._bus = bus
        self._events: list[Event] = []
        self._notes: list[LiveNote] = []
        self._batch = Batch()
        self.logged = False  # something for screens was written

    @property
    def session(self) -> OrderedSession:
        """The session of this transaction, made when it is first asked for: the fast way needs none."""
        if self._session is None:
            self._session = OrderedSession(self._link.for_session(), expire_on_commit=False, info=self._lent)
            self._session.unsent = self.send
        return self._session

    @property
    def engine(self) -> Engine:
        """The engine behind it, which tells databases apart."""
        return self._link.engine

    # ---- the fast way -----------------------------------------------------------------------

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """The rows of an SQL text with $1, $2 …; names and types are PostgreSQL's own."""
        await self.send()
        return await self._ask(statement, values)

    async def look(self, statement: str, *values: Any) -> list[Any]:
        """Like `fetch`, for a question that needs no lock and does not hang on what was put before.

        It neither opens the transaction nor sends what was taken down.
        """
        return await self._link.fetch(statement, values)

    async def put(self, table: CoreTable, *rows: Mapping[str, Any]) -> None:
        """Insert `rows`, all with the same columns, before the commit."""
        if rows and not self._batch.insert(table, rows):
            await self.send()
            self._batch.insert(table, rows)

    async def change(self, table: CoreTable, where: Mapping[str, Any], **values: Any) -> None:
        """Update the rows that meet `where` (equal; None: null; `Other`: unequal) before the commit."""
        if not self._batch.update(table, where, values):
            await self.send()
            self._batch.update(table, where, values)

    async def include(self, parts: Parts, *values: Any) -> None:
        """Writes in SQL of their own (`core.writes.Parts`), sent with the others."""
        if not self._batch.include(parts, values):
            await self.send()
            self._batch.include(parts, values)

    def looked_at(self, table: CoreTable, ident: int) -> None:
        """A hopeful transaction read this row without a lock, and will `change_seen` it."""
        self._looked_at.add((table.name, ident))

    async def change_seen(self, table: CoreTable, ident: int, version: int, /, **values: Any) -> None:
        """Update a locked row, or in a hopeful transaction the row as it was looked at."""
        if not self.hopeful:
            await self.change(table, {"id": ident}, **values)
            return
        self._looked_at.discard((table.name, ident))
        seen = {"id": ident, "version": version}
        if not self._batch.update(table, seen, values, guard=True):
            await self.send()
            self._batch.update(table, seen, values, guard=True)

    async def send(self) -> None:
        """Send what was taken down, as one statement. Raises `Overtaken`."""
        if self._batch:
            guarded = self._batch.guarded
            _check_met(guarded, await self._ask(*self._batch.take()))

    async def _ask(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """In the transaction, and in its savepoint, which a session only makes when it is used."""
        await self._link.begin()
        if self._session is not None and self._session.in_nested_transaction():
            await self._session.connection()
        return await self._link.fetch(statement, values)

    async def commit(self) -> None:
        """Send what is left and commit. The last statement, if it is the only one, needs no transaction."""
        session = self._session
        if session is not None and (session.new or session.dirty or session.deleted):
            await session.flush()
        await self.write_notes()
        if self._batch:
            assert not self._looked_at, "a row was looked at without a lock, and others were written"
            guarded = self._batch.guarded
            _check_met(guarded, await self._link.fetch(*self._batch.take()))
        if session is not None and session.in_transaction():
            session.unsent = None
            await session.commit()
        await self._link.commit()

    async def close(self) -> None:
        """Let go of the session, if there was one; what was not committed is undone with the link."""
        if self._session is not None:
            self._session.unsent = None
            await self._session.close()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What happens within is undone together when it fails; the transaction goes on."""
        await self.send()
        try:
            async with self.session.begin_nested():
                yield
                await self.send()
        except BaseException:
            self._batch.clear()
            raise

    # ---- events -----------------------------------------------------------------------------

    async def emit(self, event: Event) -> None:
        """Tell `event`: within-handlers now, the event log before the commit, after-handlers behind it."""
        if isinstance(event, LiveEvent):
            self._notes.append(event.live)
        self._events.append(event)
        await self._bus.run_within(self, event)

    async def write_notes(self) -> None:
        """Add what screens are told to the event log, with the other writes."""
        notes, self._notes = self._notes, []
        if notes:
            await self.put(event_log.TABLE, *event_log.rows(notes, self.now))
            self.logged = True

    async def announce(self) -> None:
        """Run the after-commit handlers; called by `Database.begin` once the commit is safe."""
        for event in self._events:
            await self._bus.run_after(event)


def _check_met(guarded: bool, rows: list[Any]) -> None:
    if guarded and rows[0]["met"] != 1:
        raise Overtaken


class Database:
    """Engine and units of work of one node."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        bus: EventBus,
        pool_size: int = 10,
        statement_cache: int = 200,
        application: str = "hotline",
    ) -> None:
        self.url = url
        self.clock = clock
        self.lent: dict[str, Any] = {}  # what sessions carry besides the database, see `Vault.lend`
        self.bus = bus
        self.log_written: Callable[[], None] = lambda: None  # the relay's wake-up
        self.engine: AsyncEngine = create_async_engine(
            url,
            # Opened when needed and kept: one that is closed after a rush's every request, as the pool's
            # overflow would be, costs more to open anew than the request itself.
            pool_size=2 * pool_size,
            max_overflow=0,
            pool_use_lifo=True,
            pool_pre_ping=False,
            hide_parameters=True,  # they are what people typed, and errors go into the log
            connect_args={
                "async_creator_fn": _connect,
                "statement_cache_size": statement_cache,
                "timeout": 10,
                "server_settings": {
                    "application_name": application,
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "30000",
                },
            },
        )

        # The same pool; a question that needs no transaction is not put between BEGIN and ROLLBACK.
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        listen(self._reading.sync_engine, "before_cursor_execute", _refuse_writing)

    async def close(self) -> None:
        """Return every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self, *, steady: bool = False) -> AsyncIterator[AsyncSession]:
        """A session for reading; one that writes raises RuntimeError.

        Each question is answered as things stand when it is asked. `steady`: in one transaction, for who
        sets something for it alone.
        """
        engine = self.engine if steady else self._reading
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False, info=self.lent) as session:
            yield session

    @asynccontextmanager
    async def begin(self, *, hopeful: bool = False) -> AsyncIterator[UnitOfWork]:
        """A transaction: commit at the end, roll back on any exception, then tell the events."""
        link = Link(self.engine)
        await link.take()
        uow = UnitOfWork(link, self.clock.now(), self.bus, lent=self.lent, hopeful=hopeful)
        try:
            yield uow
            await uow.commit()
        finally:
            try:
                await uow.close()
            finally:
                await link.give_back()
        if uow.logged:
            self.log_written()
        await uow.announce()

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """The rows of a short question as SQL text with $1, $2 …, outside any transaction."""
        link = Link(self.engine)
        await link.take()
        try:
            return await link.fetch(statement, values)
        finally:
            await link.give_back()

    async def retrying(self, work: Callable[[UnitOfWork], Awaitable[T]], *, hopeful: bool = False) -> T:
        """Run `work` in a transaction; start over, at most five times, when the database asks for it.

        `hopeful`: first without locks, for work that mostly has its row to itself. It then costs few
        questions and one statement; when somebody was faster, it is done again with locks.
        """
        if hopeful:
            try:
                async with self.begin(hopeful=True) as uow:
                    return await work(uow)
            except (Overtaken, IntegrityError):
                pass  # with locks it will show who came first, and what of it is an error
            except DBAPIError as error:
                if sqlstate(error) not in RETRYABLE:
                    raise
        for attempt in range(1, MAX_TRIES + 1):
            try:
                async with self.begin() as uow:
                    return await work(uow)
            except DBAPIError as error:
                if attempt == MAX_TRIES or sqlstate(error) not in RETRYABLE:
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    async def ping(self) -> datetime:
        """The database's own time in UTC; raises what the driver raises when it is out of reach."""
        async with self.engine.connect() as connection:
            return (await connection.execute(text("select now()"))).scalar_one()  # type: ignore[no-any-return]  # a timestamptz


def _refuse_writing(*told: Any) -> None:
    """Nothing would undo it: what a session for reading writes stands at once."""
    statement: str = told[2]
    if WRITES.match(statement):
        raise RuntimeError(f"a session for reading was asked to write: {statement[:80]}")


async def _connect(*args: Any, **options: Any) -> Any:
    """A connection of the driver; a server that turns us away is as far out of reach as a silent one."""
    try:
        return await asyncpg.connect(*args, **options)
    except TURNED_AWAY as error:
        raise ConnectionError(f"database: {type(error).__name__}") from error


def sqlstate(error: DBAPIError) -> str | None:
    """The five-character code PostgreSQL gave, if any."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)


def constraint_of(error: DBAPIError) -> str | None:
    """The name of the constraint that refused a row, if that is what happened."""
    for cause in (error.orig, getattr(error.orig, "__cause__", None)):
        name: str | None = getattr(cause, "constraint_name", None)
        if name is not None:
            return name
    return None
