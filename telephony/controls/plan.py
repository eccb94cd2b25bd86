"""An order and the call's shape → what the PBX is asked for, and what is noted when it agreed. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.errors import HotlineError
from telephony.controls import shape as shapes
from telephony.controls.shape import Shape, Step
from telephony.controls.terms import SPYING, Act, Standing, Target

RING_MILLISECONDS = "30000"
Note = tuple[str, Mapping[str, object]]  # kind and data of a mark


@dataclass(frozen=True)
class Wanted:
    """An order as the leader carries it out."""

    order_id: int
    act: Act
    session_id: int
    extension: str
    channel_id: str
    user_id: int | None = None
    target: Target | None = None
    target_shown: str = ""


@dataclass(frozen=True)
class Plan:
    """Steps in order; marks to note once all were taken; `rings`: the end of the order comes by events."""

    steps: tuple[Step, ...]
    marks: tuple[Note, ...] = ()
    rings: bool = False
    parties: tuple[int, ...] = field(default=())  # orders whose channels are hung up first


def plan(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    """What to do. Raises `call_over`, `call_elsewhere`, `not_in_call`, `nobody_joined`, `nobody_talks`."""
    if shape.where == "gone":
        raise HotlineError("call_over")
    if wanted.act is Act.REFUSE:
        return _refuse(shape)
    if wanted.act is Act.END:
        return Plan((shapes.hang_up(shape.citizen),), (("ended", {}),))
    if shape.where == "elsewhere":
        raise HotlineError("call_elsewhere")
    if wanted.act in SPYING or wanted.act is Act.TAKE_OVER:
        return _leader(wanted, shape)
    if not shape.channel_of(wanted.extension):
        raise HotlineError("not_in_call")
    return PLANS[wanted.act](wanted, shape, standing)


def _refuse(shape: Shape) -> Plan:
    """Out of the queue, at once: a withdrawal would let the telephone that rings already go on ringing."""
    if not shape.waits:
        raise HotlineError("call_moved")
    return Plan((shapes.move(shape, shapes.REFUSED, "1"),), (("refused", {}),))


def _leader(wanted: Wanted, shape: Shape) -> Plan:
    if not shape.talkers:
        raise HotlineError("nobody_talks")
    if wanted.act is Act.TAKE_OVER:
        place = shapes.OURS, shapes.room_of(wanted.session_id)
    else:
        place = shapes.LISTEN, SPYING[wanted.act] + shape.talkers[0]
    return Plan((_call(wanted, f"PJSIP/{wanted.extension}", *place),), rings=True)


def _call(wanted: Wanted, endpoint: str, context: str, exten: str) -> Step:
    fields = (
        ("Channel", endpoint), ("Context", context), ("Exten", exten), ("Priority", "1"),
        ("Timeout", RING_MILLISECONDS), ("ChannelId", wanted.channel_id),
    )  # fmt: skip
    return Step("Originate", fields)


def _room(wanted: Wanted, shape: Shape, citizen: str) -> list[Step]:
    room = shapes.room_of(wanted.session_id)
    return shapes.take_in_hand(shape, wanted.extension, room, citizen=citizen)


def _hold(wanted: Wanted, shape: Shape, _: Standing) -> Plan:
    return Plan(tuple(_room(wanted, shape, shapes.HOLD)), (("hold", {}),))


def _resume(wanted: Wanted, shape: Shape, _: Standing) -> Plan:
    return Plan(tuple(_back_together(wanted, shape)), (("resume", {}),))


def _back_together(wanted: Wanted, shape: Shape) -> list[Step]:
    """Out of the hold; one who talks in an ordinary bridge is together already."""
    if shape.where != "held":
        return []
    return [shapes.move(shape, shapes.ROOM, shapes.room_of(wanted.session_id))]


def _transfer(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    target = _target(wanted)
    context = shapes.QUEUES if target.kind == "queue" else shapes.TRANSFER
    steps = _sound_again(shape, standing)
    steps += shapes.transfer(shape, wanted.extension, context, target.value)
    marks: list[Note] = [("unmute", {})] if standing.muted else []
    return Plan(tuple(steps), (*marks, ("transfer", _said(wanted))))


def _sound_again(shape: Shape, standing: Standing) -> list[Step]:
    """Whoever gets the call must not go unrecorded because of what was asked before."""
    return [shapes.mute(shape, on=False)] if standing.muted and shape.recorder else []


def _consult(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    held: list[Note] = [] if standing.held else [("hold", {})]
    return _call_in(wanted, _room(wanted, shape, shapes.HOLD), held)


def _call_in(wanted: Wanted, steps: list[Step], marks: list[Note]) -> Plan:
    target, room = _target(wanted), shapes.room_of(wanted.session_id)
    called = _call(wanted, target.endpoint, shapes.OURS, room)
    return Plan((*steps, called), (*marks, ("called", _said(wanted))), rings=True)


def _conference(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    """With a party in consultation: all three; else with somebody who is called in."""
    if standing.there and wanted.target is None:
        return Plan(tuple(_back_together(wanted, shape)), (("resume", {}), ("conference", {})))
    resumed: list[Note] = [("resume", {})] if standing.held else []
    return _call_in(wanted, _room(wanted, shape, shapes.ROOM), resumed)


def _emergency(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    found = _conference(wanted, shape, standing)
    return Plan(found.steps, (*found.marks, ("emergency", _said(wanted))), rings=True)


def _complete(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    """The party keeps the citizen, the agent's telephone is free."""
    others = [name for endpoint, name, _ in shape.ours if endpoint != wanted.extension]
    if not others or not standing.there:
        raise HotlineError("nobody_joined")
    party = standing.there[0]
    steps = [*_sound_again(shape, standing), *_back_together(wanted, shape)]
    steps.append(shapes.hang_up(shape.channel_of(wanted.extension)))
    said = {"target_kind": party.kind, "target": party.target, "how": "consult"}
    marks: list[Note] = [("unmute", {})] if standing.muted else []
    if standing.held:
        marks.append(("resume", {}))
    return Plan(tuple(steps), (*marks, ("transfer", said)))


def _back(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    """The party leaves, the citizen is with the agent again."""
    marks: list[Note] = [("left", {"order": party.order_id}) for party in standing.parties]
    parties = tuple(party.order_id for party in standing.parties)
    if standing.held:
        marks.append(("resume", {}))
    return Plan(tuple(_back_together(wanted, shape)), tuple(marks), parties=parties)


def _mute(wanted: Wanted, shape: Shape, _: Standing) -> Plan:
    if not shape.recorder:
        raise HotlineError("not_recorded")
    on = wanted.act is Act.MUTE
    return Plan((shapes.mute(shape, on=on),), (("mute" if on else "unmute", {}),))


def _target(wanted: Wanted) -> Target:
    if wanted.target is None:
        raise HotlineError("target_needed", act=wanted.act.value)
    return wanted.target


def _said(wanted: Wanted) -> dict[str, object]:
    target = _target(wanted)
    return {"order": wanted.order_id, "target_kind": target.kind, "target": wanted.target_shown}


def taken_over(wanted: Wanted, shape: Shape, standing: Standing) -> Plan:
    """The leader's telephone is in the room: the citizen joins it, whoever else of ours leaves."""
    if shape.where in ("gone", "elsewhere"):
        raise HotlineError("call_over" if shape.where == "gone" else "call_elsewhere")
    room = shapes.room_of(wanted.session_id)
    steps = _sound_again(shape, standing)
    if shape.where != "room":
        steps.append(shapes.move(shape, shapes.ROOM, room))
    steps += [shapes.hang_up(name) for _, name, unique in shape.ours if unique != wanted.channel_id]
    marks: list[Note] = [("unmute", {})] if standing.muted else []
    marks.append(("take-over", {"extension": wanted.extension}))
    marks += [("left", {"order": party.order_id}) for party in standing.parties]
    return Plan(tuple(steps), tuple(marks))


Maker = Callable[[Wanted, Shape, Standing], Plan]
PLANS: Mapping[Act, Maker] = {
    Act.HOLD: _hold,
    Act.RESUME: _resume,
    Act.TRANSFER: _transfer,
    Act.CONSULT: _consult,
    Act.COMPLETE: _complete,
    Act.BACK: _back,
    Act.CONFERENCE: _conference,
    Act.EMERGENCY: _emergency,
    Act.MUTE: _mute,
    Act.UNMUTE: _mute,
}
