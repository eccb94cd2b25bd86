"""What two texts are compared by: their words, their words without places, their places. Pure.

The title is told twice: it says in one line what the rest explains, and the beginning of the rest says
where; further down people tell everything else that ever vexed them.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from core.cutter import cutter_of, shipped_words
from tickets.duplicates import places
from tickets.said_always import SAID_ALWAYS

BEGINNING = 150  # characters of the text that are read
_RUNS = re.compile(r"[\u4e00-\u9fff]+")
_SAID = frozenset(SAID_ALWAYS)
_BLANKS = re.compile(r"\s+")
Weights = Mapping[str, float]  # term → 1 + ln(how often)


@dataclass(frozen=True)
class Features:
    """The terms of one text with their weights; `place` holds pairs of characters of names of places."""

    whole: Weights
    matter: Weights
    place: Weights


def load() -> None:
    """Read the dictionary now (about a second), for who must not wait when the first text comes."""
    cutter_of(shipped_words())


def features(title: str, text: str, address: str = "") -> Features:
    """The features of a matter: its title, what was told, and where it is if that was asked for."""
    head, body = _flat(title), _flat(text)[:BEGINNING]
    named, told = places.names(head), places.names(body)
    where = places.names(_flat(address))
    whole = [*_words(head) * 2, *_words(body)]
    matter = [*_words(places.without(head, named)) * 2, *_words(places.without(body, told))]
    pairs = [*_pairs(named) * 2, *_pairs(where) * 2, *_pairs(told)]
    return Features(_weights(whole), _weights(matter), _weights(pairs))


def usual_share(term: str) -> float:
    """The share (0 … 1) of plain Chinese texts of this length that have a term; 0 for one nobody knows."""
    return 1 - math.exp(-cutter_of(shipped_words()).share(term) * BEGINNING)


def _flat(text: str) -> str:
    return _BLANKS.sub(" ", text[: BEGINNING * 20]).strip()


def _words(text: str) -> list[str]:
    cutter = cutter_of(shipped_words())
    return [word for word in cutter.finer(cutter.words(text)) if word[0].isalnum() and word not in _SAID]


def _pairs(names: Iterable[str]) -> list[str]:
    return [one + other for name in names for one, other in pairwise(name)]


def _weights(terms: Iterable[str]) -> dict[str, float]:
    return {term: 1 + math.log(count) for term, count in Counter(terms).items()}
