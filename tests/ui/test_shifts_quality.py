"""Shifts and quality in a browser: a week without the mouse, a call heard and scored; axe-clean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from node import Node
from routing.demo import Size, seed
from sla.demo import Past
from tests.ui.conftest import RunningConsole, ui_settings
from tests.ui.seat import scalar, violations

pytestmark = pytest.mark.browser
WIDE = "document.querySelector('.hl-page').scrollWidth - document.querySelector('.hl-page').clientWidth"
PAGES = {
    "leader01": (
        "/rota",
        "/rota/import",
        "/rota/history",
        "/rota/kinds",
        "/rota/swaps",
        "/attendance",
        "/attendance/people/{agent}",
        "/handover",
        "/quality",
        "/quality/cases/{drawn}",
        "/quality/cases/{appealed}",
        "/quality/rules",
        "/quality/calibrations",
        "/quality/calibrations/{calibration}",
        "/quality/figures",
    ),
    "agent01": ("/me/rota", "/me/quality"),
}


@pytest.fixture
async def node(database_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    """A node on a demo city with its past: enough calls that weeks can be drawn."""
    quiet = ui_settings(tmp_path, HOTLINE_CLASSIFIER__STARTER="false")  # stopping would wait for the training
    running = Node(quiet, database_url)
    past = Past(running.people, running.limits, running.supervision)
    await seed(running.context, size=Size(tickets=300, records=60, missed=6), then=past.make)
    await running.start()
    yield running
    await running.stop()


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("desk", "dark")])
async def test_the_pages_are_clean_and_fit(console: RunningConsole, size: str, theme: str) -> None:
    ids = {
        "agent": await scalar(console.node, "SELECT id FROM user_account WHERE login = 'agent01'"),
        "drawn": await scalar(console.node, "SELECT max(id) FROM quality_case WHERE state = 'drawn'"),
        "appealed": await scalar(console.node, "SELECT max(id) FROM quality_case WHERE state = 'appealed'"),
        "calibration": await scalar(
            console.node, "SELECT max(id) FROM quality_calibration WHERE closed_at IS NOT NULL"
        ),
    }
    assert None not in ids.values()
    wrong: dict[str, object] = {}
    for login, paths in PAGES.items():
        page = await console.page(login, size=size, theme=theme)
        for path in paths:
            answer = await page.goto(console.base + path.format(**ids))
            assert answer is not None
            assert answer.status == 200, path
            if found := await violations(page):
                wrong[path] = found
            if await page.evaluate(WIDE) > 0:
                wrong[f"{path} is too wide"] = await page.evaluate(WIDE)
    assert wrong == {}


async def test_a_leader_fills_a_week_without_the_mouse(console: RunningConsole) -> None:
    """From a blank week: codes, arrows, filling the row and the cell above, a mistake that keeps the rest."""
    page = await console.page("leader01")
    await page.goto(console.base + "/rota")
    await page.get_by_role("link", name="下一周").click()
    await page.get_by_role("link", name="下一周").click()  # the demo has no rota there
    cells = page.locator(".sh-cell")
    await expect(cells.first).to_have_value("")
    await cells.first.focus()
    await page.keyboard.type("a")
    await page.keyboard.press("Control+r")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+d")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.type("zz")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#page")).to_contain_text("有的班次不能识别")
    second = page.locator("tbody tr").nth(1).locator(".sh-cell")
    await expect(second.nth(1)).to_have_attribute("aria-invalid", "true")
    await expect(second.nth(0)).to_have_value("a")
    await expect(page.locator("tbody tr").first.locator(".sh-cell").nth(6)).to_have_value("a")
    await second.nth(1).focus()
    await page.keyboard.type("C")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#page")).to_contain_text("已保存")
    await expect(page.locator("h1")).to_contain_text("第 1 版")
    await expect(page.locator("tbody tr").first.locator("td.hl-number")).to_have_text("52.5")
    await page.get_by_role("link", name="历史版本").click()
    await expect(page.locator("tbody tr").first).to_contain_text("休→A")


async def test_a_call_is_heard_scored_and_appealed_against(console: RunningConsole) -> None:
    """A reviewer hears a call and scores it, the agent appeals, another reviewer decides."""
    case = await scalar(
        console.node,
        "SELECT max(id) FROM quality_case WHERE state = 'drawn'",
    )
    login = await scalar(
        console.node,
        "SELECT login FROM user_account WHERE id = (SELECT user_id FROM quality_case WHERE id = :case)",
        case=case,
    )
    first = await console.page("quality01")
    await first.goto(f"{console.base}/quality/cases/{case}")
    await first.get_by_role("button", name="听录音").click()
    await expect(first.locator("audio")).to_be_visible()
    await expect(first.locator("audio")).to_have_js_property("readyState", 4)
    marks = first.locator("select[name=mark]")
    for place in range(await marks.count()):
        await marks.nth(place).focus()
        await first.keyboard.press("ArrowDown")  # the best mark stands first
    await expect(first.locator("[data-total]")).to_have_text("100.0")
    await marks.first.select_option("5")
    await expect(first.locator("[data-total]")).to_have_text("95.0")
    await first.fill("textarea[name=comment]", "开头语不完整")
    await first.get_by_role("button", name="保存评分").click()
    await expect(first.locator("#page")).to_contain_text("评分已保存")

    agent = await console.page(login)
    await agent.goto(console.base + "/me/quality")
    await agent.locator(f"a[href='/me/quality/{case}']").click()
    await expect(agent.locator("#page")).to_contain_text("开头语不完整")
    await agent.fill("textarea[name=reason]", "开头已按规范报号问候，请复听")
    await agent.get_by_role("button", name="提交申诉").click()
    await expect(agent.locator("#page")).to_contain_text("复核中")

    await first.reload()
    await expect(first.locator("#page")).to_contain_text("须由原评分人以外的质检员复核")
    second = await console.page("quality02")
    await second.goto(f"{console.base}/quality/cases/{case}")
    await second.locator("textarea[name=answer]").first.fill("已复听，维持原评分")
    await second.get_by_role("button", name="维持原评分").click()
    await expect(second.locator("#page")).to_contain_text("已维持原评分")
    await agent.reload()
    await expect(agent.locator("#page")).to_contain_text("已复听，维持原评分")
