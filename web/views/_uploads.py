"""Reads an upload from the network: field by field, file by file, never more than a chunk in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import BodyPartReader, web

from core.errors import HotlineError
from core.people.actor import Actor
from tickets.attachments import sniff
from tickets.attachments.service import AttachmentService
from tickets.attachments.store import Received, receive
from web.inputs import MALFORMED
from web.routes import rule_of

CHUNK = 256 * 1024
MOST_REFUSED = 200  # names of files over the number; more is no form of a person


@dataclass(frozen=True)
class Size:
    """The most one request may bring: files, fields, and bytes of one field.

    `rest_refused`: files over the number are refused by name, and the form behind them is still read.
    """

    files: int = 20
    fields: int = 10
    field: int = 500
    rest_refused: bool = False


@dataclass
class Refusal:
    """A file that was not taken in, and why."""

    name: str
    error: HotlineError


@dataclass
class Upload:
    """What one request brought: the fields of the form and the files that lie in the entrance."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[Received] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@contextmanager
def _understood() -> Iterator[None]:
    """What the reader cannot make sense of is no failure of ours."""
    try:
        yield
    except MALFORMED:
        raise HotlineError("upload_broken") from None


class _Counted:
    """Chunks of one part; ends the request when it brings more than its route may."""

    def __init__(self, left: int) -> None:
        self.left = left

    async def read(self, part: BodyPartReader) -> bytes:
        with _understood():
            chunk = await part.read_chunk(CHUNK)
        self.left -= len(chunk)
        if self.left < 0:
            raise HotlineError("too_large")
        return bytes(chunk)


@dataclass(frozen=True)
class _Part:
    """One part of the body: a field when `file_name` is None."""

    name: str
    file_name: str | None
    reader: BodyPartReader


async def read_upload(
    request: web.Request,
    service: AttachmentService,
    actor: Actor,
    ticket_id: int | None,
    room: Path,
    size: Size = Size(),
) -> Upload:
    """Take in the whole request. Files that are refused at once are in `refused`, with an audit row.

    Raises `bad_request` for what is no upload, `upload_broken` for one that cannot be read to its end,
    `too_large` for one that does not end.
    """
    found = Upload()
    rule = rule_of(request)
    counted = _Counted(rule.max_body if rule else 0)
    async for part in _parts(request):
        if part.name == "files" and part.file_name is None:
            raise HotlineError("upload_broken")
        if part.file_name is None:
            await _read_field(part, counted, found, size)
        elif len(found.files) + len(found.refused) >= size.files:
            if part.file_name or await counted.read(part.reader):
                await _too_many(part, counted, found, size)
        elif part.file_name or await counted.read(part.reader):
            await _read_file(part, counted, found, service, actor, ticket_id, room)
    return found


async def _too_many(part: _Part, counted: _Counted, found: Upload, size: Size) -> None:
    error = HotlineError("attachment_too_many", limit=size.files)
    if not size.rest_refused or len(found.refused) >= MOST_REFUSED:
        raise error
    found.refused.append(Refusal(part.file_name or "", error))
    while await counted.read(part.reader):
        pass


async def _parts(request: web.Request) -> AsyncIterator[_Part]:
    if not request.content_type.startswith("multipart/form-data"):
        raise HotlineError("bad_request")
    with _understood():
        reader = await request.multipart()
    while True:
        with _understood():
            part = await reader.next()
            if part is None:
                return
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise HotlineError("upload_broken")
            one = _Part(part.name, part.filename, part)
        yield one


async def _read_field(part: _Part, counted: _Counted, found: Upload, size: Size) -> None:
    value = b""
    while chunk := await counted.read(part.reader):
        value += chunk
        if len(value) > size.field:
            raise HotlineError("too_large")
    if part.name in found.fields or len(found.fields) >= size.fields or b"\0" in value:
        raise HotlineError("bad_request", field=part.name[:40])
    with _understood():
        found.fields[part.name] = value.decode("utf-8", errors="strict")


async def _read_file(
    part: _Part,
    counted: _Counted,
    found: Upload,
    service: AttachmentService,
    actor: Actor,
    ticket_id: int | None,
    room: Path,
) -> None:
    name = part.file_name or ""
    try:
        if part.name != "files":
            raise HotlineError("unknown_field", fields=[part.name[:40]])
        limit = sniff.limit_of(sniff.kind_of(name), service.limits)
        found.files.append(await receive(room, name, lambda: counted.read(part.reader), limit))
    except HotlineError as error:
        if error.code in ("unknown_field", "too_large", "upload_broken"):
            raise
        found.refused.append(Refusal(name, error))
        await service.refuse(actor, ticket_id, error, name)
        while await counted.read(part.reader):  # what follows it in the request is still wanted
            pass
