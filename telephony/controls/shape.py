"""A call as the PBX has it at this moment, and what it is asked for. Pure.

One room per call, named by the session. The citizen talks with one agent in an ordinary bridge until the
first order that needs more; from then on everybody is in the room, and hold, consultation, three-way and
taking over are moves of the citizen into the room or out of it (ADR 0023).
"""

from dataclasses import dataclass, replace

from telephony.calls.facts import Call, Channel
from telephony.calls.session import Reading
from telephony.calls.tracker import Tracker

ROOM, OURS, HOLD, TRANSFER = "hotline-room", "hotline-ours", "hotline-hold", "hotline-transfer"
QUEUES, REFUSED, LISTEN = "hotline-queue", "hotline-refused", "hotline-listen"


@dataclass(frozen=True)
class Step:
    """One action of the manager interface."""

    action: str
    fields: tuple[tuple[str, str], ...]
    # Somebody who has gone meanwhile is no failure of this step.
    may_miss: bool = False


@dataclass(frozen=True)
class Shape:
    """Channel names by their part; `where` the citizen is: direct, room, held, elsewhere, gone."""

    where: str
    citizen: str = ""
    citizen_uid: str = ""
    ours: tuple[tuple[str, str, str], ...] = ()  # endpoint, channel, Uniqueid; those who are up
    waits: bool = False  # in a queue
    recorder: str = ""  # the channel whose sound is recorded
    call: Call | None = None

    def channel_of(self, extension: str) -> str:
        """The telephone of an extension in this call; empty when it is not in it."""
        return next((name for endpoint, name, _ in self.ours if endpoint == extension), "")

    @property
    def talkers(self) -> list[str]:
        """Extensions of ours in the call."""
        return [endpoint for endpoint, _, _ in self.ours if endpoint.isdigit()]


GONE = Shape("gone")


def read_shape(tracker: Tracker, session_key: str, linkedids: list[str]) -> Shape:
    """How the call with this key stands; `gone` when the PBX has no citizen in it any more."""
    found = (tracker.call_of(link) for link in [session_key, *linkedids])
    call = next((one for one in found if one is not None), None)
    if call is None:
        return GONE
    reading = Reading(call, tracker, tracker.now)
    citizen = next((one for one in reading.citizens if one.ended is None), None)
    if citizen is None or reading.ended is not None:
        return replace(GONE, call=call)
    others = [*reading.phones, *(c for c in reading.trunks if c is not citizen)]
    ours = tuple(
        (c.endpoint, c.name, c.uniqueid)
        for c in others
        if c.ended is None and c.up is not None and _inside(c)
    )
    return Shape(
        _where(citizen),
        citizen.name,
        citizen.uniqueid,
        ours,
        _waits(citizen),
        _recorder(call, tracker),
        call,
    )


def _waits(citizen: Channel) -> bool:
    """He is in a queue and nobody has him yet."""
    return any(
        facts.joins and max(facts.joins) > max(facts.leaves, default=-1.0)
        for facts in citizen.queues.values()
    )


def _open_stays(channel: Channel) -> list[str]:
    return [
        bridge
        for bridge, stay in channel.stays.items()
        if max(stay.enters, default=0.0) > max(stay.leaves, default=-1.0)
    ]


def _inside(channel: Channel) -> bool:
    return bool(_open_stays(channel))


def _where(citizen: Channel) -> str:
    bridges = _open_stays(citizen)
    if bridges:
        return "room" if any(citizen.stays[bridge].conference for bridge in bridges) else "direct"
    moved = [stamp for stay in citizen.stays.values() for stamp in stay.enters]
    moved += [stamp for facts in citizen.queues.values() for stamp in facts.joins]
    return "held" if citizen.helds and max(citizen.helds) >= max(moved, default=0.0) else "elsewhere"


def _recorder(call: Call, tracker: Tracker) -> str:
    """The latest recording's channel: files are named after it."""
    for _, _, name in sorted(call.recordings, key=lambda one: one[1], reverse=True):
        channel = tracker.channel_of(name.removeprefix("rec-").removesuffix(".wav"))
        if channel is not None and channel.ended is None:
            return channel.name
    return ""


def room_of(session_id: int) -> str:
    """The extension of a call's room. The star keeps it apart from every telephone number."""
    return f"*{session_id:03d}"


def move(shape: Shape, context: str, exten: str) -> Step:
    """The citizen goes on at another place of the dialplan."""
    place = (("Context", context), ("Exten", exten), ("Priority", "1"))
    return Step("Redirect", (("Channel", shape.citizen), *place))


def take_in_hand(shape: Shape, agent: str, room: str, *, citizen: str) -> list[Step]:
    """Into the room: the agent's telephone, and the citizen to the context `citizen` (ROOM or HOLD).

    Both in one action: were they moved one after the other, the first would end the other's call.
    """
    if shape.where != "direct":
        there = (shape.where, citizen) in (("room", ROOM), ("held", HOLD))
        return [] if there else [move(shape, citizen, room)]
    both = (
        ("Channel", shape.citizen), ("Context", citizen), ("Exten", room), ("Priority", "1"),
        ("ExtraChannel", shape.channel_of(agent)), ("ExtraContext", OURS), ("ExtraExten", room),
        ("ExtraPriority", "1"),
    )  # fmt: skip
    return [Step("Redirect", both)]


def hang_up(channel: str) -> Step:
    return Step("Hangup", (("Channel", channel),), may_miss=True)


def mute(shape: Shape, *, on: bool) -> Step:
    """Privacy: the recording goes on in silence, so that its times stay right."""
    fields = (("Channel", shape.recorder), ("Direction", "both"), ("State", "1" if on else "0"))
    return Step("MixMonitorMute", fields)


def transfer(shape: Shape, agent: str, context: str, exten: str) -> list[Step]:
    """Away to somebody else, and the agent's telephone is free."""
    leg = shape.channel_of(agent)
    if shape.where == "direct":
        fields = (("Channel", leg), ("Context", context), ("Exten", exten))
        return [Step("BlindTransfer", fields)]
    return [move(shape, context, exten), *(hang_up(name) for _, name, _ in shape.ours)]
