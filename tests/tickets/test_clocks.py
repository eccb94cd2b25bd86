"""What is due when: after corrections, refused returns, undone merges and redone work, by the table.

The tests begin on Monday 23 November, 10:00 in the city; every time below is the city's.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock, to_city
from tests.tickets.conftest import City, Refused
from tests.tickets.life import RETURN, Life, life
from tickets.flow import TicketStage
from tickets.models import table_of
from tickets.states import Action

A = Action
HOUR = 3600.0
_stage = table_of(TicketStage)
Way = Callable[[Life], Awaitable[None]]


async def due(one: Life) -> dict[str, str | None]:
    """The total, and every stage that runs; the ticket's own row must agree with its stage."""
    row = await one.row()
    async with one.city.db.read() as session:
        query = sa.select(_stage.c.stage, _stage.c.due_at)
        query = query.where(_stage.c.ticket_id == one.id, _stage.c.ended_at.is_(None))
        stages = {found.stage: found.due_at for found in await session.execute(query)}
    assert stages.get(row.stage) == row.stage_due_at
    found = {"total": row.due_at} | stages
    return {name: to_city(at).strftime("%d %H:%M") if at else None for name, at in found.items()}


async def waiting(one: Life) -> None:
    """Nobody has it yet."""


async def dispatched(one: Life) -> None:
    await one.do("dispatcher", A.DISPATCH, unit_id=one.city.unit("lights"))


async def handled(one: Life) -> None:
    await one.to_handling()


async def contacted(one: Life) -> None:
    await one.to_handling()
    await one.do("lights", A.CONTACT, result="reached")


async def returned(one: Life) -> None:
    await one.to_handling()
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=one.city.unit("water"))


async def suspended(one: Life) -> None:
    await one.to_handling()
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)


async def extended(one: Life) -> None:
    await one.to_handling()
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=3)
    await one.do("supervision", A.APPROVE_EXTENSION)


# ---- corrections --------------------------------------------------------------------------------

HELP = {"total": "26 18:00", "handle": "26 18:00", "contact": "24 18:00"}
CORRECTIONS: list[tuple[Way, dict[str, str], dict[str, str | None]]] = [
    (waiting, {"type": "complaint"}, {"total": None, "dispatch": "24 10:00"}),
    (waiting, {"urgency": "urgent"}, {"total": None, "dispatch": "23 12:00"}),
    (waiting, {"urgency": "critical"}, {"total": None, "dispatch": "23 11:00"}),
    (dispatched, {"title": "路灯"}, {"total": "26 18:00", "sign": "24 18:00", "contact": "24 18:00"}),
    (dispatched, {"type": "consult"}, {"total": "25 18:00", "sign": "24 18:00", "contact": "24 18:00"}),
    (dispatched, {"urgency": "urgent"}, {"total": "24 10:00", "sign": "23 11:00", "contact": "23 12:00"}),
    (dispatched, {"urgency": "critical"}, {"total": "24 10:00", "sign": "23 10:15", "contact": "23 10:30"}),
    (handled, {"type": "complaint"}, {"total": "07 18:00", "handle": "07 18:00", "contact": "24 18:00"}),
    (handled, {"type": "suggestion"}, {"total": "30 18:00", "handle": "30 18:00", "contact": "24 18:00"}),
    (handled, {"urgency": "urgent"}, {"total": "24 10:00", "handle": "24 10:00", "contact": "23 12:00"}),
    (contacted, {"urgency": "urgent"}, {"total": "24 10:00", "handle": "24 10:00"}),
    (
        returned,
        {"urgency": "urgent"},
        {"total": "24 10:00", "return_ruling": "23 15:00"},  # the ruling asks nothing of the urgency
    ),
    (
        suspended,
        {"urgency": "urgent"},
        {"total": "24 10:00", "suspension": "13 10:00", "contact": "23 12:00"},
    ),
    # An extension is granted on top of the type's limit, never to what is urgent.
    (extended, {"title": "路灯"}, {"total": "01 18:00", "handle": "01 18:00", "contact": "24 18:00"}),
    (extended, {"type": "complaint"}, {"total": "10 18:00", "handle": "10 18:00", "contact": "24 18:00"}),
    (extended, {"urgency": "urgent"}, {"total": "24 10:00", "handle": "24 10:00", "contact": "23 12:00"}),
]


@pytest.mark.parametrize(("way", "change", "expected"), CORRECTIONS)
@pytest.mark.parametrize("later", [0.0, 5 * HOUR])
async def test_a_correction_counts_its_limits_from_the_starts_they_had(
    city: City,
    clock: ManualClock,
    way: Way,
    change: dict[str, str],
    expected: dict[str, str | None],
    later: float,
) -> None:
    one = await life(city)
    await way(one)
    before = await due(one)
    clock.advance(later)
    await one.do("dispatcher", A.EDIT, **change)
    assert await due(one) == expected
    await one.check_replay()
    if {"type", "urgency"} & set(change):
        await one.do("dispatcher", A.EDIT, type="help", urgency="normal")
        assert await due(one) == before


async def test_a_correction_in_a_redo_counts_from_the_redo(city: City, clock: ManualClock) -> None:
    one = await life(city)
    await one.to_check()
    await one.do("supervision", A.SUPERVISE, note="x")
    await one.do("dispatcher", A.PASS_CHECK)
    clock.advance(24 * HOUR)
    await one.do("callback", A.REDO, reason_code="not_solved", note="灯还是不亮")
    await one.do("lights", A.SIGN)
    assert await due(one) == {"total": "27 18:00", "handle": "27 18:00", "contact": "25 18:00"}
    clock.advance(5 * HOUR)
    await one.do("dispatcher", A.EDIT, type="report")
    assert (await due(one))["total"] == "01 18:00"
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    assert await due(one) == {"total": "25 10:00", "handle": "25 10:00", "contact": "24 12:00"}


async def test_a_correction_gives_co_handlers_who_have_not_answered_their_limit(
    city: City, clock: ManualClock
) -> None:
    one = await life(city)
    co = [city.unit("water"), city.unit("qixing")]
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"), co_unit_ids=co)
    await one.do("lights", A.SIGN)
    await one.do("water", A.CO_OPINION, note="无异议")
    clock.advance(5 * HOUR)
    await one.do("dispatcher", A.EDIT, type="complaint")
    query = (
        "SELECT to_char(due_at AT TIME ZONE 'Asia/Shanghai', 'DD HH24:MI') FROM ticket_unit "
        "WHERE ticket_id = :id AND unit_id = "
    )
    assert await one.scalar(query + str(co[0])) == "24 18:00"
    assert await one.scalar(query + str(co[1])) == "30 18:00"


async def test_what_became_urgent_while_it_waited_is_not_extended(city: City, refused: Refused) -> None:
    one = await life(city)
    await one.to_handling()
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=3)
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    await refused("extension_urgent", one.do("supervision", A.APPROVE_EXTENSION))
    await one.do("supervision", A.REFUSE_EXTENSION, note="已转为紧急")
    assert (await due(one))["handle"] == "24 10:00"


@pytest.mark.parametrize(
    ("later", "decided_by"),
    [(0.0, "24 18:00"), (72 * HOUR, "26 18:00")],  # one working day, but before the time is over
)
async def test_an_extension_is_decided_before_the_time_is_over(
    city: City, clock: ManualClock, later: float, decided_by: str
) -> None:
    one = await life(city)
    await contacted(one)
    clock.advance(later)
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=3)
    assert await due(one) == {"total": "26 18:00", "decision": decided_by}
    asked = "SELECT to_char(due_at AT TIME ZONE 'Asia/Shanghai', 'DD HH24:MI') FROM ticket_request"
    assert await city.scalar(asked) == decided_by
    await one.check_replay()


# ---- returns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (dispatched, HELP),
        (handled, HELP),
        (contacted, {"total": "26 18:00", "handle": "26 18:00"}),
    ],
)
async def test_a_refused_return_leaves_every_clock_where_it_was(
    city: City, clock: ManualClock, way: Way, expected: dict[str, str]
) -> None:
    one = await life(city)
    await way(one)
    clock.advance(4 * HOUR)
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    assert await due(one) == {"total": "26 18:00", "return_ruling": "23 18:00"}
    clock.advance(20 * HOUR)
    await one.do("dispatcher", A.REFUSE_RETURN, note="属于你单位职责")
    assert await due(one) == expected
    await one.check_replay()


async def test_an_accepted_return_moves_the_unit_and_not_the_citizens_clock(
    city: City, clock: ManualClock
) -> None:
    one = await life(city)
    await returned(one)
    clock.advance(24 * HOUR)
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意", unit_id=city.unit("water"))
    assert await due(one) == {"total": "26 18:00", "sign": "25 18:00", "contact": "25 18:00"}
    await one.do("water", A.SIGN)
    assert await due(one) == {"total": "26 18:00", "handle": "26 18:00", "contact": "25 18:00"}


async def test_a_return_back_to_the_queue_keeps_the_citizens_clock(city: City, clock: ManualClock) -> None:
    one = await life(city)
    await returned(one)
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意")
    clock.advance(24 * HOUR)
    await one.to_handling("water")
    assert await due(one) == {"total": "26 18:00", "handle": "26 18:00", "contact": "25 18:00"}


async def test_a_return_refused_after_it_became_urgent_is_due_as_urgent(city: City) -> None:
    one = await life(city)
    await returned(one)
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    await one.do("dispatcher", A.REFUSE_RETURN, note="属于你单位职责")
    assert await due(one) == {"total": "24 10:00", "handle": "24 10:00", "contact": "23 12:00"}


# ---- merges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [waiting, dispatched, handled, contacted])
async def test_an_undone_merge_leaves_every_clock_where_it_was(
    city: City, clock: ManualClock, way: Way
) -> None:
    one, master = await life(city), await life(city, phone="13800000002")
    await way(one)
    before = await due(one)
    clock.advance(2 * HOUR)
    for _ in range(2):  # merged and taken out twice: the second time is no other
        await one.do("dispatcher", A.MERGE, master_id=master.id)
        assert list(await due(one)) == ["total"]
        clock.advance(24 * HOUR)
        await one.do("dispatcher", A.UNMERGE, note="不是同一件事")
        assert await due(one) == before
    await one.check_replay()


async def test_a_web_ticket_taken_out_of_a_merge_is_still_to_be_accepted_by_its_day(
    city: City, clock: ManualClock
) -> None:
    one, master = await life(city, channel="web"), await life(city, phone="13800000002")
    before: Any = await due(one)
    assert before == {"total": None, "accept": "24 18:00"}
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    clock.advance(24 * HOUR)
    await one.do("dispatcher", A.UNMERGE, note="不是同一件事")
    assert await due(one) == before


# ---- the calendar -------------------------------------------------------------------------------


async def test_a_holiday_and_its_make_up_day_move_the_due_times_of_a_ticket(
    city: City, clock: ManualClock
) -> None:
    clock.step(-56 * 24 * HOUR)  # Monday 28 September 2026; 1-7 October is off, Saturday the 10th is worked
    one = await life(city)
    await dispatched(one)
    await one.do("dispatcher", A.EDIT, type="complaint")
    assert (await due(one))["total"] == "16 18:00"
    clock.advance(2 * 24 * HOUR + 9 * HOUR)  # Wednesday after hours
    await one.do("lights", A.SIGN)
    await one.do("lights", A.CONTACT, result="reached")
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=3)
    await one.do("supervision", A.APPROVE_EXTENSION)
    assert (await due(one))["total"] == "21 18:00"
