"""The ways on which citizens write to the hotline, one file each, behind one interface (docs/channels.md).

A channel turns what its platform sends into `Incoming` and carries `Outgoing` back. What is said to it in
between, and what becomes a ticket, is the same for all (`dialogue.py`, `service.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tickets.attachments.store import Received
from tickets.messages.reach import NoWay
from tickets.points.datum import Datum, Point


class Kind(StrEnum):
    """What somebody sent."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    LOCATION = "location"
    CHOICE = "choice"  # a button of ours was tapped; `choice` says which
    WELCOME = "welcome"  # began to follow us
    GONE = "gone"  # follows us no more: nothing reaches this person any longer
    LETTER = "letter"  # a whole matter at once, as e-mails are: nothing is asked back
    OTHER = "other"


@dataclass(frozen=True)
class Place:
    """Where somebody says it is: degrees as the platform has them, and its own words.

    Maps of the mainland speak GCJ-02; a platform that sends what the receiver of GPS said names WGS-84.
    """

    latitude: float
    longitude: float
    label: str = ""
    datum: Datum = Datum.GCJ02

    @property
    def point(self) -> Point:
        """The degrees in their datum."""
        return Point(self.latitude, self.longitude, self.datum)


@dataclass(frozen=True)
class Incoming:
    """One message to us.

    `sender`: whoever the platform says it is. `key`: the platform's id of the message; the same again is the
    same message. `stamp`: what the signature was made of beside the body, where it does not cover the body:
    it serves one message. `media`: how the platform calls a picture or a sound. `about`: the numbers of
    tickets that a letter's subject or thread names.
    """

    channel: str
    sender: str
    key: str
    at: datetime
    kind: Kind
    text: str = ""
    media: str = ""
    place: Place | None = None
    choice: str = ""
    stamp: str = ""
    about: tuple[str, ...] = ()
    files: int = 0

    def __repr__(self) -> str:  # words and persons stay out of logs and tracebacks
        return f"Incoming(channel={self.channel!r}, kind={self.kind!r})"


@dataclass(frozen=True)
class Option:
    """A button: what stands on it, and what comes back when it is tapped."""

    code: str
    label: str


@dataclass(frozen=True)
class Outgoing:
    """One message to a citizen. `key` is the same for every try.

    `text` is always whole; `number`, `state` and `link` are for platforms that want a template filled, and
    are empty for an answer within a dialogue. `whole`: a template's few words do not do. `answers`: the key
    of the message this answers, if any.
    """

    key: str
    to: str
    text: str
    at: datetime
    number: str = ""
    state: str = ""
    link: str = ""
    options: tuple[Option, ...] = ()
    whole: bool = False
    answers: str = ""

    def __repr__(self) -> str:
        return f"Outgoing(key={self.key!r})"


class Unreachable(NoWay):
    """The platform says that nothing reaches this person on this way: another way is tried."""


class Channel(Protocol):
    """One way. `passive`: an answer goes back with the request itself, nothing is sent for it."""

    name: str
    label: str
    passive: bool

    async def send(self, out: Outgoing) -> None:
        """Carry one message. Raises `Unreachable` for good, `DeliveryFailed` for now."""
        ...

    async def fetch(self, media: str, kind: Kind, room: Path) -> Received:
        """Bring a picture or a sound into `room`. Raises `DeliveryFailed`, and `attachment_…` of its size."""
        ...

    async def check(self) -> None:
        """Whether the platform answers us and knows us. Raises `DeliveryFailed`."""
        ...


class Channels:
    """The channels that are on, by name."""

    def __init__(self, channels: Iterable[Channel] = ()) -> None:
        self._channels = {channel.name: channel for channel in channels}

    def get(self, name: str) -> Channel | None:
        """The channel of that name, None when it is off."""
        return self._channels.get(name)

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def __len__(self) -> int:
        return len(self._channels)
