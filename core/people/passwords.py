"""argon2id off the event loop, with a bounded queue."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import HotlineError

T = TypeVar("T")
MEMORY_KIB = 19 * 1024
PASSES = 2
MIN_LENGTH = 10
MAX_LENGTH = 128


class Passwords:
    """Hashes and checks passwords on two threads; more than `queue` waiting is refused."""

    def __init__(self, *, threads: int = 2, queue: int = 64, cheap: bool = False) -> None:
        # `cheap` is for the demo city and tests, where a hundred accounts are made at once.
        self._hasher = PasswordHasher(
            time_cost=1 if cheap else PASSES, memory_cost=64 if cheap else MEMORY_KIB, parallelism=1
        )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._free = asyncio.Semaphore(queue)
        self._dummy = self._hasher.hash("nobody")

    async def hash(self, password: str) -> str:
        """The hash to store; raises `password_too_short` or `password_too_long`."""
        check_length(password)
        return await self._run(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """True when `password` is the one hashed; an unknown user takes as long as a known one."""
        return await self._run(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or self._dummy, password[:MAX_LENGTH])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        if self._free.locked():
            raise HotlineError("too_busy")
        async with self._free:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)


def check_length(password: str) -> None:
    """Refuse what is too short to be safe or long enough to be an attack."""
    if len(password) < MIN_LENGTH:
        raise HotlineError("password_too_short", minimum=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise HotlineError("password_too_long", maximum=MAX_LENGTH)
