"""What a file really is, and whether it may come in. Reads files, knows neither SQL nor HTTP.

A file must have an extension of the list *and* the content that belongs to it from its first to its
last byte: what carries a second format in front or behind (a polyglot), scripts or macros is refused.
Pictures are not judged here but re-made (see `pictures`), which leaves nothing of what was hidden.
"""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import HotlineError
from core.settings import Uploads
from tickets.attachments import office, pdf
from tickets.attachments.names import extension_of

Family = Literal["image", "document", "audio", "video"]
MEGABYTE = 1024 * 1024
HEAD = 4096


@dataclass(frozen=True)
class FileKind:
    """A sort of file that is taken in."""

    code: str
    family: Family
    mime: str
    word: str


KINDS: Mapping[str, FileKind] = {
    kind.code: kind
    for kind in (
        FileKind("jpg", "image", "image/jpeg", "图片"),
        FileKind("png", "image", "image/png", "图片"),
        FileKind("gif", "image", "image/gif", "图片"),
        FileKind("webp", "image", "image/webp", "图片"),
        FileKind("pdf", "document", "application/pdf", "PDF 文档"),
        FileKind(
            "docx",
            "document",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "Word 文档",
        ),
        FileKind(
            "xlsx",
            "document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "Excel 表格",
        ),
        FileKind("txt", "document", "text/plain", "文本"),
        FileKind("wav", "audio", "audio/wav", "录音"),
        FileKind("mp3", "audio", "audio/mpeg", "录音"),
        FileKind("amr", "audio", "audio/amr", "语音"),
        FileKind("mp4", "video", "video/mp4", "视频"),
    )
}
EXTENSIONS = {"jpeg": "jpg", "jpe": "jpg", "m4v": "mp4"} | {code: code for code in KINDS}
_MP4_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  ")
AMR = b"#!AMR\n"  # what telephones and messengers record voices as
# Kind of frame → its length in bytes with the octet that says so; 8 is silence, 15 nothing.
AMR_FRAMES = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
_MARKUP = (b"<html", b"<!doctype", b"<script", b"<svg", b"<iframe", b"<body", b"<?php", b"<!entity")


def kind_of(name: str) -> FileKind:
    """The kind a name promises. Raises `attachment_kind`."""
    code = EXTENSIONS.get(extension_of(name))
    if code is None:
        raise HotlineError("attachment_kind", extension=extension_of(name)[:10])
    return KINDS[code]


def limit_of(kind: FileKind, limits: Uploads) -> int:
    """The largest size of this kind in bytes."""
    megabytes: int = getattr(limits, f"{kind.family}_megabytes")
    return megabytes * MEGABYTE


def largest(limits: Uploads) -> int:
    """The largest size of any kind in bytes."""
    return max(limit_of(kind, limits) for kind in KINDS.values())


def check(path: Path, kind: FileKind) -> None:
    """Raise `attachment_content`, `attachment_active` or `attachment_broken` unless the file is its kind."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if not _begins_right(kind.code, data[:HEAD]):
            raise HotlineError("attachment_content", kind=kind.code)
        if kind.family != "image" and any(mark in data[:HEAD].lower() for mark in _MARKUP):
            raise HotlineError("attachment_active", kind=kind.code)
        _CHECKS[kind.code](data)


def _begins_right(code: str, head: bytes) -> bool:
    match code:
        case "jpg":
            return head.startswith(b"\xff\xd8\xff")
        case "png":
            return head.startswith(b"\x89PNG\r\n\x1a\n")
        case "gif":
            return head.startswith((b"GIF87a", b"GIF89a"))
        case "webp":
            return head[:4] == b"RIFF" and head[8:12] == b"WEBP"
        case "pdf":
            return head.startswith(b"%PDF-")
        case "docx" | "xlsx":
            return head.startswith(b"PK\x03\x04")
        case "wav":
            return head[:4] == b"RIFF" and head[8:12] == b"WAVE"
        case "mp3":
            return head.startswith(b"ID3") or _is_mp3_frame(head[:4])
        case "amr":
            return head.startswith(AMR)
        case "mp4":
            return head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS
    return True  # plain text begins with anything


def _check_picture(_data: mmap.mmap) -> None:
    """Nothing here: a picture is re-made from its pixels, so nothing hidden in it survives."""


def _check_text(data: mmap.mmap) -> None:
    """Text in UTF-8 or GB 18030 without control characters; markup is no plain text."""
    raw = data[:]
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or raw[:5].lower() == b"%pdf-":
        raise HotlineError("attachment_content", kind="txt")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(ord(char) < 32 and char not in "\t\r\n\f" for char in text):
            break
        return
    raise HotlineError("attachment_content", kind="txt")


def _check_wav(data: mmap.mmap) -> None:
    """The length in the header is the length of the file; nothing stands behind it."""
    declared = int.from_bytes(data[4:8], "little") + 8
    if declared + declared % 2 < len(data) or declared > len(data) + 1 or b"fmt " not in data[:200]:
        raise HotlineError("attachment_broken", kind="wav")


def _is_mp3_frame(head: bytes) -> bool:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    return version != 1 and layer == 1 and head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def _check_mp3(data: mmap.mmap) -> None:
    """After the tags comes sound."""
    start = 0
    if data[:3] == b"ID3":
        size = 0
        for byte in data[6:10]:
            size = size << 7 | byte & 0x7F
        start = 10 + size
    window = data[start : start + HEAD]
    if not any(_is_mp3_frame(window[at : at + 4]) for at in range(max(0, len(window) - 3))):
        raise HotlineError("attachment_broken", kind="mp3")


def _check_amr(data: mmap.mmap) -> None:
    """Frames of the narrow-band code (RFC 4867) follow each other to the very end of the file."""
    at = len(AMR)
    if at == len(data):
        raise HotlineError("attachment_broken", kind="amr")
    while at < len(data):
        size = AMR_FRAMES.get(data[at] >> 3 & 15)
        if size is None or data[at] & 0x83 or at + size > len(data):
            raise HotlineError("attachment_broken", kind="amr")
        at += size


def _check_mp4(data: mmap.mmap) -> None:
    """Boxes follow each other to the very end of the file, and one of them is the film's index."""
    at = 0
    names: set[bytes] = set()
    while at < len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        elif size == 0:
            size = len(data) - at
        if size < 8 or at + size > len(data) or len(names) > 100:
            raise HotlineError("attachment_broken", kind="mp4")
        names.add(name)
        at += size
    if not {b"moov", b"mdat"} & names:
        raise HotlineError("attachment_broken", kind="mp4")


_CHECKS = {
    "jpg": _check_picture,
    "png": _check_picture,
    "gif": _check_picture,
    "webp": _check_picture,
    "pdf": pdf.check,
    "docx": office.check_docx,
    "xlsx": office.check_xlsx,
    "txt": _check_text,
    "wav": _check_wav,
    "mp3": _check_mp3,
    "amr": _check_amr,
    "mp4": _check_mp4,
}
