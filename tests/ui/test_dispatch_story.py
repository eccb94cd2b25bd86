"""The dispatcher's day in a browser: one key sends a ticket where it belongs and brings the next one."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.ui.conftest import RunningConsole
from tests.ui.desk import Cast
from tests.ui.seat import scalar

pytestmark = pytest.mark.browser
RULE = "form[action='/routing/rules/rule']"


async def test_alt_1_sends_to_the_first_suggestion_and_goes_on_to_the_next(console: RunningConsole) -> None:
    cast = Cast(console)
    lamp = "SELECT id FROM category WHERE code = '010101'"
    category = int(await scalar(cast.node, lamp))
    district = int(await cast.unit("qixing"))
    told = {"category_id": category, "district_id": district, "type": "help", "urgency": "critical"}
    first = await cast.makes(title="路灯三盏不亮", phone="13877300001", **told)
    second = await cast.makes(title="另一处路灯不亮", phone="13877300002", **told)
    desk = await cast.opens("dispatcher01", f"/dispatch?ticket={first}")
    suggested = desk.locator(".hl-suggest-one").first
    await expect(suggested).to_contain_text("桂林市城市管理委员会")
    await expect(suggested).to_contain_text("责任清单：分类“路灯照明”")
    await expect(suggested).to_contain_text("《城市照明管理规定》")
    await expect(suggested).to_contain_text("在办")
    async with desk.expect_navigation():
        await desk.keyboard.press("Alt+1")
    assert await cast.state(first) == "waiting_sign"
    await expect(desk.locator(f"#wait-{first}")).to_have_count(0)
    await expect(desk.locator("[id^=wait-][aria-current=true]")).to_have_count(1)
    chosen = "SELECT u.code FROM dispatch_choice c JOIN unit u ON u.id = c.unit_id WHERE c.ticket_id = :id"
    assert await scalar(cast.node, chosen, id=first) == "chengguan"
    kept = "SELECT source FROM dispatch_advice WHERE ticket_id = :id"
    assert await scalar(cast.node, kept, id=first) == "catalogue"

    desk = await cast.opens("dispatcher01", f"/dispatch?ticket={second}")
    async with desk.expect_navigation():
        await desk.keyboard.press("Alt+1")
    figures = await cast.opens("dispatcher01", "/routing/figures?by=unit")
    await expect(figures.locator("body")).to_contain_text("一次派准率")


async def test_a_rule_is_drafted_tried_and_promoted_by_hand(console: RunningConsole) -> None:
    cast = Cast(console)
    page = await cast.opens("supervision01", "/routing/rules")
    await page.click("text=建立草稿")
    await expect(page.locator("h1")).to_contain_text("草稿")
    await page.fill(RULE + " input[name=code]", "wells")
    await page.fill(RULE + " input[name=name]", "井盖一律归城管")
    await page.fill(RULE + " input[name=words]", "井盖、窨井")
    await page.evaluate(
        "() => { const field = document.querySelector('select[name=unit]');"
        " field.value = 'chengguan'; field.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    await page.click("text=保存到草稿")
    await expect(page.locator("body")).to_contain_text("新增 wells")
    await page.click("button:has-text('试算近 30 天')")
    await expect(page.locator("body")).to_contain_text("试算完成")
    await page.click("text=查看结果")
    await expect(page.locator("body")).to_contain_text("各单位工作量的变化")
    await page.goto(console.base + "/routing/rules")
    await page.fill("form[action='/routing/rules/promote'] input[name=note]", "井盖专项整治")
    await page.click("button:has-text('上线第')")
    await expect(page.locator("h1")).to_contain_text("第 2 版正在使用")
    await page.goto(console.base + "/routing/try")
    await page.fill("input[name=title]", "路口井盖破损")
    await page.click("form[action='/routing/try'] button[type=submit]")
    await expect(page.locator("body")).to_contain_text("关键词“井盖”")
