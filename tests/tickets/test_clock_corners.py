"""Clocks in the corners of a life: work handed down and back, members of a merge, pauses over a correction.

The tests begin on Monday 23 November, 10:00 in the city; every time below is the city's.
"""

from core.clock import ManualClock
from core.people.permissions import Role
from tests.tickets.conftest import City
from tests.tickets.life import RETURN, Life, life, person
from tests.tickets.test_clock_rows import DAY, HOUR, clock_of, handled, rows, shown, told
from tickets.handover import Handovers, start
from tickets.states import Action

A = Action


async def lent(city: City) -> Life:
    """The district has it and lent it to its street, which signed."""
    one = await life(city, type="complaint")
    await one.to_handling("qixing", "district")
    await one.do("district", A.SUB_DISPATCH, unit_id=city.unit("sanlidian"), note="请核实")
    await one.do("street", A.SIGN)
    return one


async def done(one: Life) -> None:
    """From the handling to the end of the way, by a call-back that is not left to chance."""
    await one.do("supervision", A.SUPERVISE, note="请抓紧办理")
    await one.close()
    await one.do("dispatcher", A.PASS_CHECK)
    await one.do("callback", A.REVISIT, result="reached", responded=True, solved=True, satisfied=5)


async def test_what_is_reported_back_or_taken_back_is_the_leads_to_contact(city: City) -> None:
    for who, action in (("street", A.REPORT_BACK), ("district", A.TAKE_BACK)):
        one = await lent(city)
        assert (await clock_of(one, "contact")).unit_id == city.unit("sanlidian")
        await one.do(who, action, note="已到现场查看")
        for stage in ("contact", "handle"):
            assert (await clock_of(one, stage)).unit_id == city.unit("qixing"), (action, stage)


async def test_a_co_handler_that_the_work_is_lent_to_owes_no_opinion(city: City) -> None:
    one = await life(city, type="complaint")
    await one.to_handling("qixing", "district")
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("sanlidian")], note="请协助")
    await one.do("district", A.SUB_DISPATCH, unit_id=city.unit("sanlidian"), note="请核实")
    assert await rows(one, "co_opinion") == []


async def test_a_co_handler_that_goes_over_into_whom_the_work_was_lent_to_owes_no_opinion(city: City) -> None:
    one = await lent(city)
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water")], note="请协助")
    async with city.db.begin() as uow:
        await start(
            *(uow, city.actors["admin"], city.unit("water"), city.unit("sanlidian")),
            reason="机构改革",
            move_users=True,
        )
    await Handovers(city.db, city.tickets).run()
    assert await rows(one, "co_opinion") == []
    found = await one.scalar(
        "SELECT array_agg(role::text || signed_at::text) FROM ticket_unit WHERE ticket_id = :id "
        f"AND until IS NULL AND unit_id = {city.unit('sanlidian')}"
    )
    assert len(found) == 1
    assert found[0].startswith("sub2")  # it works on it, and signed
    await one.do("street", A.REPORT_BACK, note="已到现场查看")


async def test_a_member_that_was_never_dispatched_and_is_redone_has_one_total(city: City) -> None:
    one, master = await life(city, phone="13800000002"), await handled(city)
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    await done(master)
    assert await one.state() == "closed"
    await one.do("callback", A.REDO, reason_code="not_solved", note="仍未解决", unit_id=city.unit("water"))
    assert (await told(one))[:3] == ("23 10:00", "26 18:00", "3wd")
    assert (await one.row()).due_at == (await clock_of(one, "total")).due_at


async def test_an_exclusion_of_a_member_is_to_be_decided_again_when_its_master_closes(
    city: City, clock: ManualClock
) -> None:
    one, master = await handled(city, phone="13800000002"), await handled(city)
    await one.do("lights", A.APPLY_EXCLUSION, reason_code="against_law", note="不符合政策")
    before = await told(one, "exclusion")
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    assert await rows(one, "exclusion") == []
    clock.advance(HOUR)
    await done(master)
    assert await told(one, "exclusion") == before
    await one.do("supervision", A.REFUSE_EXCLUSION, note="不予剔除")
    assert await rows(one, "exclusion") == []


async def suspend(one: Life, days: int = 20) -> None:
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=days)
    await one.do("supervision", A.APPROVE_SUSPENSION)


async def test_an_opinion_asked_for_during_a_suspension_keeps_its_pause_over_a_correction(
    city: City, clock: ManualClock
) -> None:
    one = await handled(city)
    await suspend(one)
    clock.advance(DAY)
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water")], note="请协助")
    clock.advance(2 * DAY)
    await one.do("lights", A.RESUME, note="计划已下达")
    due = (await clock_of(one, "co_opinion")).due_at
    assert shown(due) == "03 18:00"  # five days from the 24th, and two
    await one.do("dispatcher", A.EDIT, type="appeal")  # which has as many days
    assert (await clock_of(one, "co_opinion")).due_at == due
    assert (await told(one, "co_opinion"))[-1] == 2  # nothing moved: no other round


async def test_a_contact_that_goes_on_after_a_refused_return_keeps_its_pause_over_a_correction(
    city: City, clock: ManualClock
) -> None:
    one = await handled(city)
    await suspend(one)
    clock.advance(2 * HOUR)
    await one.do("lights", A.RESUME, note="计划已下达")
    await one.do("dispatcher", A.EDIT, urgency="urgent")  # two hours to reach the citizen, and two it stood
    assert (await told(one, "contact"))[:3] == ("23 10:00", "23 14:00", "2h")
    await one.do("dispatcher", A.EDIT, urgency="normal")
    await one.do("lights", A.RETURN, **RETURN, suggested_unit_id=city.unit("water"))
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    await one.do("dispatcher", A.REFUSE_RETURN, note="属于职责范围")
    assert (await told(one, "contact"))[:3] == ("23 10:00", "23 14:00", "2h")


async def test_a_step_that_fell_into_a_merge_comes_in_later_rounds_as_well(
    city: City, clock: ManualClock
) -> None:
    one, master = await handled(city), await life(city, phone="13800000002")
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=2)
    await one.do("supervision", A.APPROVE_EXTENSION)
    before = await told(one)
    assert before == ("23 10:00", "09 18:00", "10wd", "02 09:00", 0, 2)
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    clock.advance(10 * DAY)
    await one.do("dispatcher", A.UNMERGE, note="不是同一件事")
    assert await told(one) == before


async def test_two_suspensions_one_over_a_holiday_and_an_extension_before_and_after(
    city: City, clock: ManualClock
) -> None:
    await person(city, "lights_chief", Role.DEPT_HEAD, "lights")
    clock.advance(31 * DAY)  # Thursday 24 December
    one = await handled(city)
    assert (await told(one))[1] == "08 18:00"  # 1 January is a holiday; the 4th a make-up Sunday counts
    due = (await one.row()).due_at
    await suspend(one)
    clock.advance(4 * DAY)  # Monday the 28th: two ends of days
    await one.do("lights", A.RESUME, note="计划已下达")
    first = (await one.row()).due_at
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=3)
    await one.do("supervision", A.APPROVE_EXTENSION)
    second = (await one.row()).due_at
    await suspend(one)
    clock.advance(8 * DAY)  # over the New Year
    await one.do("lights", A.RESUME, note="计划已下达")
    limits = city.limits
    third = (await one.row()).due_at
    assert first == limits.later(due, 2)
    assert second == limits.later(first, 3)
    stood = limits.days_left(clock.now(), third) - limits.days_left(clock.now(), second)
    calendar = limits.calendar  # type: ignore[attr-defined]  # the city's
    ends = calendar.closed_by(calendar.position(clock.now())) - calendar.closed_by(
        calendar.position(clock.now()) - int(8 * DAY * 1_000_000)
    )
    assert stood == ends
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    await one.do("dispatcher", A.EDIT, urgency="normal")
    assert (await one.row()).due_at == third  # the way back comes to the same day
