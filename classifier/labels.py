"""Labels that are several things at once, and levels of a label; pure.

A *leaf* is what the model decides between: one value for each label column, as they were seen together,
such as (投诉, 010203, 紧急). Probabilities belong to leaves and to nothing else. Whatever is asked for, a
category, the category above it, an urgency, is a sum over leaves, so that no two answers can contradict
each other: a level is never less likely than what lies below it.

The first label column leads: its likeliest value is the decision, the other columns are the likeliest
*given* it, and its levels are those above the decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """How a label names what is above it: 城市管理/市容/摊贩 by a separator, 010203 by `width` digits."""

    separator: str = ""
    width: int = 0

    def above(self, label: str) -> list[str]:
        """The label and those above it, from the top; only itself where labels have no levels."""
        if self.separator:
            parts = label.split(self.separator)
            return [self.separator.join(parts[:end]) for end in range(1, len(parts) + 1)]
        if self.width and label.isdecimal() and len(label) % self.width == 0:
            return [label[:end] for end in range(self.width, len(label) + 1, self.width)]
        return [label]


@dataclass(frozen=True)
class Leaves:
    """What is decided between: `columns` names the label columns, `values` has one tuple of them for each
    leaf.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    levels: Levels = field(default_factory=Levels)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The values of the first column, each once, sorted: the classes of every figure."""
        return tuple(sorted({value[0] for value in self.values}))

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """For each leaf the place of its first value in `names`."""
        places = {name: place for place, name in enumerate(self.names)}
        return np.array([places[value[0]] for value in self.values], dtype=np.int64)

    def classes(self, leaves: Probabilities) -> Probabilities:
        """Probabilities of leaves, shape (…, leaves) → of classes, shape (…, names)."""
        if len(self.names) == len(self.values):
            order = np.argsort(self.first)
            return leaves[..., order]
        out = np.zeros((*leaves.shape[:-1], len(self.names)))
        for place in range(len(self.names)):
            out[..., place] = leaves[..., self.first == place].sum(axis=-1)
        return out

    def chain(self, label: str, classes: Probabilities) -> tuple[tuple[str, float], ...]:
        """The levels of a class from the top, each with the sum of all classes below it."""
        return tuple((name, float(classes[self._under[name]].sum())) for name in self.levels.above(label))

    @cached_property
    def _under(self) -> dict[str, list[int]]:
        """Every name of every level → the classes that lie under it."""
        found: dict[str, list[int]] = {}
        for place, label in enumerate(self.names):
            for name in self.levels.above(label):
                found.setdefault(name, []).append(place)
        return found

    def others(self, label: str, leaves: Probabilities) -> dict[str, tuple[str, float]]:
        """Of every further column its likeliest value given the class, and how likely given the class."""
        found = {}
        of_class = [place for place, value in enumerate(self.values) if value[0] == label]
        whole = float(leaves[of_class].sum()) or 1.0
        for at, column in enumerate(self.columns[1:], 1):
            sums: dict[str, float] = {}
            for place in of_class:
                value = self.values[place][at]
                sums[value] = sums.get(value, 0.0) + float(leaves[place])
            best = max(sorted(sums), key=sums.__getitem__)
            found[column] = (best, sums[best] / whole)
        return found

    def data(self) -> dict[str, Any]:
        """As model.json keeps it."""
        return {
            "columns": list(self.columns),
            "values": [list(value) for value in self.values],
            "separator": self.levels.separator,
            "width": self.levels.width,
        }

    @staticmethod
    def of(data: dict[str, Any]) -> "Leaves":
        """What `data` gave. Raises KeyError, TypeError on anything else."""
        values = tuple(tuple(str(one) for one in value) for value in data["values"])
        levels = Levels(str(data["separator"]), int(data["width"]))
        leaves = Leaves(tuple(str(one) for one in data["columns"]), values, levels)
        if not values or any(len(value) != len(leaves.columns) for value in values):
            raise TypeError("labels without a column")
        return leaves


def seen(columns: Sequence[str], rows: Sequence[Sequence[str]], levels: Levels) -> Leaves:
    """The leaves of a training set: each combination of values that occurs, sorted."""
    return Leaves(tuple(columns), tuple(sorted({tuple(row) for row in rows})), levels)
