"""Knowledge by keyboard: F4, one key into the answer, two keys from the ring; the emergency wording."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import AGENT, COLLEAGUE, focused, on_the_line, scalar, seat, violations

Shot = Callable[[Page, str], Awaitable[None]]
pytestmark = pytest.mark.browser
USED = "SELECT a.question FROM knowledge_use u JOIN knowledge_article a ON a.id = u.article_id"


async def _first_hit(page: Page, question: str) -> None:
    await expect(page.locator("[data-draft]:not([hidden]) .kn-hit .kn-q").first).to_have_text(question)


async def test_a_consultation_is_answered_directly_in_two_keys_from_the_ring(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await _first_hit(page, "身份证丢了怎么补办")  # the most used, as long as nothing is written
    await page.keyboard.press("Alt+k")
    note = page.locator("details[open] textarea[name=note]")
    await expect(note).to_be_focused()
    assert (await note.input_value()).startswith("可到就近的派出所户籍窗口")
    await expect(page.locator("input[name=title]")).to_have_value("身份证丢了怎么补办")
    await expect(page.locator("select[name=type]")).to_have_value("consult")
    await page.keyboard.press("Control+Enter")
    card = page.locator(".ag-result-card")
    await expect(card).to_contain_text("已登记：直接答复")
    assert await scalar(console.node, USED) == "身份证丢了怎么补办"
    kept = "SELECT type || ' ' || title FROM intake_record ORDER BY id DESC LIMIT 1"
    assert await scalar(console.node, kept) == "consult 身份证丢了怎么补办"


async def test_knowledge_follows_what_is_written_and_f4_looks_for_more(
    console: RunningConsole, shot: Shot
) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.type("来电人的孩子刚出生，问怎么上户口")
    await _first_hit(page, "新生儿如何落户")
    await page.keyboard.press("F4")
    assert await focused(page) == "q"
    await page.keyboard.type("电瓶车 上牌")
    await _first_hit(page, "电动自行车上牌要什么材料")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".kn-take").first).to_be_focused()
    await shot(page, "knowledge-seat")
    await page.keyboard.press("Enter")
    note = page.locator("details[open] textarea[name=note]")
    await expect(note).to_be_focused()
    assert "整车合格证" in await note.input_value()
    await expect(page.locator("input[name=title]")).to_have_value("来电人的孩子刚出生，问怎么上户口")
    await page.keyboard.press("Alt+k")  # the same once more adds nothing
    assert (await note.input_value()).count("整车合格证") == 1
    assert await violations(page) == []


async def test_what_is_missing_wrong_or_old_takes_one_click(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await _first_hit(page, "身份证丢了怎么补办")
    await page.locator(".kn-hit").first.locator("[data-complain=wrong]").click()
    await expect(page.locator(".kn-hit").first).to_contain_text("已反馈，3 个工作日内处理")
    await page.keyboard.press("F4")
    await page.keyboard.type("量子纠缠")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-hits]")).to_contain_text("没有找到")
    await page.locator("[data-missing]").click()
    await expect(page.locator(".kn-seat-head")).to_contain_text("没找到：已反馈")
    about = "SELECT count(*) FROM knowledge_task WHERE kind = 'not_found' AND about = '量子纠缠'"
    assert await scalar(console.node, about) == 1


async def test_an_emergency_wording_reaches_every_agent_at_once_and_is_read(
    console: RunningConsole, shot: Shot
) -> None:
    mine, other = await seat(console, AGENT[0]), await seat(console, COLLEAGUE[0])
    await other.goto(console.base + "/knowledge")
    leader = await console.page("leader01")
    await leader.goto(console.base + "/banners")
    await leader.fill("input[name=title]", "城北停水答复口径")
    await leader.fill("textarea[name=body]", "抢修中，预计今晚恢复，以供水公司公告为准。")
    await leader.click("button:has-text('立即发布')")
    for page in (mine, other):
        await expect(page.locator(".kn-banner")).to_contain_text("预计今晚恢复")
    assert await violations(mine) == []
    await mine.click(".kn-banner button")
    await expect(mine.locator(".kn-banner[data-read]")).to_be_visible()
    row = leader.locator("tr", has_text=AGENT[0])
    await expect(row).not_to_contain_text("未阅")
    await expect(leader.locator("tr", has_text=COLLEAGUE[0])).to_contain_text("未阅")
    await leader.fill("textarea[name=body]", "已于今晚恢复供水。")
    await leader.click("button:has-text('更新为第 2 版')")
    await expect(mine.locator(".kn-banner:not([data-read])")).to_contain_text("第 2 版")
    await shot(mine, "knowledge-banner")
    await leader.fill("input[name=reason]", "已恢复供水")
    await leader.click("button:has-text('撤下口径')")
    for page in (mine, other):
        await expect(page.locator(".kn-banner")).to_have_count(0)


@pytest.mark.parametrize("path", ["/knowledge", "/knowledge/1", "/knowledge/desk", "/knowledge/tasks"])
async def test_pages_of_knowledge_are_accessible_in_light_and_dark(
    console: RunningConsole, path: str
) -> None:
    for theme in ("light", "dark"):
        page = await console.page("editor01", theme=theme)
        await page.goto(console.base + path)
        assert await violations(page) == [], theme


async def test_forms_and_lists_of_editors_are_accessible(console: RunningConsole) -> None:
    page = await console.page("editor01")
    for path in ("new", "1/edit", "import", "gaps", "synonyms", "preview", "reports"):
        await page.goto(f"{console.base}/knowledge/{path}")
        found = await violations(page)
        assert found == [], json.dumps([path, found], ensure_ascii=False)
