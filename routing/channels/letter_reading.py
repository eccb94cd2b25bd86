"""An e-mail as it came → who wrote, what, with which files. Nothing of it is believed. Pure."""

import email
import email.utils
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser

from core.errors import HotlineError
from core.notify.mail import check_address
from routing.channels import Incoming, Kind

NAME = "email"
MOST_FILES = 10
MOST_WORDS = 20_000
_NUMBER = re.compile(r"(?<!\d)\d{18}(?!\d)")
_ROBOTS = re.compile(
    r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@.-]|$)", re.IGNORECASE
)
_QUOTED = re.compile(
    r"^\s*(-{2,}\s*(原始邮件|原邮件|转发的邮件|original message|forwarded message)\s*-{2,}"
    r"|(在|於).{0,120}(写道|寫道)[:：]|on .{0,160} wrote:|_{10,})\s*$",
    re.IGNORECASE,
)
_HEADS = re.compile(r"^\s*(发件人|寄件者|from)\s*[:：]", re.IGNORECASE)
_NEXT = re.compile(r"^\s*(发送时间|日期|收件人|sent|date|to)\s*[:：]", re.IGNORECASE)


@dataclass(frozen=True)
class File:
    """A file that came along."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Letter:
    """What an e-mail says."""

    said: Incoming
    files: tuple[File, ...]


def read(raw: bytes, own: Collection[str], now: datetime) -> Letter | None:
    """The letter; None for what a machine wrote, ourselves among them: nothing is answered to it."""
    found = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    sender = _sender(found)
    if sender is None or sender in {address.lower() for address in own} or _automatic(found, sender):
        return None
    subject = " ".join(_header(found, "Subject").split())[:300]
    words = without_quotes(_words(found))[:MOST_WORDS]
    files = tuple(_files(found))
    thread = " ".join(_header(found, name) for name in ("In-Reply-To", "References"))
    about = tuple(dict.fromkeys(_NUMBER.findall(f"{subject} {thread}")))[:5]
    key = _header(found, "Message-ID").strip() or "<sha256." + hashlib.sha256(raw).hexdigest() + ">"
    text = f"{subject}\n{words}"
    said = Incoming(NAME, sender, key, now, Kind.LETTER, text, about=about, files=len(files))
    return Letter(said, files)


def _header(mail: EmailMessage, name: str) -> str:
    """A header's text; one that cannot be read is empty."""
    try:
        return str(mail.get(name, ""))
    except Exception:  # the library's parsers stumble over made-up headers in many ways
        return ""


def _sender(mail: EmailMessage) -> str | None:
    found = email.utils.getaddresses([_header(mail, "From")])
    if len(found) != 1:
        return None
    try:
        return check_address(found[0][1].strip()).lower()
    except HotlineError:
        return None


def _automatic(mail: EmailMessage, sender: str) -> bool:
    """Answers of machines, lists and errors of delivery: to answer them would never end."""
    sent = _header(mail, "Auto-Submitted").strip().lower()
    return (
        (bool(sent) and not sent.startswith("no"))
        or _header(mail, "Precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or bool(_header(mail, "List-Id") or _header(mail, "X-Autoreply") or _header(mail, "X-Autorespond"))
        or _header(mail, "Return-Path").strip() == "<>"
        or mail.get_content_type() == "multipart/report"
        or _ROBOTS.match(sender) is not None
    )


# ---- words --------------------------------------------------------------------------------------------


def _words(mail: EmailMessage) -> str:
    """The body as plain text."""
    for kind in ("plain", "html"):
        part = next((one for one in mail.walk() if _is_body(one, kind)), None)
        if part is not None:
            text = _decoded(part)
            return _plain(text) if kind == "html" else text.replace("\r\n", "\n")
    return ""


def _is_body(part: EmailMessage, kind: str) -> bool:
    return part.get_content_type() == f"text/{kind}" and part.get_content_disposition() != "attachment"


def _decoded(part: EmailMessage) -> str:
    """The text of a part: what it says it is written in first, and GB 18030 for all of its forerunners."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    said = (part.get_content_charset() or "utf-8").lower()
    said = "gb18030" if said in ("gb2312", "gbk", "hz-gb-2312", "gb_2312-80", "cp936") else said
    for charset in (said, "utf-8", "gb18030"):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return raw.decode("utf-8", "replace")


class _Text(HTMLParser):
    """Keeps what people read."""

    BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote"})
    HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library gives them
        if tag in self.HIDDEN:
            self._hidden += 1
        elif tag in self.BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self.BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.split()) if data.strip() else " ")


def _plain(html: str) -> str:
    reader = _Text()
    reader.feed(html[:2_000_000])
    reader.close()
    lines = ["".join(reader.parts)]
    lines = [" ".join(line.split()) for line in lines[0].split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def without_quotes(text: str) -> str:
    """What was written anew: without quoted lines and what stands below the mark of an earlier mail."""
    kept: list[str] = []
    lines = text.split("\n")
    for place, line in enumerate(lines):
        ahead = lines[place + 1 : place + 3]
        if _QUOTED.match(line) or (_HEADS.match(line) and any(_NEXT.match(one) for one in ahead)):
            break
        if line.rstrip() == "--":  # a signature; what stands above is the letter
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    return "\n".join(kept).strip()


def _files(mail: EmailMessage) -> Iterator[File]:
    count = 0
    for part in mail.walk():
        inline_picture = part.get_content_maintype() == "image"
        if part.is_multipart() or not (part.get_content_disposition() == "attachment" or inline_picture):
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes) or not data:
            continue
        count += 1
        if count > MOST_FILES:
            return
        yield File(_name(part), data)


def _name(part: EmailMessage) -> str:
    try:
        name = part.get_filename()
    except Exception:  # as for any header
        name = None
    ending = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "application/pdf": "pdf"}
    return str(name or f"附件.{ending.get(part.get_content_type(), 'bin')}")[:200]
