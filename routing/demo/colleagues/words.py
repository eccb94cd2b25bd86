"""What an agent makes of a call: the form typed, and how the draft ends. Pure, drawn from one chance."""

import random
from dataclasses import dataclass, field
from typing import Any

from routing.demo import mix
from routing.demo.colleagues.city import City
from routing.demo.contacts import Drawer, Told
from routing.demo.life import URGES
from routing.demo.people import person_name
from telephony.simulator.callers import citizen

SHORT_TALK = 30.0  # seconds in which nobody tells a matter
NAMED = 0.85
URGED = 0.3  # of the calls of somebody whose matter is still open
_WORDLESS = ("wrong_number", "silent", "harassment")
_SHORT = mix.Shares.of({code: mix.DISPOSITIONS[code] for code in _WORDLESS})
_SPOKEN = mix.Shares.of({code: n for code, n in mix.DISPOSITIONS.items() if code not in _WORDLESS})


@dataclass(frozen=True)
class Seen:
    """What the agent knows of a finished call; `citizen` is the simulator's number for the caller."""

    talked: float
    caller_ref: int | None
    citizen: int | None


@dataclass(frozen=True)
class Ending:
    """A ticket when `record` is None, else the numbered record with this code and note.

    `urge` is the note of an urge, for the case that the citizen's matter is already known.
    """

    form: dict[str, Any] = field(default_factory=dict)
    record: str | None = None
    note: str = ""
    urge: str = ""


def ending_of(draw: random.Random, drawer: Drawer, city: City, call: Seen) -> Ending:
    """How this call's draft ends."""
    if call.talked < SHORT_TALK:
        return Ending(record=_SHORT.draw(draw))
    if draw.random() < mix.ANSWERED_ON_THE_LINE:
        return _record(_SPOKEN.draw(draw), drawer.told("consult", "phone"), city)
    urge = draw.choice(URGES) if draw.random() < URGED else ""
    kind = drawer.kind()
    return Ending(_form(draw, drawer, city, call, kind), urge=urge)


def _record(code: str, told: Told, city: City) -> Ending:
    """An emergency was passed on before anything was written down."""
    if code == "emergency":
        return Ending(record=code)
    category = city.categories[told.matter.category]
    form = {"type": "consult", "category_id": category, "title": told.story.title}
    return Ending(form, record=code, note=told.story.answer)


def _form(draw: random.Random, drawer: Drawer, city: City, call: Seen, kind: str) -> dict[str, Any]:
    """A complete form. Who shows no number cannot be called, and asked to stay unknown."""
    told = drawer.told(kind, "phone")
    reachable = call.caller_ref is not None
    secrecy = drawer.confidentiality(kind) if reachable else "anonymous"
    named = secrecy != "anonymous" and draw.random() < NAMED
    return {
        "type": kind,
        "urgency": drawer.urgency(told.matter),
        "confidentiality": secrecy,
        "category_id": city.categories[told.matter.category],
        "title": told.story.title,
        "narrative": told.story.narrative,
        "expected": told.story.expected,
        "address": told.story.address,
        "district_id": city.folk.units[told.district.code],
        "street_id": city.folk.places[told.district.code, told.town],
        "subject_name": told.story.subject,
        "citizen_name": name_of(call) if named else "",
        "wants_reply": reachable,
        "wants_public": draw.random() < 0.2,
    }


def name_of(call: Seen) -> str:
    """The caller's name: the same whenever the same number calls."""
    if call.citizen is not None:
        return citizen(call.citizen).name
    return person_name(random.Random(f"caller-{call.caller_ref}"))
