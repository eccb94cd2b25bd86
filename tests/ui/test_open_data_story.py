"""Public data: prepared, approved by another, read by anybody, with scripts and without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page, expect

from core.clock import to_city
from sla.opendata.service import month_before
from tests.ui.conftest import RunningConsole
from tests.ui.seat import violations

Shot = Callable[[Page, str], Awaitable[None]]


async def test_a_month_goes_from_the_desk_to_everybody(
    console: RunningConsole, chromium: Browser, shot: Shot
) -> None:
    # Not the last month: the node itself may be preparing that one.
    month = month_before(month_before(to_city(console.node.clock.now()).date())).strftime("%Y-%m")
    desk = await console.page("supervision01")
    await desk.goto(f"{console.base}/reports/open")
    await desk.fill("input[name=month]", month)
    await desk.fill("input[name=reason]", "补发历史月份")
    await desk.click("text=生成新版本")
    await expect(desk.locator("main")).to_contain_text("须由另一位同事审核发布")
    await shot(desk, "open-preview")
    assert await violations(desk) == []
    leader = await console.page("leader01")
    await leader.goto(desk.url)
    await leader.get_by_role("button", name="审核发布").click()
    await expect(leader.locator("main")).to_contain_text("已发布")
    visitor = await console.page(size="laptop")
    await visitor.goto(f"{console.base}/open/data/{month}")
    await expect(visitor.locator("h1")).to_contain_text("热线诉求统计")
    await expect(visitor.locator("hl-chart canvas").first).to_be_visible()
    assert await violations(visitor) == []
    await shot(visitor, "open-data")
    await visitor.set_viewport_size({"width": 390, "height": 844})
    await shot(visitor, "open-data-phone")
    assert await visitor.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    dark = await console.page(theme="dark")
    await dark.goto(visitor.url)
    await expect(dark.locator("hl-chart canvas").first).to_be_visible()
    assert await violations(dark) == []
    await shot(dark, "open-data-dark")
    plain = await chromium.new_context(java_script_enabled=False, locale="zh-CN")
    page = await plain.new_page()
    await page.goto(f"{console.base}/open")
    await page.click(f"text={month[:4]} 年 {month[5:]} 月")
    await expect(page.locator("table").first).to_be_visible()
    async with page.expect_download() as fetched:
        await page.click("text=下载 CSV >> nth=0")
    assert (await fetched.value).suggested_filename.startswith(f"{month}-v1-")
    for path in ("/open/info", "/open/dictionary", "/open/licence"):
        await page.goto(console.base + path)
        await expect(page.locator("h1")).to_be_visible()
    await plain.close()
