"""What telephony tells the other rooms. Ids and codes only; numbers and names stay in the vault.

Each event is emitted once per transition of a session, in the transaction that stores it.
"""

from dataclasses import dataclass
from datetime import datetime

from core.events import Audience, Event, LiveEvent, LiveNote
from telephony.calls.course import Course

FLOOR = ("floor.read",)
PBX_WATCHERS = ("call.take", "floor.read")


def _note(
    kind: str, ref: int, version: int, users: tuple[int | None, ...], **data: str | int | None
) -> LiveNote:
    audience = Audience(users=tuple(user for user in users if user is not None), permissions=FLOOR)
    return LiveNote("call", kind, ref, version, audience, data)


@dataclass(frozen=True)
class CallQueued(LiveEvent):
    """A citizen entered a queue."""

    session_id: int
    queue: str
    version: int = 0

    @property
    def live(self) -> LiveNote:
        return _note("queued", self.session_id, self.version, (), queue=self.queue)


@dataclass(frozen=True)
class CallRinging(LiveEvent):
    """An agent's telephone began to ring for this session."""

    session_id: int
    pbx: str
    extension: str
    user_id: int | None
    queue: str | None
    version: int
    direction: str = "inbound"

    @property
    def live(self) -> LiveNote:
        data = {"extension": self.extension, "queue": self.queue, "direction": self.direction}
        return _note("ringing", self.session_id, self.version, (self.user_id,), **data)


@dataclass(frozen=True)
class CallRingStopped(LiveEvent):
    """A telephone that rang rings no more: answered here or elsewhere, missed, or given up."""

    session_id: int
    extension: str
    user_id: int | None
    version: int = 0

    @property
    def live(self) -> LiveNote:
        return _note("ring_stopped", self.session_id, self.version, (self.user_id,), extension=self.extension)


@dataclass(frozen=True)
class CallAnswered(LiveEvent):
    """The first agent talks with the citizen. Once per session: this is what makes a draft."""

    session_id: int
    pbx: str
    extension: str
    user_id: int | None
    caller_ref: int | None
    version: int
    direction: str = "inbound"

    @property
    def live(self) -> LiveNote:
        data = {"extension": self.extension, "direction": self.direction}
        return _note("answered", self.session_id, self.version, (self.user_id,), **data)


@dataclass(frozen=True)
class CallJoined(LiveEvent):
    """A further agent talks with the citizen: after a transfer, or as a third party."""

    session_id: int
    extension: str
    user_id: int | None
    version: int

    @property
    def live(self) -> LiveNote:
        return _note("joined", self.session_id, self.version, (self.user_id,), extension=self.extension)


@dataclass(frozen=True)
class CallAbandoned(LiveEvent):
    """The citizen hung up while waiting in a queue; `queued_at` is in ISO 8601, UTC."""

    session_id: int
    caller_ref: int | None
    queued_at: str
    version: int = 0

    @property
    def live(self) -> LiveNote:
        return _note("abandoned", self.session_id, self.version, ())


@dataclass(frozen=True)
class CallEnded(LiveEvent):
    """The session is over; nothing of it changes any more but its survey and recording."""

    session_id: int
    outcome: str
    user_ids: tuple[int, ...]
    version: int
    direction: str = "inbound"

    @property
    def live(self) -> LiveNote:
        return _note("ended", self.session_id, self.version, self.user_ids, outcome=self.outcome)


@dataclass(frozen=True)
class VoicemailLeft(LiveEvent):
    """A call reached the mailbox and is over; what was left there, if anything, is in its row."""

    session_id: int
    version: int

    @property
    def live(self) -> LiveNote:
        return _note("voicemail", self.session_id, self.version, ())


@dataclass(frozen=True)
class DialFailed(Event):
    """A call ordered from a page came to nothing before there was a call; `why` is a code."""

    order_id: int
    object_type: str
    object_id: int
    user_id: int
    why: str


@dataclass(frozen=True)
class PbxChanged(LiveEvent):
    """A PBX came, went, or a gap in what we know of its calls opened or closed."""

    pbx: str
    connected: bool
    gap_open: bool

    @property
    def live(self) -> LiveNote:
        data = {"pbx": self.pbx, "connected": self.connected, "gap_open": self.gap_open}
        return LiveNote("pbx", "changed", 0, 0, Audience(permissions=PBX_WATCHERS), data)


@dataclass(frozen=True)
class AgentsMoved(LiveEvent):
    """Telephones signed in or out of the queues, were paused or are ready again: look at them anew."""

    pbx: str
    count: int

    @property
    def live(self) -> LiveNote:
        data = {"pbx": self.pbx, "count": self.count}
        return LiveNote("call", "agents", 0, 0, Audience(permissions=FLOOR), data)


@dataclass(frozen=True)
class LegMoved:
    """One telephone in a session: its course by the PBX's stamps, or only that it has left it."""

    session_id: int
    version: int
    extension: str
    direction: str
    queue: str | None
    course: Course | None
    over: datetime | None = None


@dataclass(frozen=True)
class LegsMoved(Event):
    """Sessions were written: how the agents' telephones stand in them. Not for screens."""

    pbx: str
    legs: tuple[LegMoved, ...]


@dataclass(frozen=True)
class AgentMoved(LiveEvent):
    """An agent stands differently, or something about it is different: look at it anew.

    `clicked`: somebody asked for it on a page and waits for the PBX to know.
    """

    user_id: int
    extension: str
    state: str
    reason: str | None
    version: int
    pbx: str
    clicked: bool = False

    @property
    def live(self) -> LiveNote:
        audience = Audience(users=(self.user_id,), permissions=FLOOR)
        data = {"extension": self.extension, "state": self.state, "reason": self.reason}
        return LiveNote("agent", "state", self.user_id, self.version, audience, data)
