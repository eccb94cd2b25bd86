"""What happened while a call was recorded, in seconds of the recording.

A recorder that runs only while people are connected (MixMonitor's `b`, as our dialplan has it) writes
nothing in between, so a moment's place in the file is not its distance from the answer but the time
connected before it. A muted recorder writes silence: that time counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.calls import transfers
from telephony.calls.facts import Channel
from telephony.calls.spans import Span, cut, held_spans, pair, stay_spans, union

if TYPE_CHECKING:
    from telephony.calls.session import Reading

MOST = 60  # of one call: a telephone that holds by the second is broken
SHORT = 0.2  # seconds; less is a change of bridges, not something a person did


@dataclass(frozen=True)
class Mark:
    """`kind`: agent, hold, mute, or a kind of transfer. `until` is None for a moment."""

    kind: str
    at: float
    until: float | None
    who: str  # the telephone it is about
    to: str = ""  # a transfer's target


def read_marks(reading: "Reading") -> tuple[Mark, ...]:
    """The marks of an ended and recorded call, in order; none while it goes on."""
    recorder = _recorder(reading)
    if reading.ended is None or recorder is None:
        return ()
    taped = _taped(reading, recorder)
    marks = [
        *_spans("agent", _talks(reading), taped),
        *_spans("hold", _holds(reading), taped),
        *_spans("mute", _mutes(reading), taped),
    ]
    for at, kind, source, target in transfers.read(reading):
        marks.append(Mark(kind, _place(taped, at), None, source, target))
    return tuple(sorted(marks, key=lambda mark: (mark.at, mark.kind, mark.who))[:MOST])


def _recorder(reading: "Reading") -> Channel | None:
    """The channel that is recorded: our files are named by it, others are the citizen's."""
    if not reading.call.recordings:
        return None
    name = min(reading.call.recordings)[2]
    named = [one for one in reading.call.channels.values() if name.startswith(f"rec-{one.uniqueid}.")]
    return next(iter(named or reading.citizens), None)


def _taped(reading: "Reading", recorder: Channel) -> list[Span]:
    """When the recorder wrote: while its channel was connected, from its start on."""
    start = min(stamp for _, stamp, _ in reading.call.recordings)
    stays = union(
        span for stay in recorder.stays.values() for span in stay_spans(stay, recorder, reading.now)
    )
    return [(max(begin, start), end) for begin, end in stays if end > start]


def _place(taped: list[Span], at: float) -> float:
    """Seconds of the recording before the instant `at`."""
    return round(sum(min(end, at) - begin for begin, end in taped if begin < at), 1)


def _spans(kind: str, found: Iterable[tuple[str, Span]], taped: list[Span]) -> Iterable[Mark]:
    for who, (begin, end) in found:
        at, until = _place(taped, begin), _place(taped, end)
        if until - at >= SHORT:
            yield Mark(kind, at, until, who)
        elif kind == "hold" and end - begin >= SHORT:  # held out of every bridge: not on the tape
            yield Mark(kind, at, None, who)


def _talks(reading: "Reading") -> list[tuple[str, Span]]:
    return [
        (agent, span)
        for agent, channels in reading.agents.items()
        for span in union(span for channel in channels for span in reading.talk(channel))
    ]


def _holds(reading: "Reading") -> list[tuple[str, Span]]:
    by_console = [span for citizen in reading.citizens for span in held_spans(citizen, reading.now)]
    return [
        (agent, span)
        for agent, channels in reading.agents.items()
        for channel in channels
        for span in cut(
            [*pair(channel.holds, channel.unholds, reading.now), *by_console], reading.talk(channel)
        )
    ]


def _mutes(reading: "Reading") -> list[tuple[str, Span]]:
    """A recorder that was muted and never again let hear stays mute to the end."""
    end = reading.ended or reading.now
    return [
        ("", span)
        for channel in reading.call.channels.values()
        for span in pair(channel.mutes, channel.unmutes, end)
    ]
