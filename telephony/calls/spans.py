"""Intervals of seconds: pairing enters with leaves, and cutting them with one another."""

from collections.abc import Iterable, Sequence

from telephony.calls.facts import Channel, Stay

Span = tuple[float, float]


def stay_spans(stay: Stay, channel: Channel, now: float) -> list[Span]:
    """When `channel` was in the bridge; an open stay lasts until the channel's end, or until `now`."""
    marks = sorted([(stamp, 0) for stamp in stay.enters] + [(stamp, 1) for stamp in stay.leaves])
    spans: list[Span] = []
    start: float | None = None
    for stamp, is_leave in marks:
        if not is_leave:
            start = stamp if start is None else start
        elif start is not None:
            spans.append((start, stamp))
            start = None
        elif not spans and not stay.enters:
            # We came too late to see it enter.
            spans.append((channel.up or channel.seen, stamp))
    if start is not None:
        spans.append((start, max(start, now if channel.ended is None else channel.ended)))
    return spans


def pair(starts: Iterable[float], ends: Iterable[float], last: float) -> list[Span]:
    """Each start with the next end after it; one that never ended lasts until `last`."""
    marks = sorted([(stamp, 0) for stamp in starts] + [(stamp, 1) for stamp in ends])
    spans: list[Span] = []
    start: float | None = None
    for stamp, is_end in marks:
        if not is_end:
            start = stamp if start is None else start
        elif start is not None:
            spans.append((start, stamp))
            start = None
    if start is not None and start < last:
        spans.append((start, last))
    return spans


def cut(one: Sequence[Span], two: Sequence[Span], now: float = -1.0) -> list[Span]:
    """Where both lists of spans are; what begins `now` has no length yet and counts all the same."""
    both = [(max(a, c), min(b, d)) for a, b in one for c, d in two]
    return sorted(span for span in both if span[0] < span[1] or span[0] == span[1] == now)


def union(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def length(spans: Iterable[Span]) -> float:
    """Seconds in all."""
    return sum((end - start for start, end in spans), 0.0)


def together(one: Channel, two: Channel, now: float) -> list[Span]:
    """When two channels were in the same bridge."""
    found: list[Span] = []
    for bridge, stay in one.stays.items():
        other = two.stays.get(bridge)
        if other is None:
            continue
        both = cut(stay_spans(stay, one, now), stay_spans(other, two, now), now)
        if not both and not (stay.enters and other.enters):
            # They were there before we looked: proof of a talk, though of no length.
            first = min(stay.leaves | other.leaves | stay.enters | other.enters)
            both = [(first, first)]
        found += both
    return union(found)


def held_spans(citizen: Channel, now: float) -> list[Span]:
    """When the console kept the citizen on hold: until he is in a bridge or a queue again, or gone."""
    last = now if citizen.ended is None else citizen.ended
    return [span for span in pair(citizen.helds, _hold_ends(citizen), last) if span[0] < span[1]]


def still_held(citizen: Channel) -> bool:
    """Whether a hold of the console goes on: nothing has ended it, however late the last fact was told."""
    last = max(citizen.helds, default=None)
    return last is not None and citizen.ended is None and all(at < last for at in _hold_ends(citizen))


def _hold_ends(citizen: Channel) -> list[float]:
    ends = [stamp for stay in citizen.stays.values() for stamp in stay.enters]
    return ends + [stamp for facts in citizen.queues.values() for stamp in facts.joins]
