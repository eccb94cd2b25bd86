"""A trained model at work: from title and detail to an advice. numpy and jieba only.

A model is never changed; another one is trained beside it. `digest` names it: whoever stores an answer
stores the digest with it, and `Model.load(folder, digest)` refuses any other.
"""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import store
from classifier.advice import Advice, Gate, Reason, Why
from classifier.calibration import softmax
from classifier.encoder import Vector
from classifier.many import ManyEncoder
from classifier.parts import Parts
from classifier.texts import VIEWS, WHOLE, pieces
from core.cutter import Cutter, cutter_of

TOP = 3
REASONS = 5
PRECISION = 0.98  # wanted of what goes without a person, when nobody says otherwise
_SMALL = 8_000_000  # weights up to which they are kept in single precision while at work
_LOOKED_AT = 60  # rows with the greatest part in a decision


class Model:
    """Suggests; stateless after loading, for any number of threads."""

    def __init__(self, parts: Parts, digest: str = "") -> None:
        self.parts, self.digest = parts, digest
        self.labels = parts.leaves.names
        self.cutter: Cutter = cutter_of(parts.dictionary)
        self._folded, self._constant = _fold(parts)
        self._many: ManyEncoder | None = None  # made when first needed; it remembers words
        self._one_batch = Lock()

    @staticmethod
    def load(folder: Path, digest: str | None = None) -> "Model":
        """The model of a folder; its words are read in about a second when no other model has them already.

        Errors: model_missing, model_tampered (a part is not what model.json says, or the model is not the one
        `digest` names), model_unreadable, model_tokenizer (trained with another release of jieba).
        """
        parts, found = store.load(folder, digest)
        return Model(parts, found)

    def encode(self, title: str, detail: str) -> Vector:
        return self.parts.encoder.encode(pieces(self.cutter, title, detail))

    def scores(self, vector: Vector) -> NDArray[np.float64]:
        """Distance from the border of each leaf, above 0 within it, as each view sees it; shape (views,
        leaves).
        """
        found = []
        for view, weights, intercepts in zip(VIEWS, self.parts.weights, self.parts.intercepts, strict=True):
            rows, values = vector.seen(view)
            own = weights[rows - self.parts.encoder.span(view)[0]].astype(np.float32)
            found.append(values @ own + intercepts)
        return np.stack(found).astype(np.float64)

    def cosines(self, vector: Vector) -> NDArray[np.float64]:
        """Likeness of the text to the middle of each class, 0 … 1; shape (classes,)."""
        rows, values = vector.seen(VIEWS[WHOLE])
        if not len(rows):
            return np.zeros(len(self.labels))
        middles = self.parts.centroids[rows].astype(np.float32)
        cosines: NDArray[np.float64] = values @ middles / np.sqrt(np.dot(values, values))
        return cosines.astype(np.float64)

    def suggest(self, title: str, detail: str, precision: float = PRECISION) -> Advice:
        """What the text is about. `precision` (0 … 1): how often an automatic answer must be right.

        Never raises for a text, whatever it is; of an empty one, or one without a known word, nothing is
        known and the gate says so.
        """
        return self._advise(self.encode(title, detail), precision, reasons=True)

    def suggest_many(
        self, texts: Iterable[tuple[str, str]], precision: float = PRECISION, *, reasons: bool = True
    ) -> list[Advice]:
        """One advice for each (title, detail), in order; without `reasons` faster."""
        if self._many is None:
            self._many = ManyEncoder(self.cutter, self.parts.encoder)
        with self._one_batch:
            return [self._advise(vector, precision, reasons=reasons) for vector in self._many.encode(texts)]

    def _advise(self, vector: Vector, precision: float, *, reasons: bool) -> Advice:
        parts = self.parts
        spoken = self._folded[vector.rows]  # what each term says for each leaf
        leaves = softmax((vector.values @ spoken + self._constant).astype(np.float64))
        classes = parts.leaves.classes(leaves)
        order = np.argsort(-classes, kind="stable")[:TOP]
        best = int(order[0])
        leaf = self._leaf(best, leaves)
        margin, cosine = self._known(vector, leaf, best)
        label = self.labels[best]
        gate, why = self._gate(vector, label, float(classes[best]), cosine, margin, precision)
        return Advice(
            label=label,
            probability=float(classes[best]),
            top=tuple((self.labels[place], float(classes[place])) for place in order),
            reasons=self._reasons(vector, spoken, leaf) if reasons else (),
            gate=gate,
            why=why,
            margin=margin,
            cosine=cosine,
            levels=parts.leaves.chain(label, classes),
            others=parts.leaves.others(label, leaves),
        )

    def _leaf(self, place: int, leaves: NDArray[np.float64]) -> int:
        """The likeliest leaf of a class."""
        return int(np.argmax(np.where(self.parts.leaves.first == place, leaves, -1.0)))

    def _known(self, vector: Vector, leaf: int, place: int) -> tuple[float, float]:
        """Margin to the border of a leaf, and cosine to the middle of a class."""
        rows, values = vector.seen(VIEWS[WHOLE])
        margin = float(values @ self.parts.weights[WHOLE][rows, leaf].astype(np.float32))
        margin += float(self.parts.intercepts[WHOLE, leaf])
        if not len(rows):
            return margin, 0.0
        middle = self.parts.centroids[rows, place].astype(np.float32)
        return margin, float(values @ middle / np.sqrt(np.dot(values, values)))

    def _gate(
        self, vector: Vector, label: str, probability: float, cosine: float, margin: float, precision: float
    ) -> tuple[Gate, Why]:
        thresholds = self.parts.thresholds
        if not len(vector.rows):
            return Gate.MANUAL, Why.EMPTY
        if cosine < thresholds.cosine:
            return Gate.MANUAL, Why.FAR
        if margin < thresholds.margin:
            return Gate.MANUAL, Why.NO_SIDE
        wanted = thresholds.of(label, precision)
        if wanted is None:
            return Gate.SUGGEST, Why.NO_THRESHOLD
        if probability < wanted:
            return Gate.SUGGEST, Why.BELOW_THRESHOLD
        return Gate.AUTOMATIC, Why.ABOVE_THRESHOLD

    def _reasons(self, vector: Vector, spoken: NDArray[Any], leaf: int) -> tuple[Reason, ...]:
        """The words that spoke most for a leaf, what several terms of one word say taken together."""
        part = vector.values * (spoken[:, leaf].astype(np.float32) - spoken.mean(axis=1, dtype=np.float32))
        most = np.argpartition(-part, _LOOKED_AT)[:_LOOKED_AT] if len(part) > _LOOKED_AT else range(len(part))
        sums: dict[str, float] = {}
        for place in most:
            word = self.parts.encoder.term(int(vector.rows[place])).replace(" ", "")
            if len(word) > 1 and word.isalnum() and not word.isdigit():
                sums[word] = sums.get(word, 0.0) + float(part[place])
        found: list[Reason] = []
        for word in sorted(sums, key=lambda one: (-sums[one] * len(one), one)):
            if sums[word] > 0 and not any(word in other.word or other.word in word for other in found):
                found.append(Reason(word, round(sums[word], 3)))
                if len(found) == REASONS:
                    break
        return tuple(sorted(found, key=lambda reason: -reason.weight))


def _fold(parts: Parts) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Views, their weights and the calibration as one matrix, terms × leaves, and one constant for each leaf:
    all of it is linear, so that a text is multiplied once.
    """
    encoder, number = parts.encoder, len(parts.leaves.values)
    kind = np.float32 if encoder.size * number <= _SMALL else np.float16
    folded = np.zeros((encoder.size, number), kind)
    constant = parts.calibration.shift.astype(np.float32)
    for place, view in enumerate(VIEWS):
        begin = encoder.span(view)[0]
        for block, weight in enumerate(view.weights, view.first):
            first, end = encoder.starts[block], encoder.starts[block + 1]
            own = parts.weights[place][first - begin : end - begin].astype(np.float32) * np.float32(weight)
            folded[first:end] += parts.calibration.mixed(place, own).astype(kind)
        constant += parts.calibration.mixed(place, parts.intercepts[place]).astype(np.float32)
    return folded, constant
