"""What a model says of one text: an answer with its reasons, to be shown and stored. Pure data."""

from dataclasses import dataclass, field
from enum import StrEnum


class Gate(StrEnum):
    """What may be done with an answer."""

    AUTOMATIC = (
        "automatic"  # likelier than the threshold of its class: dispatched, where a person switched that on
    )
    SUGGEST = "suggest"  # the three likeliest are offered
    MANUAL = "manual"  # unlike what the model has seen: nothing is offered as likely


class Why(StrEnum):
    """Why that gate."""

    ABOVE_THRESHOLD = "above_threshold"
    BELOW_THRESHOLD = "below_threshold"
    NO_THRESHOLD = "no_threshold"  # the class was never right often enough to be trusted alone
    FAR = "far"  # cosine: its words are far from those of the class
    NO_SIDE = "no_side"  # margin: no class takes it as its own
    EMPTY = "empty"  # no word of it is known


@dataclass(frozen=True)
class Reason:
    """A word that spoke for the label; `weight` in log-odds against the average of the labels."""

    word: str
    weight: float


@dataclass(frozen=True)
class Advice:
    """`label` of the first label column with its calibrated probability; `top`: the three likeliest.

    `levels`: the label's levels from the top, each at least as likely as the next. `others`: of each
    further label column the likeliest value given the label, and how likely given it. `cosine`: likeness to
    the class, 0 … 1; `margin`: distance from the border of the class, above 0 within it.
    """

    label: str
    probability: float
    top: tuple[tuple[str, float], ...]
    reasons: tuple[Reason, ...]
    gate: Gate
    why: Why
    margin: float = 0.0
    cosine: float = 0.0
    levels: tuple[tuple[str, float], ...] = ()
    others: dict[str, tuple[str, float]] = field(default_factory=dict)
