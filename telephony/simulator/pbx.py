"""The simulated PBX: what exists in it, and the small steps every call is made of.

Each step changes the state and sends the events Asterisk sends for it. Which steps follow each
other is the business of the call flows.
"""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from core.clock import Clock
from telephony.simulator import events
from telephony.simulator.model import Bridge, Channel, Member, PbxConfig, Queue
from telephony.simulator.queue_log import QueueLog
from telephony.simulator.timeline import Timeline
from telephony.simulator.wire import Headers

Send = Callable[[Headers], None]


class Pbx:
    """State and primitive operations; `send` receives every event in order."""

    def __init__(self, config: PbxConfig, timeline: Timeline, seed: int, log: QueueLog, send: Send) -> None:
        self.config = config
        self.timeline = timeline
        self.clock: Clock = timeline.clock
        self.random = random.Random(seed)
        self.log = log
        self._send = send
        self.boot()

    def boot(self) -> None:
        """Start from nothing, as after `core restart now`: counters at zero, no channel, members back."""
        self.started = self.clock.now().timestamp()
        self.channels: dict[str, Channel] = {}
        self._of_endpoint: dict[str, list[Channel]] = {}
        self.queues: dict[str, Queue] = {}
        self.devices: dict[str, str] = {}
        self._calls = 0
        self._serial = 0
        self._turns = 0
        self._stamp = 0.0
        for config in self.config.queues:
            queue = Queue(config)
            for extension in config.members:
                self.add_member(queue, f"PJSIP/{extension}", name=f"Agent{extension}")
            self.queues[config.name] = queue
            self.devices[f"Queue:{config.name}"] = "NOT_INUSE"
            self.devices[f"Queue:{config.name}_avail"] = "NOT_INUSE"
        self.log.write(self.started, "NONE", "NONE", "NONE", "QUEUESTART")

    # --- time and sending

    def now(self) -> float:
        """Epoch seconds of the PBX's clock."""
        return self.clock.now().timestamp()

    def odd(self) -> bool:
        """Whether this time another thread of Asterisk is faster than usual."""
        return self.random.random() < self.config.odd_share

    def stamp(self) -> str:
        """The next event's time: microseconds apart, once in a thousand a little too early."""
        earliest = self._stamp + self.random.uniform(5e-6, 2e-4)
        self._stamp = max(self.now(), earliest)
        shown = self._stamp - 2e-4 if self.random.random() < 0.001 else self._stamp
        return f"{shown:.6f}"

    def emit(self, name: str, *parts: Headers) -> None:
        self._send(events.event(name, self.stamp(), *parts))

    def about(self, name: str, channel: Channel, *more: Headers) -> None:
        """An event about one channel."""
        self.emit(name, self.snap(channel), *more)

    def snap(self, channel: Channel | None, prefix: str = "") -> Headers:
        if channel is None:
            return []
        return events.snapshot(channel, self.config.channel_variables, prefix)

    # --- channels

    def new_channel(
        self,
        endpoint: str,
        number: str,
        display: str,
        context: str,
        exten: str = "s",
        *,
        state: int = 0,
        linkedid: str | None = None,
        uniqueid: str | None = None,
    ) -> Channel:
        """Newchannel; the first channel of a call lends its Uniqueid as Linkedid."""
        serial, self._calls = self._calls, self._calls + 1
        system = f"{self.config.system_name}-" if self.config.system_name else ""
        unique = uniqueid or f"{system}{int(self.now())}.{serial}"
        name = f"PJSIP/{endpoint}-{self._serial:08x}"
        self._serial += 1
        linked, now = linkedid or unique, self.now()
        channel = Channel(name, endpoint, unique, linked, number, display, context, exten, now, state=state)
        self.channels[name] = channel
        self._of_endpoint.setdefault(endpoint, []).append(channel)
        self.about("Newchannel", channel)
        return channel

    def set_state(self, channel: Channel, state: int) -> None:
        channel.state = state
        self.about("Newstate", channel)

    def connect_line(self, channel: Channel, number: str, name: str) -> None:
        """NewConnectedLine, sent only when it changes something."""
        if (channel.connected_number, channel.connected_name) != (number, name):
            channel.connected_number, channel.connected_name = number, name
            self.about("NewConnectedLine", channel)

    def hangup(self, channel: Channel, cause: int, tech: int | None = None) -> None:
        """The channel is gone."""
        channel.gone = True
        self.about("Hangup", channel, events.cause_part(cause, tech))
        self.channels.pop(channel.name, None)
        self._of_endpoint[channel.endpoint].remove(channel)

    def soft_hangup(self, channel: Channel) -> None:
        self.about("SoftHangupRequest", channel, [("Cause", "16")])

    # --- dialling and bridges

    def dial(self, name: str, caller: Channel | None, called: Channel, tail: tuple[str, str]) -> None:
        """DialBegin, DialState, DialEnd; an originated leg has no caller."""
        self.emit(name, self.snap(caller), self.snap(called, "Dest"), [tail])

    def of_endpoint(self, endpoint: str) -> list[Channel]:
        """The living channels of a telephone."""
        return list(self._of_endpoint.get(endpoint, []))

    def create_bridge(self, *, conference: bool = False) -> Bridge:
        bridge = Bridge(str(uuid.UUID(int=self.random.getrandbits(128), version=4)))
        if conference:
            bridge.technology, bridge.kind, bridge.creator = "softmix", "base", "ConfBridge"
        self.emit("BridgeCreate", events.bridge_part(bridge))
        return bridge

    def enter(self, bridge: Bridge, channel: Channel) -> None:
        bridge.channels.append(channel)
        channel.bridge = bridge
        self.emit("BridgeEnter", events.bridge_part(bridge), self.snap(channel))

    def leave(self, channel: Channel) -> None:
        """Leave the bridge, if in one."""
        bridge = channel.bridge
        if bridge is None:
            return
        bridge.channels.remove(channel)
        channel.bridge = None
        self.emit("BridgeLeave", events.bridge_part(bridge), self.snap(channel))

    def destroy(self, bridge: Bridge) -> None:
        self.emit("BridgeDestroy", events.bridge_part(bridge))

    # --- devices and queue members

    def device_state(self, endpoint: str) -> str:
        """What Asterisk makes of an endpoint's channels."""
        own = self._of_endpoint.get(endpoint, [])
        ringing = any(c.state == 5 for c in own)
        up = [c for c in own if c.state in (4, 6)]
        if ringing:
            return "RINGINUSE" if up else "RINGING"
        if not up:
            return "NOT_INUSE"
        return "ONHOLD" if all(c.held for c in up) else "INUSE"

    def set_device(self, device: str, state: str) -> bool:
        """DeviceStateChange, sent only on a change."""
        if self.devices.get(device, "NOT_INUSE") == state:
            return False
        self.devices[device] = state
        self.emit("DeviceStateChange", [("Device", device), ("State", state)])
        return True

    def refresh(self, endpoint: str) -> None:
        """Tell the endpoint's device state and, for an agent, its places in the queues."""
        state = self.device_state(endpoint)
        changed = self.set_device(f"PJSIP/{endpoint}", state)
        if not changed:
            return
        for member in self.places(f"PJSIP/{endpoint}"):
            self.emit("QueueMemberStatus", events.member_part(member, state))
            self._refresh_availability(self.queues[member.queue])

    def _refresh_availability(self, queue: Queue) -> None:
        free = any(self.can_ring(member) for member in queue.members.values())
        self.set_device(f"Queue:{queue.name}_avail", "NOT_INUSE" if free else "INUSE")

    def can_ring(self, member: Member) -> bool:
        """Not paused, and its phone free (or busy, where ringinuse allows that)."""
        if member.paused:
            return False
        return member.ring_in_use or self.device_state(member.extension) == "NOT_INUSE"

    def places(self, interface: str) -> list[Member]:
        """The interface's memberships, in the order of the queues."""
        return [q.members[interface] for q in self.queues.values() if interface in q.members]

    def add_member(self, queue: Queue, interface: str, name: str = "", membership: str = "static") -> Member:
        member = Member(queue.name, interface, name or interface, membership)
        member.login_time = int(self.now())
        member.ring_in_use = queue.config.ring_in_use
        queue.members[interface] = member
        return member

    def next_turn(self) -> int:
        self._turns += 1
        return self._turns

    # --- records

    def cdr(
        self, channel: Channel, called: str, began: float, answered: bool, application: str, data: str
    ) -> None:
        """A call detail record: one for each leg a call rang, useless for counting calls."""
        end = self.now()
        seconds = str(int(end) - int(began))
        self.emit(
            "Cdr",
            [
                ("AccountCode", ""),
                ("Source", channel.number),
                ("Destination", channel.exten),
                ("DestinationContext", channel.context),
                ("CallerID", f'"{channel.display}" <{channel.number}>'),
                ("Channel", channel.name),
                ("DestinationChannel", called),
                ("LastApplication", application),
                ("LastData", data),
                ("StartTime", _clock_text(began)),
                ("AnswerTime", _clock_text(began)),
                ("EndTime", _clock_text(end)),
                ("Duration", seconds),
                ("BillableSeconds", seconds),
                ("Disposition", "ANSWERED" if answered else "NO ANSWER"),
                ("AMAFlags", "DOCUMENTATION"),
                ("UniqueID", channel.uniqueid),
                ("UserField", ""),
            ],
        )


def _clock_text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
