"""Many callers ask the same kind of question at once: one statement answers all who wait.

The first caller is answered at once; whoever asks meanwhile is answered together by the next look.
Nothing is kept: every answer was read after its question was asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Gather(Generic[K, V]):
    """Calls `look` with the keys that wait, one look at a time; a key it does not return is None."""

    def __init__(self, look: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._look = look
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The answer for `key`; raises what the look raised."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="gather")
        return await asyncio.shield(future)  # who gives up does not take the answer from the others

    async def _run(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await self._look(list(asked))
            except Exception as error:
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # read, even if everybody has given up
            except BaseException:
                for future in asked.values():
                    future.cancel()
                raise
            else:
                for key, future in asked.items():
                    future.set_result(found.get(key))
