"""From distances to probabilities that keep their word, and thresholds for a wanted precision. Pure.

Everything here is fitted on out-of-fold scores of the training texts (`classifier/train.py`), never on
texts a score was trained with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]
BINS = 15
PRECISIONS = (0.90, 0.95, 0.98, 0.99)  # thresholds are kept for these
FEWEST = 20  # answers of a class below which it has no threshold of its own
_BORROWED = 1000.0  # answers of all classes that stand beside those of one, as so many of its own


@dataclass(frozen=True)
class Calibration:
    """Probabilities are softmax(Σ scores of a view @ its mixing + shift).

    `mixing`, shape (views, leaves, leaves): how the scores of each view speak for each leaf; or, where
    there are many leaves, (views,): one scale for each view.
    """

    mixing: Array
    shift: Array

    @property
    def temperature(self) -> float:
        """By what scores are divided, all views taken together, on average of the leaves."""
        if self.mixing.ndim == 1:
            return float(1 / self.mixing.sum())
        return float(1 / np.diag(self.mixing.sum(axis=0)).mean())

    def mixed(self, view: int, scores: Any) -> Any:
        """What the scores of one view, shape (…, leaves), add to the log-odds of the leaves."""
        return scores * self.mixing[view] if self.mixing.ndim == 1 else scores @ self.mixing[view]

    def probabilities(self, scores: Array) -> Array:
        """Scores, shape (views, …, leaves) → probabilities, shape (…, leaves), which sum to 1."""
        if self.mixing.ndim == 1:
            mixed = np.tensordot(self.mixing, scores, axes=1)
        else:
            mixed = sum(
                (view @ square for view, square in zip(scores, self.mixing, strict=True)), np.zeros(1)
            )
        return softmax(mixed + self.shift)


@dataclass(frozen=True)
class Thresholds:
    """When an answer may go without a person; below `cosine` or `margin` nothing is known of such a text."""

    automatic: Mapping[str, Mapping[str, float]]  # precision as in "0.98" → class → least probability
    cosine: float
    margin: float

    def of(self, label: str, precision: float) -> float | None:
        """The least probability for `precision`; of one not kept the next higher one's; None: never alone."""
        for kept in sorted(self.automatic, key=float):
            if float(kept) >= precision - 1e-9:
                return self.automatic[kept].get(label)
        return None

    def data(self) -> dict[str, Any]:
        automatic = {kept: dict(sorted(classes.items())) for kept, classes in self.automatic.items()}
        return {"automatic": automatic, "cosine": self.cosine, "margin": self.margin}


def softmax(scores: Array) -> Array:
    powers: Array = np.exp(scores - scores.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


def calibration_error(confidence: Array, right: Flags, bins: int = BINS) -> float:
    """Mean gap between promised and delivered in bins of equal width, weighted by their texts (ECE)."""
    if not len(confidence):
        return 0.0
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def least_probability(
    confidence: Array, right: Flags, precision: float, weights: Array | None = None
) -> float | None:
    """The lowest value such that of the answers at or above it `precision` are right; None: there is none."""
    order = np.argsort(-confidence, kind="stable")
    weight = np.ones(len(order)) if weights is None else weights[order]
    sure = confidence[order]
    share = np.cumsum(right[order] * weight) / np.cumsum(weight)
    last_of_equals = np.append(sure[1:] < sure[:-1], True)
    good = np.flatnonzero((share >= precision) & last_of_equals)
    return float(sure[good[-1]]) if len(good) else None


def class_thresholds(
    confidence: Array, answers: Places, right: Flags, names: tuple[str, ...], precision: float
) -> dict[str, float]:
    """For each class its own threshold, from its answers and, with less weight, those of all others.

    A class with few answers would take its threshold from chance: so all answers together stand beside its
    own as `_BORROWED` of them would. A class whose own answers never reach the precision has none, nor has
    one with fewer than `FEWEST` answers.
    """
    found = {}
    for place, name in enumerate(names):
        own = answers == place
        if own.sum() < FEWEST:
            continue
        weights = np.where(own, 1.0, _BORROWED / len(answers))
        least = least_probability(confidence, right, precision, weights)
        alone = least_probability(confidence[own], right[own], precision)
        if least is not None and alone is not None:
            found[name] = least
    return found
