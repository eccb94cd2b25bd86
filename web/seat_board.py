"""What the seats of one node ask together: whether anything changed, and figures that are the same for all.

Seats look after each event of their own calls, and every few seconds besides; those that look at the same
moment are answered by one question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core.gather import Gather
from core.kept import Kept
from core.people.actor import Actor
from web.context import WebContext
from web.reads.seat import city_midnight
from web.reads.seat_stamps import Key, Stamps, stamps_of

OLD_SECONDS = 1.0
T = TypeVar("T")


class SeatBoard:
    """Of one application."""

    def __init__(self, ctx: WebContext) -> None:
        self._ctx = ctx
        self._stamps: Gather[Key, Stamps] = Gather(self._look)
        self._common: dict[Hashable, Kept[Any]] = {}

    async def _look(self, who: Sequence[Key]) -> dict[Key, Stamps]:
        now = self._ctx.clock.now()
        return dict(await stamps_of(self._ctx.db, who, now, city_midnight(now)))

    async def stamps(self, person: Actor) -> Stamps:
        """What the person's seat hangs on now."""
        found = await self._stamps.get((person.user_id or 0, person.extension or ""))
        assert found is not None  # everybody who is asked for is answered
        return found

    async def common(
        self, key: Hashable, read: Callable[[AsyncSession], Awaitable[T]], *, at_once: bool = False
    ) -> T:
        """What is the same for all who may see it, at most a second old; `at_once`: read now."""

        async def again() -> T:
            async with self._ctx.db.read() as session:
                return await read(session)

        kept = self._common.setdefault(key, Kept())
        found: T = await kept.get(again, lambda age: not at_once and age <= OLD_SECONDS)
        return found


SEATS = web.AppKey("seats", SeatBoard)
