"""Actions on queue members and waiting callers, with their events and Asterisk's error texts."""

from collections.abc import Callable

from telephony.simulator import events
from telephony.simulator.floor import Floor
from telephony.simulator.model import Member
from telephony.simulator.reply import Reply, error, success
from telephony.simulator.wire import Headers, first

TRUE = {"yes", "true", "y", "t", "1", "on"}


def _truth(action: Headers, name: str) -> bool:
    return first(action, name).lower() in TRUE


def _missing(action: Headers, *names: str) -> Reply | None:
    for name in names:
        if not first(action, name):
            return error(action, f"'{name}' not specified.")
    return None


def _tell(floor: Floor, event: str, member: Member) -> None:
    floor.pbx.emit(event, events.member_part(member, floor.pbx.device_state(member.extension)))


def _log(floor: Floor, call: str, queue: str, agent: str, event: str, *data: object) -> None:
    floor.pbx.log.write(floor.pbx.now(), call, queue, agent, event, *(data or ("",)))


def _add(floor: Floor, action: Headers) -> Reply:
    if (wrong := _missing(action, "Queue", "Interface")) is not None:
        return wrong
    queue, interface = floor.pbx.queues.get(first(action, "Queue")), first(action, "Interface")
    if queue is None:
        return error(action, "Unable to add interface to queue: No such queue")
    if interface in queue.members:
        return error(action, "Unable to add interface: Already there")
    member = floor.pbx.add_member(queue, interface, first(action, "MemberName"), "dynamic")
    member.penalty = int(first(action, "Penalty", "0") or 0)
    member.paused = _truth(action, "Paused")
    member.last_pause = int(floor.pbx.now()) if member.paused else 0
    _log(floor, "MANAGER", queue.name, member.name, "ADDMEMBER", "PAUSED" if member.paused else "")

    def then() -> None:
        if member.paused:
            floor.pbx.set_device(f"Queue:{queue.name}_pause_{interface}", "INUSE")
        _tell(floor, "QueueMemberAdded", member)

    reply = success(action, message="Added interface to queue")
    reply.then = then
    return reply


def _remove(floor: Floor, action: Headers) -> Reply:
    if (wrong := _missing(action, "Queue", "Interface")) is not None:
        return wrong
    queue, interface = floor.pbx.queues.get(first(action, "Queue")), first(action, "Interface")
    if queue is None:
        return error(action, "Unable to remove interface from queue: No such queue")
    member = queue.members.get(interface)
    if member is None:
        return error(action, "Unable to remove interface: Not there")
    if member.membership != "dynamic":
        return error(action, "Member not dynamic")
    del queue.members[interface]
    _log(floor, "MANAGER", queue.name, member.name, "REMOVEMEMBER")

    def then() -> None:
        _tell(floor, "QueueMemberRemoved", member)
        floor.pbx.set_device(f"Queue:{queue.name}_pause_{interface}", "NOT_INUSE")

    reply = success(action, message="Removed interface from queue")
    reply.then = then
    return reply


def _pause(floor: Floor, action: Headers) -> Reply:
    if (wrong := _missing(action, "Interface", "Paused")) is not None:
        return wrong
    interface, paused = first(action, "Interface"), _truth(action, "Paused")
    wanted, reason = first(action, "Queue"), first(action, "Reason")
    places = [m for m in floor.pbx.places(interface) if not wanted or m.queue == wanted]
    if not places:
        return error(action, "Interface not found")
    word = "PAUSE" if paused else "UNPAUSE"
    if not wanted:
        _log(floor, "NONE", "NONE", places[0].name, f"{word}ALL", reason)

    def then() -> None:
        for member in places:
            _set_pause(floor, member, paused, reason)
            _log(floor, "NONE", member.queue, member.name, word, reason)

    reply = success(action, message=f"Interface {word.lower()}d successfully")
    reply.then = then
    return reply


def _set_pause(floor: Floor, member: Member, paused: bool, reason: str) -> None:
    """The event of an unpause carries no reason, whatever was given."""
    member.paused, member.reason = paused, reason if paused else ""
    if paused:
        member.last_pause = int(floor.pbx.now())
    state = "INUSE" if paused else "NOT_INUSE"
    floor.pbx.set_device(f"Queue:{member.queue}_pause_{member.interface}", state)
    _tell(floor, "QueueMemberPause", member)


def _penalty(floor: Floor, action: Headers) -> Reply:
    return _adjust(floor, action, "Penalty", "QueueMemberPenalty", "Interface penalty set successfully")


def _ring_in_use(floor: Floor, action: Headers) -> Reply:
    return _adjust(floor, action, "RingInUse", "QueueMemberRinginuse", "Interface ringinuse set successfully")


def _adjust(floor: Floor, action: Headers, what: str, event: str, message: str) -> Reply:
    if (wrong := _missing(action, "Interface", what)) is not None:
        return wrong
    wanted = first(action, "Queue")
    places = [m for m in floor.pbx.places(first(action, "Interface")) if not wanted or m.queue == wanted]
    if not places:
        return error(action, "Invalid interface, queuename or " + what.lower())

    def then() -> None:
        for member in places:
            if what == "Penalty":
                member.penalty = int(first(action, what))
                value = member.penalty
            else:
                member.ring_in_use = _truth(action, what)
                value = int(member.ring_in_use)
            _log(floor, "NONE", member.queue, member.interface, what.upper(), value)
            _tell(floor, event, member)

    reply = success(action, message=message)
    reply.then = then
    return reply


def _custom_log(floor: Floor, action: Headers) -> Reply:
    if (wrong := _missing(action, "Queue", "Event")) is not None:
        return wrong
    call, agent = first(action, "Uniqueid") or "NONE", first(action, "Interface") or "NONE"
    _log(floor, call, first(action, "Queue"), agent, first(action, "Event"), first(action, "Message"))
    return success(action, message="Event added successfully")


def _withdraw(floor: Floor, action: Headers) -> Reply:
    if (wrong := _missing(action, "Queue", "Caller")) is not None:
        return wrong
    waiting = floor.waiting.get(first(action, "Queue"), [])
    call = next((c for c in waiting if c.citizen.name == first(action, "Caller")), None)
    if call is None or not call.withdraw(first(action, "WithdrawInfo")):
        return error(action, "Not in queue" if call is None else "Already withdrawn")
    return success(action, message="Withdraw requested successfully")


HANDLERS: dict[str, Callable[[Floor, Headers], Reply]] = {
    "queueadd": _add,
    "queueremove": _remove,
    "queuepause": _pause,
    "queuepenalty": _penalty,
    "queuememberringinuse": _ring_in_use,
    "queuelog": _custom_log,
    "queuewithdrawcaller": _withdraw,
}
