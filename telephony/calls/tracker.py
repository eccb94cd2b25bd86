"""AMI events → facts. One handler per event; each notes what the event proves and decides nothing."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from telephony.ami.frames import Interest
from telephony.ami.messages import AmiEvent
from telephony.calls.facts import (
    Call,
    Channel,
    Stay,
    born_at,
    earliest,
    is_helper,
    looks_public,
    split_name,
)
from telephony.calls.roster import Roster

UNKNOWN = {"", "<unknown>"}
FAILED_ORIGINATES = 200
SPIES = "spy-"  # our ChannelIds of telephones that listen in
# Ids of finished calls whose late events are passed over; `resync.unseen` asks the database besides.
REMEMBERED = 5_000


class Keys(NamedTuple):
    """Header names of one channel inside an event; Dest…, Transferer… and so on differ by prefix."""

    channel: str
    uniqueid: str
    linkedid: str
    number: str
    label: str
    exten: str
    state: str


def keys(prefix: str) -> Keys:
    names = ("Channel", "Uniqueid", "Linkedid", "CallerIDNum", "CallerIDName", "Exten", "ChannelStateDesc")
    return Keys(*(prefix + name for name in names))


MAIN, DEST = keys(""), keys("Dest")
PARTIES = [keys(p) for p in ("OrigTransferer", "SecondTransferer", "Transferee", "TransferTarget")]


class Tracker:
    """The calls of one PBX. `trunks` are the endpoints behind which the citizens are.

    `infer_trunks` also takes an endpoint for a trunk that brought in a call from a public number and
    is no telephone of ours: for streams of sites whose configuration is not at hand.
    """

    def __init__(self, trunks: Iterable[str] = ("trunk",), *, infer_trunks: bool = False) -> None:
        self.trunks = frozenset(trunks)
        self.infer_trunks = infer_trunks
        self.now = 0.0  # the latest stamp seen
        self.roster = Roster()
        self.tells_requests = False  # hangup requests are not filtered out
        self.dirty: dict[int, Call] = {}
        self._channels: dict[str, Channel] = {}
        self._calls: dict[str, Call] = {}  # by Linkedid
        self._bridges: dict[str, set[str]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()  # a dict is slow to drop its oldest
        self._failed: OrderedDict[tuple[float, str, str], None] = OrderedDict()
        self._expected: dict[str, Call] = {}  # our ChannelIds of those we call into a call
        self._snapshot = 0
        self._snapshot_at = 0.0

    def apply(self, event: AmiEvent) -> None:
        """Note what `event` proves. Applying it again, late or early, changes nothing."""
        handler = HANDLERS.get(event.name)
        if handler is None:
            return
        stamp = event.stamp
        if stamp is None:
            stamp = self.now
        elif stamp > self.now:
            self.now = stamp
        handler(self, event, stamp)

    def calls(self) -> set[Call]:
        """Every call that is still known."""
        return set(self._calls.values())

    def is_trunk(self, channel: Channel) -> bool:
        """True when citizens are behind this channel."""
        endpoint = channel.endpoint
        if endpoint in self.trunks or f"{channel.technology}/{endpoint}" in self.trunks:
            return True
        if not self.infer_trunks or channel.called or channel.is_local or endpoint.isdigit():
            return False
        return looks_public(channel.number[1] if channel.number else "") and (
            endpoint not in self.roster.endpoints
        )

    def expect(self, uniqueid: str, call: Call) -> None:
        """A channel with this id of ours will belong to `call` from its birth on."""
        self._expected[uniqueid] = call

    def call_of(self, link: str) -> Call | None:
        """The call with this Linkedid, or session key."""
        return self._calls.get(link)

    def channel_of(self, uniqueid: str) -> Channel | None:
        """A channel that is followed."""
        return self._channels.get(uniqueid)

    def in_use(self, extension: str) -> bool:
        """Whether the telephone of an extension rings or talks; listening in does not count."""
        own = (c for c in self._channels.values() if c.endpoint == extension and not c.spying)
        return any(channel.ended is None for channel in own)

    def listeners(self, extension: str) -> list[Channel]:
        """Channels on which the telephone of an extension listens in."""
        own = (c for c in self._channels.values() if c.endpoint == extension and c.spying)
        return [channel for channel in own if channel.ended is None]

    def knows(self, uniqueid: str) -> bool:
        """True for a channel that is followed, or was until lately."""
        return uniqueid in self._channels or uniqueid in self._gone

    def finished(self, before: float) -> list[Call]:
        """Calls whose channels are all gone and of which nothing was heard since `before`."""
        return [
            call
            for call in self.calls()
            if call.last < before
            and id(call) not in self.dirty
            and all(channel.ended is not None for channel in call.channels.values())
        ]

    def forget(self, call: Call) -> None:
        """Drop a finished call; its late events are passed over."""
        for uniqueid, channel in call.channels.items():
            self._channels.pop(uniqueid, None)
            self._gone[uniqueid] = None
            # No circle is left: what is over is given back now, not by the collector's search of the old.
            del channel.call
            for bridge in channel.stays:
                members = self._bridges.get(bridge)
                if members is not None:
                    members.discard(uniqueid)
                    if not members:
                        del self._bridges[bridge]
        for link in call.links:
            if self._calls.get(link) is call:
                del self._calls[link]
            self._gone[link] = None
        for uniqueid in [one for one, awaited in self._expected.items() if awaited is call]:
            del self._expected[uniqueid]  # a telephone we called into it, and the PBX never did
        self.dirty.pop(id(call), None)
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    # --- finding and joining ------------------------------------------------------------------

    def touch(self, event: AmiEvent, names: Keys, stamp: float) -> Channel | None:
        """The channel an event speaks of, made known if it was not; None for helpers and the past."""
        uniqueid = event.get(names.uniqueid)
        if not uniqueid or uniqueid == "<unknown>":
            return None
        channel = self._channels.get(uniqueid)
        link = event.get(names.linkedid)
        if channel is None:
            channel = self._create(uniqueid, event.get(names.channel), link, stamp)
            if channel is None:
                return None
        elif stamp < channel.seen:
            channel.seen = stamp
        if link and stamp < channel.links.get(link, 1e12):
            self._link(channel, link, stamp)
        self._describe(channel, event, names, stamp)
        call = channel.call
        if stamp > call.last:
            call.last = stamp
        self.dirty[id(call)] = call
        return channel

    def _create(self, uniqueid: str, name: str, link: str, stamp: float) -> Channel | None:
        if uniqueid in self._gone or link in self._gone or is_helper(name) or not name:
            return None
        call = self._expected.pop(uniqueid, None) or self._calls.get(link or uniqueid)
        if call is None:
            call = Call()
            self._calls[link or uniqueid] = call
            call.links[link or uniqueid] = stamp
        elif (link or uniqueid) not in self._calls:
            self._calls[link or uniqueid] = call
            call.links[link or uniqueid] = stamp
        channel = Channel(uniqueid, name, call, stamp)
        channel.spying = uniqueid.startswith(SPIES)
        call.channels[uniqueid] = channel
        self._channels[uniqueid] = channel
        return channel

    def _link(self, channel: Channel, link: str, stamp: float) -> None:
        channel.links[link] = stamp
        other = self._calls.get(link)
        if other is None:
            self._calls[link] = channel.call
        elif other is not channel.call:
            self._merge(channel.call, other)
        if self._calls[link] is channel.call:
            channel.call.links[link] = earliest(channel.call.links.get(link), stamp)

    def _describe(self, channel: Channel, event: AmiEvent, names: Keys, stamp: float) -> None:
        """Keep the earliest number, name and extension: later ones are the transfers' doing."""
        if channel.number is None or stamp < channel.number[0]:
            number = event.get(names.number)
            if number not in UNKNOWN:
                channel.number = (stamp, number)
        if channel.label is None or stamp < channel.label[0]:
            label = event.get(names.label)
            if label not in UNKNOWN:
                channel.label = (stamp, label)
        if channel.exten is None or stamp < channel.exten[0]:
            exten = event.get(names.exten)
            if exten not in UNKNOWN and exten != "s":
                channel.exten = (stamp, exten)

    def _merge(self, one: Call, two: Call) -> Call:
        """Make one call of two; two citizens who meet in a bridge keep a session each."""
        if one is two or (self._has_citizen(one) and self._has_citizen(two)):
            return one
        if len(two.channels) > len(one.channels):
            one, two = two, one
        one.absorb(two)
        for link in two.links:
            self._calls[link] = one
        self.dirty.pop(id(two), None)
        self.dirty[id(one)] = one
        return one

    def _has_citizen(self, call: Call) -> bool:
        return any(self.is_trunk(channel) and not channel.called for channel in call.channels.values())

    def join(self, one: Channel, two: Channel) -> None:
        """A transfer tied these two together."""
        self._merge(one.call, two.call)

    def rename(self, uniqueid: str, name: str, stamp: float) -> None:
        """A masquerade gave a channel another name."""
        channel = self._channels.get(uniqueid)
        if channel is not None and not is_helper(name) and stamp >= channel.seen:
            channel.name = name
            channel.technology, channel.endpoint = split_name(name)

    def note_failed_originate(self, stamp: float, name: str, exten: str) -> None:
        """An Originate to an endpoint such as `PJSIP/1001` failed; its channel is found by `aim_of`."""
        self._failed[(stamp, name, exten)] = None
        while len(self._failed) > FAILED_ORIGINATES:
            self._failed.popitem(last=False)
        for channel in self._channels.values():
            if channel.name.startswith(f"{name}-"):
                self.dirty[id(channel.call)] = channel.call

    def aim_of(self, channel: Channel) -> str | None:
        """Where a failed Originate that ended together with `channel` was to lead."""
        if channel.up is not None or channel.ended is None or not channel.called:
            return None
        for stamp, name, exten in self._failed:
            if channel.name.startswith(f"{name}-") and abs(channel.ended - stamp) < 0.5:
                return exten
        return None

    # --- snapshots ----------------------------------------------------------------------------

    def begin_snapshot(self) -> None:
        """The PBX said "state unknown": what the next list of channels does not name has ended."""
        self._snapshot += 1
        self._snapshot_at = self.now

    def end_snapshot(self) -> None:
        """The list is complete: channels from before it that it does not name are over."""
        started = self._snapshot_at
        for channel in self._channels.values():
            known_before = channel.seen <= started
            if channel.ended is None and known_before and channel.confirmed < self._snapshot:
                channel.ended, channel.lost = started, True
                self.dirty[id(channel.call)] = channel.call

    def confirm(self, event: AmiEvent) -> Channel | None:
        """A line of the list of channels."""
        born = born_at(event.get("Uniqueid"))
        if born is not None:
            hours, minutes, seconds = (int(part) for part in event.get("Duration", "0:0:0").split(":"))
            self.now = max(self.now, born + hours * 3600 + minutes * 60 + seconds)
        channel = self.touch(event, MAIN, self.now)
        if channel is None:
            return None
        channel.confirmed = self._snapshot
        if channel.partial and born is not None:
            channel.seen = min(channel.seen, born)
        bridge = event.get("BridgeId")
        for other, stay in channel.stays.items():
            if other != bridge and stay.enters and max(stay.enters) > max(stay.leaves, default=0.0):
                stay.leaves.add(self.now)
        if bridge and bridge not in channel.stays:
            self.enter(channel, bridge, self.now)
        return channel

    def enter(self, channel: Channel, bridge: str, stamp: float, *, conference: bool = False) -> None:
        """`channel` is in `bridge` from `stamp` on; whoever else is there belongs to the same call."""
        stay = channel.stays.get(bridge)
        if stay is None:
            stay = channel.stays[bridge] = Stay()
        stay.enters.add(stamp)
        stay.conference = stay.conference or conference
        members = self._bridges.setdefault(bridge, set())
        members.add(channel.uniqueid)
        for uniqueid in members:
            other = self._channels.get(uniqueid)
            if other is not None and other.call is not channel.call:
                self._merge(channel.call, other.call)

    def leave(self, channel: Channel, bridge: str, stamp: float) -> None:
        """`channel` was in `bridge` until `stamp`."""
        stay = channel.stays.get(bridge)
        if stay is None:
            stay = channel.stays[bridge] = Stay()
        stay.leaves.add(stamp)
        self._bridges.get(bridge, set()).discard(channel.uniqueid)

    def who(self, name: str, number: str = "") -> str:
        """An extension or public number for a channel's name."""
        technology, endpoint = split_name(name)
        if technology != "Local" and (endpoint in self.trunks or f"{technology}/{endpoint}" in self.trunks):
            return number
        return endpoint


Handler = Callable[[Tracker, AmiEvent, float], None]
HANDLERS: dict[str, Handler] = {}
# Variables that prove something; the rest of an unfiltered stream's VarSets is not even parsed.
VARIABLES = {b"QUEUESTATUS", b"MIXMONITOR_FILENAME"}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler for these events."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register


def interest() -> Interest:
    """What the tracker wants parsed."""
    return Interest({name.encode() for name in HANDLERS}, VARIABLES)
