"""A citizen at the portal on a phone: with script and in elder mode, and the whole way without any script."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations
from tickets.states import Action

Shot = Callable[[Page, str], Awaitable[None]]
PHONE = {"width": 390, "height": 844}
TOLD = "小区门口的路灯不亮。已经三个晚上了，老人出门不方便。"


def photo(folder: Path) -> Path:
    path = folder / "lamp.jpg"
    Image.new("RGB", (640, 480), "navy").save(path, "JPEG")
    return path


async def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url


async def test_a_matter_from_the_phone_to_the_answer(
    console: RunningConsole, shot: Shot, tmp_path: Path
) -> None:
    page = await console.page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    for path in ("", "/submit", "/track", "/questions", "/cases", "/privacy", "/sign-in"):
        await page.goto(f"{console.base}/portal{path}")
        assert await violations(page) == [], path
        await fits(page)
        await shot(page, f"portal{path.replace('/', '-') or '-home'}")

    # What was typed and the photo stay when something is missing.
    await page.goto(f"{console.base}/portal")
    await page.click("text=我要诉求")
    await page.fill("[name=narrative]", TOLD)
    await page.fill("[name=address]", "中山")
    await page.locator(".pt-spots li").first.click()
    await expect(page.locator("[name=area_id]")).not_to_have_value("")
    await page.set_input_files("[name=files]", photo(tmp_path))
    await page.check("[name=wants_public]")
    await page.click("text=提交诉求")
    await expect(page.locator("[data-problem]")).to_be_focused()
    await expect(page.locator("[name=narrative]")).to_have_value(TOLD)
    await expect(page.locator("[name=area_id]")).not_to_have_value("")
    await expect(page.locator(".pt-files")).to_contain_text("lamp.jpg")
    assert await violations(page) == []
    await shot(page, "portal-refused")
    await page.fill("[name=phone]", "13800138000")
    await page.check("[name=agree]")
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    assert await violations(page) == []
    await shot(page, "portal-done")
    number = await page.locator(".pt-slip dd").first.inner_text()
    assert await scalar(console.node, "SELECT count(*) FROM ticket_attachment") == 1

    await page.click("text=查看进度")
    await expect(page.locator(".pt-state")).to_contain_text("等待热线受理")
    await page.click("summary:has-text('补充情况')")
    await page.fill("#text-add", "路口还有一盏")
    await page.click("button:has-text('补充情况')")
    await expect(page.locator(".pt-steps")).to_contain_text("路口还有一盏")
    assert await violations(page) == []
    await shot(page, "portal-track")

    # The hotline answers; the citizen, in elder mode, rates it.
    node = console.node
    async with node.db.begin() as uow:
        agent = await node.people.actor_for_user(
            uow.session, await scalar(node, "SELECT id FROM user_account WHERE login = 'agent01'")
        )
        assert agent is not None
        row = f"SELECT id FROM ticket WHERE number = '{number}'"
        ident = await scalar(node, row)
        version = await scalar(node, row.replace("SELECT id", "SELECT version"))
        reply = {"public_reply": "您好，路灯已于今天修好。"}
        await node.tickets.act(uow, agent, ident, version, Action.ANSWER, reply)
    await page.click("text=长辈版")
    await expect(page.locator("html")).to_have_attribute("data-size", "large")
    assert await page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    await expect(page.locator("#reply + p")).to_contain_text("路灯已于今天修好")
    assert await violations(page) == []
    await fits(page)
    await shot(page, "portal-elder")
    for name, value in (("responded", "1"), ("solved", "1"), ("satisfied", "5")):
        await page.check(f"[name={name}][value='{value}']")
    await page.click("text=提交评价")
    await expect(page.locator("main")).to_contain_text("您已评价")
    await page.click("text=看完了，清除这台设备上的记录")
    await page.go_back()
    await expect(page.locator("body")).not_to_contain_text(number)


async def test_the_whole_way_without_script(console: RunningConsole, chromium: Browser, shot: Shot) -> None:
    context = await chromium.new_context(
        viewport=PHONE,  # type: ignore[arg-type]  # a dict of the two
        java_script_enabled=False,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    page = await context.new_page()
    await page.goto(f"{console.base}/portal")
    await page.click("text=长辈版")
    await page.click("text=我要诉求")
    await page.fill("[name=narrative]", TOLD)
    await page.fill("[name=address]", "中山路与解放路口")
    await page.click("text=提交诉求")
    await expect(page.locator("[data-problem]")).to_contain_text("请先同意隐私说明")
    await expect(page.locator("[name=narrative]")).to_have_value(TOLD)
    await page.fill("[name=phone]", "13800138000")
    await page.check("[name=agree]")
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    number, code = (await page.locator(".pt-slip dd").all_inner_texts())[:2]
    assert re.fullmatch(r"\d{6}", code)
    await page.click("header >> text=退出")
    await page.click("text=查进度")
    await page.fill("[name=number]", number)
    await page.fill("[name=code]", code)
    await page.click("main >> button:has-text('查询')")
    await expect(page.locator(".pt-state")).to_contain_text("等待热线受理")
    await page.click("summary:has-text('撤回诉求')")
    await page.fill("#text-withdraw", "已经修好了")
    await page.click("button:has-text('撤回诉求')")
    await expect(page.locator(".pt-state")).to_contain_text("已按您的要求撤回")
    await shot(page, "portal-noscript")
    await context.close()
