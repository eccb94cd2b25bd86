"""How well a question meets what is said or typed: by pairs of characters, the rare ones counting most. Pure.

A pair that many questions have ("怎么", "办理") says little, one that few have says nearly everything.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from core.text import BREAK, normalise, searchable
from tickets.said_always import SAID_ALWAYS

MOST_CHARACTERS = 1500  # of a narrative: what it is about is said at the beginning
LOOKED_UP = 24  # pairs; the rarest of a text
BUDGET = 300  # questions looked at, however many there are
REMEMBERED = 20_000  # questions whose pairs are kept
NEAR = 0.3  # share of a question that must be met for it to be suggested
ALL = ""  # the pair that counts every question
# What every consultation says, whatever it is about: it parts what is said on either side of it.
_NOISE = re.compile("|".join(SAID_ALWAYS) + "|[了的吗呢啊吧呀]")


def pairs_of(text: str) -> list[str]:
    """The pairs of characters in a text that say something, once each, in their order."""
    body = _NOISE.sub(" ", searchable(text[:MOST_CHARACTERS]))
    found = (one + two for one, two in pairwise(body) if one.isalnum() and two.isalnum())
    return list(dict.fromkeys(found))


@lru_cache(REMEMBERED)
def _of_question(question: str) -> tuple[str, ...]:
    """The same questions are compared again and again, and there are only so many of them."""
    return tuple(pairs_of(question))


@dataclass(frozen=True)
class Weighed:
    """The pairs of a text with what each says, and of those that questions have the rarest, rarest first."""

    weights: Mapping[str, float]
    chosen: tuple[str, ...]
    together: bool  # even the rarest is common: only questions that have all of `chosen` are looked at


def weigh(pairs: Sequence[str], counts: Mapping[str, int]) -> Weighed:
    """`counts`: in how many questions a pair stands, with `ALL` for how many questions there are."""
    total = max(counts.get(ALL, 0), 1)
    weights = {pair: math.log(1 + total / max(counts.get(pair, 0), 1)) for pair in pairs}
    known = sorted((pair for pair in pairs if counts.get(pair, 0) > 0), key=lambda one: counts[one])
    if known and counts[known[0]] > BUDGET:
        return Weighed(weights, tuple(known[:4]), together=True)
    chosen, room = [], BUDGET
    for pair in known[:LOOKED_UP]:
        room -= counts[pair]
        if room < 0:
            break
        chosen.append(pair)
    return Weighed(weights, tuple(chosen), together=False)


def likeness(question: str, weights: Mapping[str, float], whole: float, total: int) -> float:
    """0 … 1: how much of the question is in the text, or of a short text in the question.

    `whole` is the weight of all pairs of the text.
    """
    own = _of_question(question)
    met = sum(weights.get(pair, 0.0) for pair in own)
    if not met:
        return 0.0
    unmet = sum(math.log(1 + total / 2) for pair in own if pair not in weights)
    return max(met / (met + unmet), met / whole if whole else 0.0)


# ---- words and what means the same ------------------------------------------------------------


def alternatives(word: str, groups: Iterable[Sequence[str]]) -> list[str]:
    """The word (normalised) and, for each synonym in it, the word with the others in its place."""
    found = [word]
    for group in groups:
        shapes = [normalise(one) for one in group]
        inside = max((one for one in shapes if one and one in word), key=len, default="")
        if inside:
            found += [word.replace(inside, other) for other in shapes if other and other != inside]
    return list(dict.fromkeys(found))[:8]


def widened(text: str, groups: Iterable[Sequence[str]]) -> str:
    """A text with what the synonyms in it may also be called."""
    body = normalise(text[:MOST_CHARACTERS])
    more = []
    for group in groups:
        shapes = [normalise(one) for one in group]
        if any(one and one in body for one in shapes):
            more += [one for one in shapes if one and one not in body]
    return BREAK.join([text[:MOST_CHARACTERS], *more[:40]])
