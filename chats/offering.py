"""Conversations find an agent: the leader offers the oldest to whoever has been ready longest.

Like a queue of the telephone: offered for a while, then to the next; nobody in time, and it is missed work
with a due time. Who is ready is told by whoever wires this room, since it knows nothing of telephones.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from chats.models import ChatMessage, ChatSession, table_of
from chats.service import ChatService
from core.db import Database, UnitOfWork
from core.leadership import Lease
from core.settings import TextRoute

_chat = table_of(ChatSession)
_message = table_of(ChatMessage)


@dataclass(frozen=True)
class Ready:
    """An agent who may be offered a conversation, ready since then."""

    user_id: int
    since: datetime


Seats = Callable[[AsyncSession], Awaitable[Sequence[Ready]]]


class Offering:
    """A tick of the leader."""

    def __init__(
        self,
        db: Database,
        lease: Lease,
        chats: ChatService,
        settings: TextRoute,
        seats: Seats,
        due: Callable[[datetime], datetime],
    ) -> None:
        self._db = db
        self._lease = lease
        self._chats = chats
        self._settings = settings
        self._seats = seats
        self._due = due

    async def tick(self) -> int:
        """Look once; returns how many conversations moved."""
        now = self._db.clock.now()
        async with self._db.read() as session:
            rows = (await session.execute(_open())).all()
            seats = list(await self._seats(session)) if any(row.state == "waiting" for row in rows) else []
        late = [row for row in rows if self._is_late(row, now)]
        moved = 0
        for row in late:
            moved += await self._do(partial(self._chats.miss, chat_id=row.id, due_at=self._due(now)))
        for row in rows:
            if row in late:
                continue
            if row.state == "offered" and now - row.offered_at >= self._seconds(self._settings.offer_seconds):
                moved += await self._do(partial(self._chats.lapse, chat_id=row.id))
            elif self._is_over(row, now):
                moved += await self._do(partial(self._chats.time_out, chat_id=row.id))
        return moved + await self._offer([row for row in rows if row.state == "waiting"], late, seats, rows)

    async def _offer(
        self, waiting: Sequence[Any], late: Sequence[Any], seats: Sequence[Ready], rows: Sequence[Any]
    ) -> int:
        """The oldest to whoever is ready longest; who let one pass by comes after the others."""
        held: dict[int, int] = {}
        for row in rows:
            for user_id in {row.agent_id if row.state == "active" else None, row.offered_to} - {None}:
                held[user_id] = held.get(user_id, 0) + 1
        free = sorted((seat for seat in seats if not held.get(seat.user_id)), key=lambda seat: seat.since)
        moved = 0
        for row in waiting:
            if row in late or not free:
                continue
            others = [seat for seat in free if seat.user_id != row.passed_by]
            seat = (others or free)[0]
            free.remove(seat)
            moved += await self._do(partial(self._chats.offer, chat_id=row.id, user_id=seat.user_id))
        return moved

    def _is_late(self, row: Any, now: datetime) -> bool:
        waits = row.state in ("waiting", "offered")
        return waits and now - row.queued_at >= self._seconds(self._settings.wait_seconds)

    def _is_over(self, row: Any, now: datetime) -> bool:
        if row.state == "active":
            return bool(now - row.said_at >= timedelta(minutes=self._settings.idle_minutes))
        return row.state == "missed" and bool(now - row.said_at >= timedelta(days=self._settings.missed_days))

    @staticmethod
    def _seconds(value: int) -> timedelta:
        return timedelta(seconds=value)

    async def _do(self, work: Callable[[UnitOfWork], Awaitable[None]]) -> int:
        async with self._db.begin() as uow:
            await self._lease.fence(uow)
            await work(uow)
        return 1


def _open() -> sa.Select[Any]:
    last = sa.select(sa.func.max(_message.c.at)).where(_message.c.session_id == _chat.c.id).scalar_subquery()
    columns = ("id", "state", "queued_at", "offered_at", "offered_to", "agent_id", "passed_by")
    said = sa.func.greatest(_chat.c.citizen_at, _chat.c.answered_at, last)
    return (
        sa.select(*(_chat.c[name] for name in columns), said.label("said_at"))
        .where(_chat.c.state != "ended")
        .order_by(_chat.c.queued_at, _chat.c.id)
    )
