"""Hands out a file in the pieces a player asks for (RFC 9110, section 14): it plays and seeks with them.

Only an opened file is served, never a path: what was checked is what is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from aiohttp import web

CHUNK = 256 * 1024  # bytes


@dataclass(frozen=True)
class Span:
    """The bytes from `start` up to and without `stop`; `part` when the client asked for a piece."""

    start: int
    stop: int
    part: bool


def span_of(request: web.Request, size: int, tag: str) -> Span | None:
    """What is asked for: the whole for no range, for one nobody understands and for one of another file.

    None when the range begins behind the end.
    """
    whole = Span(0, size, False)
    if request.headers.get("If-Range", tag) != tag:
        return whole
    try:
        wanted = request.http_range
    except ValueError:
        return whole
    if wanted.start is None:
        return whole
    start: int = max(size + wanted.start, 0) if wanted.start < 0 else wanted.start  # below 0: the last bytes
    stop = size if wanted.stop is None else min(wanted.stop, size)
    return Span(start, stop, True) if start < stop else None


async def send(
    request: web.Request, file: BinaryIO, size: int, tag: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Answer with the piece of `file` that was asked for: 200 for all of it, 206, or 416. Closes the file."""
    quoted = f'"{tag}"'
    try:
        span = span_of(request, size, quoted)
        if span is None:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        answer = web.StreamResponse(status=206 if span.part else 200, headers=headers)
        answer.headers.update({"Accept-Ranges": "bytes", "ETag": quoted})
        if span.part:
            answer.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        answer.content_length = span.stop - span.start
        await answer.prepare(request)
        await _write(answer, file, span)
        return answer
    finally:
        file.close()  # at once: whoever seeks leaves, and what is awaited then may never be done


async def _write(answer: web.StreamResponse, file: BinaryIO, span: Span) -> None:
    await asyncio.to_thread(file.seek, span.start)
    left = span.stop - span.start
    while left:
        chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
        if not chunk:  # it became shorter meanwhile; the client sees that the length is wrong
            return
        await answer.write(chunk)
        left -= len(chunk)
    await answer.write_eof()
