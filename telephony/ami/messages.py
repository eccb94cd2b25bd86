"""AMI messages: what one frame says, with text that callers may have chosen made harmless.

A caller's name travels through every event. Splitting on anything but CR LF lets a name such as
`A<U+2028>Uniqueid: 1` become a header of its own, so lines are cut at CR LF only, and characters
that could pass for a line end are removed from the values afterwards.
"""

import unicodedata
from collections.abc import Callable

REPLACED = "\N{REPLACEMENT CHARACTER}"
LATE_IDS = {"QueueParams", "QueueMember", "QueueEntry"}  # app_queue writes the ActionID last
REMOVED = {"Cc", "Cf", "Cs", "Co", "Cn"}  # control, format, surrogate, private, unassigned


class AmiEvent:
    """One event: its name, its headers, and the connection it came over.

    The text stays whole and a header is looked for when it is asked for: most events have thirty
    headers and are asked for five. `get` gives the first value of a key, because Asterisk's own
    headers come first and a UserEvent may repeat them with values of the dialplan's choice.
    """

    __slots__ = ("_text", "generation", "name")

    def __init__(self, name: str, text: str, generation: int = 0) -> None:
        self.name = name
        self._text = text
        self.generation = generation

    def get(self, key: str, default: str = "") -> str:
        """The first value of `key`."""
        text = self._text
        start = text.find("\r\n" + key + ": ")
        if start < 0:
            return default
        start += len(key) + 4
        end = text.find("\r\n", start)
        return text[start:] if end < 0 else text[start:end]

    def all(self, key: str) -> list[str]:
        """Every value of `key`, in order."""
        return [value for name, value in self.lines if name == key]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Every header in order, repeats kept; the first is `Event` itself."""
        return [(key, value) for key, _, value in (line.partition(": ") for line in self._text.split("\r\n"))]

    @property
    def stamp(self) -> float | None:
        """The PBX's own time of the event, seconds since 1970 UTC; None without `timestampevents`."""
        try:
            return float(self.get("Timestamp"))
        except ValueError:
            return None

    @property
    def action_id(self) -> str | None:
        """The action this event answers; asked of every event, and near the top of all but a few."""
        end = len(self._text) if self.name in LATE_IDS else 200
        if self._text.find("\r\nActionID: ", 0, end) < 0:
            return None
        return self.get("ActionID")

    def __repr__(self) -> str:
        return f"AmiEvent({self.name})"  # headers hold numbers and names: never into a log


class AmiReply:
    """The answer to an action."""

    __slots__ = ("headers", "status")

    def __init__(self, status: str, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers

    def get(self, key: str, default: str = "") -> str:
        return self.headers.get(key, default)

    @property
    def action_id(self) -> str | None:
        return self.headers.get("ActionID")

    @property
    def is_error(self) -> bool:
        return self.status.lower() == "error"

    def __repr__(self) -> str:
        return f"AmiReply({self.status})"


Message = AmiEvent | AmiReply
Wanted = Callable[[bytes], bool]


def parse(frame: bytes, generation: int = 0) -> Message | None:
    """What one frame (without its empty line) says; None for a banner, output, or noise."""
    if frame.startswith(b"Asterisk Call Manager/"):
        frame = frame.partition(b"\r\n")[2]
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        text = "\r\n".join(_decode(line) for line in frame.split(b"\r\n"))
    if not text.replace("\r\n", "").isprintable():
        lines = (line.partition(": ") for line in text.split("\r\n"))
        text = "\r\n".join(key + sep + clean(value) for key, sep, value in lines)
    if text.startswith("Event: "):
        return AmiEvent(text[7:].partition("\r\n")[0], text, generation)
    if text.startswith("Response: "):
        # Reversed, so that the first of repeated headers is the one that stays.
        headers = {key: value for key, _, value in (x.partition(": ") for x in reversed(text.split("\r\n")))}
        return AmiReply(headers["Response"], headers)
    return None


def _decode(line: bytes) -> str:
    """UTF-8, else the GBK that old trunks send, else UTF-8 with marks where bytes made no sense."""
    for encoding in ("utf-8", "gbk"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", "replace")


def clean(value: str) -> str:
    """`value` without control and format characters; other white space becomes a plain space."""
    if value.isprintable():
        return value
    return "".join(_harmless(character) for character in value)


def _harmless(character: str) -> str:
    if character == " ":
        return character
    category = unicodedata.category(character)
    if category in REMOVED:
        return ""
    return " " if category[0] == "Z" else character


def clean_name(value: str | None, *, limit: int = 64) -> str | None:
    """A caller's name fit for a screen (NFKC, one line, at most `limit` characters); None when unknown.

    A name that was damaged on its way (undecodable bytes) says nothing and may mislead: None. Even a
    clean name is what the caller chose to send and never proves who calls.
    """
    if not value or value == "<unknown>" or REPLACED in value:
        return None
    text = clean(unicodedata.normalize("NFKC", value))
    return " ".join(text.split())[:limit].rstrip() or None
