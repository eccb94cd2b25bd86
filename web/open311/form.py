"""A posted request of GeoReport v2: fields of a form, with `attribute[…]`, and pictures as `media`.

The key is looked at before any file is read: whoever has none makes us keep nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import BodyPartReader, web

from core.errors import HotlineError
from core.people.machines import Machine, Scope
from tickets.attachments import sniff
from tickets.attachments.service import AttachmentService, Prepared
from tickets.attachments.store import receive
from web.inputs import MALFORMED
from web.routes import rule_of
from web.security.machines import admit_token, bearer

FIELDS = frozenset(
    {
        *("api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id"),
        *("email", "device_id", "account_id", "first_name", "last_name", "phone", "description"),
        "media_url",
    }
)
ATTRIBUTES = frozenset({"expected", "occurred_at", "confidentiality", "wants_reply"})
_ATTRIBUTE = re.compile(r"attribute\[([a-z_]{1,30})\](?:\[\])?")
MAX_FORM = 64 * 1024  # bytes of all fields together
MAX_MEDIA = 3
CHUNK = 256 * 1024


@dataclass
class Posted:
    """Who posts what. Empty fields are left out."""

    machine: Machine
    fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    media: tuple[Prepared, ...] = ()


@dataclass
class _Reading:
    """What has been read so far, and whether the key was looked at."""

    request: web.Request
    left: int
    machine: Machine | None = None
    pairs: list[tuple[str, str]] = field(default_factory=list)
    media: list[Prepared] = field(default_factory=list)

    async def admit(self) -> Machine:
        if self.machine is None:
            keys = [self.request.query.get("api_key", ""), bearer(self.request)]
            keys += [value for name, value in self.pairs if name == "api_key"]
            token = next((key for key in keys if key), "")
            self.machine = await admit_token(self.request, token, (Scope.OPEN311,))
        return self.machine


async def read_posted(request: web.Request, service: AttachmentService) -> Posted:
    """The request, with its files looked at. Files without a ticket are swept away later.

    Raises `machine_unknown`, `scope_missing`, `bad_request`, `unknown_field` (fields), `too_large`, and
    the codes `attachment_…`.
    """
    rule = rule_of(request)
    reading = _Reading(request, rule.max_body if rule else 0)
    for name, value in request.query.items():
        if name not in ("api_key", "jurisdiction_id"):
            raise HotlineError("unknown_field", fields=[name[:40]])
        reading.pairs.append((name, value))
    if request.content_type.startswith("multipart/"):
        async with service.store.receiving() as room:
            await _parts(reading, service, room)
    else:
        await _form(reading)
    posted = Posted(await reading.admit(), media=tuple(reading.media))
    _sort(reading.pairs, posted)
    return posted


async def _form(reading: _Reading) -> None:
    if (reading.request.content_length or 0) > MAX_FORM or len(await reading.request.read()) > MAX_FORM:
        raise HotlineError("too_large")
    try:
        posted = await reading.request.post()
    except MALFORMED:
        raise HotlineError("bad_request") from None
    reading.pairs += [(name, value) for name, value in posted.items() if isinstance(value, str)]


async def _parts(reading: _Reading, service: AttachmentService, room: Path) -> None:
    try:
        reader = await reading.request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise HotlineError("bad_request")
            if part.filename is None:
                value = await _value(reading, part)
                reading.pairs.append((part.name, value))
            else:
                await _file(reading, part, service, room)
    except MALFORMED:
        raise HotlineError("bad_request") from None


async def _chunk(reading: _Reading, part: BodyPartReader) -> bytes:
    chunk = bytes(await part.read_chunk(CHUNK))
    reading.left -= len(chunk)
    if reading.left < 0:
        raise HotlineError("too_large")
    return chunk


async def _value(reading: _Reading, part: BodyPartReader) -> str:
    value = b""
    while chunk := await _chunk(reading, part):
        value += chunk
        if len(value) > MAX_FORM:
            raise HotlineError("too_large")
    return value.decode("utf-8")


async def _file(reading: _Reading, part: BodyPartReader, service: AttachmentService, room: Path) -> None:
    await reading.admit()
    if part.name not in ("media", "media[]"):
        raise HotlineError("unknown_field", fields=[(part.name or "")[:40]])
    if len(reading.media) >= MAX_MEDIA:
        raise HotlineError("attachment_too_many", limit=MAX_MEDIA)
    name = part.filename or ""
    limit = sniff.limit_of(sniff.kind_of(name), service.limits)
    received = await receive(room, name, lambda: _chunk(reading, part), limit)
    reading.media.append(await service.prepare(received))


def _sort(pairs: Iterable[tuple[str, str]], posted: Posted) -> None:
    """Fields and attributes by name; what nobody asked for is refused by name."""
    unknown: list[str] = []
    for name, value in pairs:
        found = _ATTRIBUTE.fullmatch(name)
        known = found[1] in ATTRIBUTES if found else name in FIELDS
        if not known:
            unknown.append(name[:40])
        elif "\x00" in value:
            raise HotlineError("bad_request", field=name[:40])
        elif value.strip():
            (posted.attributes if found else posted.fields)[found[1] if found else name] = value.strip()
    if unknown:
        raise HotlineError("unknown_field", fields=sorted(unknown))
