"""What a PBX is told, what comes back from it, and clocks that differ: without a PBX."""

import random

import pytest

from telephony.agents.machine import Wanted
from telephony.agents.skew import Skew
from telephony.agents.standing import Echoes, Order, orders
from telephony.calls.roster import Place, Told

READY, PAUSED = Wanted(("a", "b")), Wanted(("a", "b"), True, "ACW")


def place(paused: bool = False, reason: str = "") -> Place:
    return Place(1.0, True, paused, reason)


def told(wanted: Wanted, places: dict[str, Place], fixed: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    return [(order.what, order.queue, order.reason) for order in orders("1001", wanted, places, fixed)]


def test_who_is_wanted_nowhere_is_taken_out_everywhere() -> None:
    assert told(Wanted(), {"a": place(), "b": place()}) == [("remove", "a", ""), ("remove", "b", "")]


def test_who_is_missing_is_added_and_paused_at_once_if_so_wanted() -> None:
    assert told(READY, {}) == [("add", "a", ""), ("add", "b", "")]
    assert told(PAUSED, {}) == [("add", "a", "ACW"), ("add", "b", "ACW")]


def test_a_pause_with_another_reason_is_set_anew() -> None:
    assert told(PAUSED, {"a": place(True, "ACW"), "b": place(True, "break")}) == [("pause", "b", "ACW")]


def test_nothing_is_said_where_all_is_well() -> None:
    assert told(READY, {"a": place(), "b": place()}) == []
    assert told(PAUSED, {"a": place(True, "ACW"), "b": place(True, "ACW")}) == []


def test_who_must_not_ring_comes_before_who_shall() -> None:
    found = told(Wanted(("b", "c")), {"a": place(), "b": place(True, "x")})
    assert found == [("remove", "a", ""), ("add", "c", ""), ("unpause", "b", "")]


def test_a_fixed_member_is_paused_where_he_is_not_wanted() -> None:
    assert told(Wanted(), {"a": place()}, ("a",)) == [("pause", "a", "out")]
    assert told(Wanted(), {"a": place(True, "out")}, ("a",)) == []


@pytest.mark.parametrize("seed", range(30))
def test_orders_lead_to_what_is_wanted(seed: int) -> None:
    """Carried out, they leave nothing to be said."""
    dice = random.Random(seed)
    names = ("a", "b", "c", "d")
    wanted = Wanted(tuple(dice.sample(names, dice.randrange(4))), dice.random() < 0.5, "ACW")
    if not wanted.paused:
        wanted = Wanted(wanted.queues)
    places = {name: place(dice.random() < 0.5, "x") for name in dice.sample(names, dice.randrange(5))}
    for order in orders("1001", wanted, places):
        if order.what == "remove":
            del places[order.queue]
        else:
            places[order.queue] = place(order.what == "pause" or bool(order.reason), order.reason)
    assert orders("1001", wanted, places) == []


def test_what_answers_an_order_is_ours_once() -> None:
    echoes, order = Echoes(), Order("pause", "a", "1001", "ACW")
    echoes.expect(order, 0.0)
    assert echoes.waits(order, 1.0)
    assert not echoes.is_ours(Told(1.0, "unpaused", "a", "1001"), 1.0)
    assert echoes.is_ours(Told(1.0, "paused", "a", "1001", "ACW"), 1.0)
    assert not echoes.is_ours(Told(2.0, "paused", "a", "1001", "break"), 2.0)
    assert not echoes.waits(order, 2.0)


def test_what_never_came_back_is_not_expected_for_ever() -> None:
    echoes = Echoes()
    echoes.expect(Order("pause", "a", "1001"), 0.0)
    assert not echoes.is_ours(Told(20.0, "paused", "a", "1001"), 20.0)


def test_what_was_refused_rests_for_a_while() -> None:
    echoes, order = Echoes(), Order("add", "a", "1001")
    echoes.expect(order, 0.0)
    echoes.refused(order, 0.0)
    assert echoes.waits(order, 5.0)
    assert not echoes.waits(order, 15.0)


@pytest.mark.parametrize("apart", [-90.0, -3.0, 3.0, 90.0])
def test_clocks_that_differ_are_told_by_the_quickest_event(apart: float) -> None:
    skew = Skew()
    for second in range(100):
        skew.note(1_000_000 + second, 1_000_000 + second + apart + (second % 7) * 0.4)
    assert skew.seconds == pytest.approx(apart)
    assert skew.instant(1_000_000).timestamp() == pytest.approx(1_000_000 + apart)


def test_clocks_that_agree_leave_stamps_as_they_are() -> None:
    skew = Skew()
    assert skew.seconds == 0
    for second in range(100):
        skew.note(1_000_000 + second, 1_000_000 + second + 0.5)
    assert skew.seconds == 0


def test_a_clock_that_was_put_right_is_believed_after_a_while() -> None:
    skew = Skew()
    for second in range(30):
        skew.note(1_000_000 + second, 1_000_000 + second + 90)
    for second in range(40, 400):
        skew.note(1_000_090 + second, 1_000_090 + second)
    assert skew.seconds == 0
