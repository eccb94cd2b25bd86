"""The outbox: messages that must not be lost, sent at least once.

A message is a row of the business transaction; `dedup` makes a repeated write harmless, and its
receiver must be idempotent by it as well. Any node sends: rows are claimed with SKIP LOCKED and a
lease, so a node that dies lets go of them. Failures wait twice as long each time; after the last
try a message is a dead letter, which people see and can send again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Index, Text, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from core import audit, metrics
from core.db import Database, Table, UnitOfWork, id_column, json_column, time_column
from core.errors import HotlineError
from core.people.actor import Actor
from core.settings import Outbox

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 60
BATCH = 50
MOST_REST = 1.0  # seconds


class OutboxRow(Table, table=True):
    """One message: waiting (`done_at` and `dead_at` null), done or dead."""

    __tablename__: ClassVar[str] = "outbox"
    __table_args__: ClassVar[Any] = (
        Index("ix_outbox_due", "next_at", postgresql_where=text("done_at IS NULL AND dead_at IS NULL")),
        Index("ix_outbox_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )
    id: int = Field(default=None, sa_column=id_column())
    dedup: str = Field(sa_type=Text, unique=True)
    kind: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_column=json_column())
    created_at: datetime = Field(sa_column=time_column())
    next_at: datetime = Field(sa_column=time_column())
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)
    done_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    dead_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


TABLE: Any = OutboxRow.__table__  # type: ignore[attr-defined]  # set by SQLModel


@dataclass(frozen=True)
class OutboxMessage:
    """What a handler gets; `dedup` is its key for idempotence."""

    id: int
    dedup: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime
    last_error: str | None = None
    dead_at: datetime | None = None


Handler = Callable[[OutboxMessage], Awaitable[None]]


class NotYet(Exception):
    """Raised by a handler: all is well, but the message is not to go before `at` (UTC). No try is counted."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


async def enqueue(uow: UnitOfWork, *, kind: str, dedup: str, payload: dict[str, Any]) -> None:
    """Add a message to the caller's transaction; a second one with the same `dedup` is ignored.

    `payload` holds ids and codes; personal values are looked up when the message is sent.
    """
    statement = insert(OutboxRow).values(row(uow.now, kind, dedup, payload))
    await uow.session.execute(statement.on_conflict_do_nothing(index_elements=["dedup"]))


def row(now: datetime, kind: str, dedup: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The columns of a new message, for who writes it with `UnitOfWork.put`: its `dedup` must be new."""
    times = {"created_at": now, "next_at": now}
    return {"kind": kind, "dedup": dedup, "payload": payload, "attempts": 0, **times}


CLAIM = text(
    """
    UPDATE outbox SET next_at = :hold, attempts = attempts + 1
    WHERE id IN (
        SELECT id FROM outbox
        WHERE done_at IS NULL AND dead_at IS NULL AND next_at <= :now AND kind = ANY(:kinds)
        ORDER BY next_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    RETURNING id, dedup, kind, payload, attempts, created_at
    """
)


class OutboxWorker:
    """Sends what is due, with handlers by kind."""

    def __init__(self, db: Database, settings: Outbox) -> None:
        self._db = db
        self._settings = settings
        self._handlers: dict[str, Handler] = {}
        self._given_up: dict[str, Handler] = {}

    def register(self, kind: str, handler: Handler, *, given_up: Handler | None = None) -> None:
        """Send messages of `kind` through `handler`; raising means: try again later.

        `given_up` hears of a message that became a dead letter; its own failure changes nothing.
        """
        self._handlers[kind] = handler
        if given_up is not None:
            self._given_up[kind] = given_up

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                sent = await self.send_due(polite=True)
            except (SQLAlchemyError, OSError) as error:
                logger.warning("outbox paused", extra={"error": type(error).__name__})
                sent = 0
            if sent < BATCH:
                await asyncio.sleep(self._settings.poll_seconds)

    async def send_due(self, *, polite: bool = False) -> int:
        """Claim and send one batch; returns how many were claimed.

        `polite`: rest after each message as long as it took, so that people at their screens, whose
        requests share the process, come first; the busier they are, the slower messages go out.
        """
        async with self._db.begin() as uow:
            params = {
                "now": uow.now,
                "hold": uow.now + timedelta(seconds=CLAIM_SECONDS),
                "kinds": list(self._handlers),
                "batch": BATCH,
            }
            rows = (await uow.session.execute(CLAIM, params)).all()
        begun = time.monotonic()
        ordered = sorted(rows, key=lambda row: int(row.id))  # what was written first goes first
        for place, row in enumerate(ordered):
            started = time.monotonic()
            if started - begun > CLAIM_SECONDS / 2:  # a slow receiver must not outlast the claim
                await self._let_go([left.id for left in ordered[place:]])
                return place
            await self._send(OutboxMessage(*row))
            if polite:
                await asyncio.sleep(min(time.monotonic() - started, MOST_REST))
        return len(rows)

    async def _send(self, message: OutboxMessage) -> None:
        try:
            async with asyncio.timeout(CLAIM_SECONDS / 2):
                await self._handlers[message.kind](message)
        except NotYet as later:
            await self._put_off(message, later.at)
            return
        except Exception as error:  # any failure of a receiver is a reason to try again, not to stop
            await self._failed(message, f"{type(error).__name__}: {error}"[:500])
            return
        async with self._db.begin() as uow:
            values = {"done_at": uow.now, "last_error": None}
            await uow.session.execute(update(OutboxRow).where(_is(message.id)).values(**values))

    async def _let_go(self, ids: list[int]) -> None:
        """Give claimed messages back untried."""
        async with self._db.begin() as uow:
            values = {"next_at": uow.now, "attempts": col(OutboxRow.attempts) - 1}
            await uow.session.execute(update(OutboxRow).where(col(OutboxRow.id).in_(ids)).values(values))

    async def _put_off(self, message: OutboxMessage, at: datetime) -> None:
        async with self._db.begin() as uow:
            values = {"next_at": at, "attempts": message.attempts - 1}
            await uow.session.execute(update(OutboxRow).where(_is(message.id)).values(**values))

    async def _failed(self, message: OutboxMessage, reason: str) -> None:
        dead = message.attempts >= self._settings.max_attempts
        wait = min(
            self._settings.backoff_seconds * 2 ** (message.attempts - 1), self._settings.backoff_max_seconds
        )
        logger.warning("message not sent", extra={"outbox_id": message.id, "dead": dead, "error": reason})
        async with self._db.begin() as uow:
            values = {
                "last_error": reason,
                "next_at": uow.now + timedelta(seconds=wait),
                "dead_at": uow.now if dead else None,
            }
            await uow.session.execute(update(OutboxRow).where(_is(message.id)).values(**values))
        if dead and message.kind in self._given_up:
            try:
                await self._given_up[message.kind](message)
            except Exception:  # the letter is dead and shown as such, whatever its sender makes of it
                logger.exception("a dead letter could not be told", extra={"outbox_id": message.id})

    async def resend(self, uow: UnitOfWork, actor: Actor, message_id: int) -> None:
        """Give a dead letter its tries back; audited. Raises `message_not_dead`."""
        values = {"dead_at": None, "attempts": 0, "next_at": uow.now}
        statement = (
            update(OutboxRow).where(_is(message_id), col(OutboxRow.dead_at).is_not(None)).values(**values)
        )
        result = await uow.session.execute(statement)
        if not result.rowcount:  # type: ignore[attr-defined]  # a cursor result
            raise HotlineError("message_not_dead", message_id=message_id)
        await audit.record(
            uow, actor=actor, action="outbox.resend", object_type="outbox", object_id=message_id
        )


async def list_dead(session: AsyncSession, *, limit: int = 200) -> list[OutboxMessage]:
    """The dead letters, newest first."""
    query = (
        select(OutboxRow)
        .where(col(OutboxRow.dead_at).is_not(None))
        .order_by(col(OutboxRow.dead_at).desc())
        .limit(limit)
    )
    rows = (await session.execute(query)).scalars()
    return [
        OutboxMessage(r.id, r.dedup, r.kind, r.payload, r.attempts, r.created_at, r.last_error, r.dead_at)
        for r in rows
    ]


async def count_waiting(session: AsyncSession) -> None:
    """Set the gauges of waiting and dead messages."""
    query = text(
        "SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE dead_at IS NOT NULL) "
        "FROM outbox WHERE done_at IS NULL"
    )
    waiting, dead = (await session.execute(query)).one()
    metrics.OUTBOX_WAITING.set(waiting)
    metrics.OUTBOX_DEAD.set(dead)


def _is(message_id: int) -> Any:
    return col(OutboxRow.id) == message_id
