"""Documents of supervision: numbered, told to whom they concern, answered, raised, closed; each once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.clock import ManualClock, to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.permissions import Role
from sla.sources import shipped_calendar
from sla.supervision import queries
from sla.supervision.inputs import Interview, NewOrder
from sla.supervision.order_page import order_page
from sla.supervision.queries import OrderFilters
from sla.supervision.service import SupervisionService
from sla.supervision.terms import RULES, Kind, OrderState, Step, allows, leads_to
from sla.supervision.watch import SupervisionWatch
from tests.tickets.conftest import City, Refused
from tests.tickets.life import Life, life, person
from tickets.notices import NoticeService
from tickets.states import Action

A = Action


class Desk:
    """Supervision at work on one city."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.service = SupervisionService(city.tickets, shipped_calendar, city.settings.supervision)

    async def issue(
        self, unit: str = "lights", *, on: Life | None = None, who: str = "supervision", **over: Any
    ) -> int:
        asked = NewOrder(
            kind=Kind.ORDER,
            unit_id=self.city.unit(unit),
            subject="路灯长期不亮",
            requirement="请于期限内修复并报告",
            ticket_id=on.id if on else None,
            version=(await on.row()).version if on else None,
            days=3,
        )
        async with self.city.db.begin() as uow:
            return await self.service.issue(uow, self.city.actors[who], replace(asked, **over))

    async def do(self, who: str, step: str, order: int, *args: Any, version: int | None = None) -> None:
        seen = (await self.row(order)).version if version is None else version
        async with self.city.db.begin() as uow:
            await getattr(self.service, step)(uow, self.city.actors[who], order, seen, *args)

    async def row(self, order: int) -> Any:
        async with self.city.db.read() as session:
            query = sa.text("SELECT * FROM supervision_order WHERE id = :id")
            return (await session.execute(query, {"id": order})).one()

    async def state(self, order: int) -> str:
        return str((await self.row(order)).state)

    async def course(self, order: int) -> list[str]:
        async with self.city.db.read() as session:
            query = sa.text("SELECT step FROM supervision_step WHERE order_id = :id ORDER BY id")
            return list((await session.execute(query, {"id": order})).scalars())

    async def listed(self, who: str, **filters: Any) -> list[int]:
        async with self.city.db.read() as session:
            found = await queries.order_list(
                session, self.city.actors[who], OrderFilters(**filters), now=self.city.db.clock.now()
            )
        return [item.id for item in found.items]

    async def told(self, who: str) -> list[str]:
        query = sa.text("SELECT kind FROM notification WHERE user_id = :id ORDER BY id")
        async with self.city.db.read() as session:
            return list((await session.execute(query, {"id": self.city.user(who)})).scalars())


@pytest.fixture
def desk(city: City) -> Desk:
    bus = city.db.bus
    notices: Any = NoticeService.__new__(NoticeService)  # only what hears the tickets
    from tickets.events import TicketChanged

    notices._messages = type("Silent", (), {"active": False})()
    bus.within(TicketChanged, notices.on_moved)
    return Desk(city)


async def handled(city: City) -> Life:
    made = await life(city)
    await made.to_handling()
    return made


async def test_an_order_is_numbered_by_the_year_and_marks_the_ticket(desk: Desk) -> None:
    one = await handled(desk.city)
    first, second = await desk.issue(on=one), await desk.issue("water")
    numbers = [(await desk.row(order)).number for order in (first, second)]
    assert numbers == ["督〔2026〕000001", "督〔2026〕000002"]
    assert (await one.row()).supervised
    last = (await one.history())[-1]
    assert (last.action, "督〔2026〕000001" in last.note) == ("supervise", True)
    await one.check_replay()


async def test_the_report_is_due_by_the_calendar_of_working_days(desk: Desk) -> None:
    order = await desk.issue(days=2)  # a Monday at ten
    assert f"{to_city((await desk.row(order)).report_by):%m-%d %H:%M}" == "11-25 18:00"
    plain = await desk.issue(kind=Kind.BULLETIN)
    assert (await desk.row(plain)).report_by is None


async def test_the_way_of_an_order_with_every_step_in_the_tickets_history(desk: Desk) -> None:
    one = await handled(desk.city)
    order = await desk.issue(on=one)
    await desk.do("lights", "acknowledge", order)
    await desk.do("lights", "report", order, "已换灯三盏")
    await desk.do("supervision", "send_back", order, "请说明完成时间")
    await desk.do("lights_head", "report", order, "已于今日全部修复")
    await desk.do("supervision", "close", order, "已核实")
    assert await desk.state(order) == "closed"
    steps = ["issue", "acknowledge", "report", "send_back", "report", "close"]
    assert await desk.course(order) == steps
    actions = [row.action for row in (await one.history())[-6:]]
    assert actions == ["supervise", "acknowledge", "answer_order", "ask_order", "answer_order", "end_order"]
    assert [row.actor_name for row in (await one.history())[-2:]] == ["lights_head", "supervision"]
    await one.check_replay()


async def test_the_unit_still_answers_when_the_ticket_has_gone_elsewhere(desk: Desk) -> None:
    one = await handled(desk.city)
    order = await desk.issue(on=one)
    await one.do("dispatcher", A.REDISPATCH, unit_id=desk.city.unit("water"), reason_code="wrong_unit")
    await desk.do("lights", "report", order, "已移交供水公司")
    assert await desk.state(order) == "reported"
    assert (await one.history())[-1].action == "answer_order"
    assert await desk.listed("lights") == [order]


async def test_a_notice_that_asks_for_no_report_is_done_with_once_it_is_acknowledged(
    desk: Desk, refused: Refused
) -> None:
    one = await handled(desk.city)
    order = await desk.issue(on=one, kind=Kind.URGE_NOTICE)
    assert (await one.row()).urges == 1
    assert not (await one.row()).supervised
    await refused("order_step_refused", desk.do("lights", "report", order, "已办"))
    await desk.do("lights", "acknowledge", order)
    assert await desk.state(order) == "closed"


async def test_the_same_form_sent_twice_makes_one_document(desk: Desk) -> None:
    one = await handled(desk.city)
    version = (await one.row()).version
    first = await desk.issue(on=one, key="form-1", version=version)
    assert await desk.issue(on=one, key="form-1", version=version) == first
    assert len([row for row in await one.history() if row.action == "supervise"]) == 1


async def test_a_step_taken_twice_is_one_step_and_an_old_page_is_told(desk: Desk, refused: Refused) -> None:
    order = await desk.issue()
    await desk.do("lights", "report", order, "已办", version=1)
    await desk.do("lights", "report", order, "已办", version=1)
    assert (await desk.course(order)).count("report") == 1
    await refused("version_conflict", desk.do("lights_head", "report", order, "另一份", version=1))


async def test_raising_closes_the_order_below_and_names_it(desk: Desk, refused: Refused) -> None:
    one = await handled(desk.city)
    below = await desk.issue(on=one)
    raised = await desk.issue(on=one, kind=Kind.RAISED, parent_id=below, copies=(desk.city.unit("qixing"),))
    assert await desk.state(below) == "closed"
    assert (await desk.row(raised)).parent_id == below
    again = desk.issue(on=one, kind=Kind.RAISED, parent_id=below)
    await refused("order_step_refused", again)


async def test_only_supervision_issues_and_closes_and_only_the_unit_answers(
    desk: Desk, refused: Refused
) -> None:
    for who in ("dispatcher", "lights_head", "inspector", "leader"):
        await refused("forbidden", desk.issue(who=who))
    order = await desk.issue()
    for step in ("acknowledge", "report"):
        rest = ("x",) if step == "report" else ()
        await refused("forbidden", desk.do("supervision", step, order, *rest))
        await refused("order_not_found", desk.do("water", step, order, *rest))
    await refused("forbidden", desk.do("lights_head", "close", order, "好了"))
    await refused("forbidden", desk.do("lights", "revoke", order, "不该发"))


async def test_a_district_sees_and_answers_for_its_towns_and_never_the_other_way(desk: Desk) -> None:
    to_town, to_district = await desk.issue("sanlidian"), await desk.issue("qixing")
    assert await desk.listed("district") == [to_district, to_town]
    assert await desk.listed("street") == [to_town]
    assert await desk.listed("lights") == []
    await desk.do("district", "acknowledge", to_town)
    assert await desk.state(to_town) == "acknowledged"


async def test_the_hotline_sees_what_is_on_tickets_inspection_sees_all_a_copy_is_only_read(
    desk: Desk, refused: Refused
) -> None:
    one = await handled(desk.city)
    on_ticket = await desk.issue(on=one)
    on_unit = await desk.issue(copies=(desk.city.unit("water"),))
    assert await desk.listed("dispatcher") == [on_ticket]
    assert await desk.listed("inspector") == [on_unit, on_ticket]
    assert await desk.listed("water") == [on_unit]
    assert await desk.listed("water", mine=True) == []
    await refused("forbidden", desk.do("water", "acknowledge", on_unit))
    for who in ("editor", "admin", "audit"):
        assert await desk.listed(who) == []


async def test_a_hand_over_to_discipline_inspection_is_kept_from_unit_hotline_and_history(
    desk: Desk, refused: Refused
) -> None:
    one = await handled(desk.city)
    before = len(await one.history())
    await refused("form_invalid", desk.issue(on=one, kind=Kind.HANDOVER))
    order = await desk.issue(on=one, kind=Kind.HANDOVER, recipient="派驻纪检监察组")
    assert len(await one.history()) == before
    for who in ("lights", "lights_head", "dispatcher"):
        assert await desk.listed(who) == []
        assert "order_issued" not in await desk.told(who)
    assert await desk.listed("inspector") == [order]
    await desk.do("supervision", "close", order, "已收回执")
    assert len(await one.history()) == before


async def test_the_unit_is_told_once_and_the_heads_of_whom_it_is_copied_to(desk: Desk) -> None:
    await person(desk.city, "qixing_head", Role.DEPT_HEAD, "qixing")
    one = await handled(desk.city)
    order = await desk.issue(on=one, copies=(desk.city.unit("qixing"),))
    assert (await desk.told("lights")).count("supervised") == 1
    assert "order_issued" not in await desk.told("lights")
    assert await desk.told("qixing_head") == ["order_copied"]
    assert await desk.told("district") == []
    await desk.issue("water")
    assert await desk.told("water") == ["order_issued"]
    await desk.do("lights", "report", order, "已修复")
    assert "order_reported" in await desk.told("supervision")
    await desk.do("supervision", "close", order, "已核实")
    assert "order_ended" in await desk.told("lights_head")


async def test_a_late_report_is_said_once_and_again_after_a_new_date(desk: Desk, clock: ManualClock) -> None:
    order = await desk.issue("water", days=1)

    class Leads:
        async def fence(self, _uow: Any) -> None: ...

    watch = SupervisionWatch(desk.city.db, desk.service, Leads())  # type: ignore[arg-type]  # always leads
    assert await watch.run() == 0
    clock.advance(timedelta(days=3).total_seconds())
    assert await desk.listed("supervision", state="late") == [order]
    assert (await watch.run(), await watch.run()) == (1, 0)
    assert await desk.told("water") == ["order_issued", "order_late"]
    assert "order_late" in await desk.told("supervision")
    await desk.do("water", "report", order, "已办")
    later = to_city(clock.now()).date() + timedelta(days=2)
    await desk.do("supervision", "send_back", order, "补充", later)
    clock.advance(timedelta(days=4).total_seconds())
    assert await watch.run() == 1
    assert (await desk.course(order)).count("remind") == 2


async def test_a_document_nothing_can_be_said_about_keeps_nobody_waiting(
    desk: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sla.supervision.watch.BATCH", 1)
    broken, sound = await desk.issue("water", days=1), await desk.issue("water", days=2)
    real, tried = desk.service.remind, []

    async def remind(uow: UnitOfWork, ident: int) -> bool:
        tried.append(ident)
        if ident == broken:
            raise HotlineError("internal")
        return await real(uow, ident)

    class Leads:
        async def fence(self, _uow: Any) -> None: ...

    monkeypatch.setattr(desk.service, "remind", remind)
    watch = SupervisionWatch(desk.city.db, desk.service, Leads())  # type: ignore[arg-type]  # always leads
    clock.advance(timedelta(days=4).total_seconds())
    assert [await watch.run() for _ in range(4)] == [0, 1, 0, 0]
    assert tried == [broken, sound, broken]  # and it is tried again


async def test_an_interview_is_recorded_once_and_looked_at_again(
    desk: Desk, clock: ManualClock, refused: Refused
) -> None:
    order = await desk.issue(kind=Kind.INTERVIEW)
    today = to_city(clock.now()).date()
    told = Interview(
        clock.now() - timedelta(hours=1),
        "会议室",
        "局长、督办员",
        "谈话要点",
        "一周内整改",
        today + timedelta(days=7),
    )
    await refused("form_invalid", desk.do("supervision", "record", order, replace(told, measures=" ")))
    await refused("form_invalid", desk.do("supervision", "record", order, replace(told, next_look=today)))
    await desk.do("supervision", "record", order, told)
    await refused(
        "interview_recorded", desk.do("supervision", "record", order, replace(told, minutes="改写"))
    )
    row = await desk.row(order)
    assert f"{to_city(row.next_look_at):%m-%d %H:%M}" == "11-30 09:00"
    await desk.do("supervision", "look", order, "措施已落实")
    assert (await desk.row(order)).next_look_at is None
    assert await desk.course(order) == ["issue", "record", "look"]


@pytest.mark.parametrize("table", ["supervision_step", "supervision_interview"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET order_id = order_id"])
async def test_the_course_and_the_records_are_never_edited(
    desk: Desk, clock: ManualClock, table: str, change: str
) -> None:
    order = await desk.issue(kind=Kind.INTERVIEW)
    await desk.do("supervision", "record", order, Interview(clock.now(), "", "甲", "乙", "丙"))
    with pytest.raises(DBAPIError):
        async with desk.city.db.begin() as uow:
            await uow.session.execute(sa.text(change.format(table)))


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"requirement": " "}, "requirement"),
        ({"subject": "长" * 121}, "subject"),
        ({"requirement": "长" * 1501}, "requirement"),
        ({"days": 61}, "days"),
        ({"copies": (987654,)}, "copies"),
    ],
)
async def test_what_is_missing_or_wrong_is_named(
    desk: Desk, refused: Refused, over: dict[str, Any], field: str
) -> None:
    told = await refused("form_invalid", desk.issue(**over))
    assert set(told["fields"]) == {field}


async def test_a_document_goes_to_a_unit_that_handles(desk: Desk, refused: Refused) -> None:
    await refused("unit_cannot_take", desk.issue("hotline"))


async def test_a_sealed_reporter_is_covered_in_what_the_unit_reads(desk: Desk) -> None:
    one = await life(desk.city, type="report", citizen_name="秦小川", phone="13877311111")
    await one.to_handling()
    order = await desk.issue(on=one, requirement="秦小川 13877311111 多次反映，请核查")
    async with desk.city.db.read() as session:
        unit = await order_page(session, desk.city.actors["lights"], order)
        house = await order_page(session, desk.city.actors["supervision"], order)
    assert "秦小川" in house.requirement
    for text in (unit.requirement, unit.course[0].note):
        assert "秦小川" not in text
        assert "13877311111" not in text


def test_every_state_of_a_document_that_is_open_can_be_ended() -> None:
    for kind in Kind:
        for state in OrderState:
            ways = [step for step in Step if allows(step, kind, state)]
            if state in (OrderState.CLOSED, OrderState.REVOKED):
                assert set(ways) <= {Step.LOOK}
            else:
                assert {Step.CLOSE, Step.REVOKE} <= set(ways)
            for step in ways:
                assert leads_to(step, kind, state) in OrderState
    assert set(RULES) == set(Step) - {Step.ISSUE}
