"""From the ring to the department's list, on the simulator, without touching the mouse."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import AGENT, BUSY, COLLEAGUE, MASKED, focused, on_the_line, ring, saved, scalar, seat

pytestmark = pytest.mark.browser
TITLE = "中山中路路灯连续三晚不亮"
STORY = "中山中路与解放东路口一带路灯连续三晚不亮，夜间行人通行不便。"


async def _write(page: Page) -> None:
    """Title, story and category by keyboard alone."""
    await page.keyboard.press("F2")
    assert await focused(page) == "title"
    await page.keyboard.type(TITLE)
    await page.keyboard.press("Tab")
    await page.keyboard.type(STORY)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("路灯")
    await page.wait_for_selector("[role=option]")
    await page.keyboard.press("Enter")


async def test_a_call_rings_is_logged_and_reaches_the_department(console: RunningConsole) -> None:
    page = await seat(console)
    await ring(console.node, AGENT[1], answer_after=1.5)
    await expect(page.locator(".ag-banner")).to_contain_text(MASKED)
    await page.wait_for_selector("[data-draft]")
    await expect(page.locator(".ag-banner")).to_have_count(0)
    await _write(page)
    await saved(page)
    await page.reload()
    await expect(page.locator("input[name=title]")).to_have_value(TITLE)
    await expect(page.locator("textarea[name=narrative]")).to_have_value(STORY)
    await expect(page.locator(".ag-phone-word")).to_have_text("通话中")
    await page.keyboard.press("Control+Enter")
    card = page.locator(".ag-result-card")
    await expect(card).to_contain_text("工单已登记")
    number = re.sub(r"\D", "", await page.inner_text(".ag-result-number"))
    assert re.fullmatch(r"\d{18}", number)
    assert re.fullmatch(r"\d{6}", re.sub(r"\D", "", await page.inner_text(".ag-result-code")))
    await _dispatched_by_hand(console, number)
    department = await console.page(await _officer(console, number))
    await department.goto(console.base + "/unit")
    await expect(department.locator("body")).to_contain_text(TITLE)


async def _dispatched_by_hand(console: RunningConsole, number: str) -> None:
    """The dispatcher's part is told elsewhere; here the ticket only has to arrive."""
    node = console.node
    ticket = await scalar(node, "SELECT id FROM ticket WHERE number = :n", n=number)
    unit = await scalar(node, "SELECT id FROM unit WHERE kind = 'bureau' ORDER BY sort LIMIT 1")
    dispatcher = await scalar(node, "SELECT id FROM user_account WHERE login = 'dispatcher01'")
    async with node.db.begin() as uow:
        actor = await node.people.actor_for_user(uow.session, dispatcher)
        assert actor is not None
        await node.tickets.dispatch(uow, actor, ticket, 1, unit)


async def _officer(console: RunningConsole, number: str) -> str:
    query = (
        "SELECT login FROM user_account u JOIN ticket t ON t.lead_unit_id = u.unit_id "
        "WHERE t.number = :n ORDER BY u.id LIMIT 1"
    )
    return str(await scalar(console.node, query, n=number))


async def test_only_the_page_of_the_ringing_agent_pops(console: RunningConsole) -> None:
    mine, other = await seat(console), await seat(console, COLLEAGUE[0])
    leader = await console.page("leader01")
    await leader.goto(console.base + "/agent")
    await ring(console.node, AGENT[1], answer_after=2.0)
    await expect(mine.locator(".ag-banner")).to_be_visible()
    await mine.wait_for_selector("[data-draft]")
    for page in (other, leader):
        assert await page.locator(".ag-banner, [data-draft], [data-draft-tab]").count() == 0
    await ring(console.node, COLLEAGUE[1], "13900000002")
    await expect(other.locator(".ag-banner")).to_contain_text("139****0002")
    assert await mine.locator(".ag-banner").count() == 0


async def test_a_ringing_call_never_takes_the_focus_from_what_is_typed(console: RunningConsole) -> None:
    page = await seat(console)
    await page.keyboard.press("Alt+n")
    await page.wait_for_selector("[data-draft]")
    await page.focus("textarea[name=narrative]")
    await page.keyboard.type("第一句。")
    await ring(console.node, answer_after=2.0)
    await page.keyboard.type("第二句。")
    await expect(page.locator(".ag-banner")).to_contain_text(MASKED)
    assert await focused(page) == "narrative"
    await page.keyboard.type("第三句。")
    await expect(page.locator("[data-draft-tab]")).to_have_count(2)
    await page.keyboard.type("第四句。")
    assert await focused(page) == "narrative"
    text = page.locator("[data-draft]:not([hidden]) textarea[name=narrative]")
    await expect(text).to_have_value("第一句。第二句。第三句。第四句。")


async def test_an_answered_call_opens_a_tab_beside_the_draft_that_is_being_written(
    console: RunningConsole,
) -> None:
    page = await seat(console, BUSY[0])
    await page.fill("[data-draft]:not([hidden]) textarea[name=expected]", "正在补写")
    await ring(console.node, BUSY[1], answer_after=0.5)
    await expect(page.locator(".ag-tab-live")).to_contain_text(MASKED)
    assert await focused(page) == "expected"
    await expect(page.locator("[data-draft]:not([hidden]) textarea[name=expected]")).to_have_value("正在补写")
    await page.keyboard.press("F2")
    await expect(page.locator("[data-draft]:not([hidden]) .ag-caller")).to_contain_text(MASKED)
    await expect(page.locator("[data-draft]:not([hidden]) input[name=title]")).to_be_focused()


async def test_a_page_opened_while_it_rings_shows_the_banner_without_having_heard_the_event(
    console: RunningConsole,
) -> None:
    first = await seat(console)
    await ring(console.node, AGENT[1])
    await expect(first.locator(".ag-banner")).to_be_visible()
    late = await seat(console)
    await expect(late.locator(".ag-banner")).to_contain_text(MASKED)
    await expect(late.locator(".ag-phone-word")).to_have_text("振铃中")
    await late.goto(console.base + "/calls")
    await expect(late.locator(".ag-banner")).to_contain_text(MASKED)


async def test_a_repeat_caller_is_urged_in_two_keys(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await _write(page)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_be_visible()
    await page.keyboard.press("Escape")
    await ring(console.node, COLLEAGUE[1], answer_after=0.2)
    other = await seat(console, COLLEAGUE[0])
    await other.wait_for_selector("[data-draft]")
    await expect(other.locator(".ag-caller")).to_contain_text("近 24 小时第 2 次")
    await other.keyboard.press("Alt+u")
    await other.keyboard.type("仍未修好")
    await other.keyboard.press("Control+Enter")
    await expect(other.locator(".ag-result-card")).to_contain_text("已记为催办")
    assert await scalar(console.node, "SELECT urges FROM ticket WHERE title = :t", t=TITLE) == 1


async def test_a_wrong_number_ends_in_a_numbered_record_by_keyboard(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("Alt+j")
    await page.wait_for_selector("details[open] input[name=code]")
    assert await focused(page) == "code"
    for _ in range(4):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_contain_text("误拨")
    number = re.sub(r"\D", "", await page.inner_text(".ag-result-number"))
    code = "SELECT code FROM intake_record WHERE number = :n"
    assert await scalar(console.node, code, n=number) == "wrong_number"


async def test_errors_are_told_at_their_fields_and_the_first_takes_the_focus(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.press("Tab")
    await page.keyboard.type("只写了内容")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-field-error:visible")).to_have_count(2)
    assert await focused(page) == "title"
    await expect(page.locator("textarea[name=narrative]")).to_have_value("只写了内容")


async def test_a_handed_over_draft_leaves_one_seat_and_appears_at_the_other(console: RunningConsole) -> None:
    page, other = await on_the_line(console), await seat(console, COLLEAGUE[0])
    await page.keyboard.press("F2")
    await page.keyboard.type("请接着登记")
    await saved(page)
    await page.click("summary:has-text('移交')")
    await expect(page.locator("form[action$='/hand-over'] [role=combobox]")).to_be_focused()
    await page.keyboard.type(COLLEAGUE[0])
    await page.wait_for_selector("[role=option]")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")  # of the small form: never a ticket instead
    await expect(page.locator(".ag-result-card")).to_contain_text("已移交")
    await expect(other.locator("input[name=title]")).to_have_value("请接着登记")
