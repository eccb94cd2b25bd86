"""The pure machine: what is shown and wanted, and that no order of what is told breaks the intervals."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from telephony.agents import machine
from telephony.agents.machine import (
    Agent,
    Change,
    EndWrapUp,
    Event,
    ExtendWrapUp,
    Leg,
    Reach,
    Rules,
    SetNotReady,
    SetQueues,
    SetReady,
    SignIn,
    SignOut,
)

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
RULES = Rules(timedelta(seconds=30), timedelta(seconds=60), 2, 3)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Desk:
    """An agent to whom things are told one by one, and the intervals that come of it."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.agent, self.since, self.rules = Agent(), START, rules
        self.intervals: list[tuple[str, float]] = []
        self.changes: list[Change] = []

    def tell(self, seconds: float, event: Event) -> str:
        return self._note(machine.run(self.agent, [(at(seconds), event)], self.since, self.rules))

    def wait(self, seconds: float) -> str:
        return self._note(machine.deadline(self.agent, at(seconds), self.since))

    def call(self, ident: int = 1, version: int = 1, **spans: Any) -> str:
        """A leg in seconds since START; told when its last moment is."""
        return self.tell(0, leg(ident, version, **spans))

    def _note(self, changes: Sequence[Change]) -> str:
        for change in changes:
            assert change.at >= self.since, "time went back"
            before, now = machine.shown(change.before), machine.shown(change.after)
            self.agent, self.since = change.after, change.at
            if before != now:
                self.intervals.append((now.state, (change.at - START).total_seconds()))
        self.changes += changes
        return self.state

    @property
    def state(self) -> str:
        return machine.shown(self.agent).state

    @property
    def wanted(self) -> tuple[bool, str]:
        wanted = machine.wanted(self.agent)
        return wanted.paused, wanted.reason


def leg(ident: int, version: int, **given: object) -> Leg:
    def spans(name: str) -> tuple[tuple[datetime, datetime | None], ...]:
        pairs: Sequence[tuple[float, float | None]] = given.pop(name, ())  # type: ignore[assignment]
        return tuple((at(a), None if b is None else at(b)) for a, b in pairs)

    rings, talks, holds = spans("rings"), spans("talks"), spans("holds")
    return Leg(ident, version, rings, talks, holds, met=bool(talks), **given)  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    found.tell(0, SignIn(("hotline",)))
    return found


def test_a_call_from_ring_to_ready_again(desk: Desk) -> None:
    assert desk.call(rings=[(10, None)]) == "ringing"
    assert desk.call(version=2, rings=[(10, 13)], talks=[(13, None)], queue="hotline") == "talking"
    assert machine.shown(desk.agent).queue == "hotline"
    held: dict[str, Any] = {"rings": [(10, 13)], "talks": [(13, None)]}
    assert desk.call(version=3, **held, holds=[(20, None)]) == "hold"
    assert desk.call(version=4, **held, holds=[(20, 25)]) == "talking"
    assert desk.wanted == (False, "")
    assert desk.call(version=5, rings=[(10, 13)], talks=[(13, 60)], holds=[(20, 25)]) == "wrap_up"
    assert desk.wanted == (True, "ACW")
    assert desk.wait(89) == "wrap_up"
    assert desk.wait(95) == "ready"
    assert desk.intervals == [
        ("ready", 0), ("ringing", 10), ("talking", 13), ("hold", 20), ("talking", 25), ("wrap_up", 60),
        ("ready", 90),
    ]  # fmt: skip


def test_a_whole_call_told_at_once_has_the_same_intervals(desk: Desk) -> None:
    desk.call(rings=[(10, 13)], talks=[(13, 60)], holds=[(20, 25)])
    desk.wait(95)
    states = [state for state, _ in desk.intervals]
    assert states == ["ready", "ringing", "talking", "hold", "talking", "wrap_up", "ready"]


def test_what_is_wished_in_a_call_holds_after_it(desk: Desk) -> None:
    desk.call(rings=[(1, 2)], talks=[(2, None)])
    assert desk.tell(5, SetNotReady("break")) == "talking"
    assert desk.wanted == (True, "break")
    desk.call(version=2, rings=[(1, 2)], talks=[(2, 20)])
    assert desk.state == "wrap_up"
    assert desk.wait(60) == "not_ready"
    assert machine.shown(desk.agent).reason == "break"


def test_an_early_end_and_what_ends_by_itself(desk: Desk) -> None:
    desk.call(talks=[(2, 20)])
    assert desk.tell(25, EndWrapUp()) == "ready"
    assert [change.by for change in desk.changes][-1] == "agent"
    desk.call(2, talks=[(30, 40)])
    assert desk.wait(80) == "ready"
    assert [change.by for change in desk.changes][-1] == "deadline"
    assert desk.since == at(70)


def test_an_extension_is_granted_so_often_and_never_after_the_deadline(desk: Desk) -> None:
    desk.call(talks=[(2, 20)])
    desk.tell(30, ExtendWrapUp())
    desk.tell(31, ExtendWrapUp())
    desk.tell(32, ExtendWrapUp())
    assert desk.agent.wrap_up is not None
    assert desk.agent.wrap_up.ends == at(20 + 30 + 120)
    assert desk.tell(171, ExtendWrapUp()) == "ready"


def test_a_ring_nobody_answered_is_no_work_after_a_call(desk: Desk) -> None:
    desk.call(rings=[(10, 25)], missed=1)
    assert desk.state == "ready"
    assert desk.agent.missed == 1
    desk.call(2, rings=[(30, 45)])  # taken back, or answered by a colleague
    assert desk.agent.missed == 1


def test_too_many_missed_rings_set_not_ready(desk: Desk) -> None:
    desk.call(1, rings=[(10, 25)], missed=1)
    desk.call(2, rings=[(30, 45)], missed=1)
    desk.call(3, rings=[(50, 52)], talks=[(52, 60)])  # one that was answered begins the count anew
    desk.tell(61, EndWrapUp())
    for number in (4, 5):
        desk.call(number, rings=[(number * 100, number * 100 + 15)], missed=1)
        assert desk.state == "ready"
    desk.call(6, rings=[(600, 615)], missed=1)
    assert (desk.state, machine.shown(desk.agent).reason) == ("not_ready", "missed")
    assert desk.intervals[-1] == ("not_ready", 615)
    assert desk.tell(700, SetReady()) == "ready"
    assert desk.agent.missed == 0


def test_one_call_that_rings_again_and_again_counts_each_ring(desk: Desk) -> None:
    desk.call(1, 1, rings=[(10, 25)], missed=1)
    desk.call(1, 2, rings=[(10, 25), (26, 41)], missed=2)
    desk.call(1, 3, rings=[(10, 25), (26, 41), (42, 57)], missed=3)
    assert desk.state == "not_ready"


def test_rings_while_not_ready_or_after_a_call_do_not_count(desk: Desk) -> None:
    desk.tell(1, SetNotReady("break"))
    desk.call(1, rings=[(10, 25)], missed=1)
    desk.tell(26, SetReady())
    desk.call(2, talks=[(30, 40)])
    desk.call(3, rings=[(41, 56)], missed=1)
    assert desk.agent.missed == 0


def test_no_missed_rings_is_never(desk: Desk) -> None:
    desk.rules = Rules(missed=0)
    for number in range(1, 20):
        desk.call(number, rings=[(number * 10, number * 10 + 5)], missed=1)
    assert desk.state == "ready"


def test_a_second_call_that_rings_during_work_after_the_first(desk: Desk) -> None:
    desk.call(1, talks=[(2, 20)])
    assert desk.call(2, rings=[(25, None)]) == "ringing"
    assert desk.agent.wrap_up is not None, "the deadline of the first goes on"
    assert desk.call(2, 2, rings=[(25, 30)], missed=1) == "wrap_up"
    assert desk.wait(55) == "ready"
    assert ("ready", 50) in desk.intervals


def test_a_deadline_during_the_ring_of_a_second_call(desk: Desk) -> None:
    desk.call(1, talks=[(2, 20)])
    desk.call(2, rings=[(45, None)])
    assert desk.wait(52) == "ringing"
    assert desk.agent.wrap_up is None
    assert desk.call(2, 2, rings=[(45, 55)]) == "ready"


def test_a_second_call_answered_during_work_after_the_first_ends_that(desk: Desk) -> None:
    desk.call(1, talks=[(2, 20)])
    desk.call(2, rings=[(25, 28)], talks=[(28, None)])
    assert (desk.state, desk.agent.wrap_up) == ("talking", None)
    ended = next(change for change in desk.changes if change.before.wrap_up and not change.after.wrap_up)
    assert (ended.by, ended.at) == ("call", at(28))
    desk.call(2, 2, rings=[(25, 28)], talks=[(28, 40)])
    assert desk.agent.wrap_up is not None
    assert desk.agent.wrap_up.call == 2


def test_a_call_that_goes_on_in_another_one_leaves_no_work_between(desk: Desk) -> None:
    desk.call(1, talks=[(2, None)])
    desk.call(2, talks=[(10, None)])
    assert desk.call(1, 2, over=at(10)) == "talking"
    assert desk.agent.wrap_up is None


def test_going_during_a_call_takes_effect_after_the_work(desk: Desk) -> None:
    desk.call(talks=[(2, None)])
    assert desk.tell(5, SignOut()) == "talking"
    assert desk.wanted == (True, "leaving")
    desk.call(version=2, talks=[(2, 20)])
    assert desk.state == "wrap_up"
    assert desk.wait(60) == "signed_out"
    assert machine.wanted(desk.agent).queues == ()


def test_going_can_be_taken_back(desk: Desk) -> None:
    desk.call(talks=[(2, None)])
    desk.tell(5, SignOut())
    desk.tell(6, SetReady())
    desk.call(version=2, talks=[(2, 20)])
    assert desk.wait(60) == "ready"


def test_a_take_over_does_not_wait(desk: Desk) -> None:
    desk.call(talks=[(2, 20)])
    assert desk.tell(25, SignOut("takeover", at_once=True)) == "signed_out"


def test_a_call_we_make_is_a_call_back_and_has_work_after_it(desk: Desk) -> None:
    assert desk.call(rings=[(1, None)], outbound=True) == "call_back"
    assert desk.call(version=2, rings=[(1, 3)], talks=[(8, None)], outbound=True) == "call_back"
    assert desk.call(version=3, rings=[(1, 3)], talks=[(8, 30)], outbound=True) == "wrap_up"


def test_out_of_reach_is_shown_of_who_would_be_ready(desk: Desk) -> None:
    assert desk.tell(5, Reach(False)) == "unreachable"
    assert desk.tell(6, SetNotReady("break")) == "not_ready"
    assert desk.tell(7, SetReady()) == "unreachable"
    assert desk.tell(8, Reach(True)) == "ready"


def test_a_leader_ends_no_work_that_he_cannot_judge(desk: Desk) -> None:
    desk.call(talks=[(2, 20)])
    assert desk.tell(25, SetNotReady("meeting", "leader", 7)) == "wrap_up"
    assert desk.wait(60) == "not_ready"
    assert machine.shown(desk.agent).set_by == 7


def test_what_is_told_twice_or_late_changes_nothing(desk: Desk) -> None:
    full = leg(1, 4, rings=[(10, 13)], talks=[(13, 60)])
    desk.tell(0, full)
    before = desk.agent
    desk.tell(0, full)
    desk.tell(0, leg(1, 2, rings=[(10, 13)], talks=[(13, None)]))
    assert desk.agent == before


def test_a_hold_goes_on_although_a_new_leader_saw_only_the_talk(desk: Desk) -> None:
    desk.call(talks=[(2, None)], holds=[(5, None)])
    assert desk.call(version=2, talks=[(30, None)], partial=True) == "hold"
    assert desk.call(version=3, talks=[(30, None)], holds=[(30, 40)], partial=True) == "talking"
    assert desk.intervals[-1] == ("talking", 40)
    assert desk.call(version=4, talks=[(30, 60)], holds=[(30, 40)], partial=True) == "wrap_up"


def test_a_call_from_before_signing_in_does_not_count() -> None:
    desk = Desk()
    desk.tell(100, SignIn(("hotline",)))
    desk.call(rings=[(1, 3)], talks=[(3, 50)])
    assert (desk.state, desk.agent.wrap_up) == ("ready", None)


def test_nothing_but_signing_in_moves_who_is_out() -> None:
    desk = Desk()
    for event in (SetReady(), SetNotReady("break"), EndWrapUp(), SignOut(), Reach(False), SetQueues(("x",))):
        assert desk.tell(1, event) == "signed_out"
    desk.call(talks=[(2, None)])
    assert desk.state == "signed_out"


@pytest.mark.parametrize("skew", [-90, 0, 90])
def test_a_pbx_whose_clock_is_wrong_makes_no_time_run_back(skew: int) -> None:
    desk = Desk()
    desk.tell(0, SignIn(("hotline",)))
    desk.tell(100, SetNotReady("break"))
    desk.tell(110, SetReady())
    desk.call(rings=[(120 + skew, 123 + skew)], talks=[(123 + skew, None)])
    desk.tell(130, SetNotReady("meeting"))
    desk.call(version=2, rings=[(120 + skew, 123 + skew)], talks=[(123 + skew, 160 + skew)])
    assert desk.state == "wrap_up"
    desk.tell(165, SetReady())
    assert desk.state == "ready"


@pytest.mark.parametrize("seed", range(60))
def test_random_lives(seed: int) -> None:
    """Whatever comes, in whatever order, twice or skewed: one line of intervals, the last fact decides."""
    dice = random.Random(seed)
    told: list[tuple[float, Event]] = [(0, SignIn(("hotline",)))]
    final: dict[int, Leg] = {}
    clock = 5.0
    for number in range(1, 25):
        skew = dice.choice((0, 0, 0, -90, 90))
        clock += dice.uniform(1, 60)
        ring, talk, end = clock, clock + dice.uniform(1, 9), clock + dice.uniform(10, 90)
        shift = [(ring + skew, talk + skew)]
        stages = [
            leg(number, 1, rings=[(ring + skew, None)]),
            leg(number, 2, rings=shift, talks=[(talk + skew, None)]),
            leg(number, 3, rings=shift, talks=[(talk + skew, end + skew)]),
        ]
        told += [(when, stage) for when, stage in zip((ring, talk, end), stages, strict=True)]
        final[number] = stages[-1]
        clock = end
        told += [(clock + dice.uniform(-40, 40), _wish(dice)) for _ in range(dice.randrange(3))]
    told += dice.sample(told[1:], len(told) // 3)
    head, rest = told[:1], told[1:]
    rest.sort(key=lambda pair: pair[0] + dice.uniform(-20, 20))
    desk = Desk()
    for when, event in head + rest:
        desk.tell(when, event)
        if dice.random() < 0.3:
            desk.wait(when)
    for one in final.values():
        desk.tell(clock, one)
    desk.wait(clock + 1000)
    assert not desk.agent.live
    assert desk.agent.wrap_up is None
    starts = [start for _, start in desk.intervals]
    assert starts == sorted(starts)


@pytest.mark.parametrize("seed", range(20))
def test_seconds_on_the_phone_are_those_of_the_calls(seed: int) -> None:
    """However people click meanwhile, talk and hold are what the PBX's stamps say."""
    dice = random.Random(seed)
    desk, clock, talked = Desk(), 1.0, 0.0
    desk.tell(0, SignIn(("hotline",)))
    for number in range(1, 20):
        talk, end = clock + dice.uniform(1, 9), clock + dice.uniform(10, 90)
        ring = [(clock, talk)]
        hold = [(talk + 2, min(talk + 5, end))]
        desk.call(number, 1, rings=[(clock, None)])
        desk.call(number, 2, rings=ring, talks=[(talk, None)])
        if dice.random() < 0.5:
            desk.tell(talk + 0.5, _wish(dice))
        desk.call(number, 3, rings=ring, talks=[(talk, end)], holds=hold)
        talked += end - talk
        clock = end + dice.uniform(1, 60)
        desk.tell(clock, _wish(dice))
        desk.tell(clock, SetReady())
    measured = sum(two[1] - one[1] for one, two in pairwise(desk.intervals) if one[0] in ("talking", "hold"))
    assert measured == pytest.approx(talked)


def _wish(dice: random.Random) -> Event:
    return dice.choice(
        (
            SetReady(),
            SetNotReady("break"),
            SetNotReady("meeting", "leader", 9),
            EndWrapUp(),
            ExtendWrapUp(),
            SetQueues(("hotline", "expert")),
            Reach(False),
            Reach(True),
            SetReady("phone"),
        )
    )
