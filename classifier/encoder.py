"""Terms of a text → numbers of rows and their values: TF-IDF in blocks, each of length 1.

The same arithmetic serves training and suggesting, with numpy alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from classifier.texts import BLOCKS, SHARED, Pieces, View

PHRASES = 0  # the block that shares its terms with no other
Floats = NDArray[np.float32]
Rows = NDArray[np.int32]
DAMPED = (1 + np.log(np.arange(1, 4097))).astype(np.float32)  # how often a term is in a text → what it counts


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


def _counted(ids: Rows) -> tuple[Rows, Rows]:
    """Each number once, in rising order, and how often it was there."""
    if not len(ids):
        return ids, ids
    ids.sort()
    first = np.empty(len(ids), np.bool_)
    first[0] = True
    np.not_equal(ids[1:], ids[:-1], out=first[1:])
    at = np.flatnonzero(first)
    often = np.empty(len(at), np.int32)
    np.subtract(at[1:], at[:-1], out=often[:-1], casting="unsafe")
    often[-1] = len(ids) - at[-1]
    return ids[at], often


class Shared:
    """Terms of three blocks, looked up once for all of them: term → number → row in each block, or -1."""

    def __init__(self, blocks: Sequence[Sequence[str]], starts: Sequence[int], places: Sequence[int]) -> None:
        self.ids: dict[str, int] = {}
        for place in places:
            for term in blocks[place]:
                self.ids.setdefault(term, len(self.ids))
        self.places = places
        self.table = np.full((len(places), len(self.ids)), -1, np.int32)
        for number, place in enumerate(places):
            own = [self.ids[term] for term in blocks[place]]
            self.table[number, own] = np.arange(starts[place], starts[place] + len(own), dtype=np.int32)

    def rows(self, title: Sequence[str], detail: Sequence[str]) -> dict[int, tuple[Rows, Rows]]:
        """By block, which rows a text has there and how often: of both parts, the title, the detail."""
        id_of = self.ids.get
        mine = np.array([number for term in title if (number := id_of(term)) is not None], np.int32)
        rest = np.array([number for term in detail if (number := id_of(term)) is not None], np.int32)
        parts = np.concatenate((mine, rest)), mine, rest
        found = {}
        for number, (place, ids) in enumerate(zip(self.places, parts, strict=True)):
            these, often = _counted(ids)
            rows = self.table[number, these]
            known = rows >= 0
            found[place] = rows[known], often[known]
        return found


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
        phrases = self.blocks[PHRASES]
        self.phrases = dict(zip(phrases, range(starts[PHRASES], starts[PHRASES + 1]), strict=True))
        self.shared = [Shared(self.blocks, starts, places) for places in SHARED]

    def encode(self, told: Pieces) -> Vector:
        """The vector of a text; terms that are not known are left out."""
        words, marks = self.shared
        row_of = self.phrases.get
        phrases = [row for term in told.phrases if (row := row_of(term)) is not None]
        found = {PHRASES: _counted(np.array(phrases, np.int32))}
        found |= words.rows(told.title_words, told.detail_words)
        found |= marks.rows(told.title_marks, told.detail_marks)
        rows, values, ends, end = [], [], [], 0
        for place in range(len(BLOCKS)):
            these, often = found[place]
            if len(these):
                value = DAMPED[np.minimum(often, len(DAMPED)) - 1] * self.idf[these]
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
