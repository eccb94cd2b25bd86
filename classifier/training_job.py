"""Training in a process of its own: lessons in, a model's files out. Runs at the lowest priority."""

import os
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from classifier import starter, store, train
from classifier.card import card
from classifier.examples import Example
from classifier.labels import Levels
from classifier.lessons import Lesson, Made
from classifier.train import Options

NICE = 15
FOLDS = 3  # of a whole tree of categories: each fold fits some hundred separators


def run(lessons: Sequence[Lesson], helped: Collection[str]) -> Made | None:
    """Train; codes name their levels by two digits each. None when there is not one text.

    `helped`: categories that also learn from the starter's synthetic texts. Errors: train_too_few,
    train_one_label.
    """
    os.nice(NICE)
    synthetic = [one for one in starter.generate() if one.label in helped] if helped else []
    told = [Example(one.title, one.detail, (one.label,), one.group, one.hard) for one in lessons]
    told += [Example(one.title, one.detail, (one.label,), one.group) for one in synthetic]
    if not told:
        return None
    parts = train.train(train.prepare(told, Options(levels=Levels(width=2), folds=FOLDS)))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model"
        digest = store.save(parts, card(parts), target)
        files = {one.name: one.read_bytes() for one in target.iterdir()}
    figures = {key: value for key, value in parts.about["figures"].items() if key != "classes"}
    return Made(digest, files, len(told), figures)
