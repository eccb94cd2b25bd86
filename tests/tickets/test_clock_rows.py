"""Clocks as rows: what each action does to the total, to co-handlers, to an exclusion and to their alarms.

The tests begin on Monday 23 November, 10:00 in the city; every time below is the city's.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core import migrate
from core.clock import ManualClock, to_city
from tests.tickets.conftest import City
from tests.tickets.life import RETURN, Life, life
from tickets.flow import TicketStage
from tickets.handover import Handovers, start
from tickets.models import table_of
from tickets.states import Action

A = Action
HOUR = 3600.0
DAY = 24 * HOUR
_stage = table_of(TicketStage)


def shown(at: datetime | None) -> str | None:
    return to_city(at).strftime("%d %H:%M") if at else None


async def rows(one: Life, stage: str, *, running: bool = True) -> list[Any]:
    """Its clocks of this stage, in the order in which they were opened."""
    query = sa.select(_stage).where(_stage.c.ticket_id == one.id, _stage.c.stage == stage)
    if running:
        query = query.where(_stage.c.ended_at.is_(None))
    async with one.city.db.read() as session:
        return list((await session.execute(query.order_by(_stage.c.id))).all())


async def clock_of(one: Life, stage: str) -> Any:
    """The one that runs."""
    (found,) = await rows(one, stage)
    return found


async def told(one: Life, stage: str = "total") -> tuple[Any, ...]:
    """Start, due time, limit, next alarm, steps behind it and round of cards of the one that runs."""
    row = await clock_of(one, stage)
    times = shown(row.started_at), shown(row.due_at), row.limit, shown(row.alarm_at)
    return *times, row.alarm_step, row.card_round


async def handled(city: City, **over: Any) -> Life:
    one = await life(city, type="complaint", **over)
    await one.to_handling()
    return one


async def suspended(city: City, **over: Any) -> Life:
    one = await handled(city, **over)
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    return one


async def test_a_new_ticket_has_the_clock_of_its_dispatch(city: City) -> None:
    one = await life(city)
    assert await told(one, "dispatch") == ("23 10:00", "24 10:00", "24h", "23 22:00", 0, 1)
    assert (await clock_of(one, "dispatch")).policy == city.limits.pack.name  # type: ignore[attr-defined]  # the pack
    assert await rows(one, "total", running=False) == []


async def test_a_dispatch_opens_the_citizens_clock_with_its_promise_and_first_alarm(city: City) -> None:
    one = await life(city, type="complaint")
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"), co_unit_ids=[city.unit("water")])
    assert await told(one) == ("23 10:00", "07 18:00", "10wd", "30 09:00", 0, 1)
    assert await told(one, "sign") == ("23 10:00", "24 18:00", "1wd", "24 09:30", 0, 1)
    assert await told(one, "co_opinion") == ("23 10:00", "30 18:00", "5wd", "25 09:00", 0, 1)
    assert (await clock_of(one, "total")).unit_id == city.unit("lights")
    assert (await clock_of(one, "co_opinion")).unit_id == city.unit("water")
    assert await one.scalar("SELECT due_at FROM ticket_unit WHERE ticket_id = :id AND role = 'co'") == (
        (await clock_of(one, "co_opinion")).due_at
    )
    await one.do("lights", A.SIGN)
    assert (await clock_of(one, "handle")).alarm_at is None  # its time is the total's


async def test_the_total_belongs_to_whoever_leads(city: City, clock: ManualClock) -> None:
    one = await handled(city)
    before = await told(one)
    clock.advance(HOUR)
    await one.do("dispatcher", A.REDISPATCH, unit_id=city.unit("water"), reason_code="new_facts")
    assert await told(one) == before
    assert (await clock_of(one, "total")).unit_id == city.unit("water")
    await one.do("water", A.RETURN, **RETURN, suggested_unit_id=city.unit("lights"))
    await one.do("dispatcher", A.ACCEPT_RETURN, note="同意")
    assert (await clock_of(one, "total")).unit_id is None
    await one.do("dispatcher", A.DISPATCH, unit_id=city.unit("lights"))
    assert (await clock_of(one, "total")).unit_id == city.unit("lights")
    assert await told(one) == before
    assert len(await rows(one, "total", running=False)) == 1


async def test_the_total_ends_with_the_closing_and_goes_on_when_the_check_rejects_it(
    city: City, clock: ManualClock
) -> None:
    one = await handled(city)
    before = await told(one)
    await one.close()
    assert await rows(one, "total") == []
    clock.advance(DAY)
    await one.do("dispatcher", A.REJECT_CHECK, reason_code="no_basis", note="请补充依据")
    assert await told(one) == before
    assert len(await rows(one, "total", running=False)) == 2


async def test_steps_that_were_issued_are_not_issued_again_when_a_clock_goes_on(
    city: City, clock: ManualClock
) -> None:
    one, master = await handled(city), await life(city, phone="13800000002")
    async with city.db.begin() as uow:
        await uow.change(_stage, {"ticket_id": one.id, "stage": "total"}, alarm_step=1)
    await one.do("dispatcher", A.MERGE, master_id=master.id)
    assert await rows(one, "total") == []
    clock.advance(8 * DAY)
    await one.do("dispatcher", A.UNMERGE, note="不是同一件事")
    assert await told(one) == ("23 10:00", "07 18:00", "10wd", "04 09:00", 1, 1)  # the yellow card is next


async def test_redone_work_has_a_total_of_its_own(city: City, clock: ManualClock) -> None:
    one = await handled(city)
    await one.close()
    await one.do("dispatcher", A.PASS_CHECK)
    clock.advance(DAY)
    await one.do("callback", A.REDO, reason_code="not_solved", note="仍未解决")
    assert await told(one) == ("24 10:00", "27 18:00", "3wd", "26 09:00", 0, 1)
    first, second = await rows(one, "total", running=False)
    assert (first.round, first.ended_by, second.round) == (1, "close", 2)
    assert (await one.row()).due_at == second.due_at


# ---- moved due times ------------------------------------------------------------------------------


async def test_an_extension_opens_the_next_round_of_cards(city: City, clock: ManualClock) -> None:
    one = await handled(city)
    async with city.db.begin() as uow:
        await uow.change(_stage, {"ticket_id": one.id, "stage": "total"}, alarm_step=2)
    clock.advance(14 * DAY - HOUR)  # the day it is due
    await one.do("lights", A.APPLY_EXTENSION, reason_code="complex", note="需多部门会商", days=3)
    await one.do("supervision", A.APPROVE_EXTENSION)
    # Due on the 10th: five days before are over, so the yellow card of the day before is what comes next.
    assert await told(one) == ("23 10:00", "10 18:00", "10wd", "09 09:00", 1, 2)
    assert (await one.row()).due_at == (await clock_of(one, "total")).due_at


async def test_a_correction_opens_the_next_round_and_one_that_changes_no_limit_does_not(
    city: City, clock: ManualClock
) -> None:
    one = await handled(city)
    await one.do("dispatcher", A.EDIT, title="路灯")
    assert (await told(one))[-1] == 1
    clock.advance(HOUR)
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    assert await told(one) == ("23 10:00", "24 10:00", "24h", "23 22:00", 0, 2)
    assert await told(one, "contact") == ("23 10:00", "23 12:00", "2h", "23 11:00", 0, 2)


async def test_what_a_correction_makes_overdue_is_issued_and_warns_no_more(
    city: City, clock: ManualClock
) -> None:
    one = await handled(city)
    clock.advance(3 * DAY)
    await one.do("dispatcher", A.EDIT, urgency="urgent")
    assert await told(one) == ("23 10:00", "24 10:00", "24h", "24 10:00", 2, 2)  # the red card, at once


# ---- suspension -----------------------------------------------------------------------------------


async def test_a_suspended_ticket_stands_still_and_is_due_later_by_as_much(
    city: City, clock: ManualClock
) -> None:
    one = await suspended(city)
    for stage in ("total", "contact"):
        assert (await clock_of(one, stage)).alarm_at is None
    assert (await told(one))[1] == "07 18:00"
    clock.advance(2 * DAY)  # two ends of working days
    await one.do("lights", A.RESUME, note="计划已下达")
    assert await told(one) == ("23 10:00", "09 18:00", "10wd", "02 09:00", 0, 2)
    assert await told(one, "contact") == ("23 10:00", "26 18:00", "1wd", "26 09:30", 0, 2)
    row = await one.row()
    assert (shown(row.due_at), shown(row.stage_due_at)) == ("09 18:00", "09 18:00")
    await one.check_replay()


async def test_a_suspension_without_working_time_moves_nothing(city: City, clock: ManualClock) -> None:
    one = await suspended(city)
    clock.advance(HOUR)
    await one.do("supervision", A.RESUME, note="不必挂起")
    assert await told(one) == ("23 10:00", "07 18:00", "10wd", "30 09:00", 0, 1)


async def test_natural_hours_move_by_the_hours_of_the_suspension(city: City, clock: ManualClock) -> None:
    one = await suspended(city, urgency="urgent")
    clock.advance(5 * HOUR)
    await one.do("lights", A.RESUME, note="计划已下达")
    assert (await told(one))[:3] == ("23 10:00", "24 15:00", "24h")


async def test_a_ticket_that_was_overdue_when_it_was_suspended_stays_overdue(
    city: City, clock: ManualClock
) -> None:
    one = await handled(city)
    clock.advance(20 * DAY)
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    clock.advance(3 * DAY)
    await one.do("lights", A.RESUME, note="计划已下达")
    assert (await told(one))[1] == "07 18:00"
    assert (await told(one))[-1] == 1


async def test_a_suspended_ticket_that_is_sent_elsewhere_has_the_pause_too(
    city: City, clock: ManualClock
) -> None:
    one = await suspended(city)
    clock.advance(2 * DAY)
    await one.do("dispatcher", A.REDISPATCH, unit_id=city.unit("water"), reason_code="new_facts")
    assert (await told(one))[:2] == ("23 10:00", "09 18:00")
    assert (await clock_of(one, "total")).alarm_at is not None


async def test_a_correction_keeps_the_pauses_there_were(city: City, clock: ManualClock) -> None:
    one = await suspended(city)
    clock.advance(2 * DAY)
    await one.do("lights", A.RESUME, note="计划已下达")
    await one.do("dispatcher", A.EDIT, type="suggestion")
    assert (await told(one))[:3] == ("23 10:00", "02 18:00", "5wd")  # the 30th and two days


async def test_a_co_handler_waits_with_the_suspended_ticket(city: City, clock: ManualClock) -> None:
    one = await handled(city)
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water")], note="请协助")
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("xiangshan")], note="请协助")
    assert [row.alarm_at for row in await rows(one, "co_opinion")] == [None, None]
    clock.advance(2 * DAY)
    await one.do("lights", A.RESUME, note="计划已下达")
    assert [shown(row.due_at) for row in await rows(one, "co_opinion")] == ["02 18:00", "02 18:00"]
    held = "SELECT array_agg(DISTINCT due_at) FROM ticket_unit WHERE ticket_id = :id AND role = 'co'"
    assert [shown(at) for at in await one.scalar(held)] == ["02 18:00"]


# ---- co-handlers, exclusions, units that close ------------------------------------------------------


async def test_a_co_handlers_clock_ends_with_its_opinion_or_its_removal(city: City) -> None:
    one = await handled(city)
    units = [city.unit("water"), city.unit("xiangshan")]
    await one.do("dispatcher", A.ADD_CO, unit_ids=units, note="请协助")
    assert [row.unit_id for row in await rows(one, "co_opinion")] == units
    await one.do("water", A.CO_OPINION, note="已核实")
    assert [row.unit_id for row in await rows(one, "co_opinion")] == units[1:]
    await one.do("dispatcher", A.REMOVE_CO, unit_id=units[1], note="不需要了")
    ended = [(row.unit_id, row.ended_by) for row in await rows(one, "co_opinion", running=False)]
    assert ended == [(units[0], "co_opinion"), (units[1], "remove_co")]


async def test_a_co_handler_that_becomes_the_lead_owes_no_opinion(city: City) -> None:
    one = await handled(city)
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water")], note="请协助")
    await one.do("dispatcher", A.REDISPATCH, unit_id=city.unit("water"), reason_code="new_facts")
    assert await rows(one, "co_opinion") == []


async def test_an_exclusion_has_a_clock_until_it_is_decided_even_after_the_closing(city: City) -> None:
    one = await handled(city)
    await one.do("lights", A.APPLY_EXCLUSION, reason_code="against_law", note="不符合政策")
    assert await told(one, "exclusion") == ("23 10:00", "25 18:00", "2wd", "24 09:00", 0, 1)
    await one.close()
    assert len(await rows(one, "exclusion")) == 1
    await one.do("supervision", A.REFUSE_EXCLUSION, note="不予剔除")
    assert await rows(one, "exclusion") == []


async def test_nothing_runs_for_a_ticket_that_is_void(city: City) -> None:
    one = await handled(city)
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water")], note="请协助")
    await one.do("lights", A.APPLY_EXCLUSION, reason_code="against_law", note="不符合政策")
    await one.do("leader", A.VOID, reason_code="test", note="测试工单")
    assert (
        await one.scalar("SELECT count(*) FROM ticket_stage WHERE ticket_id = :id AND ended_at IS NULL") == 0
    )


async def test_the_clocks_of_a_closed_unit_go_to_its_successor(city: City) -> None:
    one, other = await handled(city), await handled(city, phone="13800000002")
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water")], note="请协助")
    await other.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("xiangshan")], note="请协助")
    async with city.db.begin() as uow:
        old, new = city.unit("lights"), city.unit("water")
        await start(uow, city.actors["admin"], old, new, reason="机构改革", move_users=True)
    await Handovers(city.db, city.tickets).run()
    for ticket in (one, other):
        assert {
            row.unit_id for stage in ("total", "handle", "contact") for row in await rows(ticket, stage)
        } == {new}
    assert await rows(one, "co_opinion") == []  # it leads now
    assert [row.unit_id for row in await rows(other, "co_opinion")] == [city.unit("xiangshan")]


# ---- tickets from before -----------------------------------------------------------------------------


async def test_an_upgrade_gives_open_tickets_the_clocks_they_would_have(
    city: City, clock: ManualClock
) -> None:
    one, checked, again = [await handled(city, phone=f"1380000000{n}") for n in range(3)]
    await one.do("dispatcher", A.ADD_CO, unit_ids=[city.unit("water"), city.unit("xiangshan")], note="请协助")
    await one.do("water", A.CO_OPINION, note="已核实")
    await one.do("lights", A.APPLY_EXCLUSION, reason_code="against_law", note="不符合政策")
    clock.advance(HOUR)
    await checked.close()
    await again.close()
    await again.do("dispatcher", A.PASS_CHECK)
    clock.advance(HOUR)
    await again.do("callback", A.REDO, reason_code="not_solved", note="仍未解决")
    await life(city, phone="13800000009")  # nobody has it yet

    names = ("ticket_id", "stage", "round", "unit_id", "started_at", "due_at", "ended_at")
    query = sa.select(*(_stage.c[name] for name in names)).order_by(_stage.c.ticket_id, _stage.c.stage)
    beside = query.where(_stage.c.stage.in_(("total", "co_opinion", "exclusion")))
    kept = beside.where(
        sa.or_(_stage.c.ended_at.is_(None), sa.and_(_stage.c.ticket_id == checked.id, _stage.c.round == 1))
    )

    async def present() -> list[Any]:
        async with city.db.read() as session:
            return list((await session.execute(kept)).all())

    before = await present()
    assert [row.stage for row in before] == ["co_opinion", "exclusion", "total", "total", "total"]
    await migrate.downgrade(city.db.url, "0012")
    await migrate.upgrade(city.db.url)
    assert await present() == before
