"""What the simulated PBX is made of: channels, bridges, queues and their members."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    26: "Answered elsewhere",
    34: "Circuit/channel congestion",
}
# Device state → the number QueueMemberStatus carries for it.
STATUS = {"NOT_INUSE": 1, "INUSE": 2, "RINGING": 6, "RINGINUSE": 7, "ONHOLD": 8}
UNKNOWN = "<unknown>"


@dataclass(frozen=True)
class Did:
    """One number citizens dial and what its dialplan does."""

    exten: str
    queue: str
    max_wait: float = 60.0  # seconds before the queue gives up
    greeting: bool = False  # menu event, recording and survey, as the hotline's own number has
    reports_result: bool = False  # a UserEvent says why the queue was left
    shipped: bool = False  # the dialplan we ship: mailbox, two questions after the call, states by keys


@dataclass(frozen=True)
class QueueConfig:
    """A queue of queues.conf; times in seconds."""

    name: str
    members: tuple[str, ...] = ()
    strategy: str = "rrmemory"
    timeout: float = 15.0
    retry: float = 1.0
    wrapup: float = 0.0
    service_level: int = 15
    ring_in_use: bool = False


@dataclass(frozen=True)
class PbxConfig:
    """What a simulated PBX is configured with."""

    queues: tuple[QueueConfig, ...]
    dids: tuple[Did, ...]
    version: str = "22"
    trunk: str = "trunk"
    channel_variables: tuple[str, ...] = ("TICKETREF", "HOTLINE")
    system_name: str = ""
    odd_share: float = 0.02  # how often events come in one of the less usual orders


@dataclass(eq=False)
class Bridge:
    """Where channels hear each other."""

    uniqueid: str
    technology: str = "simple_bridge"
    kind: str = "basic"
    creator: str = "<unknown>"
    channels: list["Channel"] = field(default_factory=list)


@dataclass(eq=False)
class Channel:
    """One leg of a call."""

    name: str
    endpoint: str
    uniqueid: str
    linkedid: str
    number: str
    display: str
    context: str
    exten: str
    created: float
    priority: int = 1
    state: int = 0
    connected_number: str = UNKNOWN
    connected_name: str = UNKNOWN
    variables: dict[str, str] = field(default_factory=dict)
    application: str = ""
    application_data: str = ""
    bridge: Bridge | None = None
    held: bool = False
    gone: bool = False


@dataclass(eq=False)
class Member:
    """One agent's place in one queue."""

    queue: str
    interface: str
    name: str
    membership: str = "static"
    penalty: int = 0
    calls_taken: int = 0
    last_call: int = 0
    last_pause: int = 0
    login_time: int = 0
    in_call: bool = False
    paused: bool = False
    reason: str = ""
    ring_in_use: bool = False
    busy_until: float = 0.0  # monotonic end of the queue's wrapuptime
    turn: int = 0  # when it was last rung, for rrmemory

    @property
    def extension(self) -> str:
        return self.interface.partition("/")[2]


@dataclass(eq=False)
class Queue:
    """A queue as it stands."""

    config: QueueConfig
    members: dict[str, Member] = field(default_factory=dict)
    hold_time: int = 0
    talk_time: int = 0
    completed: int = 0
    abandoned: int = 0
    in_level: int = 0

    @property
    def name(self) -> str:
        return self.config.name

    def answered_after(self, seconds: int) -> None:
        """Count an answered call; the average forgets as Asterisk's does (a quarter per call)."""
        self.completed += 1
        self.in_level += seconds <= self.config.service_level
        self.hold_time = (3 * self.hold_time + seconds) >> 2

    def talked(self, seconds: int) -> None:
        self.talk_time = (3 * self.talk_time + seconds) >> 2


def variables_of(names: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    """The `NAME=value` texts of ChanVariable headers."""
    return [f"{name}={values.get(name, '')}" for name in names]
