"""A value that many ask for: read again when it is no longer good, one reading at a time.

Whoever has to wait is content with a reading that began after he asked: however many ask, each waits for two
readings at most, and nobody is given one that may have passed what he has already heard of.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The last value read, its age, and whose turn it is to read."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._value: T

    async def get(
        self, read: Callable[[], Awaitable[T]], good: Callable[[float], bool], *, apart: float = 0.0
    ) -> T:
        """What is kept, if it is `good` at its age in seconds; else what `read` returns, and raises.

        Before the first reading the age is infinite. Two readings begin at least `apart` seconds after each
        other, so that a burst of changes is one.
        """
        came = time.monotonic()
        async with self._lock:
            age = time.monotonic() - self._read_at
            if self._read_at < came and not good(age):
                if age < apart:
                    await asyncio.sleep(apart - age)
                asked = time.monotonic()
                self._value = await read()
                self._read_at = asked  # a reading that failed is not one
            return self._value
