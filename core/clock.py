"""Time comes from here and nowhere else, so that tests and late nodes can be honest about it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

CITY_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Wall time in UTC for what is stored, monotonic seconds for what is measured."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware start")
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds`."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Move only the wall clock, as an administrator or NTP would."""
        self._now += timedelta(seconds=seconds)


Instant = Callable[[], datetime | None]
"""An instant for a statement (UTC); None: the database says what time it is."""


def database_time() -> None:
    """Let the database say what time it is."""


def to_city(instant: datetime) -> datetime:
    """The same instant as people in the city read it."""
    return instant.astimezone(CITY_ZONE)
