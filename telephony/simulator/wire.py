"""The bytes of the manager protocol, as Asterisk writes and reads them."""

from collections.abc import Iterator

Headers = list[tuple[str, str]]
BANNERS = {"22": "Asterisk Call Manager/11.0.0", "16": "Asterisk Call Manager/5.0.4"}
VERSIONS = {"22": "22.10.1", "16": "16.28.0"}
# Asterisk keeps a caller name in 80 bytes and cuts it without looking where a character ends.
NAME_BYTES = 79
LONGEST_ACTION = 64 * 1024


def encode(headers: Headers) -> bytes:
    """One message; text that came from outside goes out byte for byte."""
    lines = [f"{key}: {value}\r\n" for key, value in headers]
    return ("".join(lines) + "\r\n").encode("utf-8", "surrogateescape")


def cut_name(name: str) -> str:
    """A caller name as it survives in Asterisk: 79 bytes, a split character at the end included."""
    return name.encode("utf-8", "surrogateescape")[:NAME_BYTES].decode("utf-8", "surrogateescape")


class ActionReader:
    """Cuts what a manager client sends into actions."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[Headers]:
        """Yield each complete action; raises ValueError when one grows without end."""
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            frame, self._pending = self._pending.split(b"\r\n\r\n", 1)
            headers = parse(frame)
            if headers:
                yield headers
        if len(self._pending) > LONGEST_ACTION:
            raise ValueError("an action without an end")


def parse(frame: bytes) -> Headers:
    """Header lines of one frame in order, repeats kept; a line without a colon is passed over."""
    headers: Headers = []
    for line in frame.decode("utf-8", "surrogateescape").split("\r\n"):
        key, colon, value = line.partition(":")
        if colon:
            headers.append((key.strip(), value.strip()))
    return headers


def first(headers: Headers, name: str, default: str = "") -> str:
    """The value of the first header called `name`, whatever its case."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), default)


def every(headers: Headers, name: str) -> list[str]:
    """All values of the header called `name`."""
    wanted = name.lower()
    return [value for key, value in headers if key.lower() == wanted]
