"""How a dialogue stands, and what may come of one message. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from routing.channels import Kind, Option
from routing.channels.words import shorten
from tickets.points.datum import Point

LIST = 5  # of one's own tickets, in a list


class Step(StrEnum):
    """What was asked last."""

    IDLE = "idle"
    WHAT = "what"
    WHERE = "where"
    PHOTOS = "photos"
    CONTACT = "contact"
    CONFIRM = "confirm"
    AGAIN = "again"
    CHOOSE = "choose"
    ADD = "add"


class Media(BaseModel):
    """A picture or a sound that lies with the platform."""

    model_config = ConfigDict(frozen=True, extra="allow")  # see `Talk`
    kind: Kind
    media: str


class Talk(BaseModel):
    """How a dialogue stands. Kept sealed: it holds a citizen's words.

    What a newer version wrote besides is carried along as long as the matter is the same (`keeping.py`).
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    step: Step = Step.IDLE
    narrative: str = ""
    address: str = ""
    point: Point | None = None  # where the map says it is
    media: tuple[Media, ...] = ()
    name: str = ""
    phone: str = ""
    anonymous: bool = False
    before: Step | None = None  # where it stood when it was left
    pending: str = ""  # what was said after that
    purpose: str = ""  # what a choice among one's tickets is for
    choices: tuple[int, ...] = ()
    ticket_id: int | None = None  # the one that is being added to

    @property
    def begun(self) -> bool:
        """Whether there is anything of a matter that is not handed in yet."""
        return bool(self.narrative or self.media or self.address)


@dataclass(frozen=True)
class Own:
    """One of the sender's tickets."""

    id: int
    number: str
    title: str
    state: str
    promise: str
    is_open: bool
    rateable: bool
    asked: bool = False  # the hotline waits for what he has to add

    def line(self, place: int) -> str:
        """How it stands in a list."""
        promise = f"，{self.promise}" if self.promise and self.is_open else ""
        return f"{place}. {shorten(self.title, 20)}（{self.number}）{self.state}{promise}"


@dataclass(frozen=True)
class Submit:
    """Hand the matter in."""


@dataclass(frozen=True)
class Urge:
    ticket_id: int
    note: str


@dataclass(frozen=True)
class Add:
    """Words or media for a ticket."""

    ticket_id: int
    text: str
    media: tuple[Media, ...] = ()
    point: Point | None = None


@dataclass(frozen=True)
class Rate:
    ticket_id: int
    choice: int


@dataclass(frozen=True)
class Wish:
    """Whether news of tickets are wanted; `reachable` is False when the sender follows us no more."""

    stopped: bool
    reachable: bool = True


Act = Submit | Urge | Add | Rate | Wish


@dataclass(frozen=True)
class Turn:
    """What comes of one message; `says` is the answer once `act` has been carried out."""

    talk: Talk
    says: str
    act: Act | None = None
    options: tuple[Option, ...] = ()
