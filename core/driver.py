"""The driver below a session: SQL texts as they are, in one transaction of one connection.

SQLAlchemy builds, caches and adapts each statement, which costs more than the short ones cost the
database. The few paths that everything goes through hand their SQL to asyncpg themselves, on a
connection of SQLAlchemy's pool, and a session is made for those transactions only that ask for one.
A statement that stands alone in its transaction is sent without BEGIN and COMMIT: it is a transaction
by itself.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Link:
    """One connection of the pool, held from `take` to `give_back`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._outer = engine
        self.engine = engine.sync_engine
        self._pooled: Any = None

    async def take(self) -> None:
        """Take a connection. Raises OSError when the server is out of reach, the pool's TimeoutError."""
        self._pooled = await greenlet_spawn(self.engine.raw_connection)
        while self._pooled.driver_connection.is_closed():  # the server ended it while it rested
            await self._hand_in()
            self._pooled = await greenlet_spawn(self.engine.raw_connection)

    def for_session(self) -> AsyncConnection:
        """The same connection as a session takes it; what was begun here, the session goes on with."""
        plain = sa.engine.Connection(self.engine, connection=self._pooled)
        return AsyncConnection(self._outer, sync_connection=plain)

    async def begin(self) -> None:
        """Open the transaction unless it is open; the adapter does so only for its own cursors."""
        adapter = self._adapter()
        if adapter._started:
            return
        transaction = adapter.driver_connection.transaction()
        try:
            await transaction.start()
        except BROKEN as error:
            raise translated("BEGIN", error) from error
        adapter._started, adapter._transaction = True, transaction

    async def commit(self) -> None:
        """Commit what `begin` opened, if anything."""
        adapter = self._adapter()
        if adapter._started:
            try:
                await adapter._transaction.commit()
            except BROKEN as error:
                raise translated("COMMIT", error) from error
            finally:
                adapter._started, adapter._transaction = False, None

    async def fetch(self, statement: str, values: Sequence[Any]) -> list[Any]:
        """The rows of `statement`. Raises what SQLAlchemy would: IntegrityError, else OperationalError."""
        try:
            return list(await self._adapter().driver_connection.fetch(statement, *values))
        except BROKEN as error:
            raise translated(statement, error) from error

    def _adapter(self) -> Any:
        """The connection as SQLAlchemy holds it; none is left when a statement before found it broken."""
        adapter = self._pooled.dbapi_connection
        if adapter is None:
            raise translated("", asyncpg.InterfaceError("the connection was lost"))
        return adapter

    async def give_back(self) -> None:
        """Back to the pool, without what was not committed; cancelling its holder does not stop this."""
        pooled = self._pooled
        if pooled is None:
            return
        if pooled.is_valid and pooled.dbapi_connection._started:
            await asyncio.shield(asyncio.create_task(self._hand_in(), name="give back"))
        else:
            await self._hand_in()  # nothing to wait for

    async def _hand_in(self) -> None:
        pooled, self._pooled = self._pooled, None
        if pooled.is_valid and pooled.driver_connection.is_closed():
            await greenlet_spawn(pooled.invalidate)
        await greenlet_spawn(pooled.close)


def translated(statement: str, error: Exception) -> DBAPIError:
    """The same error as SQLAlchemy tells it; what was sent stays out of it."""
    state = str(getattr(error, "sqlstate", None) or "")
    kind = IntegrityError if state.startswith("23") else OperationalError
    return kind(statement, None, error, hide_parameters=True)
