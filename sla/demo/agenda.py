"""What is going to happen in a past that is told in order."""

import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count

from core.db import UnitOfWork

Work = Callable[[UnitOfWork], Awaitable[None]]


class Agenda:
    """Things to do by their moments; what would lie in the future is not taken down."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._things: list[tuple[datetime, int, Work]] = []
        self._order = count()

    def note(self, at: datetime, work: Work) -> None:
        """`work` at `at`."""
        if at < self.now:
            heapq.heappush(self._things, (at, next(self._order), work))

    def earliest(self, other: datetime | None) -> datetime | None:
        """The next moment something happens, here or at `other`; None: the present is reached."""
        moments = [self._things[0][0]] if self._things else []
        if other is not None and other < self.now:
            moments.append(other)
        return min(moments, default=None)

    async def work(self, uow: UnitOfWork) -> bool:
        """Do the next thing if its moment is the transaction's; False: it was not."""
        if not self._things or self._things[0][0] > uow.now:
            return False
        await heapq.heappop(self._things)[2](uow)
        return True
