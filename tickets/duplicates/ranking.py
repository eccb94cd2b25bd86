"""Clusters in the order of how many people they concern. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tickets.duplicates import places
from tickets.duplicates.table import Message

_WEEK = 7 * 86400.0


@dataclass(frozen=True)
class Ranked:
    """A cluster: people, messages, when, what others said of it, where, and one message that stands for it.

    `heat`: messages per week (a shorter span counts as a week) × ln(e + support + objection).
    """

    label: int
    users: int
    messages: int
    heat: float
    first: datetime | None
    last: datetime | None
    up: int
    down: int
    place: str
    example: str


def ranked(messages: Sequence[Message], labels: Sequence[int]) -> list[Ranked]:
    """Most people first, then the hotter, then the earlier."""
    groups: dict[int, list[Message]] = {}
    for message, label in zip(messages, labels, strict=True):
        groups.setdefault(label, []).append(message)
    found = [_ranked(label, members) for label, members in groups.items()]
    return sorted(found, key=lambda one: (-one.users, -one.heat, one.label))


def renumbered(order: Sequence[Ranked]) -> dict[int, int]:
    """Label → its place in the ranking, from 1."""
    return {one.label: place for place, one in enumerate(order, 1)}


def _ranked(label: int, members: Sequence[Message]) -> Ranked:
    times = sorted(one.at for one in members if one.at is not None)
    first, last = (times[0], times[-1]) if times else (None, None)
    weeks = max((last - first).total_seconds() / _WEEK, 1.0) if first and last else 1.0
    up, down = sum(one.up for one in members), sum(one.down for one in members)
    return Ranked(
        label,
        len({one.user for one in members}),
        len(members),
        len(members) / weeks * math.log(math.e + up + down),
        first,
        last,
        up,
        down,
        place_of([one.title + "，" + one.detail[:150] for one in members]),
        example_of([one.title or one.detail[:40] for one in members]),
    )


def place_of(texts: Sequence[str]) -> str:
    """The name of a place that most of the texts share; "" when none is in a third of them."""
    counts: Counter[str] = Counter(name for text in texts for name in set(places.names(text)))
    if not counts:
        return ""
    name, count = max(counts.items(), key=lambda item: (item[1], len(item[0]), item[0]))
    return name if count * 3 >= len(texts) else ""


def is_theme(texts: Sequence[str]) -> bool:
    """Whether a group is the same trouble in many places: most texts name one, and no third the same."""
    named = sum(bool(places.names(text)) for text in texts)
    return named * 2 >= len(texts) and not place_of(texts)


def example_of(titles: Sequence[str]) -> str:
    """The title that shares most with the others; the earliest of equals."""
    counts: Counter[str] = Counter(pair for title in titles for pair in _pairs(title))

    def shared(title: str) -> float:
        pairs = _pairs(title)
        return sum(counts[pair] for pair in pairs) / math.sqrt(len(pairs)) if pairs else 0.0

    return max(titles, key=shared)


def _pairs(title: str) -> set[str]:
    return {one + other for one, other in pairwise(title)}


def as_data(order: Sequence[Ranked], most: int) -> list[Mapping[str, object]]:
    """The ranking as plain values, times as ISO 8601."""
    return [
        {
            "cluster": place,
            "users": one.users,
            "messages": one.messages,
            "heat": round(one.heat, 2),
            "first": one.first.isoformat() if one.first else None,
            "last": one.last.isoformat() if one.last else None,
            "up": one.up,
            "down": one.down,
            "place": one.place,
            "example": one.example,
        }
        for place, one in enumerate(order[:most], 1)
    ]
