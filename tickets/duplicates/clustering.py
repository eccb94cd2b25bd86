"""Groups of matters that are the same, out of a whole file of texts. Pure.

Average linkage: two groups become one while their texts are on average alike (`likeness.ALIKE`). Beyond
`MOST_AT_ONCE` texts, whose likenesses would fill the memory, they are taken one by one (`stream`).
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from tickets.duplicates.features import Features
from tickets.duplicates.likeness import ALIKE
from tickets.duplicates.matrix import pairwise
from tickets.duplicates.stream import Likeness, Stream

MOST_AT_ONCE = 8000
Progress = Callable[[int], None]


def clusters(texts: Sequence[Features], progress: Progress | None = None) -> list[int]:
    """The group of each text, numbered from 0 in the order in which they first appear.

    Calls `progress` with how many texts are done, where that is known.
    """
    if len(texts) < 2:
        return [0] * len(texts)
    if len(texts) > MOST_AT_ONCE:
        return _one_by_one(texts, progress)
    return _numbered(_linked(pairwise(texts)))


def _linked(alike: Likeness) -> list[int]:
    apart = squareform(np.clip(1 - alike, 0, None), checks=False)
    return [int(label) for label in fcluster(linkage(apart, "average"), 1 - ALIKE, "distance")]


def _one_by_one(texts: Sequence[Features], progress: Progress | None) -> list[int]:
    stream = Stream()
    for number, text in enumerate(texts):
        stream.add(number, text)
        if progress is not None:
            progress(number + 1)
    return _numbered([stream.group_of(number) for number in range(len(texts))])


def _numbered(labels: Sequence[int]) -> list[int]:
    order: dict[int, int] = {}
    return [order.setdefault(label, len(order)) for label in labels]
