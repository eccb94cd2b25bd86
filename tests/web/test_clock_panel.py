"""The clock panel of a ticket: every clock once, what it used, why the total is due when it is."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from core.clock import ManualClock, to_city
from sla.sources import shipped_calendar
from tests.tickets.conftest import City, city  # noqa: F401 - the fixture
from tests.tickets.life import RETURN, Life, life
from tickets.queries import ticket_page
from tickets.states import Action
from web.reads.clocks import ClockLine, clock_lines
from web.reads.process import process_of

A = Action
HOUR, DAY = 3600.0, 24 * 3600.0


@dataclass
class Panel:
    """The lines of one ticket as the dispatcher sees them."""

    one: Life

    async def lines(self) -> list[ClockLine]:
        made = self.one.city
        now = made.db.clock.now()
        async with made.db.read() as session:
            actor = made.actors["dispatcher"]
            ticket = await ticket_page(session, actor, self.one.id)
            process = await process_of(session, actor, ticket, timedelta(hours=1))
            return await clock_lines(session, self.one.id, process, shipped_calendar(), made.limits, now)

    async def of(self, stage: str) -> list[ClockLine]:
        return [line for line in await self.lines() if line.row.stage == stage]

    async def total(self) -> ClockLine:
        """The total that stands on top."""
        first = (await self.lines())[0]
        assert first.is_total
        return first

    async def explained(self) -> str:
        """Why the total is due; it must be the row's own due time."""
        total = await self.total()
        assert total.why is not None
        assert total.row.due_at is not None
        due = to_city(total.row.due_at)
        assert f"至 {due.year} 年 {due.month} 月 {due.day} 日" in total.why
        return total.why


@pytest.fixture
async def panel(city: City) -> Panel:  # noqa: F811 - the fixture
    return Panel(await life(city, type="complaint"))


async def suspend(panel: Panel, clock: ManualClock, days: float) -> None:
    one = panel.one
    await one.do("lights", A.APPLY_SUSPENSION, reason_code="planned", note="列入下月计划", days=20)
    await one.do("supervision", A.APPROVE_SUSPENSION)
    clock.advance(days * DAY)


async def test_a_ticket_that_waits_for_its_dispatch_has_one_clock(panel: Panel) -> None:
    (line,) = await panel.lines()
    assert (line.row.word, line.limit, line.row.unit) == ("派单", "24 小时", None)
    assert line.state.startswith("剩")


async def test_the_total_stands_first_and_is_explained(panel: Panel) -> None:
    await panel.one.to_handling()
    lines = await panel.lines()
    assert [line.row.word for line in lines][:1] == ["总时限"]
    assert {line.row.word for line in lines} == {"总时限", "派单", "签收", "先行联系", "办理"}
    assert (await panel.explained()).startswith("自 2026 年 11 月 23 日（周一）10:00 起 10 个工作日；")


async def test_what_stood_still_is_told_and_not_used(panel: Panel, clock: ManualClock) -> None:
    await panel.one.to_handling()
    clock.advance(DAY)
    await suspend(panel, clock, 7)  # Tuesday to Tuesday
    total = await panel.total()
    assert (total.state, total.tone) == ("挂起中", "quiet")
    assert total.used == "0 个工作日"
    assert total.why is not None
    assert total.why.endswith("11 月 24 日起挂起，恢复后顺延。")
    await panel.one.do("lights", A.RESUME, note="恢复")
    assert "11 月 24 日 10:00 至 12 月 1 日 10:00 挂起，不计 5 个工作日" in await panel.explained()
    clock.advance(DAY)
    total = await panel.total()
    assert total.used == "1 个工作日"
    assert total.natural == "9 天 0 小时"
    assert total.pauses == ("11 月 24 日 10:00 至 12 月 1 日 10:00 挂起",)


async def test_a_correction_counts_from_the_same_start_and_is_told(panel: Panel, clock: ManualClock) -> None:
    await panel.one.to_handling()
    clock.advance(DAY)
    await suspend(panel, clock, 7)
    await panel.one.do("lights", A.RESUME, note="恢复")
    await panel.one.do("dispatcher", A.EDIT, type="suggestion", note="是建议")
    why = await panel.explained()
    assert why.startswith("12 月 1 日更正诉求类型，时限按更正后的事项从原起点计算。自 2026 年 11 月 23 日")
    assert "起 5 个工作日" in why
    assert "不计 5 个工作日" in why


async def test_an_extension_is_told_with_a_suspension(panel: Panel, clock: ManualClock) -> None:
    await panel.one.to_handling()
    await panel.one.do("lights", A.APPLY_EXTENSION, reason_code="works", note="等待配件", days=3)
    await panel.one.do("supervision", A.APPROVE_EXTENSION)
    await suspend(panel, clock, 2)
    await panel.one.do("lights", A.RESUME, note="恢复")
    why = await panel.explained()
    assert "起 10 个工作日，11 月 23 日同意延期 3 个工作日，共 13 个工作日" in why
    assert "不计 2 个工作日" in why


async def test_a_closed_ticket_tells_what_was_used(panel: Panel, clock: ManualClock) -> None:
    await panel.one.to_handling()
    clock.advance(2 * DAY)
    await panel.one.close()
    clock.advance(30 * DAY)
    total = await panel.total()
    assert (total.state, total.tone, total.used) == ("按时", "good", "1 个工作日")
    assert total.natural == "2 天 0 小时"
    assert total.why is not None
    (late,) = await panel.of("check")
    assert late.tone == "bad"


async def test_a_clock_that_went_on_is_one_line(panel: Panel, clock: ManualClock) -> None:
    await panel.one.to_handling()
    await panel.one.close()
    clock.advance(DAY)
    await panel.one.do("dispatcher", A.REJECT_CHECK, reason_code="no_basis", note="请补充依据")
    (total,) = await panel.of("total")
    assert total.row.ended_at is None
    await panel.one.do("lights", A.RETURN, **RETURN, suggested_unit_id=panel.one.city.unit("water"))
    await panel.one.do("dispatcher", A.REFUSE_RETURN, note="属于本单位")
    assert len(await panel.of("total")) == 1


async def test_redone_work_has_a_total_of_its_own_above_the_first(panel: Panel, clock: ManualClock) -> None:
    one = panel.one
    await one.to_check()
    clock.advance(HOUR)
    await one.do("supervision", A.SUPERVISE, note="重点")
    await one.do("dispatcher", A.PASS_CHECK)
    await one.do("callback", A.REDO, reason_code="not_solved", note="仍不亮", unit_id=one.city.unit("lights"))
    again, first = await panel.of("total")
    assert (again.row.round, first.row.round) == (2, 1)
    assert (again.row.ended_at, again.limit) == (None, "3 个工作日")
    assert again.why is not None
    assert "起 3 个工作日" in again.why
    assert first.state == "按时"


async def test_each_co_handler_has_a_line(panel: Panel) -> None:
    made = panel.one.city
    units = [made.unit("water"), made.unit("qixing")]
    await panel.one.do("dispatcher", A.DISPATCH, unit_id=made.unit("lights"), co_unit_ids=units)
    assert {line.row.unit for line in await panel.of("co_opinion")} == {"供水公司", "七星区"}
