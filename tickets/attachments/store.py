"""Where the files of attachments lie: `var/attachments/ab/ab12…`, under random names only.

A file is complete and on the disk before its row is written. A crash in between leaves a file that no
row knows; `sweep` takes it away a day later. Nodes that share a database share this folder as well.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import HotlineError

INCOMING = ".incoming"
BUFFER = 1024 * 1024  # bytes written in one go
ORPHAN_SECONDS = 24 * 3600.0
INCOMING_SECONDS = 6 * 3600.0  # the slowest line has sent its film by then


@dataclass(frozen=True)
class Received:
    """A file as it came, in the entrance: nobody has looked at it yet."""

    path: Path
    name: str
    size: int
    sha256: str


class Store:
    """The folder of attachments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """The place of a kept file."""
        return self.folder / key[:2] / key

    def thumb(self, key: str) -> Path:
        """The place of the small picture that belongs to it."""
        return self.folder / key[:2] / f"{key}.t"

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[Path]:
        """A folder of the entrance for one request; it is gone at the end, with what was not kept."""
        room = self.folder / INCOMING / secrets.token_hex(16)
        await asyncio.to_thread(room.mkdir, mode=0o700, parents=True)
        try:
            yield room
        finally:
            await asyncio.to_thread(_clear, room)

    def keep(self, made: Path, thumb: Path | None) -> str:
        """Move a finished file to its place, safe on the disk at return; gives its key."""
        key = secrets.token_hex(20)
        target = self.path(key)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for source, place in ((thumb, self.thumb(key)), (made, target)):
            if source is not None:
                _sync(source)
                source.rename(place)
        _sync(target.parent)
        return key

    def drop(self, key: str) -> None:
        """Take a file away whose row was not written."""
        for path in (self.path(key), self.thumb(key)):
            path.unlink(missing_ok=True)

    def old_files(self, *, now: float | None = None) -> Iterator[str]:
        """The keys of files old enough that their row must be there."""
        before = (time.time() if now is None else now) - ORPHAN_SECONDS
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            key = path.name.removesuffix(".t")  # a thumb may be left alone: it is put there first
            if len(key) == 40 and path.stat().st_mtime < before:
                yield key

    def clear_entrance(self, *, now: float | None = None) -> int:
        """Take away what a crash left in the entrance; returns how many rooms went."""
        before = (time.time() if now is None else now) - INCOMING_SECONDS
        old = [room for room in (self.folder / INCOMING).glob("*") if room.stat().st_mtime < before]
        for room in old:
            _clear(room)
        return len(old)


async def receive(room: Path, name: str, read: Callable[[], Awaitable[bytes]], limit: int) -> Received:
    """Write what `read()` gives, chunk by chunk until it is empty, to a file of `room`.

    Raises `attachment_too_large` beyond `limit` bytes and `attachment_empty` for nothing.
    """
    path = room / secrets.token_hex(8)
    digest, size = hashlib.sha256(), 0
    with await asyncio.to_thread(path.open, "xb") as file:
        waiting = bytearray()
        while chunk := await read():
            size += len(chunk)
            if size > limit:
                raise HotlineError("attachment_too_large", limit=limit)
            waiting += chunk
            if len(waiting) >= BUFFER:
                await asyncio.to_thread(_write, file, digest, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(_write, file, digest, bytes(waiting))
    if not size:
        raise HotlineError("attachment_empty")
    return Received(path, name, size, digest.hexdigest())


def _write(file: BinaryIO, digest: Any, data: bytes) -> None:
    digest.update(data)
    file.write(data)


def _sync(path: Path) -> None:
    """Make sure that a file or a folder's list of names is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(room: Path) -> None:
    shutil.rmtree(room, ignore_errors=True)
