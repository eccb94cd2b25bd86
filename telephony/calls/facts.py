"""What is known of channels and calls: sets and earliest stamps, so that order and repeats do not matter.

Stamps are the PBX's, in seconds since 1970 UTC.
"""

import re
from dataclasses import dataclass, field

# Channels Asterisk makes for itself: announcers, recorders, and the stand-ins of a masquerade.
HELPERS = (
    "CBAnn/", "CBRec/", "Announcer/", "Recorder/", "Surrogate/", "AsyncGoto/", "Bridge/", "Message/",
    "UnicastRTP/", "MulticastRTP/", "Snoop/", "OutgoingSpoolFailed",
)  # fmt: skip
MASQUERADE = ("<MASQ>", "<ZOMBIE>")
EPOCH_IN_ID = re.compile(r"(?:^|-)(\d{9,10})\.\d+$")


def earliest(known: float | None, stamp: float) -> float:
    """The smaller of a stamp and what was known."""
    return stamp if known is None or stamp < known else known


def split_name(name: str) -> tuple[str, str]:
    """`PJSIP/trunk-0000002a` → technology and endpoint; `Local/1002@x-1;2` → Local and 1002."""
    technology, _, rest = name.partition("/")
    if technology == "Local":
        return technology, rest.partition("@")[0]
    return technology, rest.rpartition("-")[0] or rest


def is_helper(name: str) -> bool:
    """True for channels that are nobody's telephone."""
    return name.startswith(HELPERS) or name.endswith(MASQUERADE)


def born_at(uniqueid: str) -> float | None:
    """The second in which a channel was made, which Asterisk writes into its Uniqueid."""
    match = EPOCH_IN_ID.search(uniqueid)
    return float(match[1]) if match else None


def looks_public(number: str) -> bool:
    """True for a number of the telephone network rather than an extension."""
    return len(number.lstrip("+")) >= 7 and number.lstrip("+").isdigit()


@dataclass(slots=True)
class Stay:
    """One channel in one bridge."""

    enters: set[float] = field(default_factory=set)
    leaves: set[float] = field(default_factory=set)
    conference: bool = False


@dataclass(slots=True)
class QueueFacts:
    """What happened between a channel and one queue."""

    joins: set[float] = field(default_factory=set)
    leaves: set[float] = field(default_factory=set)
    abandons: set[float] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Channel:
    """One leg of a call as the PBX sees it."""

    uniqueid: str
    name: str
    call: "Call" = field(repr=False)  # taken away when the call is forgotten
    seen: float  # earliest stamp of anything about it
    technology: str = ""
    endpoint: str = ""
    links: dict[str, float] = field(default_factory=dict)  # Linkedid → earliest stamp
    incoming: bool | None = None  # it rang at the PBX; None when its birth was not seen
    dialled: bool = False  # the PBX called it
    ringing: float | None = None
    up: float | None = None
    ended: float | None = None
    lost: bool = False  # its end was not seen, only its absence
    asked: float | None = None  # its side hung up
    soft: float | None = None  # the PBX began to hang it up
    dial_over: float | None = None
    dial_statuses: set[str] = field(default_factory=set)
    missed: bool = False  # it rang as long as the queue lets it, and nobody answered
    causes: set[str] = field(default_factory=set)
    number: tuple[float, str] | None = None
    label: tuple[float, str] | None = None
    exten: tuple[float, str] | None = None
    aimed: str = ""  # the public number the PBX dialled to make it
    queues: dict[str, QueueFacts] = field(default_factory=dict)
    statuses: set[tuple[float, str]] = field(default_factory=set)  # QUEUESTATUS
    connects: set[float] = field(default_factory=set)  # AgentConnect as the caller
    stays: dict[str, Stay] = field(default_factory=dict)
    holds: set[float] = field(default_factory=set)
    unholds: set[float] = field(default_factory=set)
    mutes: set[float] = field(default_factory=set)  # its recorder, for privacy
    unmutes: set[float] = field(default_factory=set)
    helds: set[float] = field(default_factory=set)  # the console put it on hold, out of every bridge
    spying: bool = False
    confirmed: int = 0  # number of the last snapshot that listed it

    def __post_init__(self) -> None:
        self.technology, self.endpoint = split_name(self.name)

    def queue(self, name: str) -> QueueFacts:
        """Its dealings with one queue."""
        return self.queues.setdefault(name, QueueFacts())

    @property
    def called(self) -> bool:
        """The PBX made this channel to reach somebody, rather than somebody reaching the PBX."""
        return self.dialled or self.incoming is False

    @property
    def partial(self) -> bool:
        """Its beginning was not seen."""
        return self.incoming is None

    @property
    def is_local(self) -> bool:
        return self.technology == "Local"

    @property
    def first_link(self) -> str:
        """The Linkedid it was born with: transfers give it others."""
        if len(self.links) == 1:
            return next(iter(self.links))
        return min(self.links, key=lambda link: (self.links[link], link), default=self.uniqueid)


@dataclass(slots=True, eq=False)
class Call:
    """Everything that belongs together: by Linkedid, by a shared bridge, by a transfer."""

    channels: dict[str, Channel] = field(default_factory=dict)
    links: dict[str, float] = field(default_factory=dict)
    completes: set[tuple[float, str, str]] = field(default_factory=set)  # stamp, channel, reason
    handovers: set[tuple[float, str, str, str, str]] = field(default_factory=set)  # …, kind, from, to, or
    recordings: set[tuple[int, float, str]] = field(default_factory=set)  # 1: a guessed name
    surveys: set[tuple[float, str]] = field(default_factory=set)
    solved: set[tuple[float, bool]] = field(default_factory=set)
    asked: float | None = None  # when the survey began
    voicemails: set[tuple[float, str, int]] = field(default_factory=set)  # stamp, file, bytes
    sent: set[tuple[float, str]] = field(default_factory=set)  # the dialplan of transfers: stamp, target
    refused: bool = False  # sent away by the list of harassment
    originated: set[str] = field(default_factory=set)  # extensions our Originates aimed at
    last: float = 0.0

    def absorb(self, other: "Call") -> None:
        """Take over everything `other` knows."""
        for channel in other.channels.values():
            channel.call = self
        self.channels |= other.channels
        for link, stamp in other.links.items():
            self.links[link] = earliest(self.links.get(link), stamp)
        for attribute in ("completes", "handovers", "recordings", "surveys", "solved", "voicemails", "sent"):
            getattr(self, attribute).update(getattr(other, attribute))
        self.originated |= other.originated
        self.refused = self.refused or other.refused
        if other.asked is not None:
            self.asked = earliest(self.asked, other.asked)
        self.last = max(self.last, other.last)
        other.channels = {}  # whoever still holds it finds nothing in it
