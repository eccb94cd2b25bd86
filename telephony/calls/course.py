"""How one telephone went through a call: when it rang, was on the call, held; and how often it was missed.

Spans are in the PBX's seconds; an end of None is still to come. Nothing here depends on the present
instant, so that two readings differ only when something happened.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.calls.facts import Channel
from telephony.calls.spans import held_spans, still_held

if TYPE_CHECKING:
    from telephony.calls.session import Reading

OpenSpan = tuple[float, float | None]
MISSED = {"NOANSWER", "BUSY"}  # a ring taken back (CANCEL) or answered elsewhere is nobody's fault
FAR = float("inf")


@dataclass(frozen=True)
class Course:
    """`talks` last until the telephone hung up or the citizen was gone, moves between bridges included.

    A colleague who is asked for advice talks as well, though not with the citizen.
    """

    rings: tuple[OpenSpan, ...] = ()
    talks: tuple[OpenSpan, ...] = ()
    holds: tuple[OpenSpan, ...] = ()
    missed: int = 0  # rings that ran out, or that the telephone refused
    met: bool = False  # the citizen was spoken to
    partial: bool = False  # its beginning was not seen: a hold may be under way that nobody tells of


UNSEEN = Course()


def read(reading: "Reading", channels: list[Channel]) -> Course:
    """The course of one agent's channels."""
    talks = _merge(span for channel in channels if (span := _busy(channel, reading)) is not None)
    rings = [span for channel in channels if (span := _ring(channel, reading)) is not None]
    holds = [span for channel in channels for span in _holds(channel, reading)]
    missed = sum(channel.up is None and bool(channel.dial_statuses & MISSED) for channel in channels)
    met = any(reading.talk(channel) for channel in channels)
    partial = any(channel.partial for channel in channels)
    return Course(_merge(rings), talks, _within(_merge(holds), talks), missed, met, partial)


def _over(channel: Channel, reading: "Reading") -> float | None:
    """When this telephone had nothing to do with the citizen any more."""
    return min((at for at in (channel.ended, reading.ended) if at is not None), default=None)


def _busy(channel: Channel, reading: "Reading") -> OpenSpan | None:
    begun = _begun(channel, reading)
    over = _over(channel, reading)
    return None if begun is None else (begun, over if over is None else max(over, begun))


def _begun(channel: Channel, reading: "Reading") -> float | None:
    """When this telephone was first connected with anybody in the call."""
    met = [span[0] for span in reading.talk(channel)[:1]]
    if channel.up is not None:
        met += [at for stay in channel.stays.values() for at in stay.enters | stay.leaves]
    return min(met, default=None)


def _ring(channel: Channel, reading: "Reading") -> OpenSpan | None:
    """From the first ring to the talk; picked up and not yet connected counts as ringing still."""
    if channel.ringing is None:
        return None
    begun = _begun(channel, reading)
    ends = [begun] if begun is not None else [at for at in (_over(channel, reading),) if at is not None]
    if channel.up is None and channel.dial_over is not None:
        ends.append(channel.dial_over)
    return (channel.ringing, max(min(ends), channel.ringing) if ends else None)


def _holds(channel: Channel, reading: "Reading") -> list[OpenSpan]:
    marks = sorted([(at, 0) for at in channel.holds] + [(at, 1) for at in channel.unholds])
    spans = _by_console(channel, reading)
    start: float | None = None
    for at, over in marks:
        if not over:
            start = at if start is None else start
        elif start is not None:
            spans.append((start, at))
            start = None
        elif channel.partial and not spans:
            spans.append((_begun(channel, reading) or channel.seen, at))  # held since before we looked
    return spans if start is None else [*spans, (start, _over(channel, reading))]


def _by_console(channel: Channel, reading: "Reading") -> list[OpenSpan]:
    """Holds of the console, for the telephone whose talk they interrupt."""
    found: list[OpenSpan] = []
    for citizen in reading.citizens:
        # The moment that ended a hold may be the last one told of: that is no hold that lasts.
        for start, end in held_spans(citizen, reading.now):
            if any(a <= start < b for a, b in reading.talk(channel)):
                lasts = still_held(citizen) and end == reading.now
                found.append((start, _over(channel, reading) if lasts else end))
    return found


def _merge(spans: Iterable[OpenSpan]) -> tuple[OpenSpan, ...]:
    """Overlapping spans made one."""
    merged: list[OpenSpan] = []
    for start, end in sorted(spans, key=lambda span: (span[0], FAR if span[1] is None else span[1])):
        if merged and (merged[-1][1] is None or start <= merged[-1][1]):
            last = merged[-1][1]
            merged[-1] = (merged[-1][0], None if last is None or end is None else max(last, end))
        else:
            merged.append((start, end))
    return tuple(merged)


def _within(spans: tuple[OpenSpan, ...], around: tuple[OpenSpan, ...]) -> tuple[OpenSpan, ...]:
    """What of `spans` lies in `around`."""
    found: list[OpenSpan] = []
    for a, b in spans:
        for c, d in around:
            start = max(a, c)
            end = min(FAR if b is None else b, FAR if d is None else d)
            if start < end:
                found.append((start, None if end == FAR else end))
    return tuple(found)
