"""Targets, standing and what is possible: pure."""

import pytest

from core.errors import HotlineError
from telephony.ami.actions import build
from telephony.calls.facts import Call
from telephony.controls import shape as shapes
from telephony.controls.plan import Wanted, plan, taken_over
from telephony.controls.shape import Shape
from telephony.controls.terms import Act, Mark, Standing, Target, fold, target_of, why_not

DIRECT = Shape(
    "direct", "PJSIP/trunk-1", "u1", (("1001", "PJSIP/1001-2", "u2"),), False, "PJSIP/trunk-1", Call()
)
ROOM = Shape(
    "room", "PJSIP/trunk-1", "u1", (("1001", "PJSIP/1001-2", "u2"), ("1002", "PJSIP/1002-3", "ctl-7")),
    False, "PJSIP/trunk-1", Call(),
)  # fmt: skip
HELD = Shape(
    "held", *[getattr(ROOM, name) for name in ("citizen", "citizen_uid", "ours", "waits", "recorder", "call")]
)
ASKING = (Mark("hold"), Mark("called", {"order": 7, "target_kind": "colleague", "target": "1002"}))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("colleague", "1002"), ("queue", "expert"), ("emergency", "119"), ("outside", "13800001111"),
        ("outside", "07732825566"), ("outside", "2825566"), ("outside", "12315"), ("outside", "95598"),
    ],
)  # fmt: skip
def test_what_may_be_dialled(kind: str, value: str) -> None:
    assert target_of(Act.TRANSFER, kind, value) == Target(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("colleague", "2001"), ("colleague", "1001@x"), ("colleague", "10011"), ("queue", "hotline,1"),
        ("queue", "8001"), ("emergency", "114"), ("outside", "110"), ("outside", "0085212345678"),
        ("outside", "13800001111\r\n"), ("outside", "*998"), ("outside", "1001"), ("trunk", "1"), ("", "1"),
    ],
)  # fmt: skip
def test_what_may_not(kind: str, value: str) -> None:
    with pytest.raises(HotlineError):
        target_of(Act.TRANSFER, kind, value)


def test_marks_fold_into_how_a_call_stands() -> None:
    assert fold([]) == Standing()
    asking = fold(ASKING)
    assert (asking.held, [party.target for party in asking.ringing]) == (True, ["1002"])
    there = fold([*ASKING, Mark("joined", {"order": 7})])
    assert [party.target for party in there.there] == ["1002"]
    assert fold([*ASKING, Mark("joined", {"order": 7}), Mark("left", {"order": 7})]).parties == ()
    assert fold([*ASKING, Mark("no_answer", {"order": 7}), Mark("resume")]) == Standing()
    assert fold([Mark("mute"), Mark("hold"), Mark("transfer")]) == Standing(muted=True)
    assert fold([Mark("joined", {"order": 99})]) == Standing()  # of an order that is not ours


@pytest.mark.parametrize(
    ("act", "marks", "code"),
    [
        (Act.HOLD, [], None), (Act.RESUME, [], "not_held"), (Act.HOLD, [Mark("hold")], "held_already"),
        (Act.COMPLETE, ASKING, "nobody_joined"), (Act.CONSULT, ASKING, "party_already"),
        (Act.BACK, ASKING, None), (Act.CONFERENCE, ASKING, "party_rings"),
        (Act.CONFERENCE, [*ASKING, Mark("joined", {"order": 7})], None),
        (Act.COMPLETE, [*ASKING, Mark("joined", {"order": 7})], None),
        (Act.RESUME, [*ASKING, Mark("joined", {"order": 7})], "party_listens"),
        (Act.MUTE, [Mark("mute")], "muted_already"), (Act.UNMUTE, [], "not_muted"),
    ],
)  # fmt: skip
def test_what_is_possible_now(act: Act, marks: list[Mark], code: str | None) -> None:
    assert why_not(act, fold(marks)) == code


def wanted(act: Act, target: Target | None = None) -> Wanted:
    return Wanted(7, act, 17, "1001", "ctl-7", 1, target, target.value if target else "")


EVERY = [
    (wanted(Act.HOLD), Standing()), (wanted(Act.RESUME), Standing(held=True)),
    *[(wanted(Act.TRANSFER, Target(kind, value)), Standing(muted=True)) for kind, value in
      (("colleague", "1002"), ("queue", "expert"), ("emergency", "110"), ("outside", "13800001111"))],
    (wanted(Act.CONSULT, Target("colleague", "1002")), Standing()),
    (wanted(Act.CONFERENCE, Target("outside", "13800001111")), Standing(held=True)),
    (wanted(Act.EMERGENCY, Target("emergency", "120")), Standing()),
    (wanted(Act.BACK), fold(ASKING)), (wanted(Act.COMPLETE), fold([*ASKING, Mark("joined", {"order": 7})])),
    (wanted(Act.MUTE), Standing()), (wanted(Act.UNMUTE), Standing(muted=True)),
    (wanted(Act.LISTEN), Standing()), (wanted(Act.WHISPER), Standing()), (wanted(Act.BARGE), Standing()),
    (wanted(Act.TAKE_OVER), Standing()), (wanted(Act.END), Standing()),
]  # fmt: skip


@pytest.mark.parametrize("shape", [DIRECT, ROOM, HELD], ids=["direct", "room", "held"])
@pytest.mark.parametrize(("order", "standing"), EVERY, ids=[order.act.value for order, _ in EVERY])
def test_every_plan_keeps_to_the_allow_list(order: Wanted, standing: Standing, shape: Shape) -> None:
    if order.act is Act.COMPLETE and shape is DIRECT:
        return  # with nobody called in there is nothing to complete
    made = plan(order, shape, standing)
    for step in made.steps:
        build(step.action, dict(step.fields))  # raises for whatever is not allowed
    for step in taken_over(order, shape, standing).steps:
        build(step.action, dict(step.fields))


def test_a_first_hold_moves_both_in_one_action() -> None:
    (step,) = plan(wanted(Act.HOLD), DIRECT, Standing()).steps
    fields = dict(step.fields)
    assert (fields["Context"], fields["ExtraContext"]) == (shapes.HOLD, shapes.OURS)
    assert fields["Exten"] == fields["ExtraExten"] == "*017"
    (again,) = plan(wanted(Act.HOLD), ROOM, Standing()).steps
    assert "ExtraChannel" not in dict(again.fields)


@pytest.mark.parametrize(("where", "code"), [("gone", "call_over"), ("elsewhere", "call_elsewhere")])
def test_a_call_that_moved_on_is_left_alone(where: str, code: str) -> None:
    with pytest.raises(HotlineError, match=code):
        plan(wanted(Act.HOLD), Shape(where, "PJSIP/trunk-1"), Standing())


def test_who_is_not_in_the_call_orders_nothing() -> None:
    stranger = Wanted(7, Act.HOLD, 17, "1003", "ctl-7")
    with pytest.raises(HotlineError, match="not_in_call"):
        plan(stranger, DIRECT, Standing())
