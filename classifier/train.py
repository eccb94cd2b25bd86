"""From labelled texts to a model. The same texts, options and seed give the same model.

1. Near-duplicates share a group (given, or found); a group is never on both sides of a cut.
2. `folds` times a model is fitted without one part of the groups and asked about that part: out-of-fold
scores.
3. On these scores, and nothing else, the calibration, the thresholds and the gates are chosen.
4. The model itself is fitted on all texts.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import fitting, gates
from classifier.calibration import PRECISIONS, Array, Calibration, Flags, Places, Thresholds, class_thresholds
from classifier.counts import Counts
from classifier.encoder import Encoder
from classifier.examples import Example
from classifier.groups import near_duplicates
from classifier.labels import Leaves, Levels, seen
from classifier.measure import Answers, figures
from classifier.parts import Parts
from classifier.texts import VIEWS, WHOLE, terms
from core.cutter import cutter_of, shipped_words
from core.errors import HotlineError

SEED = 20261123
FEWEST_TEXTS = 20
HARD = 3.0  # texts that one counts as which people took for something else at first
GATED = 0.002  # share of right answers each gate may turn away
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """How to train; `precisions`: those thresholds are kept for."""

    columns: tuple[str, ...] = ("label",)
    levels: Levels = field(default_factory=Levels)
    folds: int = 5
    seed: int = SEED
    precisions: tuple[float, ...] = PRECISIONS
    dictionary: str | None = None  # None: the one that is shipped


@dataclass(frozen=True)
class Prepared:
    """Texts counted once, for any number of fits."""

    counts: Counts
    groups: Places
    leaves: Leaves
    of_leaf: Places  # leaf of each text
    hard: NDArray[np.bool_]  # which texts were taken for something else at first
    options: Options
    dictionary: str

    @property
    def of_class(self) -> Places:
        return self.leaves.first[self.of_leaf]


@dataclass(frozen=True)
class Fit:
    """Weights of one training set."""

    encoder: Encoder
    kept: list[Places]
    weights: list[Any]  # of each view, terms of the view × leaves
    intercepts: Any  # views × leaves
    centroids: Any


def silent(_step: str, _done: int, _most: int) -> None:
    """No progress."""


def prepare(examples: Sequence[Example], options: Options, progress: Progress = silent) -> Prepared:
    """Cut and count all texts, find their groups. Errors: train_too_few, train_one_label."""
    leaves = seen(options.columns, [example.labels for example in examples], options.levels)
    if len(examples) < FEWEST_TEXTS:
        raise HotlineError("train_too_few", found=len(examples), least=FEWEST_TEXTS)
    if len(leaves.names) < 2:
        raise HotlineError("train_one_label", label=leaves.names[0])
    places = {value: place for place, value in enumerate(leaves.values)}
    dictionary = shipped_words() if options.dictionary is None else options.dictionary
    cutter, most = cutter_of(dictionary), len(examples)
    counts = Counts(
        (terms(cutter, example.title, example.detail) for example in examples),
        lambda done: progress("texts", done, most),
    )
    return Prepared(
        counts=counts,
        groups=_groups(examples, progress),
        leaves=leaves,
        of_leaf=np.array([places[example.labels] for example in examples], dtype=np.int64),
        hard=np.array([example.hard for example in examples], dtype=np.bool_),
        options=options,
        dictionary=dictionary,
    )


def _groups(examples: Sequence[Example], progress: Progress) -> Places:
    """Given groups as numbers; where none is given, near-duplicates."""
    if any(example.group is not None for example in examples):
        named = [example.group or f"\0{place}" for place, example in enumerate(examples)]
        known = {name: place for place, name in enumerate(sorted(set(named), key=_natural))}
        return np.array([known[name] for name in named], dtype=np.int64)
    most = len(examples)
    found = near_duplicates(
        [(example.title, example.detail) for example in examples],
        lambda done: progress("near-duplicates", done, most),
    )
    return np.array(found, dtype=np.int64)


def _natural(name: str) -> tuple[int, str]:
    """Names by their letters, then numbers by their value: the order in which cuts are drawn."""
    return (int(name), "") if name.isdecimal() and len(name) < 19 else (-1, name)


def cuts(of_class: Places, groups: Places, folds: int, seed: int) -> Iterator[tuple[Places, Places]]:
    """Pairs (train, test) of places; a group is on one side, classes as evenly spread as that allows."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    number = min(folds, len(np.unique(groups)))
    blank = np.zeros(len(groups))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the card names classes with few texts
        try:
            made = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
            yield from list(made.split(blank, of_class, groups))
        except ValueError:  # every class has fewer texts than folds
            yield from GroupKFold(number).split(blank, of_class, groups)


def fit(data: Prepared, rows: Places) -> Fit:
    """One model on these texts: the machines of every view."""
    number = len(data.leaves.values)
    encoder, kept = data.counts.encoder(rows, data.groups, number)
    features = data.counts.features(rows, encoder, kept)
    counts_as = np.where(data.hard[rows], HARD, 1.0)
    made = [
        fitting.weights(one, data.of_leaf[rows], number, data.options.seed, counts_as) for one in features
    ]
    middles = fitting.centroids(features[WHOLE], data.of_class[rows], len(data.leaves.names))
    return Fit(encoder, kept, [one[0] for one in made], np.stack([one[1] for one in made]), middles)


def ask(data: Prepared, made: Fit, rows: Places) -> tuple[Array, Array]:
    """Scores (views × texts × leaves) and cosines to the centroids (texts × classes) of these texts."""
    features = data.counts.features(rows, made.encoder, made.kept)
    whole = features[WHOLE]
    length = np.sqrt(np.asarray(whole.multiply(whole).sum(axis=1)).ravel())
    cosines = (whole @ made.centroids) / np.where(length > 0, length, 1.0)[:, None]
    scores = [
        one @ own + border for one, own, border in zip(features, made.weights, made.intercepts, strict=True)
    ]
    return np.stack(scores).astype(np.float64), np.asarray(cosines, dtype=np.float64)


@dataclass(frozen=True)
class Decided:
    """What was chosen on out-of-fold scores, and how good it is there."""

    calibration: Calibration
    thresholds: Thresholds
    figures: dict[str, Any]


def decide(data: Prepared, rows: Places, progress: Progress = silent) -> Decided:
    """Calibration, thresholds and gates from the out-of-fold scores of these texts."""
    number = len(rows)
    scores = np.zeros((len(VIEWS), number, len(data.leaves.values)))
    cosines = np.zeros((number, len(data.leaves.names)))
    part = np.zeros(number, np.int64)
    options = data.options
    parts = list(cuts(data.of_class[rows], data.groups[rows], options.folds, options.seed))
    for at, (train, test) in enumerate(parts):
        progress("folds", at, len(parts) + 1)
        scores[:, test], cosines[test] = ask(data, fit(data, rows[train]), rows[test])
        part[test] = at
    calibration = fitting.calibrate(scores, data.of_leaf[rows])
    crossed = _crossed(data, rows, scores, part)
    thresholds = _thresholds(data, rows, calibration, crossed, scores, cosines)
    return Decided(calibration, thresholds, _figures(data, rows, crossed, scores, cosines, part))


def _crossed(data: Prepared, rows: Places, scores: Array, part: Places) -> Array:
    """Probabilities of classes by a calibration that was fitted without the part a text is of."""
    found = np.zeros((len(rows), len(data.leaves.names)))
    for at in np.unique(part):
        mine, others = part == at, part != at
        made = fitting.calibrate(scores[:, others], data.of_leaf[rows[others]])
        found[mine] = data.leaves.classes(made.probabilities(scores[:, mine]))
    return found


def _thresholds(
    data: Prepared, rows: Places, calibration: Calibration, crossed: Array, scores: Array, cosines: Array
) -> Thresholds:
    """Where a calibration was fitted it looks better than it is, fitted without a part it is worse: the
    thresholds are chosen halfway.
    """
    names = data.leaves.names
    classes = (data.leaves.classes(calibration.probabilities(scores)) + crossed) / 2
    answers, confidence = classes.argmax(axis=1), classes.max(axis=1)
    right: Flags = answers == data.of_class[rows]
    near = gates.nearness(cosines, answers)
    margins = gates.margins(data.leaves, scores[WHOLE], answers)
    automatic = {
        f"{precision:g}": class_thresholds(confidence, answers, right, names, precision)
        for precision in sorted(data.options.precisions)
    }
    known = right if right.any() else np.ones(len(right), np.bool_)
    return Thresholds(
        automatic,
        cosine=round(float(np.quantile(near[known], GATED)), 6),
        margin=round(float(np.quantile(margins[known], GATED)), 6),
    )


def _figures(
    data: Prepared, rows: Places, crossed: Array, scores: Array, cosines: Array, part: Places
) -> dict[str, Any]:
    """Out-of-fold figures; what judges a part was calibrated on the other parts."""
    leaves = data.leaves
    flags = {f"{one:g}": np.zeros(len(rows), np.bool_) for one in sorted(data.options.precisions)}
    for at in np.unique(part):
        mine, others = part == at, part != at
        made = fitting.calibrate(scores[:, others], data.of_leaf[rows[others]])
        chosen = _thresholds(data, rows[others], made, crossed[others], scores[:, others], cosines[others])
        for key, flag in flags.items():
            flag[mine] = gates.automatic(
                leaves, chosen, crossed[mine], scores[:, mine], cosines[mine], float(key)
            )
    return figures(Answers(leaves.names, data.of_class[rows], crossed, flags))


def train(data: Prepared, rows: Places | None = None, progress: Progress = silent) -> Parts:
    """A model of these texts (None: of all), with its out-of-fold figures in `about`."""
    rows = np.arange(data.counts.texts) if rows is None else rows
    decided = decide(data, rows, progress)
    progress("folds", data.options.folds, data.options.folds + 1)
    made = fit(data, rows)
    options = data.options
    about = {
        "seed": options.seed,
        "folds": options.folds,
        "texts": len(rows),
        "groups": len(np.unique(data.groups[rows])),
        "terms": made.encoder.size,
        "figures": decided.figures,
        "cost": fitting.COST,
    }
    progress("folds", options.folds + 1, options.folds + 1)
    return Parts(
        leaves=data.leaves,
        encoder=made.encoder,
        weights=tuple(one.astype(np.float16) for one in made.weights),
        intercepts=made.intercepts,
        centroids=made.centroids.astype(np.float16),
        calibration=decided.calibration,
        thresholds=decided.thresholds,
        dictionary=data.dictionary,
        about=about,
    )
