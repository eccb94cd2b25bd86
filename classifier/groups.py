"""Near-duplicates find each other, so that none stands on both sides of a cut. Pure, deterministic.

Two texts are the same matter sent twice when most of their runs of four characters agree (Jaccard, `ALIKE`).
Candidates come from MinHash in bands: pairs that are alike at that value meet in at least one band with a
probability of 0.98; each pair that meets is compared.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.texts import prepare

ALIKE = 0.4
_RUN = 4
_BANDS, _ROWS = 60, 3
_LONGEST = 2_000  # characters compared
Hashes = NDArray[np.uint64]


def _runs(title: str, detail: str) -> Hashes:
    """A hash for each run of characters, each once; blanks and marks do not count."""
    text = "".join(char for char in prepare(f"{title}{detail}"[: 2 * _LONGEST]) if char.isalnum())[:_LONGEST]
    runs = {zlib.crc32(text[at : at + _RUN].encode()) for at in range(max(1, len(text) - _RUN + 1))}
    return np.array(sorted(runs), dtype=np.uint64)


def near_duplicates(
    texts: Sequence[tuple[str, str]], progress: Callable[[int], None] = lambda _done: None
) -> list[int]:
    """For each (title, detail) the number of its group: the place of the group's first text."""
    source = np.random.default_rng(12345)
    factor = source.integers(0, 1 << 63, _BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    known: list[Hashes] = []
    parent = list(range(len(texts)))
    buckets: dict[tuple[int, bytes], list[int]] = {}
    for place, (title, detail) in enumerate(texts):
        runs = _runs(title, detail)
        known.append(runs)
        least = (runs[:, None] * factor).min(axis=0)  # products wrap: each factor another order
        compared: set[int] = set()
        for band in range(_BANDS):
            key = (band, least[band * _ROWS : (band + 1) * _ROWS].tobytes())
            mates = buckets.setdefault(key, [])
            for other in mates[:20]:  # of a text sent a thousand times the first stand for all
                if other not in compared and _root(parent, other) != _root(parent, place):
                    compared.add(other)
                    if _alike(runs, known[other]):
                        _join(parent, other, place)
            mates.append(place)
        progress(place + 1)
    return [_root(parent, place) for place in range(len(texts))]


def _alike(one: Hashes, other: Hashes) -> bool:
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both >= ALIKE * (len(one) + len(other) - both)


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def _join(parent: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parent, one), _root(parent, other)))
    parent[second] = first
