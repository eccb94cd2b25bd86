"""The driver below a session: SQL texts as they are, in the session's own transaction.

SQLAlchemy builds, caches and adapts each statement, which costs more than the short ones cost the
database. The few paths that everything goes through hand their SQL to asyncpg themselves. A statement
that stands alone in its transaction is sent without BEGIN and COMMIT: it is a transaction by itself.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Native:
    """The asyncpg connection of a session, taken from the pool when it is first needed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._adapter: Any = None

    async def fetch(self, statement: str, values: Sequence[Any], *, opens: bool = True) -> list[Any]:
        """The rows of `statement`; `opens` begins the session's transaction first.

        Raises what SQLAlchemy would: IntegrityError, else OperationalError.
        """
        if self._adapter is None or self._session.in_nested_transaction():  # a savepoint is made when used
            connection = await self._session.connection()
            self._adapter = (await connection.get_raw_connection()).dbapi_connection
        if opens and not self._adapter._started:  # the adapter begins by itself only for its own cursors
            try:
                await self._adapter._start_transaction()
            except BROKEN as error:
                raise translated("BEGIN", error) from error
        return await run(self._adapter, statement, values)


async def run(adapter: Any, statement: str, values: Sequence[Any]) -> list[Any]:
    """The rows of `statement` on a connection as SQLAlchemy holds it; raises what it would raise."""
    try:
        return list(await adapter.driver_connection.fetch(statement, *values))
    except BROKEN as error:
        raise translated(statement, error) from error


def translated(statement: str, error: Exception) -> DBAPIError:
    """The same error as SQLAlchemy tells it; what was sent stays out of it."""
    state = str(getattr(error, "sqlstate", None) or "")
    kind = IntegrityError if state.startswith("23") else OperationalError
    return kind(statement, None, error, hide_parameters=True)
