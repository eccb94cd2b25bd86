"""Terms of a text → numbers of rows and their values: TF-IDF in blocks, each of length 1.

The same arithmetic serves training and suggesting, with numpy alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from classifier.texts import BLOCKS, View

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]
_DAMPED = (1 + np.log(np.arange(1, 4097))).astype(
    np.float32
)  # how often a term is in a text → what it counts


@dataclass(frozen=True)
class Vector:
    """One text: rows of its terms and its values there, block by block; `ends` says where each block ends."""

    rows: Rows
    values: Floats
    ends: tuple[int, ...]

    def seen(self, view: View) -> tuple[Rows, Floats]:
        """Rows and weighted values of one view."""
        bounds = (0, *self.ends)
        parts = [
            self.values[bounds[block] : bounds[block + 1]] * np.float32(weight)
            for block, weight in enumerate(view.weights, view.first)
        ]
        return self.rows[bounds[view.first] : bounds[view.end]], np.concatenate(parts)


class Encoder:
    """Term lists and their inverse document frequencies, block by block."""

    def __init__(self, blocks: Sequence[Sequence[str]], idf: Floats) -> None:
        """`idf`: one value for each term, blocks one after the other."""
        self.blocks = [list(block) for block in blocks]
        self.starts = starts = [0, *accumulate(len(block) for block in self.blocks)]
        self.size = starts[-1]
        if len(self.blocks) != len(BLOCKS):
            raise ValueError(f"{len(self.blocks)} blocks instead of {len(BLOCKS)}")
        if len(idf) != self.size:
            raise ValueError(f"{self.size} terms, {len(idf)} frequencies")
        self.idf = idf
        self._rows = [
            dict(zip(block, range(start, start + len(block)), strict=True))
            for block, start in zip(self.blocks, starts, strict=False)
        ]

    def encode(self, blocks: Sequence[Sequence[str]]) -> Vector:
        """The vector of a text's terms; terms that are not known are left out."""
        rows, values, ends = [], [], []
        end = 0
        for known, block in zip(self._rows, blocks, strict=True):
            row_of = known.get
            found = [row for term in block if (row := row_of(term)) is not None]
            if found:
                these, often = np.unique(np.array(found, dtype=np.int32), return_counts=True)
                value = _DAMPED[np.minimum(often, len(_DAMPED)) - 1] * self.idf[these]
                rows.append(these)
                values.append(value / np.sqrt(np.dot(value, value)))
                end += len(these)
            ends.append(end)
        if not rows:
            return Vector(np.zeros(0, np.int32), np.zeros(0, np.float32), tuple(ends))
        return Vector(np.concatenate(rows), np.concatenate(values), tuple(ends))

    def span(self, view: View) -> tuple[int, int]:
        """The rows of a view: its first and the one behind its last."""
        return self.starts[view.first], self.starts[view.end]

    def term(self, row: int) -> str:
        """The term of a row."""
        for block in self.blocks:
            if row < len(block):
                return block[row]
            row -= len(block)
        raise IndexError(row)
