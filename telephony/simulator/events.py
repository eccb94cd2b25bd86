"""Manager events as lists of headers: names and order as Asterisk 16 and 22 write them."""

from telephony.simulator.model import CAUSES, STATES, STATUS, Bridge, Channel, Member, Queue, variables_of
from telephony.simulator.wire import Headers, cut_name

AGENT_EVENTS = "agent,all"
PRIVILEGES = {"UserEvent": "user,all", "Cdr": "cdr,all", "Newexten": "dialplan,all", "DTMFEnd": "dtmf,all"}


def privilege(name: str) -> str:
    """The class of an event, as its Privilege header says it."""
    if name.startswith(("Queue", "Agent")):
        return AGENT_EVENTS
    return PRIVILEGES.get(name, "call,all")


def event(name: str, stamp: str, *parts: Headers) -> Headers:
    """A whole event: its name, class and time before everything else."""
    headers = [("Event", name), ("Privilege", privilege(name)), ("Timestamp", stamp)]
    for part in parts:
        headers += part
    return headers


def snapshot(channel: Channel, names: tuple[str, ...], prefix: str = "") -> Headers:
    """A channel as every event about it shows it."""
    pairs = [
        ("Channel", channel.name),
        ("ChannelState", str(channel.state)),
        ("ChannelStateDesc", STATES[channel.state]),
        ("CallerIDNum", channel.number),
        ("CallerIDName", cut_name(channel.display)),
        ("ConnectedLineNum", channel.connected_number),
        ("ConnectedLineName", cut_name(channel.connected_name)),
        ("Language", "en"),
        ("AccountCode", ""),
        ("Context", channel.context),
        ("Exten", channel.exten),
        ("Priority", str(channel.priority)),
        ("Uniqueid", channel.uniqueid),
        ("Linkedid", channel.linkedid),
    ]
    pairs += [("ChanVariable", text) for text in variables_of(names, channel.variables)]
    return [(prefix + key, value) for key, value in pairs] if prefix else pairs


def bridge_part(bridge: Bridge) -> Headers:
    return [
        ("BridgeUniqueid", bridge.uniqueid),
        ("BridgeType", bridge.kind),
        ("BridgeTechnology", bridge.technology),
        ("BridgeCreator", bridge.creator),
        ("BridgeName", "<unknown>"),
        ("BridgeNumChannels", str(len(bridge.channels))),
        ("BridgeVideoSourceMode", "none"),
    ]


def agent_part(member: Member) -> Headers:
    """Queue, Interface, MemberName: the end of the Agent* events."""
    return [("Queue", member.queue), ("Interface", member.interface), ("MemberName", member.name)]


def member_part(member: Member, state: str) -> Headers:
    """The body of QueueMemberStatus, -Pause, -Added and their kin. InCall stays 0 in a call."""
    return [
        ("Queue", member.queue),
        ("MemberName", member.name),
        ("Interface", member.interface),
        ("StateInterface", member.interface),
        ("Membership", member.membership),
        ("Penalty", str(member.penalty)),
        ("CallsTaken", str(member.calls_taken)),
        ("LastCall", str(member.last_call)),
        ("LastPause", str(member.last_pause)),
        ("LoginTime", str(member.login_time)),
        ("InCall", "0"),
        ("Status", str(STATUS[state])),
        ("Paused", str(int(member.paused))),
        ("PausedReason", member.reason),
        ("Ringinuse", str(int(member.ring_in_use))),
        ("Wrapuptime", "0"),
    ]


def member_list_part(member: Member, state: str) -> Headers:
    """The reply to QueueStatus names the same things differently."""
    return [
        ("Queue", member.queue),
        ("Name", member.name),
        ("Location", member.interface),
        ("StateInterface", member.interface),
        ("Membership", member.membership),
        ("Penalty", str(member.penalty)),
        ("CallsTaken", str(member.calls_taken)),
        ("LastCall", str(member.last_call)),
        ("LastPause", str(member.last_pause)),
        ("LoginTime", str(member.login_time)),
        ("InCall", str(int(member.in_call))),
        ("Status", str(STATUS[state])),
        ("Paused", str(int(member.paused))),
        ("PausedReason", member.reason),
        ("Wrapuptime", "0"),
    ]


def queue_params(queue: Queue, waiting: int) -> Headers:
    offered = queue.completed + queue.abandoned
    answered_share = 100 * queue.in_level / queue.completed if queue.completed else 0.0
    offered_share = 100 * queue.in_level / offered if offered else 0.0
    return [
        ("Event", "QueueParams"),
        ("Queue", queue.name),
        ("Max", "0"),
        ("Strategy", queue.config.strategy),
        ("Calls", str(waiting)),
        ("Holdtime", str(queue.hold_time)),
        ("TalkTime", str(queue.talk_time)),
        ("Completed", str(queue.completed)),
        ("Abandoned", str(queue.abandoned)),
        ("ServiceLevel", str(queue.config.service_level)),
        ("ServicelevelPerf", f"{answered_share:.1f}"),
        ("ServicelevelPerf2", f"{offered_share:.1f}"),
        ("Weight", "0"),
    ]


def cause_part(cause: int, tech: int | None = None) -> Headers:
    """The end of a Hangup event."""
    part = [("Cause", str(cause)), ("Cause-txt", CAUSES[cause])]
    return part if tech is None else [*part, ("TechCause", str(tech))]
