"""The gates of `Model.suggest` for many texts at once. Pure, numpy only."""

import numpy as np

from classifier.calibration import Array, Flags, Places, Thresholds
from classifier.labels import Leaves
from classifier.texts import WHOLE


def margins(leaves: Leaves, scores: Array, answers: Places) -> Array:
    """The best score (texts × leaves) among the leaves of the class answered; shape (texts,)."""
    of_answer = leaves.first[None, :] == answers[:, None]
    found: Array = np.where(of_answer, scores, -np.inf).max(axis=1)
    return found


def nearness(cosines: Array, answers: Places) -> Array:
    """Cosine to the centroid of the class answered; shape (texts,)."""
    found: Array = np.take_along_axis(cosines, answers[:, None], axis=1).ravel()
    return found


def automatic(
    leaves: Leaves, thresholds: Thresholds, classes: Array, scores: Array, cosines: Array, precision: float
) -> Flags:
    """Which answers would go without a person at this precision.

    `classes` probabilities (texts × classes), `scores` (views × texts × leaves), `cosines` (texts × classes).
    """
    answers, confidence = classes.argmax(axis=1), classes.max(axis=1)
    least = [thresholds.of(name, precision) for name in leaves.names]
    wanted = np.array([2.0 if one is None else one for one in least])
    known = nearness(cosines, answers) >= thresholds.cosine
    known &= margins(leaves, scores[WHOLE], answers) >= thresholds.margin
    flags: Flags = (confidence >= wanted[answers]) & known
    return flags
