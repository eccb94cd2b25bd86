"""What one may do with tickets one has: list them, urge, add, rate; and the news of them. Pure."""

from collections.abc import Callable, Mapping, Sequence

from routing.channels import Incoming, Kind, Option, telling, texts
from routing.channels.talk import LIST, Add, Media, Own, Rate, Step, Talk, Turn, Urge, Wish
from routing.channels.words import is_done


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
        # A matter that is not handed in is added to by itself.
        return telling.asked(heard) if rest else telling.asked(talk)
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
        rated = chosen(Talk(name=talk.name, phone=talk.phone), f"rate:{talk.ticket_id}:{word}", mine)
        return rated if rated.act is not None else telling.begin(Talk(), said, mine, area)
    if word.isascii() and word.isdigit() and 1 <= int(word[:3]) <= len(talk.choices):
        own = known.get(talk.choices[int(word) - 1])
        if own is not None:
            return _do(talk, talk.purpose, own, talk.pending)
    return Turn(talk, texts.CHOOSE_ASK)


def _adding(talk: Talk, said: Incoming, mine: Sequence[Own], area: str) -> Turn:
    own = next((one for one in mine if one.id == talk.ticket_id and one.is_open), None)
    if own is None:
        return telling.begin(Talk(name=talk.name, phone=talk.phone), said, mine, area)
    if said.kind is Kind.TEXT and is_done(said.text):
        return Turn(Talk(name=talk.name, phone=talk.phone), texts.ADD_DONE)
    media: tuple[Media, ...] = ()
    words, point = said.text.strip(), None
    if said.kind is Kind.LOCATION and said.place is not None:
        words = texts.ADDED_PLACE.format(place=telling.address_of(said))
        point = said.place.point
    if said.media:
        media = (Media(kind=said.kind, media=said.media),)
        words = words or (texts.ADDED_VOICE if said.kind is Kind.VOICE else texts.ADDED_PHOTO)
    return Turn(talk, texts.ADDED.format(number=own.number), Add(own.id, words, media, point))


def chosen(talk: Talk, choice: str, mine: Sequence[Own]) -> Turn:
    """A button of ours: it is believed only about the sender's own tickets."""
    what, _, rest = choice.partition(":")
    ticket, _, place = rest.partition(":")
    own = next((one for one in mine if str(one.id) == ticket), None)
    if what != "rate" or own is None or place not in {str(one) for one in texts.RATINGS}:
        return Turn(talk, texts.UNREADABLE)
    if not own.rateable:
        return Turn(talk, texts.NONE_RATEABLE)
    return Turn(talk, texts.RATED, Rate(own.id, int(place)))


STEPS: Mapping[Step, telling.Answer] = {Step.CHOOSE: _choosing, Step.ADD: _adding}
COMMANDS: Mapping[str, Callable[[Talk, str, Sequence[Own]], Turn]] = {
    "help": _help,
    "cancel": _drop,
    "list": _list,
    "urge": _urge,
    "add": _supplement,
    "rate": _rate,
    "stop": _stop,
    "resume": _resume,
}
