"""What training apart needs on this side: texts in, files out. Light to import; what trains is not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lesson:
    """A text with the code of its category; `group`: those of one template, kept on one side of a cut.

    `hard`: it was taken for something else at first, so it counts more, against that as well.
    """

    title: str
    detail: str
    label: str
    group: str | None = None
    hard: bool = False


@dataclass(frozen=True)
class Made:
    """A trained model: its digest, its files by name, how many texts it saw, its out-of-fold figures."""

    digest: str
    files: dict[str, bytes]
    rows: int
    figures: dict[str, Any]


def train_apart(lessons: Sequence[Lesson], helped: Collection[str]) -> Made | None:
    """Train on `lessons` and on the starter's texts of the `helped` categories; for another process.

    None when there is not one text. Errors: train_too_few, train_one_label.
    """
    from classifier import training_job  # scikit-learn is loaded over there, never in the node

    return training_job.run(lessons, helped)
