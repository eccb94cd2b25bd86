"""How alike two matters are, 0 … 1: half their words, half that matter *and* place agree. Pure.

A place alone is no matter (an estate has many troubles), a matter alone no case (every estate has noise):
the geometric mean of both is zero where either is, and what is alike by place counts the less the further
the matter stays below `ALIKE`. Where one of the two names no place, the matter alone speaks: a question
about a subsidy has none.

The weight of a term falls with the number of texts that have it (TF-IDF, ln((1 + n) / (1 + df)) + 1);
terms of more than a fifth of all texts say nothing. Few texts do not know what is common: beside them
stand `BEFORE` texts of plain Chinese, as the dictionary's frequencies tell them.
"""

import math
from collections.abc import Mapping

from tickets.duplicates.features import Features, Weights, usual_share

COMMON = 0.2  # share of texts above which a term is not looked at
ALIKE = 0.15  # mean likeness to a group from which a text belongs to it
BEFORE = 500  # texts of plain Chinese that are counted beside those at hand


def idf(term: str, count: float, texts: float) -> float:
    """The weight of a term that `count` of `texts` have; 0 for one too common."""
    held, all_ = count + BEFORE * usual_share(term), texts + BEFORE
    return 0.0 if held > COMMON * all_ else math.log((1 + all_) / (1 + held)) + 1


def between(one: Features, other: Features, weight: "Weigher") -> float:
    """The likeness of two matters."""
    matter = weight.cosine(one.matter, other.matter)
    if not one.place or not other.place:
        return matter
    place = weight.cosine(one.place, other.place)
    return combined(weight.cosine(one.whole, other.whole), matter, place)


def combined(whole: float, matter: float, place: float) -> float:
    """The likeness of two matters that both name places, from their three cosines."""
    return (whole + math.sqrt(max(matter * place, 0.0))) / 2 * min(1.0, matter / ALIKE)


class Weigher:
    """Weights of terms by how many of `texts` have them (`counts`); a term not in it is as rare as can be."""

    def __init__(self, counts: Mapping[str, float], texts: float) -> None:
        self._counts, self._texts = counts, texts
        self._known: dict[str, float] = {}

    def of(self, term: str) -> float:
        """The weight of a term."""
        found = self._known.get(term)
        if found is None:
            found = self._known[term] = idf(term, self._counts.get(term, 0), self._texts)
        return found

    def cosine(self, one: Weights, other: Weights) -> float:
        """The cosine of two texts; 0 when either says nothing."""
        shared = one.keys() & other.keys()
        if not shared:
            return 0.0
        product = sum(one[term] * other[term] * self.of(term) ** 2 for term in shared)
        norms = self.norm(one) * self.norm(other)
        return product / norms if norms else 0.0

    def norm(self, one: Weights) -> float:
        """The length of a text's vector."""
        return math.sqrt(sum((weight * self.of(term)) ** 2 for term, weight in one.items()))
