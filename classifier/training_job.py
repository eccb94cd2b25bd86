"""Training in a process of its own: lessons in, a model's files out. Runs at the lowest priority."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier import starter, store, train
from classifier.card import card
from classifier.examples import Example
from classifier.labels import Levels
from classifier.train import Options

NICE = 15
FOLDS = 3  # of a whole tree of categories: each fold fits some hundred separators


@dataclass(frozen=True)
class Lesson:
    """A text with the code of its category; `group`: those of one template, kept on one side of a cut."""

    title: str
    detail: str
    label: str
    group: str | None = None


@dataclass(frozen=True)
class Made:
    """A trained model: its digest, its files by name, how many texts it saw, its out-of-fold figures."""

    digest: str
    files: dict[str, bytes]
    rows: int
    figures: dict[str, Any]


def starter_lessons() -> list[Lesson]:
    """The synthetic texts a first model learns from."""
    return [Lesson(one.title, one.detail, one.label, one.group) for one in starter.generate()]


def run(lessons: Sequence[Lesson]) -> Made:
    """Train; codes name their levels by two digits each. Errors: train_too_few, train_one_label."""
    os.nice(NICE)
    examples = [Example(one.title, one.detail, (one.label,), one.group) for one in lessons]
    prepared = train.prepare(examples, Options(levels=Levels(width=2), folds=FOLDS))
    parts = train.train(prepared)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model"
        digest = store.save(parts, card(parts), target)
        files = {one.name: one.read_bytes() for one in target.iterdir()}
    figures = {key: value for key, value in parts.about["figures"].items() if key != "classes"}
    return Made(digest, files, len(examples), figures)
