"""What the simulated PBX will do next: callbacks on a clock, run for real or stepped through by a test."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable

from core.clock import Clock, ManualClock

logger = logging.getLogger(__name__)
Action = Callable[[], None]
# A late wake-up is caught up at once; a far one is looked at again, in case the clock was moved.
LONGEST_REST = 1.0


class Timer:
    """One thing that will happen; cancelling it twice is harmless."""

    __slots__ = ("action", "at", "cancelled", "order")

    def __init__(self, at: float, order: int, action: Action) -> None:
        self.at = at
        self.order = order
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def __lt__(self, other: "Timer") -> bool:
        return (self.at, self.order) < (other.at, other.order)


class Timeline:
    """Timers in order of their monotonic time, equal ones in order of their making."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[Timer] = []
        self._orders = itertools.count()
        self._changed = asyncio.Event()
        self.frozen = False

    def after(self, seconds: float, action: Action) -> Timer:
        """Call `action` in `seconds` (at least zero) from now."""
        timer = Timer(self.clock.monotonic() + max(0.0, seconds), next(self._orders), action)
        heapq.heappush(self._heap, timer)
        self._changed.set()
        return timer

    def clear(self) -> None:
        """Forget everything that was to happen."""
        for timer in self._heap:
            timer.cancel()
        self._heap.clear()

    def next_at(self) -> float | None:
        """Monotonic seconds of the next timer, or None."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def run_due(self) -> int:
        """Fire what is due by now; returns how many. Nothing happens while frozen."""
        fired = 0
        while not self.frozen:
            at = self.next_at()
            if at is None or at > self.clock.monotonic():
                break
            heapq.heappop(self._heap).action()
            fired += 1
        return fired

    def advance(self, seconds: float) -> None:
        """Move a ManualClock forward, stopping at every timer on the way."""
        clock = self.clock
        if not isinstance(clock, ManualClock):
            raise TypeError("only a ManualClock can be advanced")
        end = clock.monotonic() + seconds
        while not self.frozen and (at := self.next_at()) is not None and at <= end:
            clock.advance(max(0.0, at - clock.monotonic()))
            self.run_due()
        clock.advance(max(0.0, end - clock.monotonic()))

    async def run(self) -> None:
        """Fire timers as the clock reaches them, until cancelled; a failing one ends only its call."""
        while True:
            try:
                self.run_due()
            except Exception:
                logger.exception("a simulated call failed")
                continue
            self._changed.clear()
            at = None if self.frozen else self.next_at()
            rest = LONGEST_REST if at is None else min(LONGEST_REST, max(0.0, at - self.clock.monotonic()))
            try:
                async with asyncio.timeout(rest):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def wake(self) -> None:
        """Look again at once, after a thaw."""
        self._changed.set()
