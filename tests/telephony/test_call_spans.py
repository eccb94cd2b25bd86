"""A hold of the console ends with what ended it, also when nothing was told after that."""

from __future__ import annotations

from typing import Any

from telephony.calls.facts import Channel, Stay
from telephony.calls.spans import held_spans, still_held


def _citizen(helds: set[float], enters: set[float], ended: float | None = None) -> Channel:
    call: Any = None
    channel = Channel("u1", "PJSIP/trunk-1", call, 0.0)
    channel.helds.update(helds)
    channel.stays["b"] = Stay(enters=set(enters))
    channel.ended = ended
    return channel


def test_a_hold_lasts_until_the_citizen_is_in_a_bridge_again() -> None:
    citizen = _citizen({20.0}, {10.0})
    assert (held_spans(citizen, 25.0), still_held(citizen)) == ([(20.0, 25.0)], True)


def test_the_end_of_a_hold_ends_it_although_it_is_the_last_that_was_told() -> None:
    citizen = _citizen({20.0}, {10.0, 25.0})
    assert (held_spans(citizen, 25.0), still_held(citizen)) == ([(20.0, 25.0)], False)


def test_a_second_hold_lasts_and_who_hung_up_is_held_no_more() -> None:
    assert still_held(_citizen({20.0, 30.0}, {10.0, 25.0}))
    assert not still_held(_citizen({20.0, 30.0}, {10.0, 25.0}, ended=40.0))
    assert not still_held(_citizen(set(), {10.0}))
