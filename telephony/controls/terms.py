"""Acts, targets and how a call stands. Pure.

Nothing of a page reaches the PBX as it was typed: an act is one of `Act`, a target is an extension, a
queue, a service or a public number of a known shape, and contexts are those of the dialplan we ship.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.errors import HotlineError


class Act(StrEnum):
    """What may be ordered about a call."""

    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    CONSULT = "consult"
    COMPLETE = "complete"
    BACK = "back"
    CONFERENCE = "conference"
    EMERGENCY = "emergency"
    MUTE = "mute"
    UNMUTE = "unmute"
    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    TAKE_OVER = "take-over"
    END = "end"
    REFUSE = "refuse"  # by the product: a number on the list of harassment


SEAT_ACTS = frozenset(
    {
        Act.HOLD, Act.RESUME, Act.TRANSFER, Act.CONSULT, Act.COMPLETE, Act.BACK, Act.CONFERENCE,
        Act.EMERGENCY, Act.MUTE, Act.UNMUTE,
    }
)  # fmt: skip
LEADER_ACTS = frozenset({Act.LISTEN, Act.WHISPER, Act.BARGE, Act.TAKE_OVER, Act.END})
SPYING: Mapping[Act, str] = {Act.LISTEN: "1", Act.WHISPER: "2", Act.BARGE: "3"}  # prefix of hotline-listen
# 110 police, 119 fire, 120 ambulance, 122 traffic: domain.md §2, 转紧急.
EMERGENCIES: Mapping[str, str] = {"110": "公安", "119": "消防", "120": "急救", "122": "交警"}
KINDS = ("colleague", "queue", "emergency", "outside")
TARGETS: Mapping[Act, frozenset[str]] = {
    Act.TRANSFER: frozenset(KINDS),
    Act.CONSULT: frozenset({"colleague", "emergency", "outside"}),
    Act.CONFERENCE: frozenset({"colleague", "emergency", "outside"}),
    Act.EMERGENCY: frozenset({"emergency"}),
}
EXTENSION = re.compile(r"1\d{3}")
QUEUE = re.compile(r"[a-z][a-z0-9_]{0,39}")
# The same numbers as [hotline-outbound-numbers] and [hotline-transfer] of extensions.conf let through.
OUTSIDE = re.compile(r"1[3-9]\d{9}|0[1-9]\d{8,10}|[2-8]\d{6,7}|123\d\d|9[56]\d{3}")


@dataclass(frozen=True)
class Target:
    """Whom an act is aimed at; `value` of somebody outside is his number and leaves memory sealed only."""

    kind: str
    value: str

    @property
    def endpoint(self) -> str:
        """What an Originate rings."""
        return f"PJSIP/{self.value}" if self.kind == "colleague" else f"PJSIP/{self.value}@trunk"


def target_of(act: Act, kind: str, value: str) -> Target:
    """A checked target. Raises `target_needed`, `target_refused` (this act, this kind, this shape)."""
    if not kind or not value:
        raise HotlineError("target_needed", act=act.value)
    shapes = {"colleague": EXTENSION, "queue": QUEUE, "outside": OUTSIDE}
    fits = value in EMERGENCIES if kind == "emergency" else kind in shapes and shapes[kind].fullmatch(value)
    if kind not in TARGETS[act] or not fits:
        raise HotlineError("target_refused", act=act.value, kind=kind if kind in KINDS else "?")
    return Target(kind, value)


@dataclass(frozen=True)
class Party:
    """Somebody called into a call by an order: rings, or is there."""

    order_id: int
    kind: str
    target: str  # an extension, a service, or a number as everybody may see it
    there: bool


@dataclass(frozen=True)
class Standing:
    """How a call stands under the console's hand, folded from its marks."""

    held: bool = False
    muted: bool = False
    parties: tuple[Party, ...] = ()

    @property
    def ringing(self) -> tuple[Party, ...]:
        return tuple(party for party in self.parties if not party.there)

    @property
    def there(self) -> tuple[Party, ...]:
        return tuple(party for party in self.parties if party.there)


@dataclass(frozen=True)
class Mark:
    """One thing that was done to a call."""

    kind: str
    data: Mapping[str, object] = field(default_factory=dict)


HELD = {"hold": True, "resume": False, "transfer": False, "returned": False, "take-over": False}


def fold(marks: Iterable[Mark]) -> Standing:
    """What marks, oldest first, leave a call in. A transfer ends what was before it."""
    held, muted, parties = False, False, dict[int, Party]()
    for mark in marks:
        held = HELD.get(mark.kind, held)
        if mark.kind in ("mute", "unmute"):
            muted = mark.kind == "mute"
        order = int(str(mark.data.get("order", 0)))
        if mark.kind == "called":
            said = str(mark.data.get("target_kind", "")), str(mark.data.get("target", ""))
            parties[order] = Party(order, *said, there=False)
        elif mark.kind == "joined" and order in parties:
            known = parties[order]
            parties[order] = Party(order, known.kind, known.target, there=True)
        elif mark.kind in ("left", "no_answer"):
            parties.pop(order, None)
        elif mark.kind == "transfer":
            parties.clear()
    return Standing(held, muted, tuple(parties.values()))


def why_not(act: Act, standing: Standing) -> str | None:
    """The reason why an agent cannot do `act` now, as an error code; None when he can."""
    held, there, ringing = standing.held, standing.there, standing.ringing
    wrong: dict[Act, list[tuple[bool, str]]] = {
        Act.HOLD: [(held, "held_already")],
        Act.RESUME: [(not held, "not_held"), (bool(there), "party_listens")],
        Act.CONSULT: [(bool(there or ringing), "party_already")],
        Act.COMPLETE: [(not there, "nobody_joined")],
        Act.BACK: [(not (there or ringing), "nobody_joined")],
        Act.CONFERENCE: [(bool(ringing), "party_rings"), (bool(there) and not held, "party_already")],
        Act.EMERGENCY: [(bool(there or ringing), "party_already")],
        Act.MUTE: [(standing.muted, "muted_already")],
        Act.UNMUTE: [(not standing.muted, "not_muted")],
    }
    return next((code for so, code in wrong.get(act, []) if so), None)
