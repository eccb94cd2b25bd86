"""PDF without anything that acts: no scripts, no launched programs, no files inside. Pure.

Names may be written with #xx escapes and may hide in compressed object streams; both are undone first.
What cannot be looked into (an object stream that does not inflate) is refused.
"""

import mmap
import re
import zlib
from collections.abc import Iterator

from core.errors import HotlineError

MAX_INFLATED = 64 * 1024 * 1024  # bytes of object streams looked into, in all
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|Rendition|SubmitForm|ImportData|GoToE|GoToR)\b"
)
# Short names turn up by chance in compressed pictures; they are looked for outside of streams only.
_SHORT = re.compile(rb"/(?:JS|XFA)\s*[(<\[\d/]")
_BODY = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_OBJECT_STREAM = re.compile(rb"/ObjStm\b")
_STREAM = re.compile(rb"stream\r?\n")


def check(data: mmap.mmap) -> None:
    """Raise `attachment_broken` for what is cut off, `attachment_active` for what acts."""
    end = data.rfind(b"%%EOF")
    if end < 0 or data[end + 5 :].strip(b"\0 \t\r\n"):
        raise HotlineError("attachment_broken", kind="pdf")
    _refuse_active(data[:])
    for inner in _object_streams(data):
        _refuse_active(inner)


def _plain_names(raw: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), raw) if b"#" in raw else raw


def _refuse_active(raw: bytes) -> None:
    plain = _plain_names(raw)
    if _ACTIVE.search(plain) or _SHORT.search(_BODY.sub(b" ", plain)):
        raise HotlineError("attachment_active", kind="pdf")


def _object_streams(data: mmap.mmap) -> Iterator[bytes]:
    """Every object stream inflated. Its dictionary stands in front, between `obj` and `stream`."""
    left = MAX_INFLATED
    for match in _STREAM.finditer(data):
        begin = data.rfind(b"obj", max(0, match.start() - 2000), match.start())
        head = _plain_names(data[begin if begin >= 0 else match.start() : match.start()])
        if not _OBJECT_STREAM.search(head):
            continue
        inflater = zlib.decompressobj()
        try:
            inner = inflater.decompress(data[match.end() : _end_of(data, match.end())], left)
        except zlib.error:
            raise HotlineError("attachment_active", kind="pdf") from None
        left -= len(inner)
        if left <= 0 or not inner or inflater.unconsumed_tail:
            raise HotlineError("attachment_active", kind="pdf")
        yield inner


def _end_of(data: mmap.mmap, start: int) -> int:
    end = data.find(b"endstream", start)
    return end if end >= 0 else len(data)
