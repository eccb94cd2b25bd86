"""先行联系: not to be reached after three tries at different times, not after three in a row."""

from datetime import UTC, datetime, timedelta

import pytest

from core.clock import ManualClock
from tests.tickets.conftest import City, Refused
from tests.tickets.life import Life, life
from tickets.contacts import tries
from tickets.states import Action

A = Action
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GAP = timedelta(minutes=60)
REPLY = {"public_reply": "多次联系未果，路灯已修复。"}


@pytest.mark.parametrize(
    ("minutes", "counted", "next_at"),
    [
        ([], 0, None),
        ([0], 1, 60),
        ([0, 0, 0], 1, 60),
        ([0, 59], 1, 60),
        ([0, 60], 2, 120),
        ([0, 30, 60], 2, 120),
        ([0, 59, 118], 2, 178),  # measured from the try that counted, not from the last
        ([0, 59, 118, 177, 178], 3, 238),
        ([120, 0, 60], 3, 180),
    ],
)
def test_tries_count_when_they_lie_apart(minutes: list[int], counted: int, next_at: int | None) -> None:
    found = tries([START + timedelta(minutes=one) for one in minutes], GAP)
    assert found.counted == counted
    assert found.next_at == (None if next_at is None else START + timedelta(minutes=next_at))
    assert (found.enough, found.left) == (counted >= 3, max(0, 3 - counted))


async def _runs(one: Life) -> bool:
    """Whether the contact stage is still running."""
    query = (
        "SELECT count(*) FROM ticket_stage WHERE ticket_id = :id AND stage = 'contact' AND ended_at IS NULL"
    )
    return bool(await one.scalar(query))


async def test_three_tries_in_a_row_are_one(city: City, refused: Refused, clock: ManualClock) -> None:
    one = await life(city)
    await one.to_handling()
    for _ in range(3):
        await one.do("lights", A.CONTACT, result="no_answer")
        clock.advance(60)
    assert await _runs(one)
    assert (await one.row()).contacted_at is None
    await refused("contact_missing", one.do("lights", A.CLOSE, **REPLY))
    await refused("contact_missing", one.do("lights", A.CLOSE, **REPLY, result="no_answer"))


async def test_three_tries_an_hour_apart_are_enough_and_end_the_contact_stage(
    city: City, clock: ManualClock
) -> None:
    one = await life(city)
    await one.to_handling()
    for _ in range(3):
        assert await _runs(one)
        await one.do("lights", A.CONTACT, result="no_answer")
        clock.advance(3600)
    assert not await _runs(one)
    await one.do("lights", A.CLOSE, **REPLY)
    assert await one.state() == "waiting_check"


async def test_the_try_made_with_the_closing_counts_by_the_same_rule(
    city: City, refused: Refused, clock: ManualClock
) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.CONTACT, result="busy")
    clock.advance(3600)
    await one.do("lights", A.CONTACT, result="no_answer")
    clock.advance(3599)
    await refused("contact_missing", one.do("lights", A.CLOSE, **REPLY, result="no_answer"))
    clock.advance(1)
    await one.do("lights", A.CLOSE, **REPLY, result="no_answer")
    assert await one.state() == "waiting_check"


async def test_a_check_that_found_no_contact_asks_for_a_new_one(
    city: City, refused: Refused, clock: ManualClock
) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.CONTACT, result="reached")
    await one.do("lights", A.CLOSE, **REPLY)
    clock.advance(60)
    await one.do("dispatcher", A.REJECT_CHECK, reason_code="no_basis", note="请写明依据")
    await one.do("lights", A.CLOSE, **REPLY)
    clock.advance(60)
    await one.do("dispatcher", A.REJECT_CHECK, reason_code="not_contacted", note="市民称未接到来电")
    await refused("contact_missing", one.do("lights", A.CLOSE, **REPLY))
    clock.advance(60)
    await one.do("lights", A.CONTACT, result="reached")
    await one.do("lights", A.CLOSE, **REPLY)
