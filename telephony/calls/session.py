"""Facts → what happened: who called, who talked how long, how it ended. One pass over one call."""

from dataclasses import dataclass, field

from telephony.calls import course, outcome, transfers
from telephony.calls.course import UNSEEN, Course
from telephony.calls.facts import Call, Channel, looks_public
from telephony.calls.lazy import lazy
from telephony.calls.marks import Mark, read_marks
from telephony.calls.spans import Span, cut, held_spans, length, pair, stay_spans, together, union
from telephony.calls.tracker import Tracker

STAMPS_DIFFER = 0.05  # seconds by which neighbouring events may be out of order
HOLD_FOLLOWS = 1.0  # seconds between the end of a talk in a bridge and the hold that ended it


@dataclass(frozen=True)
class Leg:
    """One agent's telephone: seconds it rang, talked (hold included) and held, and who ended it."""

    agent: str
    state: str  # ringing talking ended
    ring_seconds: float
    talk_seconds: float
    hold_seconds: float
    ended_by: str | None
    rang_at: float | None  # begin of its latest ringing
    answered_at: float | None  # begin of its first talk
    ended_at: float | None
    missed: int = 0  # rings that nobody answered in time
    course: Course = UNSEEN


@dataclass(frozen=True)
class Transfer:
    """The citizen went from one agent to another, to a queue, or into a conference."""

    kind: str  # blind attended redirect conference
    source: str
    target: str


@dataclass(frozen=True)
class Session:
    """One citizen's call. Stamps are the PBX's, seconds since 1970 UTC."""

    key: str
    direction: str
    caller: str | None  # as the PBX gave it
    caller_name: str | None
    did: str | None
    state: str
    outcome: str
    queues: tuple[str, ...]
    legs: tuple[Leg, ...]
    transfers: tuple[Transfer, ...]
    wait_seconds: float | None
    linkedids: tuple[str, ...]
    recording: str | None
    survey: str | None
    started: float
    queued: float | None
    answered: float | None
    ended: float | None
    citizen: str  # Uniqueid of the citizen's channel, by which queue_log speaks of the call
    marks: tuple[Mark, ...] = ()  # of its recording, once it has ended
    partial: bool = False  # its beginning was not seen
    lost: bool = False  # its end was not seen
    survey_solved: bool | None = None
    survey_asked: float | None = None
    voicemail: str | None = None  # the file of the message he left
    voicemail_bytes: int = 0
    refused: bool = False  # taken out of the queue by us; queue_log calls it abandoned

    @property
    def absorbed(self) -> tuple[str, ...]:
        """Keys of what may have been told as sessions before they turned out to be part of this one."""
        return tuple(link for link in self.linkedids if link != self.key)


@dataclass
class Reading:
    """A call's channels sorted by the part they play."""

    call: Call
    tracker: Tracker
    now: float
    _talk: dict[str, list[Span]] = field(default_factory=dict)

    @lazy
    def trunks(self) -> list[Channel]:
        found = [c for c in self.call.channels.values() if self.tracker.is_trunk(c)]
        return sorted(found, key=lambda c: (c.seen, c.uniqueid))

    @lazy
    def origin(self) -> Channel | None:
        """The channel on which a citizen reached us."""
        return next((c for c in self.trunks if not c.called), None)

    @lazy
    def phones(self) -> list[Channel]:
        """Agents' telephones, first come first; a listening supervisor takes no part in the call."""
        found = [
            c
            for c in self.call.channels.values()
            if not c.is_local and not c.spying and not self.tracker.is_trunk(c)
        ]
        return sorted(found, key=lambda c: (c.seen, c.uniqueid))

    @lazy
    def direction(self) -> str:
        if self.origin is not None:
            return "inbound"
        if self.trunks or self.dialled_out:
            return "outbound"
        return "internal"

    @lazy
    def dialled_out(self) -> list[str]:
        """Public numbers that our Originates aimed at."""
        aims = {self.tracker.aim_of(phone) for phone in self.phones} | self.call.originated
        return sorted(aim for aim in aims if aim and looks_public(aim))

    @lazy
    def citizens(self) -> list[Channel]:
        """Who the agents talk with: the citizen, or for an internal call the telephone that called."""
        if self.origin is not None:
            return [self.origin]
        return self.trunks or (self.phones[:1] if self.direction == "internal" else [])

    @lazy
    def agents(self) -> dict[str, list[Channel]]:
        """Telephones by extension."""
        found: dict[str, list[Channel]] = {}
        for channel in self.phones:
            found.setdefault(channel.endpoint, []).append(channel)
        return found

    @lazy
    def started(self) -> float:
        """When the citizen reached us; of any other call, when its first channel was made."""
        parties = self.trunks[:1] if self.origin is not None else [*self.trunks, *self.phones]
        return min(channel.seen for channel in parties)

    @lazy
    def ended(self) -> float | None:
        """When the citizen was gone; without a citizen, when the last telephone was."""
        parties = [self.origin] if self.origin is not None else [*self.trunks, *self.phones]
        ends = [channel.ended for channel in parties]
        return None if None in ends or not ends else max(end for end in ends if end is not None)

    @lazy
    def key(self) -> str:
        channel = self.origin or next(iter([*self.trunks, *self.phones]))
        return channel.first_link

    def talk(self, channel: Channel) -> list[Span]:
        """When `channel` was in a bridge with the citizen."""
        spans = self._talk.get(channel.uniqueid)
        if spans is None:
            others = self.citizens
            if self.direction == "internal":
                others = [c for c in self.phones if c.endpoint != channel.endpoint]
            spans = union(s for other in others for s in together(channel, other, self.now))
            spans = spans or union(s for other in others for s in self._through_local(channel, other))
            spans = union([*spans, *self._kept_on_hold(channel, spans)])
            self._talk[channel.uniqueid] = spans
        return spans

    def _kept_on_hold(self, channel: Channel, spans: list[Span]) -> list[Span]:
        """The console's hold takes the citizen out of the bridge; whose talk it interrupts still has him.

        Such a stretch begins where the talk broke off, so that both become one span.
        """
        found: list[Span] = []
        for citizen in self.citizens:
            for start, end in held_spans(citizen, self.now):
                last = channel.ended if channel.ended is not None else self.now
                before = [b for a, b in spans if a < start and -STAMPS_DIFFER < start - b < HOLD_FOLLOWS]
                if before and start < last:
                    found.append((min(start, *before), min(end, last)))
        return found

    def _through_local(self, channel: Channel, citizen: Channel) -> list[Span]:
        """Talk over a pair of Local channels that was never optimised away."""
        found: list[Span] = []
        for near in self.call.channels.values():
            if not near.is_local:
                continue
            stem = near.name.rpartition(";")[0]
            for far in self.call.channels.values():
                if far is not near and far.is_local and far.name.rpartition(";")[0] == stem:
                    found += cut(together(channel, near, self.now), together(far, citizen, self.now))
        return found

    @lazy
    def answered(self) -> float | None:
        """When the first agent and the citizen were connected."""
        talks = [span[0] for phone in self.phones for span in self.talk(phone)]
        connects = [stamp for channel in self.callers for stamp in channel.connects]
        completes = [stamp for stamp, _, _ in self.call.completes]  # when we came too late for the rest
        return min(talks + connects, default=min(completes, default=None))

    @lazy
    def callers(self) -> list[Channel]:
        """Channels that wait for the citizen: his own, or Local ones on his way into a queue.

        An agent who consults a queue waits there for himself.
        """
        return self.citizens + [channel for channel in self.call.channels.values() if channel.is_local]

    @lazy
    def queue_entries(self) -> list[tuple[float, str, Channel]]:
        """Each entry of a queue, in order."""
        entries = [
            (join, name, channel)
            for channel in self.callers
            for name, facts in channel.queues.items()
            for join in facts.joins
        ]
        return sorted(entries, key=lambda entry: entry[:2])

    @lazy
    def left_queues(self) -> float | None:
        """When the citizen left the last queue; None while still in one."""
        if not self.queue_entries:
            return None
        join, name, channel = self.queue_entries[-1]
        later = [stamp for stamp in channel.queues[name].leaves if stamp >= join]
        return min(later, default=self.ended)


def read_session(tracker: Tracker, call: Call) -> Session | None:
    """What `call` is as far as known; None for what is no call of anybody, such as listening in."""
    reading = Reading(call, tracker, tracker.now)
    if not reading.phones and not reading.trunks:
        return None
    if _is_tail(reading):
        return None
    moves = transfers.read(reading)
    legs = tuple(_leg(reading, agent, moves) for agent in reading.agents)
    legs = tuple(leg for leg in legs if leg.ring_seconds > 0 or leg.talk_seconds > 0 or leg.state != "ended")
    source = reading.citizens[0] if reading.citizens else reading.phones[0]
    queued = reading.queue_entries[0][0] if reading.queue_entries else None
    partial = source.partial
    message = max(call.voicemails, default=(0.0, None, 0))
    return Session(
        key=reading.key,
        direction=reading.direction,
        caller=_caller(reading),
        caller_name=source.label[1] if source.label and reading.direction == "inbound" else None,
        did=source.exten[1] if source.exten and reading.direction == "inbound" else None,
        state=_state(reading, legs),
        outcome=outcome.read(reading),
        queues=tuple(name for _, name, _ in reading.queue_entries),
        legs=legs,
        transfers=tuple(Transfer(kind, source, target) for _, kind, source, target in moves),
        wait_seconds=_wait(reading, queued, partial=partial),
        linkedids=tuple(sorted(call.links, key=lambda link: (call.links[link], link))),
        recording=min(call.recordings)[2] if call.recordings else None,
        survey=max(call.surveys)[1] if call.surveys else None,
        started=reading.started,
        queued=queued,
        answered=reading.answered,
        ended=reading.ended,
        citizen=source.uniqueid,
        marks=read_marks(reading),
        partial=partial,
        lost=source.lost,
        survey_solved=max(call.solved)[1] if call.solved else None,
        survey_asked=call.asked,
        voicemail=message[1],
        voicemail_bytes=message[2],
        refused=call.refused,
    )


def _is_tail(reading: Reading) -> bool:
    """Only the end of something that began before we looked, with nothing to tell what it was."""
    call = reading.call
    if not all(channel.partial and not channel.confirmed for channel in [*reading.phones, *reading.trunks]):
        return False
    told = call.completes or call.voicemails or any(c.stays or c.queues or c.connects for c in reading.trunks)
    return reading.direction == "internal" or not told


def _caller(reading: Reading) -> str | None:
    if reading.direction == "internal":
        return reading.phones[0].endpoint
    numbers = [channel.aimed for channel in reading.citizens if channel.aimed]
    numbers += [channel.number[1] for channel in reading.citizens if channel.number]
    return next(iter(numbers + reading.dialled_out), None)


def _wait(reading: Reading, queued: float | None, *, partial: bool) -> float | None:
    """From the first queue entry to the first answer or the end of waiting (domain.md §6)."""
    if queued is None:
        return None
    if reading.answered is not None:
        return None if partial else max(reading.answered - queued, 0.0)
    left = reading.left_queues
    return max((reading.now if left is None else left) - queued, 0.0)


def _state(reading: Reading, legs: tuple[Leg, ...]) -> str:
    if reading.ended is not None:
        return "ended"
    for state in ("talking", "ringing"):
        if any(leg.state == state for leg in legs):
            return state
    return "waiting" if reading.queue_entries and reading.left_queues is None else "ivr"


def _leg(reading: Reading, agent: str, moves: list[transfers.Move]) -> Leg:
    channels = reading.agents[agent]
    talk = union(span for channel in channels for span in reading.talk(channel))
    held = [span for channel in channels for span in cut(_holds(reading, channel), reading.talk(channel))]
    rings = [span for channel in channels if (span := ring_span(channel, reading)) is not None]
    state = _leg_state(channels, reading)
    ends = [channel.ended for channel in channels if channel.ended is not None]
    over = None if state != "ended" else (talk[-1][1] if talk else max(ends, default=None))
    return Leg(
        agent=agent,
        state=state,
        ring_seconds=length(rings),
        talk_seconds=length(talk),
        hold_seconds=length(union(held)),
        ended_by=outcome.ended_by(reading, agent, talk, moves) if state == "ended" else None,
        rang_at=max((start for start, _ in rings), default=None),
        answered_at=talk[0][0] if talk else None,
        ended_at=over,
        missed=sum(channel.missed for channel in channels),
        course=course.read(reading, channels),
    )


def _holds(reading: Reading, channel: Channel) -> list[Span]:
    """Holds by the telephone's own key and by the console."""
    by_console = [span for citizen in reading.citizens for span in held_spans(citizen, reading.now)]
    return [*pair(channel.holds, channel.unholds, reading.now), *by_console]


def ring_span(channel: Channel, reading: Reading) -> Span | None:
    """When a telephone rang; a race lost to a colleague (hangup cause 26) rang all the same."""
    if channel.ringing is None:
        return None
    ends = [s for s in (channel.up, channel.dial_over, channel.ended) if s is not None]
    end = min(ends, default=reading.now)
    return (channel.ringing, max(end, channel.ringing))


def _leg_state(channels: list[Channel], reading: Reading) -> str:
    alive = [channel for channel in channels if channel.ended is None and reading.ended is None]
    for channel in alive:
        open_stay = any(
            span[1] == reading.now
            for stay in channel.stays.values()
            if max(stay.enters, default=0.0) > max(stay.leaves, default=0.0)
            for span in stay_spans(stay, channel, reading.now)
        )
        if channel.up is not None and (open_stay or not channel.stays):
            return "talking"
    if any(c.ringing is not None and c.up is None and c.dial_over is None for c in alive):
        return "ringing"
    return "ended"
