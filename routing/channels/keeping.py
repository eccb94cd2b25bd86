"""How a dialogue that was kept is read, also one that a node of another version wrote. Pure.

While nodes are exchanged one after the other, both versions read and write the same dialogues. What an older
node does not know of one stays in it, untouched, as long as the dialogue is about that matter (`Talk` takes
more fields than it names); what a newer one misses gets its default. A dialogue that makes no sense to this
node begins anew with what the citizen said, so that nothing of it is lost.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from routing.channels.talk import Media, Step, Talk
from routing.channels.telling import MOST_MEDIA, MOST_WORDS

_READERS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(told.annotation or Any) for name, told in Talk.model_fields.items()
}
_MEDIA = TypeAdapter(Media)
_WORDS = ("narrative", "pending")  # what the citizen said, in this order


def read(raw: bytes) -> tuple[Talk, bool]:
    """The dialogue in `raw`, whatever version wrote it; and whether it made no sense and begins anew."""
    try:
        told = json.loads(raw)
    except ValueError:
        return Talk(), True
    if not isinstance(told, dict):
        return Talk(), True
    found, wrong = dict(told), False
    for name in _READERS.keys() & told.keys():
        try:
            found[name] = _READERS[name].validate_json(json.dumps(told[name]))
        except ValidationError:
            del found[name]
            wrong = True
    talk = Talk.model_validate(found)
    if not wrong and _whole(talk):
        return talk, False
    return _begun_anew(told, talk), True


def _whole(talk: Talk) -> bool:
    """Whether the step has what it is about."""
    if talk.step is Step.CHOOSE:
        return talk.ticket_id is not None if talk.purpose == "rate" else bool(talk.choices)
    if talk.step is Step.ADD:
        return talk.ticket_id is not None
    return talk.step is not Step.AGAIN or talk.before is not None


def _begun_anew(told: Mapping[str, Any], talk: Talk) -> Talk:
    """Everything of the matter that can be read, at the first step that asks for something."""
    said = [words for name in _WORDS if isinstance(words := told.get(name), str) and words.strip()]
    matter: dict[str, Any] = {
        "narrative": "\n".join(said)[:MOST_WORDS],
        "media": talk.media or _readable(told.get("media")),
        "pending": "",
        "before": None,
        "purpose": "",
        "choices": (),
        "ticket_id": None,
    }
    begun = talk.model_copy(update=matter)
    step = Step.IDLE
    if begun.begun:
        step = Step.WHAT if not begun.narrative else Step.PHOTOS if begun.address else Step.WHERE
    return begun.model_copy(update={"step": step})


def _readable(media: Any) -> tuple[Media, ...]:
    """Those pictures and sounds this version knows how to fetch."""
    found = []
    for one in media if isinstance(media, list) else ():
        try:
            found.append(_MEDIA.validate_json(json.dumps(one)))
        except ValidationError:
            continue
    return tuple(found[:MOST_MEDIA])
