"""How often one source may do something on this node: a brake for public pages, not a wall.

Kept in memory and forgotten with the process; what must hold across nodes is a condition in the database.
"""

from __future__ import annotations

from collections import deque
from math import ceil

from aiohttp import web

from core.clock import Clock
from core.errors import HotlineError

MOST_KEPT = 20_000  # sources remembered; beyond it the oldest is forgotten


class Rates:
    """Instants of the last acts, by what and by whom."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def count(self, act: str, source: str, *, most: int, seconds: float) -> None:
        """Count one act. Raises HotlineError `too_many_requests` beyond `most` within `seconds`."""
        now, key = self._clock.monotonic(), (act, source)
        seen = self._seen.pop(key, None) or deque()
        while seen and now - seen[0] > seconds:
            seen.popleft()
        full = len(seen) >= most
        if not full:
            seen.append(now)
        self._seen[key] = seen  # at the end: the order is that of the last act
        if len(self._seen) > MOST_KEPT:
            del self._seen[next(iter(self._seen))]
        if full:
            rest = max(1, ceil(seconds - (now - seen[0]))) if seen else 1
            raise HotlineError("too_many_requests", seconds=rest)


RATES = web.AppKey("rates", Rates)
