"""The draw: the same every time, by the rules, nothing twice."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import HotlineError
from sla.quality.sampling import Candidate, Rule, checked, draw

PLAN = {Rule.LOW: 1, Rule.COMPLAINT: 1, Rule.LONG: 1, Rule.RANDOM: 2, Rule.NEW: 1}


def pool(agent: int, count: int, **marks: bool) -> list[Candidate]:
    return [Candidate(1000 * agent + n, agent, **marks) for n in range(count)]


def test_the_same_seed_draws_the_same_whatever_the_order() -> None:
    calls = pool(1, 40) + pool(2, 40, long=True) + pool(3, 10, low=True)
    first = draw(calls, PLAN, 7)
    shuffled = list(calls)
    random.Random(1).shuffle(shuffled)
    assert draw(shuffled, PLAN, 7) == first
    assert {one.call_id for one in draw(calls, PLAN, 8)} != {one.call_id for one in first}


def test_a_call_that_came_later_never_changes_which_of_the_others_goes_first() -> None:
    calls = pool(1, 30)
    before = [one.call_id for one in draw(calls, {Rule.RANDOM: 5}, 7)]
    after = [one.call_id for one in draw([*calls, Candidate(9999, 1)], {Rule.RANDOM: 5}, 7)]
    assert [one for one in after if one != 9999] == before[: len([one for one in after if one != 9999])]


def test_each_rule_draws_what_it_is_for() -> None:
    calls = [
        *pool(1, 20),
        Candidate(1, 1, low=True), Candidate(2, 1, complaint=True), Candidate(3, 1, long=True),
    ]  # fmt: skip
    found = {one.rule: one.call_id for one in draw(calls, PLAN, 7) if one.rule is not Rule.RANDOM}
    assert found == {Rule.LOW: 1, Rule.COMPLAINT: 2, Rule.LONG: 3}


def test_what_a_rule_does_not_find_is_made_up_at_random() -> None:
    found = draw(pool(1, 20), PLAN, 7)
    assert [one.rule for one in found] == [Rule.RANDOM] * 5
    assert [one.rule for one in draw(pool(1, 20), {Rule.LOW: 3}, 7)] == [Rule.RANDOM] * 3


def test_new_staff_get_more_and_others_do_not() -> None:
    drawn = draw([*pool(1, 20, new_staff=True), *pool(2, 20)], {Rule.RANDOM: 2, Rule.NEW: 3}, 7)
    count = {agent: sum(one.agent_id == agent for one in drawn) for agent in (1, 2)}
    assert count == {1: 5, 2: 2}


def test_who_has_few_calls_gives_all_of_them_once() -> None:
    found = draw(pool(1, 3, low=True, complaint=True, long=True), PLAN, 7)
    assert len({one.call_id for one in found}) == len(found) == 3


def test_a_call_that_two_agents_talked_in_is_drawn_for_one() -> None:
    both = [Candidate(5, 1), Candidate(5, 2), Candidate(6, 2)]
    found = draw(both, {Rule.RANDOM: 2}, 7)
    assert sorted(one.call_id for one in found) == [5, 6]


def test_a_call_said_twice_by_its_tickets_is_one_and_has_both_marks() -> None:
    (one,) = draw([Candidate(1, 1), Candidate(1, 1, complaint=True)], {Rule.COMPLAINT: 1, Rule.RANDOM: 1}, 7)
    assert one.rule is Rule.COMPLAINT


@pytest.mark.parametrize(
    "plan", [{}, {"random": 0}, {"random": -1}, {"random": 21}, {"often": 1}, {"low": 10, "long": 11}]
)
def test_a_plan_that_makes_no_sense_is_refused(plan: dict[str, int]) -> None:
    with pytest.raises(HotlineError, match="quality_plan"):
        checked(plan)


_flags = st.booleans()
_calls = st.builds(Candidate, st.integers(1, 25), st.integers(1, 3), _flags, _flags, _flags, _flags)
_plans = st.dictionaries(st.sampled_from(list(Rule)), st.integers(1, 3), min_size=1)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine
@given(st.lists(_calls, max_size=30), _plans, st.integers(0, 2**31 - 1))
def test_nothing_is_drawn_twice_and_nobody_gets_more_than_the_plan(
    calls: list[Candidate], plan: dict[Rule, int], seed: int
) -> None:
    found = draw(calls, plan, seed)
    ids = [one.call_id for one in found]
    assert len(set(ids)) == len(ids)
    there = {(one.call_id, one.agent_id) for one in calls}
    assert {(one.call_id, one.agent_id) for one in found} <= there
    for agent in {one.agent_id for one in found}:
        assert sum(one.agent_id == agent for one in found) <= sum(plan.values())
