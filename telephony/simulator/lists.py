"""Replies that are lists: channels, bridges, queues."""

from collections.abc import Callable

from telephony.simulator import events
from telephony.simulator.floor import Floor
from telephony.simulator.model import Channel, Queue
from telephony.simulator.reply import Reply, identity, listing
from telephony.simulator.wire import Headers, cut_name, first


def _channels(floor: Floor, action: Headers) -> Reply:
    items = [_channel_item(floor, action, channel) for channel in floor.pbx.channels.values()]
    return listing(action, "Channels will follow", items, "CoreShowChannelsComplete")


def _channel_item(floor: Floor, action: Headers, channel: Channel) -> Headers:
    seconds = int(floor.pbx.now() - channel.created)
    return [
        ("Event", "CoreShowChannel"),
        *identity(action),
        *floor.pbx.snap(channel),
        ("Application", channel.application),
        ("ApplicationData", channel.application_data),
        ("Duration", f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"),
        ("BridgeId", channel.bridge.uniqueid if channel.bridge else ""),
    ]


def _bridges(floor: Floor, action: Headers) -> Reply:
    bridges = {id(c.bridge): c.bridge for c in floor.pbx.channels.values() if c.bridge}
    head: Headers = [("Event", "BridgeListItem"), *identity(action)]
    items = [[*head, *events.bridge_part(bridge)] for bridge in bridges.values()]
    return listing(action, "Bridge listing will follow", items, "BridgeListComplete")


def _chosen(floor: Floor, action: Headers) -> list[Queue]:
    wanted = first(action, "Queue")
    return [queue for queue in floor.pbx.queues.values() if not wanted or queue.name == wanted]


def _queue_status(floor: Floor, action: Headers) -> Reply:
    wanted = first(action, "Member")
    items: list[Headers] = []
    for queue in _chosen(floor, action):
        waiting = floor.waiting[queue.name]
        items.append([*events.queue_params(queue, len(waiting)), *identity(action)])
        for member in queue.members.values():
            if not wanted or wanted in (member.interface, member.name):
                part = events.member_list_part(member, floor.pbx.device_state(member.extension))
                items.append([("Event", "QueueMember"), *part, *identity(action)])
        if not wanted:
            items += [_entry(floor, action, queue, place) for place in range(len(waiting))]
    return listing(action, "Queue status will follow", items, "QueueStatusComplete")


def _entry(floor: Floor, action: Headers, queue: Queue, place: int) -> Headers:
    call = floor.waiting[queue.name][place]
    channel = call.citizen
    return [
        ("Event", "QueueEntry"),
        ("Queue", queue.name),
        ("Position", str(place + 1)),
        ("Channel", channel.name),
        ("Uniqueid", channel.uniqueid),
        ("CallerIDNum", channel.number),
        ("CallerIDName", cut_name(channel.display)),
        ("ConnectedLineNum", channel.connected_number),
        ("ConnectedLineName", cut_name(channel.connected_name)),
        ("Wait", str(int(floor.pbx.now()) - int(call.entered))),
        ("Priority", "0"),
        *identity(action),
    ]


def _queue_summary(floor: Floor, action: Headers) -> Reply:
    items = []
    for queue in _chosen(floor, action):
        members = queue.members.values()
        waits = [int(floor.pbx.now()) - int(call.entered) for call in floor.waiting[queue.name]]
        items.append(
            [
                ("Event", "QueueSummary"),
                ("Queue", queue.name),
                ("LoggedIn", str(len(members))),
                ("Available", str(sum(floor.pbx.can_ring(member) for member in members))),
                ("Callers", str(len(waits))),
                ("HoldTime", str(queue.hold_time)),
                ("TalkTime", str(queue.talk_time)),
                ("LongestHoldTime", str(max(waits, default=0))),
                *identity(action),
            ]
        )
    return listing(action, "Queue summary will follow", items, "QueueSummaryComplete")


HANDLERS: dict[str, Callable[[Floor, Headers], Reply]] = {
    "coreshowchannels": _channels,
    "bridgelist": _bridges,
    "queuestatus": _queue_status,
    "queuesummary": _queue_summary,
}
