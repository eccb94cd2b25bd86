"""How right the classifier is on real labelled texts: folds by group, all choices within the training folds.

The texts are those of messages7.csv in the folder HOTLINE_TEXTS (title, detail, label, group). Nothing of
them is kept: the report holds figures only. Beside them stand the figures of the plain ways on folds drawn
alike, measured before this classifier was written.

    python -m bench.classifier_accuracy [--folds 5] [--seed 20261123] [--unseen]

`--unseen` also leaves one class out of the training after the other and counts how many texts of it would
still go without a person.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from rich.progress import TaskID

from bench import _texts
from bench._report import console, finish, machine, progress
from classifier import evaluate, gates
from classifier.labels import Leaves
from classifier.train import SEED, Options, Prepared, ask, decide, fit, prepare

# accuracy, macro-F1, top-3 of the plain ways
PLAIN = {
    "words, ComplementNB": (0.853, 0.840, 0.989),
    "words, LogisticRegression": (0.892, 0.887, 0.990),
    "words, LinearSVC": (0.896, 0.890, 0.989),
    "characters 1–2, LinearSVC": (0.905, 0.900, 0.995),
    "words and characters, LinearSVC": (0.912, 0.908, 0.994),
}


def without(data: Prepared, place: int) -> tuple[Prepared, Any]:
    """The same texts as if one class had never been seen, and the rows to train with."""
    names = [name for at, name in enumerate(data.leaves.names) if at != place]
    leaves = Leaves(data.leaves.columns, tuple((name,) for name in names))
    own = data.of_class
    return replace(data, leaves=leaves, of_leaf=np.where(own > place, own - 1, own)), np.flatnonzero(
        own != place
    )


def unseen(data: Prepared, tell: Callable[[str, int, int], None]) -> dict[str, dict[str, float]]:
    """Of each class, left out: the share of its texts that goes without a person, or is manual."""
    found = {}
    for place, name in enumerate(data.leaves.names):
        tell("classes left out", place, len(data.leaves.names))
        blind, rows = without(data, place)
        decided, made = decide(blind, rows), fit(blind, rows)
        scores, cosines = ask(blind, made, np.flatnonzero(data.of_class == place))
        classes = decided.calibration.probabilities(scores)
        share = {
            f"{promised:g}": float(
                gates.automatic(blind.leaves, decided.thresholds, classes, scores, cosines, promised).mean()
            )
            for promised in evaluate.PROMISED
        }
        answers = classes.argmax(axis=1)
        far = gates.nearness(cosines, answers) < decided.thresholds.cosine
        far |= gates.margins(blind.leaves, scores[0], answers) < decided.thresholds.margin
        found[name] = {**share, "manual": float(far.mean())}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.classifier_accuracy", description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--unseen", action="store_true")
    options = parser.parse_args()
    examples = _texts.real()
    if not examples:
        console.print("no texts to measure with: HOTLINE_TEXTS=/folder/of/texts")
        return 2
    about = machine()
    with progress() as bar:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, most: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=most)
            bar.update(tasks[step], completed=done, total=most)

        data = prepare(examples, Options(seed=options.seed), tell)
        judged = evaluate.of_folds(data, options.folds, tell)
        figures = evaluate.figures(judged, examples)
        never = unseen(data, tell) if options.unseen else {}
    title = f"classifier, {options.folds} folds by group, seed {options.seed}"
    rows = rows_of(figures, never)
    finish("classifier_accuracy", title, rows, {"machine": about, **figures, "unseen": never})
    return 0 if is_good(figures) else 1


def is_good(figures: dict[str, Any]) -> bool:
    """Whether what is wanted was reached."""
    high, higher = figures["coverage"]["0.95"], figures["coverage"]["0.98"]
    good = figures["accuracy"] > 0.912 and figures["macro_f1"] > 0.908 and figures["top3"] >= 0.994
    good &= figures["calibration_error"] <= 0.02
    good &= high["coverage"] >= 0.92 and high["delivered"] >= 0.95
    good &= higher["coverage"] >= 0.70 and higher["delivered"] >= 0.98
    return bool(good)


def rows_of(figures: dict[str, Any], never: dict[str, dict[str, float]]) -> list[tuple[str, str, str]]:
    """The table: what was measured, and what is wanted."""
    high, higher = figures["coverage"]["0.95"], figures["coverage"]["0.98"]
    return [
        *((f"plain: {name}", " / ".join(f"{one:.3f}" for one in told), "") for name, told in PLAIN.items()),
        ("accuracy", f"{figures['accuracy']:.4f}", "> 0.912"),
        ("macro-F1", f"{figures['macro_f1']:.4f}", "> 0.908"),
        ("top-3", f"{figures['top3']:.4f}", "≥ 0.994"),
        ("calibration error", f"{figures['calibration_error']:.4f}", "≤ 0.02"),
        (
            "promised 95 %: coverage, delivered",
            f"{high['coverage']:.4f}, {high['delivered']:.4f}",
            "≥ 0.92, 0.95",
        ),
        (
            "promised 98 %: coverage, delivered",
            f"{higher['coverage']:.4f}, {higher['delivered']:.4f}",
            "≥ 0.70, 0.98",
        ),
        *(
            (
                f"never seen: {name}",
                f"{one['0.95']:.2f}, {one['0.98']:.2f} automatic, {one['manual']:.2f} manual",
                "",
            )
            for name, one in never.items()
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
