"""The event log: what screens are told, written with the business, numbered by one relay.

Ids become visible out of order when transactions overlap, so nobody may follow the table by id.
The relay (`core.relay`, one leader) gives each committed row the next `seq`; readers follow `seq`,
which is complete and in order: a reader that saw n never meets a smaller one later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy import BigInteger, Column, Index, Text, func, select, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Field, col

from core.events import Audience, LiveNote
from core.tables import Table, id_column, json_column, time_column
from core.wake import Wake

logger = logging.getLogger(__name__)


class EventLogRow(Table, table=True):
    """One note for screens; `seq` is null until the relay has numbered it."""

    __tablename__: ClassVar[str] = "event_log"
    __table_args__: ClassVar[Any] = (
        Index("ix_event_log_unnumbered", "id", postgresql_where=text("seq IS NULL")),
        Index("ix_event_log_at", "at"),
    )
    id: int = Field(default=None, sa_column=id_column())
    seq: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True, nullable=True))
    at: datetime = Field(sa_column=time_column())
    topic: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    ref: int = Field(sa_type=BigInteger)
    version: int
    audience: dict[str, Any] = Field(sa_column=json_column())
    data: dict[str, Any] = Field(sa_column=json_column())


@dataclass(frozen=True)
class LoggedEvent:
    """A numbered note as readers get it."""

    seq: int
    at: datetime
    topic: str
    kind: str
    ref: int
    version: int
    audience: Audience
    data: dict[str, Any]


class Reader(Protocol):
    """The part of `core.db.Database` the tail needs (core.db imports this module)."""

    def read(self) -> Any: ...


TABLE: CoreTable = EventLogRow.__table__  # type: ignore[attr-defined]  # set by SQLModel


def rows(notes: Sequence[LiveNote], at: datetime) -> list[dict[str, Any]]:
    """The rows of `notes`, in their order."""
    return [
        {
            "at": at,
            "topic": note.topic,
            "kind": note.kind,
            "ref": note.ref,
            "version": note.version,
            "audience": note.audience.as_json(),
            "data": note.data,
        }
        for note in notes
    ]


def _logged(row: Any) -> LoggedEvent:
    audience = Audience(**{name: tuple(values) for name, values in row.audience.items()})
    return LoggedEvent(row.seq, row.at, row.topic, row.kind, row.ref, row.version, audience, row.data)


class EventTail:
    """Follows the numbered log for one node and hands each batch to its listeners."""

    def __init__(self, db: Reader, *, poll_seconds: float) -> None:
        self._db = db
        self._poll = poll_seconds
        self._listeners: list[Callable[[Sequence[LoggedEvent]], Awaitable[None]]] = []
        self._wake = Wake()
        self.position = 0
        self.following = False  # what is numbered from now on will be handed out

    def listen(self, callback: Callable[[Sequence[LoggedEvent]], Awaitable[None]]) -> None:
        """Call `callback` with each new batch, in order."""
        self._listeners.append(callback)

    def wake(self) -> None:
        """New rows were numbered on this node: look now instead of at the next poll."""
        self._wake.set()

    async def read(self, after_seq: int, limit: int) -> list[LoggedEvent]:
        """At most `limit` notes numbered above `after_seq`, in order."""
        query = (
            select(*EventLogRow.__table__.c)  # type: ignore[attr-defined]  # set by SQLModel
            .where(col(EventLogRow.seq) > after_seq)
            .order_by(col(EventLogRow.seq))
            .limit(limit)
        )
        async with self._db.read() as session:
            return [_logged(row) for row in await session.execute(query)]

    async def head(self) -> int:
        """The highest number given so far, 0 for an empty log."""
        async with self._db.read() as session:
            return (await session.execute(select(func.max(col(EventLogRow.seq))))).scalar_one() or 0

    async def run(self) -> None:
        """Follow the log until cancelled; a database out of reach is waited for."""
        while True:
            try:
                if not self.following:
                    self.position = await self.head()
                    self.following = True
                batch = await self.read(self.position, 500)
            except (SQLAlchemyError, OSError) as error:
                logger.warning("event log out of reach", extra={"error": type(error).__name__})
                await asyncio.sleep(1)
                continue
            if batch:
                self.position = batch[-1].seq
                await self._tell(batch)
            if len(batch) < 500:
                await self._wake.wait(self._poll)

    async def _tell(self, batch: Sequence[LoggedEvent]) -> None:
        for callback in self._listeners:
            try:
                await callback(batch)
            except Exception:
                logger.exception("event log listener failed")
