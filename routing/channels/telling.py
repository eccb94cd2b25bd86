"""A matter told step by step: what is it, where, photos, how to reach you, confirm. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from routing.channels import Incoming, Kind, texts
from routing.channels.talk import Media, Own, Step, Submit, Talk, Turn
from routing.channels.words import Contact, contact_of, is_done, is_greeting, is_no, shorten

MOST_MEDIA = 9
MOST_WORDS = 6000
CONFIRMS = ("确认", "提交", "是", "对", "1", "确定", "好", "好的", "ok", "OK")
CHANGES = ("修改", "重新说", "2", "改")
Answer = Callable[[Talk, Incoming, Sequence[Own], str], Turn]


def extended(talk: Talk, said: Incoming) -> Talk | None:
    """The matter with what was said; None when it holds no more."""
    if said.kind is Kind.LOCATION and said.place is not None:
        return talk.model_copy(update={"address": address_of(said), "point": said.place.point})
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


def address_of(said: Incoming) -> str:
    """What the platform calls the place; its degrees are kept beside it (`tickets.points`)."""
    assert said.place is not None
    return said.place.label.strip()[:150] or texts.ON_THE_MAP


def begin(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    if said.kind is Kind.TEXT and (is_greeting(said.text) or is_done(said.text) or is_no(said.text)):
        return Turn(talk, texts.WELCOME)
    begun = extended(Talk(), said) or Talk()
    return _ask_on(begun) if begun.begun else Turn(talk, texts.WELCOME)


def _ask_on(talk: Talk) -> Turn:
    """Ask for what is missing first."""
    if not talk.narrative:
        return Turn(talk.model_copy(update={"step": Step.WHAT}), texts.WHAT)
    if not talk.address:
        return Turn(talk.model_copy(update={"step": Step.WHERE}), texts.WHERE)
    return Turn(talk.model_copy(update={"step": Step.PHOTOS}), texts.PHOTOS)


def _what(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    heard = extended(talk, said)
    return Turn(talk, texts.FULL) if heard is None else _ask_on(heard)


def _where(talk: Talk, said: Incoming, _mine: Sequence[Own], _area: str) -> Turn:
    if said.kind is Kind.TEXT:
        place = "" if is_no(said.text) else " ".join(said.text.split())
        if len(place) > 180:  # more than an address: it is kept with the matter
            return _noted(talk, said, texts.WHERE)
        return Turn(talk.model_copy(update={"address": place, "step": Step.PHOTOS}), texts.PHOTOS)
    heard = extended(talk, said)
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
    heard = extended(talk, said)
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
    if said.kind is Kind.TEXT and word in CONFIRMS:
        return Turn(Talk(), texts.SUBMITTED, Submit())
    if said.kind is Kind.TEXT and word in CHANGES:
        kept = talk.model_copy(update={"narrative": "", "address": "", "point": None, "step": Step.WHAT})
        return Turn(kept, texts.WHAT)
    heard = extended(talk, said)
    return Turn(talk, texts.FULL) if heard is None else _confirm(heard)


def _noted(talk: Talk, said: Incoming, question: str) -> Turn:
    heard = extended(talk, said)
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


def offered_again(talk: Talk, said: Incoming) -> Turn:
    pending = said.text.strip()
    kept = talk.model_copy(update={"step": Step.AGAIN, "before": talk.step, "pending": pending})
    if said.kind in (Kind.IMAGE, Kind.VOICE, Kind.LOCATION):
        kept = extended(kept.model_copy(update={"pending": ""}), said) or kept
    return Turn(kept, texts.AGAIN.format(summary=summary(talk)))


def begun_anew(talk: Talk, said: Incoming, mine: Sequence[Own], area: str) -> Turn:
    """Where the dialogue stood is not known any more: an excuse, and what there is of it is offered."""
    if not talk.begun:
        turn = begin(talk, said, mine, area)
        return replace(turn, says=texts.ANEW_EMPTY + turn.says)
    if said.kind is Kind.TEXT and (_answers_only(said.text) or is_greeting(said.text)):
        said = said_again(said, "")
    turn = offered_again(talk, said)
    return replace(turn, says=texts.ANEW + turn.says)


def _answers_only(text: str) -> bool:
    """Whether words make sense as the answer to a question alone."""
    word = text.strip().strip("。.!！")
    return word in CONFIRMS or word in CHANGES or is_done(text) or is_no(text)


def _again(talk: Talk, said: Incoming, mine: Sequence[Own], area: str) -> Turn:
    word = said.text.strip() if said.kind is Kind.TEXT else ""
    if word in ("1", "接着说", "继续"):
        words = "" if is_greeting(talk.pending) else talk.pending
        narrative = "\n".join(part for part in (talk.narrative, words) if part)
        step = talk.before or Step.WHAT
        back = {"narrative": narrative, "pending": "", "before": None, "step": step}
        return asked(talk.model_copy(update=back))
    if word in ("2", "重新开始"):
        fresh = said_again(said, talk.pending)
        return begin(Talk(), fresh, mine, area)
    if said.kind is Kind.TEXT:
        more = "\n".join(part for part in (talk.pending, word) if part)[:MOST_WORDS]
        return Turn(talk.model_copy(update={"pending": more}), texts.AGAIN_ASK)
    return Turn(extended(talk, said) or talk, texts.AGAIN_ASK)


def said_again(said: Incoming, words: str) -> Incoming:
    """The same sender saying `words`."""
    return Incoming(said.channel, said.sender, said.key, said.at, Kind.TEXT, words)


def asked(talk: Talk) -> Turn:
    """The question of the step the dialogue stands at, once more."""
    questions = {
        Step.WHAT: texts.WHAT,
        Step.WHERE: texts.WHERE,
        Step.PHOTOS: texts.PHOTOS,
        Step.CONTACT: texts.CONTACT,
    }
    question = questions.get(talk.step)
    return _confirm(talk) if question is None else Turn(talk, question)


STEPS: Mapping[Step, Answer] = {
    Step.IDLE: begin,
    Step.WHAT: _what,
    Step.WHERE: _where,
    Step.PHOTOS: _photos,
    Step.CONTACT: _contact,
    Step.CONFIRM: _confirming,
    Step.AGAIN: _again,
}
