"""A short dialogue: what is it, where, photos, how to reach you, confirm. Pure.

`answer` is given how the dialogue stands, what was said and the sender's own tickets; it returns how the
dialogue stands now, the words to say, and at most one act for `service.py` to carry out with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from routing.channels import Incoming, Kind, Option, texts
from routing.channels.words import Contact, command_of, contact_of, is_done, is_greeting, is_no, shorten
from tickets.points.datum import Point

IDLE_MINUTES = 30
MOST_MEDIA = 9
MOST_WORDS = 6000
LIST = 5


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

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind
    media: str


class Talk(BaseModel):
    """How a dialogue stands. Kept sealed: it holds a citizen's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")
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


def answer(
    talk: Talk, said: Incoming, *, mine: Sequence[Own], touched: datetime | None, area: str = ""
) -> Turn:
    """The next turn. `touched`: when the dialogue last moved, None for a new one; `area`: of landlines."""
    if said.kind in (Kind.WELCOME, Kind.GONE):
        gone = said.kind is Kind.GONE
        return Turn(talk, "" if gone else texts.WELCOME, Wish(stopped=False, reachable=not gone))
    if said.kind is Kind.CHOICE:
        return _chosen(talk, said.choice, mine)
    if said.kind is Kind.OTHER:
        return Turn(talk, texts.UNREADABLE)
    command = command_of(said.text) if said.kind is Kind.TEXT else None
    if command is not None:
        return _COMMANDS[command.name](talk, command.rest, mine)
    if _left(talk, said, touched):
        return _offered_again(talk, said)
    return _STEPS[talk.step](talk, said, mine, area)


def _left(talk: Talk, said: Incoming, touched: datetime | None) -> bool:
    """Whether a begun matter was left alone for so long that it may be another one now."""
    rested = touched is not None and said.at - touched > timedelta(minutes=IDLE_MINUTES)
    return rested and talk.begun and talk.step not in (Step.IDLE, Step.AGAIN)


# ---- a matter ---------------------------------------------------------------------------------------


def _heard(talk: Talk, said: Incoming) -> Talk | None:
    """The matter with what was said; None when it holds no more."""
    if said.kind is Kind.LOCATION and said.place is not None:
        return talk.model_copy(update={"address": _address(said), "point": said.place.point})
    words = said.text.strip()
    media = talk.media
    if said.kind in (Kind.IMAGE, Kind.VOICE) and said.media:
        if len(media) >= MOST_MEDIA:
            return None
        media = (*media, Media(kind=said.kind, media=said.media))
    if said.kind is Kind.VOICE and not words and not talk.narrative:
        words = texts.VOICE_ONLY
    narrative = "\n".join(part for part in (talk.narrative, words) if part)
    if len(narrative) > MOST_WORDS:
        return None
    return talk.model_copy(update={"narrative": narrative, "media": media})


def _address(said: Incoming) -> str:
    """What the platform calls the place; its degrees are kept beside it (`tickets.points`)."""
    assert said.place is not None
    return said.place.label.strip()[:150] or texts.ON_THE_MAP


def _idle(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    if said.kind is Kind.TEXT and (is_greeting(said.text) or is_done(said.text) or is_no(said.text)):
        return Turn(talk, texts.WELCOME)
    begun = _heard(Talk(), said) or Talk()
    return _ask_on(begun) if begun.begun else Turn(talk, texts.WELCOME)


def _ask_on(talk: Talk) -> Turn:
    """Ask for what is missing first."""
    if not talk.narrative:
        return Turn(talk.model_copy(update={"step": Step.WHAT}), texts.WHAT)
    if not talk.address:
        return Turn(talk.model_copy(update={"step": Step.WHERE}), texts.WHERE)
    return Turn(talk.model_copy(update={"step": Step.PHOTOS}), texts.PHOTOS)


def _what(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    heard = _heard(talk, said)
    return Turn(talk, texts.FULL) if heard is None else _ask_on(heard)


def _where(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    if said.kind is Kind.TEXT:
        place = "" if is_no(said.text) else " ".join(said.text.split())
        if len(place) > 180:  # more than an address: it is kept with the matter
            return _noted(talk, said, texts.WHERE)
        return Turn(talk.model_copy(update={"address": place, "step": Step.PHOTOS}), texts.PHOTOS)
    heard = _heard(talk, said)
    if heard is None:
        return Turn(talk, texts.FULL)
    if said.kind is Kind.LOCATION:
        return Turn(heard.model_copy(update={"step": Step.PHOTOS}), texts.PHOTOS)
    return Turn(heard, texts.WHERE)


def _photos(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    if said.kind is Kind.TEXT and (is_done(said.text) or is_no(said.text)):
        if talk.phone or talk.anonymous:
            return _confirm(talk)
        return Turn(talk.model_copy(update={"step": Step.CONTACT}), texts.CONTACT)
    heard = _heard(talk, said)
    if heard is None:
        return Turn(talk, texts.FULL)
    if said.kind is Kind.IMAGE:
        return Turn(heard, texts.MORE_PHOTO.format(count=len(heard.media)))
    return Turn(heard, texts.NOTED.format(next="还有照片请继续发，没有请回复“好了”。"))


def _contact(talk: Talk, said: Incoming, _mine: Sequence[Own], area: str) -> Turn:
    if said.kind is not Kind.TEXT:
        return _noted(talk, said, texts.CONTACT)
    if is_no(said.text) or is_done(said.text):
        return _confirm(talk)
    if said.text.strip() in ("匿名", "不愿透露", "保密"):
        return _confirm(talk.model_copy(update={"anonymous": True, "name": "", "phone": ""}))
    found = contact_of(said.text, area)
    if found is None:
        return Turn(talk, texts.NO_PHONE)
    return _confirm(_with(talk, found))


def _with(talk: Talk, found: Contact) -> Talk:
    return talk.model_copy(update={"name": found.name, "phone": found.phone, "anonymous": False})


def _confirm(talk: Talk) -> Turn:
    talk = talk.model_copy(update={"step": Step.CONFIRM})
    return Turn(talk, texts.CONFIRM.format(summary=summary(talk)))


def _confirming(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    word = said.text.strip().strip("。.!！")
    if said.kind is Kind.TEXT and word in ("确认", "提交", "是", "对", "1", "确定", "好", "好的", "ok", "OK"):
        return Turn(Talk(), texts.SUBMITTED, Submit())
    if said.kind is Kind.TEXT and word in ("修改", "重新说", "2", "改"):
        kept = talk.model_copy(update={"narrative": "", "address": "", "point": None, "step": Step.WHAT})
        return Turn(kept, texts.WHAT)
    heard = _heard(talk, said)
    return Turn(talk, texts.FULL) if heard is None else _confirm(heard)


def _noted(talk: Talk, said: Incoming, question: str) -> Turn:
    heard = _heard(talk, said)
    return Turn(talk, texts.FULL) if heard is None else Turn(heard, texts.NOTED.format(next=question))


def summary(talk: Talk) -> str:
    """The matter as it would be handed in."""
    lines = [texts.SUMMARY_WHAT.format(text=shorten(talk.narrative, 300))]
    if talk.address:
        lines.append(texts.SUMMARY_WHERE.format(text=talk.address))
    if talk.media:
        lines.append(texts.SUMMARY_FILES.format(count=len(talk.media)))
    if talk.step is Step.CONFIRM:
        who = texts.ANONYMOUS if talk.anonymous else f"{talk.name} {talk.phone}".strip() or texts.ONLY_HERE
        lines.append(texts.SUMMARY_CONTACT.format(text=who))
    return "\n".join(lines)


# ---- left alone, and taken up again --------------------------------------------------------------------


def _offered_again(talk: Talk, said: Incoming) -> Turn:
    pending = said.text.strip()
    kept = talk.model_copy(update={"step": Step.AGAIN, "before": talk.step, "pending": pending})
    if said.kind in (Kind.IMAGE, Kind.VOICE, Kind.LOCATION):
        kept = _heard(kept.model_copy(update={"pending": ""}), said) or kept
    return Turn(kept, texts.AGAIN.format(summary=summary(talk)))


def _again(talk: Talk, said: Incoming, mine: Sequence[Own], area: str) -> Turn:
    word = said.text.strip() if said.kind is Kind.TEXT else ""
    if word in ("1", "接着说", "继续"):
        words = "" if is_greeting(talk.pending) else talk.pending
        narrative = "\n".join(part for part in (talk.narrative, words) if part)
        step = talk.before or Step.WHAT
        back = {"narrative": narrative, "pending": "", "before": None, "step": step}
        return _asked(talk.model_copy(update=back))
    if word in ("2", "重新开始"):
        fresh = said_again(said, talk.pending)
        return _idle(Talk(), fresh, mine, area)
    if said.kind is Kind.TEXT:
        more = "\n".join(part for part in (talk.pending, word) if part)[:MOST_WORDS]
        return Turn(talk.model_copy(update={"pending": more}), texts.AGAIN_ASK)
    return Turn(_heard(talk, said) or talk, texts.AGAIN_ASK)


def said_again(said: Incoming, words: str) -> Incoming:
    """The same sender saying `words`."""
    return Incoming(said.channel, said.sender, said.key, said.at, Kind.TEXT, words)


def _asked(talk: Talk) -> Turn:
    """The question of the step the dialogue stands at, once more."""
    questions = {
        Step.WHAT: texts.WHAT,
        Step.WHERE: texts.WHERE,
        Step.PHOTOS: texts.PHOTOS,
        Step.CONTACT: texts.CONTACT,
    }
    question = questions.get(talk.step)
    return _confirm(talk) if question is None else Turn(talk, question)


# ---- what one does with tickets one has ----------------------------------------------------------------


def _help(talk: Talk, _rest: str, _mine: Sequence[Own]) -> Turn:
    return Turn(talk, texts.WELCOME)


def _drop(talk: Talk, _rest: str, _mine: Sequence[Own]) -> Turn:
    return Turn(Talk(name=talk.name, phone=talk.phone), texts.DROPPED)


def _stop(talk: Talk, _rest: str, _mine: Sequence[Own]) -> Turn:
    return Turn(talk, texts.GOODBYE, Wish(stopped=True))


def _resume(talk: Talk, _rest: str, _mine: Sequence[Own]) -> Turn:
    return Turn(talk, texts.BACK, Wish(stopped=False))


def _list(talk: Talk, _rest: str, mine: Sequence[Own]) -> Turn:
    lines = [own.line(place) for place, own in enumerate(mine[:LIST], 1)]
    return Turn(talk, "\n".join(lines) if lines else texts.NONE_AT_ALL)


def _urge(talk: Talk, rest: str, mine: Sequence[Own]) -> Turn:
    return _for_one(talk, rest, [own for own in mine if own.is_open], "urge")


def _supplement(talk: Talk, rest: str, mine: Sequence[Own]) -> Turn:
    if talk.step not in (Step.IDLE, Step.ADD, Step.CHOOSE) and talk.begun:
        heard = talk.model_copy(update={"narrative": "\n".join((talk.narrative, rest)).strip()})
        return _asked(heard) if rest else _asked(talk)  # a matter that is not handed in is added to by itself
    return _for_one(talk, rest, [own for own in mine if own.is_open], "add")


def _rate(talk: Talk, rest: str, mine: Sequence[Own]) -> Turn:
    able = [own for own in mine if own.rateable]
    if not able:
        return Turn(talk, texts.NONE_RATEABLE)
    if rest.strip() in {str(choice) for choice in texts.RATINGS}:
        return Turn(talk, texts.RATED, Rate(able[0].id, int(rest)))
    if not talk.begun:  # the bare figure is understood as well
        asking = {"step": Step.CHOOSE, "purpose": "rate", "ticket_id": able[0].id}
        talk = Talk(name=talk.name, phone=talk.phone).model_copy(update=asking)
    return rate_menu(talk, able[0])


def rate_menu(talk: Talk, own: Own) -> Turn:
    """The five answers, one tap each."""
    lines = [texts.RATE_WHICH.format(number=own.number)]
    lines += [f"{choice}. {words[0]}" for choice, words in texts.RATINGS.items()]
    return Turn(talk, "\n".join(lines), options=rate_options(own.id))


def rate_options(ticket_id: int) -> tuple[Option, ...]:
    """The buttons of a rating."""
    found = texts.RATINGS.items()
    return tuple(Option(f"rate:{ticket_id}:{choice}", words[0]) for choice, words in found)


def _for_one(talk: Talk, rest: str, able: list[Own], purpose: str) -> Turn:
    if not able:
        return Turn(talk, texts.NONE_OPEN)
    if len(able) == 1:
        return _do(talk, purpose, able[0], rest)
    if rest.isascii() and rest.isdigit() and 1 <= int(rest[:3]) <= min(len(able), LIST):
        return _do(talk, purpose, able[int(rest) - 1], "")
    lines = "\n".join(own.line(place) for place, own in enumerate(able[:LIST], 1))
    if talk.begun:  # what is half said stays: the number goes with the word
        return Turn(talk, texts.CHOOSE_BY.format(list=lines))
    ids = tuple(own.id for own in able[:LIST])
    asking = {"step": Step.CHOOSE, "purpose": purpose, "choices": ids, "pending": rest}
    kept = Talk(name=talk.name, phone=talk.phone)
    return Turn(kept.model_copy(update=asking), texts.CHOOSE.format(list=lines))


def _do(talk: Talk, purpose: str, own: Own, rest: str) -> Turn:
    if purpose == "urge":
        rested = talk.model_copy(update={"step": Step.IDLE, "pending": ""})
        now = rested if talk.step is Step.CHOOSE else talk
        return Turn(now, texts.URGED.format(number=own.number), Urge(own.id, rest))
    adding = Talk(name=talk.name, phone=talk.phone, step=Step.ADD, ticket_id=own.id)
    if not rest:
        return Turn(adding, texts.ADD_WHAT.format(number=own.number))
    return Turn(adding, texts.ADDED.format(number=own.number), Add(own.id, rest))


def _choosing(talk: Talk, said: Incoming, mine: Sequence[Own], area: str) -> Turn:
    word = said.text.strip().rstrip("。.、")
    known = {own.id: own for own in mine}
    if talk.purpose == "rate":
        rated = _chosen(Talk(name=talk.name, phone=talk.phone), f"rate:{talk.ticket_id}:{word}", mine)
        return rated if rated.act is not None else _idle(Talk(), said, mine, area)
    if word.isascii() and word.isdigit() and 1 <= int(word[:3]) <= len(talk.choices):
        own = known.get(talk.choices[int(word) - 1])
        if own is not None:
            return _do(talk, talk.purpose, own, talk.pending)
    return Turn(talk, texts.CHOOSE_ASK)


def _adding(talk: Talk, said: Incoming, mine: Sequence[Own], area: str) -> Turn:
    own = next((one for one in mine if one.id == talk.ticket_id and one.is_open), None)
    if own is None:
        return _idle(Talk(name=talk.name, phone=talk.phone), said, mine, area)
    if said.kind is Kind.TEXT and is_done(said.text):
        return Turn(Talk(name=talk.name, phone=talk.phone), texts.ADD_DONE)
    media: tuple[Media, ...] = ()
    words, point = said.text.strip(), None
    if said.kind is Kind.LOCATION and said.place is not None:
        words, point = texts.ADDED_PLACE.format(place=_address(said)), said.place.point
    if said.media:
        media = (Media(kind=said.kind, media=said.media),)
        words = words or (texts.ADDED_VOICE if said.kind is Kind.VOICE else texts.ADDED_PHOTO)
    return Turn(talk, texts.ADDED.format(number=own.number), Add(own.id, words, media, point))


def _chosen(talk: Talk, choice: str, mine: Sequence[Own]) -> Turn:
    """A button of ours: it is believed only about the sender's own tickets."""
    what, _, rest = choice.partition(":")
    ticket, _, place = rest.partition(":")
    own = next((one for one in mine if str(one.id) == ticket), None)
    if what != "rate" or own is None or place not in {str(one) for one in texts.RATINGS}:
        return Turn(talk, texts.UNREADABLE)
    if not own.rateable:
        return Turn(talk, texts.NONE_RATEABLE)
    return Turn(talk, texts.RATED, Rate(own.id, int(place)))


_Step = Callable[[Talk, Incoming, Sequence[Own], str], Turn]
_STEPS: dict[Step, _Step] = {
    Step.IDLE: _idle,
    Step.WHAT: _what,
    Step.WHERE: _where,
    Step.PHOTOS: _photos,
    Step.CONTACT: _contact,
    Step.CONFIRM: _confirming,
    Step.AGAIN: _again,
    Step.CHOOSE: _choosing,
    Step.ADD: _adding,
}
_COMMANDS: dict[str, Callable[[Talk, str, Sequence[Own]], Turn]] = {
    "help": _help,
    "cancel": _drop,
    "list": _list,
    "urge": _urge,
    "add": _supplement,
    "rate": _rate,
    "stop": _stop,
    "resume": _resume,
}
