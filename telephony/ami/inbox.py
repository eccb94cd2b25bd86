"""Where the reader's thread leaves messages for the event loop: bounded, one wake-up per batch."""

import asyncio
import contextlib
import logging
from collections import deque

from telephony.ami.messages import Message, Wanted, parse

logger = logging.getLogger(__name__)


class Overflow(ValueError):
    """More events wait than may; the connection is closed and the state asked for again."""


class Inbox:
    """One connection's messages. `put` and `close` run in the reader's thread, the rest in the loop.

    Every counter has one writer, so that none needs a lock.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, generation: int, limit: int, wanted: Wanted | None
    ) -> None:
        self._loop = loop
        self._generation = generation
        self._limit = limit
        self._wanted = wanted
        self._batches: deque[list[Message]] = deque()
        self._wake = asyncio.Event()
        self._signalled = False
        self.seen = 0  # frames that came in; written by the reader
        self.kept = 0  # messages that were queued; written by the reader
        self.handled = 0  # messages whose handler is done; written by the loop
        self.malformed = 0
        self.closed: str | None = None

    @property
    def depth(self) -> int:
        """Messages queued or being handled."""
        return self.kept - self.handled

    def put(self, frames: list[bytes]) -> None:
        """Parse what is wanted and queue it; raises Overflow when the loop is too far behind."""
        self.seen += len(frames)
        batch: list[Message] = []
        for frame in frames:
            if self._wanted is not None and not self._wanted(frame):
                continue
            try:
                message = parse(frame, self._generation)
            except (KeyError, IndexError, ValueError):
                message = None
                self.malformed += 1
            if message is not None:
                batch.append(message)
        if not batch:
            return
        self.kept += len(batch)
        if self.depth > self._limit:
            raise Overflow(f"{self.depth} events wait")
        self._batches.append(batch)
        self._signal()

    def close(self, reason: str) -> None:
        """The reader has ended."""
        self.closed = reason
        self._signal()

    def _signal(self) -> None:
        if not self._signalled:
            self._signalled = True
            with contextlib.suppress(RuntimeError):  # the loop ended before the reader did
                self._loop.call_soon_threadsafe(self._wake.set)

    async def take(self) -> list[Message]:
        """Wait for messages and return all there are; an empty list means that the line is closed."""
        while True:
            self._wake.clear()
            self._signalled = False
            messages = [message for batch in self._drain() for message in batch]
            if messages or self.closed is not None:
                return messages
            await self._wake.wait()

    def _drain(self) -> list[list[Message]]:
        batches = []
        while self._batches:
            batches.append(self._batches.popleft())
        return batches
