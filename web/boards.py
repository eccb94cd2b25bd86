"""What one node remembers of wallboards: who asked how often, and the figures of the last seconds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SOURCES = 10_000  # remembered at most; the oldest is forgotten first


class Rate:
    """At most `most` of something from one source in `seconds`, in windows that begin with the first."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def spent(self, source: str, now: float) -> bool:
        """Whether nothing is left of the window."""
        begin, count = self._windows.get(source, (now, 0))
        return now - begin < self._seconds and count >= self._most

    def take(self, source: str, now: float) -> bool:
        """Count one more; False when it is too much."""
        if self.spent(source, now):
            return False
        begin, count = self._windows.get(source, (now, 0))
        if now - begin >= self._seconds:
            begin, count = now, 0
            self._windows.pop(source, None)
        self._windows[source] = (begin, count + 1)
        while len(self._windows) > SOURCES:
            self._windows.popitem(last=False)
        return True


@dataclass
class Boards:
    """Of one application."""

    wrong: Rate = field(default_factory=lambda: Rate(30, 60))  # addresses that open nothing
    looks: Rate = field(default_factory=lambda: Rate(600, 60))  # fifty screens behind one address
    figures: dict[str, Any] | None = None
    read_at: float = 0.0


BOARDS = web.AppKey("boards", Boards)
