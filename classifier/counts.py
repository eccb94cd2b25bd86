"""How often each text has each term, kept once; any part of the texts can then be a training set of its
own.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack

from classifier.encoder import Encoder
from classifier.texts import BLOCKS, VIEWS

FEWEST_GROUPS = 2  # a term of one matter only says nothing, and may be somebody's name
MOST_WEIGHTS = 8_000_000  # of a model: terms times leaves, about 16 MB and as much again for the centroids
Places = NDArray[np.int64]


class Counts:
    """Texts × terms, block by block; terms in at least two texts."""

    def __init__(self, texts: Iterable[Sequence[Sequence[str]]], progress: Callable[[int], None]) -> None:
        """`texts`: of each text its terms, a list for each of `BLOCKS`."""
        numbers: list[dict[str, int]] = [{} for _ in BLOCKS]
        rows: list[list[tuple[NDArray[np.int32], NDArray[np.int32]]]] = [[] for _ in BLOCKS]
        done = 0
        for text in texts:
            for known, kept, block in zip(numbers, rows, text, strict=True):
                counted = Counter(block)
                places = np.array([known.setdefault(term, len(known)) for term in counted], dtype=np.int32)
                kept.append((places, np.array(list(counted.values()), dtype=np.int32)))
            done += 1
            progress(done)
        self.texts = done
        self.terms: list[NDArray[np.object_]] = []
        self.counts: list[Any] = []
        for known, kept in zip(numbers, rows, strict=True):
            self._keep(np.array([*known, None], dtype=np.object_)[:-1], kept)

    def _keep(
        self, terms: NDArray[np.object_], rows: list[tuple[NDArray[np.int32], NDArray[np.int32]]]
    ) -> None:
        places = np.concatenate([row[0] for row in rows]) if rows else np.zeros(0, np.int32)
        values = np.concatenate([row[1] for row in rows]) if rows else np.zeros(0, np.int32)
        begins = np.cumsum([0, *(len(row[0]) for row in rows)])
        matrix = csr_matrix((values, places, begins), shape=(len(rows), len(terms)))
        often = np.flatnonzero(np.bincount(places, minlength=len(terms)) >= FEWEST_GROUPS)
        # Sorted, so that the order of the texts leaves no trace.
        often = often[np.argsort(terms[often].astype(str), kind="stable")]
        self.terms.append(terms[often])
        self.counts.append(matrix[:, often])

    def encoder(self, rows: Places, groups: Places, leaves: int) -> tuple[Encoder, list[Places]]:
        """The encoder of a training set, and the columns kept of each block; `groups` of all texts."""
        members = _by_group(groups[rows])
        frequencies = [
            np.asarray(((members @ (counts[rows] > 0)) > 0).sum(axis=0)).ravel() for counts in self.counts
        ]
        least = _least(np.concatenate(frequencies), MOST_WEIGHTS // leaves)
        kept = [np.flatnonzero(frequency >= least) for frequency in frequencies]
        number = members.shape[0]
        idf = [
            np.log((1 + number) / (1 + found[at])) + 1 for found, at in zip(frequencies, kept, strict=True)
        ]
        blocks = [terms[columns].tolist() for terms, columns in zip(self.terms, kept, strict=True)]
        return Encoder(blocks, np.concatenate(idf).astype(np.float32)), kept

    def features(self, rows: Places, encoder: Encoder, kept: Sequence[Places]) -> list[Any]:
        """What the encoder makes of these texts, for each view a sparse matrix, texts × terms of the view."""
        blocks, ends = [], np.cumsum([0, *map(len, kept)])
        for counts, columns, (begin, end) in zip(self.counts, kept, pairwise(ends), strict=True):
            block = counts[rows][:, columns].astype(np.float64)
            block.data = 1 + np.log(block.data)
            block = block @ diags(encoder.idf[begin:end].astype(np.float64))
            length = np.sqrt(np.asarray(block.multiply(block).sum(axis=1)).ravel())
            blocks.append(diags(1 / np.where(length > 0, length, 1.0)) @ block)
        return [
            csr_matrix(
                hstack(
                    [
                        block * weight
                        for block, weight in zip(blocks[view.first : view.end], view.weights, strict=True)
                    ]
                )
            )
            for view in VIEWS
        ]


def _by_group(groups: Places) -> Any:
    """Groups × texts, 1 where a text is of a group."""
    _, places = np.unique(groups, return_inverse=True)
    ones = np.ones(len(places), np.int32)
    return csr_matrix((ones, (places, np.arange(len(places)))))


def _least(frequencies: Places, most: int) -> int:
    """In how many groups a term must be, so that not more than `most` terms are kept."""
    least = FEWEST_GROUPS
    while int((frequencies >= least).sum()) > most:
        least += 1
    return least
