"""建议督办 and the risk list: what is proposed and why, what no longer is, what the desk reads first."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import ManualClock, to_city
from core.settings import Supervision
from sla.sources import shipped_calendar
from sla.supervision import proposals
from sla.supervision.proposals import Proposal, Rules, late_before
from sla.supervision.terms import Ground, Kind
from tests.sla.rig import at, shown
from tests.sla.test_supervision import Desk, desk, handled
from tests.tickets.conftest import City
from tests.tickets.life import Life, life
from tickets.queries.risk import RiskFilters, risk_counts, risk_list
from tickets.states import Action

__all__ = ["desk"]
A = Action
UNHAPPY = {
    "result": "reached",
    "responded": True,
    "solved": False,
    "satisfied": 1,
    "reason_code": "not_solved",
}


@pytest.fixture
def rules(city: City) -> Rules:
    return Rules(Supervision(), shipped_calendar, city.limits)


async def proposed(city: City, rules: Rules, ground: Ground) -> list[Proposal]:
    now = city.db.clock.now()
    async with city.db.read() as session:
        found = await proposals.proposals(session, city.actors["supervision"], rules, ground, now=now)
        counts = await proposals.counts(session, rules, now=now)
    assert counts[ground.value] == len(found.items)
    return list(found.items)


async def redone(city: City, times: int) -> Life:
    one = await life(city)
    await one.to_handling()
    for _ in range(times):
        await one.close()
        await one.do("supervision", A.SUPERVISE, note="督办件必须回访") if not (
            await one.row()
        ).supervised else None
        await one.do("dispatcher", A.PASS_CHECK)
        await one.do("callback", A.REVISIT, **UNHAPPY, redo=True)
        await one.do("lights", A.SIGN)
    return one


async def test_late_by_so_many_working_days_is_counted_by_the_calendar() -> None:
    calendar = shipped_calendar()
    # Due on Friday 20 November at 18:00; the fifth working day after it ends on Friday the 27th.
    due = at("2026-11-20 18:00")
    assert not due < late_before(calendar, at("2026-11-27 17:59"), 5)
    assert due < late_before(calendar, at("2026-11-27 18:00"), 5)
    assert at("2026-11-21 11:00") < late_before(calendar, at("2026-11-27 18:00"), 5)  # a Saturday
    assert not at("2026-11-23 09:00") < late_before(calendar, at("2026-11-27 18:00"), 5)
    assert (
        shown(late_before(calendar, at("2026-11-23 10:00"), 1) - timedelta(microseconds=1))
        == "2026-11-19 23:59"
    )


async def test_a_late_ticket_is_proposed_after_so_many_days_until_it_is_supervised(
    desk: Desk, rules: Rules, clock: ManualClock
) -> None:
    one = await handled(desk.city)  # 求助: due on Thursday the 26th at 18:00
    clock.advance((at("2026-12-03 17:00") - clock.now()).total_seconds())
    assert await proposed(desk.city, rules, Ground.OVERDUE) == []
    clock.advance(2 * 3600)
    (found,) = await proposed(desk.city, rules, Ground.OVERDUE)
    assert (found.ticket.id, found.kind) == (one.id, Kind.ORDER)
    assert "已超期 5 个工作日" in found.reason
    order = await desk.issue(on=one)
    assert await proposed(desk.city, rules, Ground.OVERDUE) == []
    await desk.do("supervision", "revoke", order, "发错")
    assert len(await proposed(desk.city, rules, Ground.OVERDUE)) == 1


async def test_dissatisfied_after_a_redo_is_proposed_and_after_the_first_time_not(
    desk: Desk, rules: Rules
) -> None:
    await redone(desk.city, 1)
    assert await proposed(desk.city, rules, Ground.DISSATISFIED) == []
    again = await redone(desk.city, 2)
    (found,) = await proposed(desk.city, rules, Ground.DISSATISFIED)
    assert found.ticket.id == again.id
    assert "第 1 次重办后" in found.reason


async def test_three_redos_are_proposed_to_be_raised_even_when_an_order_stands(
    desk: Desk, rules: Rules
) -> None:
    assert await proposed(desk.city, rules, Ground.REDOS) == []
    await redone(desk.city, 2)
    one = await redone(desk.city, 3)
    order = await desk.issue(on=one)
    (found,) = await proposed(desk.city, rules, Ground.REDOS)
    assert (found.ticket.id, found.kind, found.reason) == (one.id, Kind.RAISED, "已重办 3 次仍未办结")
    await desk.issue(on=one, kind=Kind.RAISED, parent_id=order)
    assert await proposed(desk.city, rules, Ground.REDOS) == []


async def test_three_units_without_a_lead_are_proposed_to_be_raised(desk: Desk, rules: Rules) -> None:
    one = await handled(desk.city)
    for unit in ("water", "lights"):  # back to the first: still two
        await one.do("dispatcher", A.REDISPATCH, unit_id=desk.city.unit(unit), reason_code="wrong_unit")
    assert await proposed(desk.city, rules, Ground.UNITS) == []
    await one.do("dispatcher", A.REDISPATCH, unit_id=desk.city.unit("qixing"), reason_code="wrong_unit")
    (found,) = await proposed(desk.city, rules, Ground.UNITS)
    assert found.reason == "先后由 3 个单位承办仍未落实"
    strict = replace(rules, settings=Supervision(units=4))
    assert await proposed(desk.city, strict, Ground.UNITS) == []


async def test_the_risk_list_shows_what_runs_and_leaves_out_what_rests_or_is_done(
    desk: Desk, clock: ManualClock
) -> None:
    city = desk.city
    running, closed, undispatched = await handled(city), await handled(city), await life(city)
    await closed.close()
    now = clock.now()
    async with city.db.read() as session:
        found = await risk_list(session, city.actors["supervision"], RiskFilters(), now=now)
        seen = {item.ticket.id for item in found.items}
        counts = await risk_counts(session, now=at("2026-11-26 19:00"))
    assert seen == {running.id}
    assert undispatched.id not in seen
    assert counts["overdue"] == 1
    assert to_city(found.items[0].ticket.due_at or now).hour == 18


async def test_the_last_urge_is_shown(desk: Desk, clock: ManualClock) -> None:
    one = await handled(desk.city)
    for minutes in (5, 10):
        clock.advance(minutes * 60)
        await one.do("supervision", A.URGE)
    async with desk.city.db.read() as session:
        found = await risk_list(session, desk.city.actors["supervision"], RiskFilters(), now=clock.now())
    assert found.items[0].urged_at == clock.now()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT id FROM ticket WHERE {running} ORDER BY due_at, id LIMIT 31", "ix_ticket_running"),
        ("SELECT id FROM ticket WHERE round > 2 AND stage IS NOT NULL AND round > 3", "ix_ticket_redone"),
        (
            "SELECT ticket_id FROM revisit WHERE round > 1 AND (solved = false OR satisfied < 3) "
            "AND closed_at > now()",
            "ix_revisit_unhappy",
        ),
        (
            "SELECT ticket_id FROM ticket_unit WHERE role = 'lead' AND until IS NOT NULL AND until > now()",
            "ix_ticket_unit_left",
        ),
    ],
)
async def test_each_question_has_its_index(city: City, query: str, index: str) -> None:
    from tickets.models import _RUNNING

    async with city.db.read(steady=True) as session:
        await session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        await session.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        rows: Any = await session.execute(sa.text("EXPLAIN " + query.format(running=_RUNNING)))
    assert index in "\n".join(row[0] for row in rows)
