"""Word and Excel files of the new kind: a zip with known parts and nothing that acts. Pure."""

import html
import io
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from core.errors import HotlineError

MAX_ENTRIES = 5000
MAX_UNPACKED = 300 * 1024 * 1024  # bytes
MAX_RATIO = 200
MAX_PART = 64 * 1024 * 1024  # bytes of one part that is looked into
_END = b"PK\x05\x06"
_ACTIVE_PART = re.compile(r"vbaproject|activex|macrosheet|/embeddings/|oleobject|\.(?:exe|dll|js|vbs|html?)$")
_ACTIVE_XML = re.compile(rb"<!DOCTYPE|<!ENTITY|macroEnabled|DDEAUTO|<ddeLink", re.IGNORECASE)
_OUTSIDE = re.compile(rb"<Relationship\b[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>", re.IGNORECASE)
_TEXT = re.compile(rb"<(?:\w+:)?t(?:\s[^>]*)?>([^<]*)<|</(?:\w+:)?(?:p|row|si)>")


def check_docx(data: mmap.mmap) -> None:
    """Raise `attachment_content`, `attachment_active` or `attachment_broken` unless it is a Word file."""
    _check(data, "docx", "word/document.xml")


def check_xlsx(data: mmap.mmap) -> None:
    """The same for Excel."""
    _check(data, "xlsx", "xl/workbook.xml")


def _check(data: mmap.mmap, kind: str, main: str) -> None:
    end = data.rfind(_END)
    if end < 0 or len(data) - end != 22 + int.from_bytes(data[end + 20 : end + 22], "little"):
        raise HotlineError("attachment_broken", kind=kind)
    try:
        with zipfile.ZipFile(io.BytesIO(data[:])) as archive:
            entries = archive.infolist()
            _check_entries(entries, kind)
            names = {entry.filename for entry in entries}
            if not {"[Content_Types].xml", main} <= names:
                raise HotlineError("attachment_content", kind=kind)
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_part(archive, entry, kind)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        raise HotlineError("attachment_broken", kind=kind) from None


def _check_entries(entries: list[zipfile.ZipInfo], kind: str) -> None:
    """No bomb, no path that leaves, no part that acts, nothing before the first part."""
    packed = sum(entry.compress_size for entry in entries) or 1
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or unpacked > packed * MAX_RATIO:
        raise HotlineError("attachment_bomb", kind=kind)
    if min((entry.header_offset for entry in entries), default=1) != 0:
        raise HotlineError("attachment_active", kind=kind)
    for entry in entries:
        name = entry.filename
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
            raise HotlineError("attachment_active", kind=kind)
        if entry.flag_bits & 1 or _ACTIVE_PART.search("/" + name.lower()):
            raise HotlineError("attachment_active", kind=kind)


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, kind: str) -> None:
    """A part must unpack to what it says, and fetch nothing from outside but links a reader clicks."""
    with archive.open(entry) as part:
        text = part.read(MAX_PART + 1)
    if len(text) > MAX_PART:
        raise HotlineError("attachment_bomb", kind=kind)
    if b"\0" in text or _ACTIVE_XML.search(text):  # UTF-16 would hide words from us
        raise HotlineError("attachment_active", kind=kind)
    if entry.filename.lower().endswith(".rels"):
        for outside in _OUTSIDE.findall(text):
            if b"/hyperlink" not in outside:
                raise HotlineError("attachment_active", kind=kind)


def texts(path: Path) -> Iterator[str]:
    """The words of a checked Word or Excel file, part by part, for looking through them."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.lower()
            if name.startswith(("word/", "xl/")) and name.endswith(".xml"):
                pieces = [
                    match[1] if match[1] is not None else b"\n"
                    for match in _TEXT.finditer(archive.read(entry))
                ]
                # A digit may be written as &#49;, and is read as a digit.
                yield html.unescape(b"".join(pieces).decode(errors="replace"))
