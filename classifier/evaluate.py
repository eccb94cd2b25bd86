"""How good a model is on a file, or models trained on parts of the file are on the rest; as files and
figures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifier import gates, measure
from classifier.calibration import Array, Flags, Places
from classifier.examples import Example
from classifier.labels import Leaves
from classifier.measure import UNKNOWN, Answers
from classifier.model import Model
from classifier.texts import VIEWS
from classifier.train import Prepared, Progress, ask, cuts, decide, fit, silent
from core import csv_files

PROMISED = (0.95, 0.98)


@dataclass(frozen=True)
class Evaluated:
    """Answers to each example, in order, with the probabilities of leaves (texts × leaves)."""

    leaves: Leaves
    answers: Answers
    of_leaves: Array


def of_model(model: Model, examples: Sequence[Example], progress: Callable[[int], None]) -> Evaluated:
    """What a model answers. Labels it does not know count as mistakes."""
    leaves = model.parts.leaves
    scores = np.zeros((len(VIEWS), len(examples), len(leaves.values)))
    cosines = np.zeros((len(examples), len(leaves.names)))
    for place, example in enumerate(examples):
        vector = model.encode(example.title, example.detail)
        scores[:, place], cosines[place] = model.scores(vector), model.cosines(vector)
        progress(place + 1)
    of_leaves = model.parts.calibration.probabilities(scores)
    classes = leaves.classes(of_leaves)
    known = {name: place for place, name in enumerate(leaves.names)}
    right = np.array([known.get(example.labels[0], UNKNOWN) for example in examples], dtype=np.int64)
    flags = {
        f"{one:g}": gates.automatic(leaves, model.parts.thresholds, classes, scores, cosines, one)
        for one in PROMISED
    }
    return Evaluated(leaves, Answers(leaves.names, right, classes, flags), of_leaves)


def of_folds(data: Prepared, folds: int, progress: Progress = silent) -> Evaluated:
    """`folds` models, each asked about the groups it was not trained with.

    Calibration, thresholds and gates of each are chosen within its own training texts.
    """
    number, leaves = data.counts.texts, data.leaves
    of_leaves = np.zeros((number, len(leaves.values)))
    flags: dict[str, Flags] = {f"{one:g}": np.zeros(number, np.bool_) for one in PROMISED}
    parts = list(cuts(data.of_class, data.groups, folds, data.options.seed))
    for at, (train, test) in enumerate(parts):
        progress("folds", at, len(parts))
        decided = decide(data, train)
        scores, cosines = ask(data, fit(data, train), test)
        of_leaves[test] = decided.calibration.probabilities(scores)
        classes = leaves.classes(of_leaves[test])
        for key, flag in flags.items():
            flag[test] = gates.automatic(leaves, decided.thresholds, classes, scores, cosines, float(key))
    progress("folds", len(parts), len(parts))
    answers = Answers(leaves.names, data.of_class, leaves.classes(of_leaves), flags)
    return Evaluated(leaves, answers, of_leaves)


def figures(found: Evaluated, examples: Sequence[Example]) -> dict[str, Any]:
    """Everything measured; beside the classes also the levels above them and further label columns."""
    given, leaves = found.answers.given, found.leaves
    names = [leaves.names[place] for place in given]
    rights = [example.labels[0] for example in examples]
    chains = [
        (leaves.levels.above(right), leaves.levels.above(name))
        for right, name in zip(rights, names, strict=True)
    ]
    deepest = max((len(right) for right, _ in chains), default=1)
    levels = {
        str(depth): _share([right[:depth] == name[:depth] for right, name in chains if len(right) >= depth])
        for depth in range(1, deepest + 1)
    }
    others = {
        column: _share(
            [
                leaves.others(name, of_leaves)[column][0] == example.labels[at]
                for name, of_leaves, example in zip(names, found.of_leaves, examples, strict=True)
            ]
        )
        for at, column in enumerate(leaves.columns[1:], 1)
        if all(len(example.labels) > at for example in examples)
    }
    return {**measure.figures(found.answers), "levels": levels, "others": others}


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def unknown(found: Evaluated, examples: Sequence[Example]) -> dict[str, int]:
    """Labels of the file that the model does not know, and how many texts have them."""
    counts: dict[str, int] = {}
    for place, example in zip(found.answers.right, examples, strict=True):
        if place == UNKNOWN:
            counts[example.labels[0]] = counts.get(example.labels[0], 0) + 1
    return counts


def write(found: Evaluated, examples: Sequence[Example], lines: Sequence[int], folder: Path) -> list[Path]:
    """classes.csv, confusion.csv and mistakes.csv in the folder. Raises table_unwritable."""
    classes = measure.per_class(found.answers)
    rows, counts = measure.confusion(found.answers)
    files = [folder / name for name in ("classes.csv", "confusion.csv", "mistakes.csv")]
    csv_files.write(files[0], list(classes[0]), (list(row.values()) for row in classes))
    heads = ["right \\ predicted", *found.answers.names]
    csv_files.write(
        files[1], heads, ([name, *line] for name, line in zip(rows, counts.tolist(), strict=True))
    )
    heads = [
        "line",
        "title",
        "detail",
        "label",
        "predicted",
        "probability",
        "second",
        "third",
        "automatic_0.98",
    ]
    csv_files.write(files[2], heads, _mistakes(found.answers, examples, lines))
    return files


def _mistakes(answers: Answers, examples: Sequence[Example], lines: Sequence[int]) -> Iterator[list[object]]:
    """The surest mistakes first: those are the ones to learn from."""
    confidence = answers.probabilities.max(axis=1)
    wrong: Places = np.flatnonzero(~answers.hits)
    for place in wrong[np.argsort(-confidence[wrong], kind="stable")]:
        best = [answers.names[one] for one in np.argsort(-answers.probabilities[place], kind="stable")[:3]]
        example, alone = examples[place], bool(answers.automatic["0.98"][place])
        first, second, third = (*best, "", "")[:3]
        texts = (example.title, example.detail, example.labels[0])
        yield [lines[place], *texts, first, f"{confidence[place]:.4f}", second, third, "yes" if alone else ""]
