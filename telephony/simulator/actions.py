"""Answers to manager actions, worded as Asterisk words them."""

from collections.abc import Callable

from telephony.simulator import lists, queue_actions
from telephony.simulator.call import Call
from telephony.simulator.floor import Floor
from telephony.simulator.model import Channel
from telephony.simulator.outbound import Order
from telephony.simulator.plan import CallPlan
from telephony.simulator.queue_call import REFUSED, QueueCall
from telephony.simulator.reply import Reply, error, success
from telephony.simulator.rooms import HOLD, ROOM, HandledCall
from telephony.simulator.wire import VERSIONS, Headers, every, first

CLICK_TO_CALL_TALK = 60.0


def _ping(floor: Floor, action: Headers) -> Reply:
    return success(action, [("Ping", "Pong"), ("Timestamp", f"{floor.pbx.now():.6f}")])


def _core_settings(floor: Floor, action: Headers) -> Reply:
    config = floor.pbx.config
    banner = {"22": "11.0.0", "16": "5.0.4"}[config.version]
    return success(
        action,
        [
            ("AMIversion", banner),
            ("AsteriskVersion", VERSIONS[config.version]),
            ("SystemName", config.system_name),
            ("CoreMaxCalls", "0"),
            ("CoreMaxLoadAvg", "0.000000"),
            ("CoreRunUser", "asterisk"),
            ("CoreRunGroup", "asterisk"),
            ("CoreMaxFilehandles", "0"),
            ("CoreRealTimeEnabled", "No"),
            ("CoreCDRenabled", "Yes"),
            ("CoreHTTPenabled", "No"),
            ("SoundsSearchCustomDir", "No"),
        ],
    )


def _core_status(floor: Floor, action: Headers) -> Reply:
    return success(action, [("CoreCurrentCalls", str(len(floor.calls)))])


def _hangup(floor: Floor, action: Headers) -> Reply:
    name = first(action, "Channel")
    if not name:
        return error(action, "No channel specified")
    call = floor.call_of(name)
    if call is None:
        return error(action, "No such channel")
    call.hang_up(floor.pbx.channels[name])
    return success(action, message="Channel Hungup")


def _blind_transfer(floor: Floor, action: Headers) -> Reply:
    name, exten = first(action, "Channel"), first(action, "Exten")
    if not name:
        return error(action, "No channel specified")
    if not exten:
        return error(action, "No extension specified")
    call = floor.call_of(name)
    if call is None:
        return error(action, "Channel specified does not exist")
    context = first(action, "Context") or "internal"
    if not call.blind_transfer(floor.pbx.channels[name], exten, context):
        return error(action, "Transfer failed")
    return success(action, message="Transfer succeeded")


def _redirect(floor: Floor, action: Headers) -> Reply:
    name = first(action, "Channel")
    if not name:
        return error(action, "Channel not specified")
    call = floor.call_of(name)
    if call is None:
        return error(action, f"Channel does not exist: {name}")
    extra = first(action, "ExtraChannel")
    if extra and extra not in floor.pbx.channels:
        return error(action, f"Extra channel does not exist: {extra}")
    context, exten = first(action, "Context") or "internal", first(action, "Exten")
    if not _moved(call, floor.pbx.channels[name], context, exten, both=bool(extra)):
        return error(action, "Redirect failed")
    return success(action, message="Dual Redirect successful" if extra else "Redirect successful")


def _moved(call: Call, channel: Channel, context: str, exten: str, *, both: bool) -> bool:
    """The citizen goes on at another place of the dialplan we ship, or of an older one."""
    if isinstance(call, HandledCall) and channel is call.trunk:
        if context in (ROOM, HOLD):
            alone = call.room is None and not both
            return call.take_over(exten) if alone else call.take_in_hand(exten, context)
        if call.stage == "room":
            return call.leave_room(context, exten)
        if context == REFUSED and isinstance(call, QueueCall) and call.stage == "waiting":
            call.refuse()
            return True
    return call.redirect(channel, exten, context)


def _originate(floor: Floor, action: Headers) -> Reply:
    channel, exten = first(action, "Channel"), first(action, "Exten")
    technology, _, extension = channel.partition("/")
    if not channel or not technology or not extension:
        return error(action, "Invalid channel")
    if not exten and not first(action, "Application"):
        return error(action, "Originate with 'Exten' requires 'Context' and 'Priority'")
    action_id = first(action, "ActionID")
    order = Order(
        [("ActionID", action_id)] if action_id else [],
        extension,
        exten,
        first(action, "Context") or "internal",
        int(first(action, "Timeout") or "30000") / 1000,
    )
    order.channel_id = first(action, "ChannelId") or None
    order.caller_id = first(action, "CallerID").rpartition("<")[2].rstrip(">")
    for text in every(action, "Variable"):
        name, _, value = text.partition("=")
        order.variables[name.lstrip("_")] = value
    plan = floor.outbound_plan or CallPlan(number=exten, talk=CLICK_TO_CALL_TALK / floor.speed)
    reply = success(action, message="Originate successfully queued")
    reply.then = lambda: floor.originate(order, plan)
    return reply


Handler = Callable[[Floor, Headers], Reply]


def _about_channel(event: str, extra: Callable[[Headers], Headers] = lambda _: []) -> Handler:
    """An action that succeeds without a message and is told by one event about its channel."""

    def answer(floor: Floor, action: Headers) -> Reply:
        channel = floor.pbx.channels.get(first(action, "Channel"))
        if channel is None:
            return error(action, "Channel not found")
        reply = success(action)
        reply.then = lambda: floor.pbx.about(event, channel, extra(action))
        return reply

    return answer


def _mute_part(action: Headers) -> Headers:
    return [("Direction", first(action, "Direction", "both")), ("State", first(action, "State", "0"))]


def _set_variable(floor: Floor, action: Headers) -> Reply:
    channel = floor.pbx.channels.get(first(action, "Channel"))
    if channel is None:
        return error(action, "No such channel")
    channel.variables[first(action, "Variable")] = first(action, "Value")
    return success(action, message="Variable Set")


def _get_variable(floor: Floor, action: Headers) -> Reply:
    channel = floor.pbx.channels.get(first(action, "Channel"))
    if channel is None:
        return error(action, "No such channel")
    name = first(action, "Variable")
    return success(action, [("Variable", name), ("Value", channel.variables.get(name, ""))])


def _play_dtmf(floor: Floor, action: Headers) -> Reply:
    if first(action, "Channel") not in floor.pbx.channels:
        return error(action, "Channel not found")
    return success(action, message="DTMF successfully queued")


def _attended_transfer(floor: Floor, action: Headers) -> Reply:
    """Accepted and never completed: without inbound audio the DTMF it types goes nowhere."""
    if first(action, "Channel") not in floor.pbx.channels:
        return error(action, "Channel specified does not exist")
    return success(action, message="Atxfer successfully queued")


HANDLERS: dict[str, Handler] = {
    "ping": _ping,
    "coresettings": _core_settings,
    "corestatus": _core_status,
    "hangup": _hangup,
    "blindtransfer": _blind_transfer,
    "redirect": _redirect,
    "originate": _originate,
    "mixmonitor": _about_channel("MixMonitorStart"),
    "stopmixmonitor": _about_channel("MixMonitorStop"),
    "mixmonitormute": _about_channel("MixMonitorMute", _mute_part),
    "setvar": _set_variable,
    "getvar": _get_variable,
    "playdtmf": _play_dtmf,
    "atxfer": _attended_transfer,
    **lists.HANDLERS,
    **queue_actions.HANDLERS,
}


def answer(floor: Floor, action: Headers) -> Reply:
    """The reply to one action of a client that is logged in."""
    name = first(action, "Action")
    if not name:
        return error(action, "Missing action in request")
    handler = HANDLERS.get(name.lower())
    if handler is None:
        return error(
            action, f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
        )
    return handler(floor, action)
