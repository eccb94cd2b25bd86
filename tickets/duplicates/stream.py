"""The same groups while texts come in one by one; each is looked at once, with what is known by then. Pure.

A text joins the group it is most alike on average, or begins one. When it is alike to two groups, and they
are on average alike to each other, they become one. How common a term is, is counted from the texts seen
so far, and the vectors follow that count whenever it has grown by a tenth.

Only what came within the window is compared and belongs to a group; the counts remember all.
"""

import math
from array import array
from collections import Counter
from collections.abc import Collection, Hashable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tickets.duplicates.features import Features, Weights
from tickets.duplicates.likeness import ALIKE, Weigher

GROWN = 1.1
PASSED = 0.2  # share of texts behind the window from which they are let go
SAMPLE = 20  # texts of a group that are asked whether it is one with another
Likeness = NDArray[np.float64]


def all_combined(whole: Likeness, matter: Likeness, place: Likeness) -> Likeness:
    """`combined` for arrays."""
    agreed = np.sqrt(np.clip(matter * place, 0, None))
    return np.asarray((whole + agreed) / 2 * np.clip(matter / ALIKE, 0, 1))


class _Space:
    """One kind of terms: which texts have them, and how long each text's vector is."""

    def __init__(self) -> None:
        self._holders: dict[str, tuple[array[int], array[float]]] = {}
        self._counts: Counter[str] = Counter()
        self._texts: list[Weights] = []
        self._norms = array("d")
        self.weigher = Weigher({}, 0)

    def cosines(self, text: Weights) -> Likeness:
        """The cosine of `text` to each text held."""
        found = np.zeros(len(self._texts))
        for term, weight in text.items():
            holders = self._holders.get(term)
            value = self.weigher.of(term)
            if holders and value:
                places, weights = np.frombuffer(holders[0], np.int64), np.frombuffer(holders[1])
                found[places] += weight * value * value * weights
        norms = np.array(self._norms) * self.weigher.norm(text)
        return np.asarray(np.divide(found, norms, out=np.zeros_like(found), where=norms > 0))

    def hold(self, text: Weights) -> None:
        place = len(self._texts)
        for term, weight in text.items():
            places, weights = self._holders.setdefault(term, (array("q"), array("d")))
            places.append(place)
            weights.append(weight)
        self._texts.append(text)
        self._counts.update(text.keys())
        self._norms.append(self.weigher.norm(text))

    def weigh(self, seen: int) -> None:
        """Count anew how common terms are among the `seen` texts."""
        self.weigher = Weigher(dict(self._counts), seen)
        self._norms = array("d", map(self.weigher.norm, self._texts))

    def keep(self, places: list[int]) -> "_Space":
        """A space of some of its texts; the counts stay those of all that were ever seen."""
        kept = _Space()
        kept.weigher = self.weigher
        for place in places:
            kept.hold(self._texts[place])
        kept._counts = self._counts
        return kept


class Stream:
    """Texts under keys of the caller's, and the groups they form; a group is known by a number."""

    def __init__(self, window: timedelta | None = None) -> None:
        self._window = window
        self._whole, self._matter, self._place = _Space(), _Space(), _Space()
        self._texts: list[Features] = []
        self._keys: list[Hashable] = []
        self._times = array("d")
        self._groups = array("q")
        self._at: dict[Hashable, int] = {}
        self._next, self._weighed_at, self._now, self._seen = 0, 0, -math.inf, 0

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._at

    def group_of(self, key: Hashable) -> int:
        """The group a text is in by now; KeyError for one not held."""
        return self._groups[self._at[key]]

    def members(self, group: int) -> list[Hashable]:
        """The keys of a group's texts within the window, in the order they came."""
        held = (np.array(self._groups) == group) & self._within()
        return [self._keys[place] for place in np.flatnonzero(held)]

    def alike(self, text: Features) -> Likeness:
        """The likeness of `text` to each text held, in the order they came."""
        matter = self._matter.cosines(text.matter)
        if not text.place:
            return matter
        both = np.array([bool(one.place) for one in self._texts], dtype=bool)
        whole, place = self._whole.cosines(text.whole), self._place.cosines(text.place)
        return np.where(both, all_combined(whole, matter, place), matter)

    def add(self, key: Hashable, text: Features, at: datetime | None = None) -> int:
        """Take a text in that came at `at`; returns the group it joined or began.

        A key held already keeps its group. Without times the window is endless.
        """
        if key in self._at:
            return self.group_of(key)
        time = at.timestamp() if at else 0.0
        self._now = max(self._now, time)
        group, second = self._nearest(text)
        self._hold(key, text, time, group)
        if second is not None:
            group = self._one_of(group, second)
        self._seen += 1
        if self._seen >= self._weighed_at * GROWN:
            self._weighed_at = self._seen
            for space in (self._whole, self._matter, self._place):
                space.weigh(self._seen)
        within = self._within()
        if len(within) - within.sum() > PASSED * len(within):
            self._keep([int(place) for place in np.flatnonzero(within)])
        return group

    def forget(self, keys: Collection[Hashable]) -> None:
        """Let texts go: a ticket was withdrawn, or sealed."""
        gone = {self._at[key] for key in keys if key in self._at}
        if gone:
            self._keep([place for place in range(len(self)) if place not in gone])

    def _within(self) -> NDArray[np.bool_]:
        times = np.array(self._times)
        if self._window is None:
            return np.ones(len(times), dtype=bool)
        return np.asarray(times >= self._now - self._window.total_seconds())

    def _hold(self, key: Hashable, text: Features, time: float, group: int) -> None:
        self._at[key] = len(self._keys)
        self._keys.append(key)
        self._times.append(time)
        self._groups.append(group)
        self._texts.append(text)
        self._whole.hold(text.whole)
        self._matter.hold(text.matter)
        self._place.hold(text.place)

    def _nearest(self, text: Features) -> tuple[int, int | None]:
        """The group a text belongs to, a new one if to none; and another it is alike to, if there is one."""
        within = self._within()
        if within.any():
            labels = np.array(self._groups)[within]
            groups, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
            means = np.bincount(inverse, weights=self.alike(text)[within]) / sizes
            near = [int(groups[place]) for place in np.argsort(-means)[:2] if means[place] >= ALIKE]
            if near:
                return near[0], near[1] if len(near) > 1 else None
        self._next += 1
        return self._next - 1, None

    def _one_of(self, group: int, other: int) -> int:
        """Make two groups one if they are alike on average; returns the group of the text just added."""
        labels, within = np.array(self._groups), self._within()
        small, large = sorted((group, other), key=lambda one: int(((labels == one) & within).sum()))
        asked, held = np.flatnonzero((labels == small) & within), (labels == large) & within
        step = max(1, math.ceil(len(asked) / SAMPLE))
        alike = [float(self.alike(self._texts[place])[held].mean()) for place in asked[::step]]
        if sum(alike) / len(alike) < ALIKE:
            return group
        labels[labels == small] = large
        self._groups = array("q", labels.tolist())
        return large

    def _keep(self, places: list[int]) -> None:
        self._whole, self._matter, self._place = (
            space.keep(places) for space in (self._whole, self._matter, self._place)
        )
        self._texts = [self._texts[place] for place in places]
        self._keys = [self._keys[place] for place in places]
        self._times = array("d", (self._times[place] for place in places))
        self._groups = array("q", (self._groups[place] for place in places))
        self._at = {key: place for place, key in enumerate(self._keys)}
