"""An e-mail is a whole matter, or an answer about one: nothing is asked back. Pure."""

from collections.abc import Sequence

from routing.channels import Incoming, texts
from routing.channels.talk import Act, Add, Own, Submit, Talk, Turn, Urge, Wish
from routing.channels.words import command_of, contact_of

LONGEST = 8000


def answer(said: Incoming, mine: Sequence[Own], area: str = "") -> Turn:
    """What comes of a letter: its text is the subject, a line feed, and the words without what was quoted."""
    subject, _, words = said.text.partition("\n")
    words = words.strip()[:LONGEST]
    own = next((one for number in said.about for one in mine if one.number == number), None)
    command = command_of(words) or (command_of(subject) if not words else None)
    if command is not None and command.name in ("stop", "resume"):
        stopped = command.name == "stop"
        return Turn(Talk(), texts.GOODBYE if stopped else texts.BACK, Wish(stopped=stopped))
    if command is not None and command.name == "list":
        lines = [one.line(place) for place, one in enumerate(mine, 1)]
        return Turn(Talk(), "\n".join(lines) or texts.NONE_AT_ALL)
    if own is not None and own.is_open and (words or said.files):
        return _about(own, words, command is not None and command.name == "urge")
    if not words and not said.files:
        return Turn(Talk(), texts.LETTER_EMPTY)
    return Turn(_matter(subject, words, said, area), _taken(said, own), Submit())


def _about(own: Own, words: str, urges: bool) -> Turn:
    if urges:
        return Turn(Talk(), texts.URGED.format(number=own.number), Urge(own.id, ""))
    act: Act = Add(own.id, words or "市民补充了附件。")
    return Turn(Talk(), texts.LETTER_ADDED.format(number=own.number), act)


def _taken(said: Incoming, own: Own | None) -> str:
    return texts.LETTER_FOREIGN if said.about and own is None else texts.LETTER_TAKEN


def _matter(subject: str, words: str, said: Incoming, area: str) -> Talk:
    found = contact_of(words, area)
    phone = found.phone if found is not None else ""
    about = f"（来信提到工单 {'、'.join(said.about)}）" if said.about else ""
    narrative = "\n".join(part for part in (subject.strip()[:200], words or "详见附件。", about) if part)
    return Talk(narrative=narrative[:LONGEST], phone=phone)
