"""Takes the pictures of the README from the product itself: `python -m tests.docs.screenshots`.

A node with the demo city and the simulator runs for it; Chromium looks at it as people do.
"""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from core.settings import DEMO_PASSWORD, ROOT
from tests.ops.node_process import NodeProcess

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1366, "height": 768}
CALL_SECONDS = 180_000  # milliseconds to wait for a citizen to call the agent we look at


async def page_of(browser: Browser, node: NodeProcess, login: str) -> Page:
    """A page signed in as `login`."""
    context = await browser.new_context(viewport=SIZE, locale="zh-CN", timezone_id="Asia/Shanghai")  # type: ignore[arg-type]  # a viewport
    page = await context.new_page()
    await page.goto(node.url + "/login")
    await page.fill("input[name=login]:not([type=hidden])", login)
    await page.fill("input[name=password]", DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


async def shoot(page: Page, name: str) -> None:
    """Write docs/images/NAME.png once the page is at rest."""
    await page.wait_for_load_state("networkidle")
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


async def console(browser: Browser, node: NodeProcess) -> None:
    """The seat of an agent who talks and writes."""
    page = await page_of(browser, node, "agent01")
    await page.goto(node.url + "/agent")
    await page.wait_for_selector('.ag-tab:has-text("通话中")', timeout=CALL_SECONDS)
    await page.keyboard.press("F2")
    await page.wait_for_selector(".ag-tab-live[aria-current]")
    await page.fill("input[name=title]:visible", "中山中路与解放东路交叉口路灯不亮")
    words = (
        "来电人反映，中山中路与解放东路交叉口向北约一百米，路灯连续三晚不亮，行人过街不安全，希望尽快检修。"
    )
    await page.fill("textarea[name=narrative]:visible", words)
    for label, typed in (("分类", "路灯"), ("地点", "秀峰区")):
        await page.locator("label:visible", has_text=label).first.click()
        await page.keyboard.type(typed, delay=30)
        await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-save-state]:visible:has-text('已保存')")
    await shoot(page, "console")


async def floor(browser: Browser, node: NodeProcess) -> None:
    """The shift leader's live floor, with somebody in a call."""
    page = await page_of(browser, node, "leader01")
    await page.goto(node.url + "/floor")
    await page.wait_for_selector('[data-agent][data-state="talking"]', timeout=CALL_SECONDS)
    await shoot(page, "floor")


async def supervisor(browser: Browser, node: NodeProcess) -> None:
    """The dashboard once everything is counted, the desk with a ticket open."""
    page = await page_of(browser, node, "supervision01")
    await page.goto(node.url + "/dashboard")
    while await page.get_by_text("正在统计").count():
        await page.wait_for_timeout(2000)
        await page.reload()
    await page.wait_for_selector("hl-chart[data-drawn=chart] canvas")
    await shoot(page, "dashboard")
    await page.goto(node.url + "/supervision")
    await shoot(page, "supervision")


async def wallboard(browser: Browser, node: NodeProcess) -> None:
    """The first panel of a screen on the wall."""
    page = await page_of(browser, node, "leader01")
    await page.goto(node.url + "/wallboards")
    await page.fill("input[name=name]", "大厅")
    await page.click("text=新建地址")
    await page.goto(await page.input_value("input[readonly]"))
    await page.wait_for_selector("hl-wallboard:not([data-stale])")
    await shoot(page, "wallboard")


async def portal(browser: Browser, node: NodeProcess) -> None:
    """What a citizen sees: the first page, and a matter just handed in."""
    context = await browser.new_context(viewport=SIZE, locale="zh-CN", timezone_id="Asia/Shanghai")  # type: ignore[arg-type]  # a viewport
    page = await context.new_page()
    await page.goto(node.url + "/portal")
    await shoot(page, "portal")
    await page.goto(node.url + "/portal/submit")
    await page.fill("[name=narrative]", "小区门口的路灯不亮。已经三个晚上了，老人出门不方便。")
    await page.fill("[name=address]", "中山中路")
    await page.fill("[name=phone]", "13800138000")
    await page.check("[name=agree]")
    await page.click("text=提交诉求")
    await page.click("text=查看进度")
    await page.wait_for_selector(".pt-state")
    await shoot(page, "track")


async def main() -> None:
    """All pictures, one after the other."""
    program = os.environ.get("HOTLINE_TEST_CHROMIUM") or shutil.which("chromium")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as var:
        node = NodeProcess({"HOTLINE_PATHS__VAR": var}, Path(var) / "node.log")
        await node.start()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                page = await page_of(browser, node, "dispatcher01")
                await page.goto(node.url + "/dispatch")
                await shoot(page, "dispatch")
                page = await page_of(browser, node, "chengguan01")
                await page.goto(node.url + "/unit")
                await shoot(page, "tickets")
                await console(browser, node)
                await floor(browser, node)
                await supervisor(browser, node)
                await wallboard(browser, node)
                await portal(browser, node)
        finally:
            await node.stop()


if __name__ == "__main__":
    asyncio.run(main())
