"""Figures of answers against what is right. Pure, numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import calibration_error

UNKNOWN = -1  # place of a label the model does not know: every answer to it is wrong
Array = NDArray[np.float64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """Of each text: the right class (a place in `names`, or UNKNOWN), the probabilities (texts × names),
    and for each precision promised whether the answer would have gone without a person.
    """

    names: tuple[str, ...]
    right: Places
    probabilities: Array
    automatic: Mapping[str, Flags]

    @property
    def given(self) -> Places:
        found: Places = self.probabilities.argmax(axis=1)
        return found

    @property
    def hits(self) -> Flags:
        hits: Flags = self.given == self.right
        return hits


def figures(answers: Answers) -> dict[str, Any]:
    """Everything `evaluate` prints, as plain data; shares are 0 … 1, rounded to four places."""
    hits, given = answers.hits, answers.given
    classes = per_class(answers)
    named = [one["f1"] for one in classes if one["texts"]]
    best = np.argsort(-answers.probabilities, axis=1, kind="stable")[:, :3]
    confidence = answers.probabilities.max(axis=1)
    return {
        "texts": len(hits),
        "unknown_labels": int((answers.right == UNKNOWN).sum()),
        "accuracy": _share(hits.mean()),
        "macro_f1": _share(np.mean(named)) if named else 0.0,
        "top3": _share((best == answers.right[:, None]).any(axis=1).mean()),
        "calibration_error": _share(calibration_error(confidence, hits)),
        "coverage": {
            promised: {
                "coverage": _share(flags.mean()),
                "delivered": _share(hits[flags].mean()) if flags.any() else None,
                "texts": int(flags.sum()),
            }
            for promised, flags in answers.automatic.items()
        },
        "classes": classes,
        "answers": len(given),
    }


def per_class(answers: Answers) -> list[dict[str, Any]]:
    """Precision, recall, F1, texts and answers of each class; how many went without a person."""
    given, hits = answers.given, answers.hits
    found = []
    for place, name in enumerate(answers.names):
        texts, own = answers.right == place, given == place
        right = int((texts & hits).sum())
        precision = right / int(own.sum()) if own.any() else 0.0
        recall = right / int(texts.sum()) if texts.any() else 0.0
        both = precision + recall
        row: dict[str, Any] = {
            "label": name,
            "texts": int(texts.sum()),
            "answers": int(own.sum()),
            "precision": _share(precision),
            "recall": _share(recall),
            "f1": _share(2 * precision * recall / both) if both else 0.0,
        }
        for promised, flags in answers.automatic.items():
            row[f"automatic_{promised}"] = int((flags & own).sum())
            row[f"delivered_{promised}"] = _share(hits[flags & own].mean()) if (flags & own).any() else None
        found.append(row)
    return found


def confusion(answers: Answers) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the rows (right) and counts, right × given; a last row for labels the model does not know."""
    number = len(answers.names)
    table = np.zeros((number + 1, number), np.int64)
    np.add.at(table, (np.where(answers.right == UNKNOWN, number, answers.right), answers.given), 1)
    unknown = bool((answers.right == UNKNOWN).any())
    rows = [*answers.names, *(["(unknown)"] if unknown else [])]
    return rows, table if unknown else table[:-1]


def joined(parts: Sequence[Answers]) -> Answers:
    """Answers of several folds with the same names as one."""
    first = parts[0]
    return Answers(
        first.names,
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        {key: np.concatenate([part.automatic[key] for part in parts]) for key in first.automatic},
    )


def _share(value: Any) -> float:
    return round(float(value), 4)
