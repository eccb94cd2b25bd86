"""The day of a supervision officer, and of the unit that answers him, in a browser."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from tests.ui.conftest import RunningConsole
from tests.ui.desk import Cast
from tests.ui.seat import scalar, violations

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]
LATE = "UPDATE ticket SET due_at = now() - interval '9 days' WHERE id = :id"


async def overdue(cast: Cast, title: str) -> int:
    """A ticket a bureau has let lie."""
    ticket = await cast.makes(title=title)
    await cast.does("dispatcher01", ticket, "dispatch", unit_id=await cast.unit("chengguan"))
    await cast.does("chengguan01", ticket, "sign")
    async with cast.node.db.begin() as uow:
        await uow.session.execute(text(LATE), {"id": ticket})
    return ticket


async def test_from_the_risk_list_to_an_order_that_is_answered_and_closed(
    console: RunningConsole, shot: Shot
) -> None:
    cast = Cast(console)
    ticket = await overdue(cast, "夜市油烟长期扰民")
    desk = await cast.opens("supervision01", "/supervision?span=overdue")
    row = desk.locator(f"#risk-{ticket}")
    await expect(row).to_contain_text("超期")
    await row.focus()
    await desk.keyboard.press("Alt+u")
    await expect(desk.locator("[data-report]")).to_contain_text("已办理 1 件")
    await expect(desk.locator(f"#risk-{ticket}")).to_contain_text("共 1 次")
    await desk.locator(f"#risk-{ticket}").focus()
    await desk.keyboard.press("Enter")
    panel = desk.locator("#chosen")
    await expect(panel).to_contain_text("夜市油烟长期扰民")
    await shot(desk, "supervision-desk")

    await panel.get_by_role("link", name="督办单", exact=True).click()
    await desk.fill("textarea[name=requirement]", "请三日内完成整改，并报告责任人和完成时间。")
    await desk.keyboard.press("Control+Enter")
    await expect(desk.locator("body")).to_contain_text("已制发")
    order = int(re.findall(r"/orders/(\d+)", desk.url)[0])
    await expect(desk.locator(".hl-ticket-head")).to_contain_text("待签收")

    officer = await cast.opens("chengguan01", "/workbench")
    await officer.locator(".sv-strip a.hl-number").first.click()
    await officer.click(f"form[action='/orders/{order}/acknowledge'] button")
    await expect(officer.locator("body")).to_contain_text("已签收")
    await officer.fill(
        f"form[action='/orders/{order}/report'] textarea", "已约谈经营户，加装净化设备，本周五完成。"
    )
    await officer.click(f"form[action='/orders/{order}/report'] button")
    await expect(officer.locator("body")).to_contain_text("反馈待审")
    await shot(officer, "supervision-unit")

    desk = await cast.opens("supervision01", f"/orders/{order}")
    await desk.fill(f"form[action='/orders/{order}/close'] textarea", "已现场核实。")
    await desk.click(f"form[action='/orders/{order}/close'] button")
    await expect(desk.locator(".hl-ticket-head")).to_contain_text("已销号")
    await shot(desk, "supervision-order")
    await desk.click("text=打印")
    await expect(desk.locator("h1")).to_have_text("督办单")
    await shot(desk, "supervision-paper")

    page = await cast.opens("inspector", f"/tickets/{ticket}")
    for words in ("催办", "督办", "督办反馈", "督办销号"):
        await expect(page.locator("body")).to_contain_text(words)
    feed = await cast.opens("inspector", "/monitor")
    for words in ("制发督办文书", "签收督办文书", "督办反馈", "督办销号"):
        await expect(feed.locator("table")).to_contain_text(words)
    await shot(feed, "monitor")


async def test_a_proposal_is_issued_with_one_press_and_an_interview_is_recorded(
    console: RunningConsole, shot: Shot
) -> None:
    cast = Cast(console)
    ticket = await overdue(cast, "渣土车深夜扬尘")
    desk = await cast.opens("supervision01", "/supervision/proposals?ground=overdue")
    await shot(desk, "proposals")
    await desk.click(f"form[action='/supervision/proposals/{ticket}'] button")
    await expect(desk.locator("body")).to_contain_text("已制发")
    assert await scalar(cast.node, "SELECT supervised FROM ticket WHERE id = :id", id=ticket) is True
    await desk.click("summary:has-text('提级或另发文书')")
    await desk.click(".sv-steps a:has-text('约谈')")
    await expect(desk.locator("#page h2").first).to_have_text("约谈")
    await desk.click("form.hl-form button[type=submit]")
    await expect(desk.locator("body")).to_contain_text("已制发")
    form = desk.locator("form[action$='/record']")
    await form.locator("[name=held_at]").fill("2026-01-05T09:30")
    await form.locator("[name=place]").fill("三楼会议室")
    await form.locator("[name=attendees]").fill("市城管委分管副主任、督办员")
    await form.locator("[name=minutes]").fill("通报超期情况，分析原因。")
    await form.locator("[name=measures]").fill("一周内完成整改，明确专人负责。")
    await form.locator("button[type=submit]").click()
    await expect(desk.locator("body")).to_contain_text("约谈记录已登记")
    await shot(desk, "interview")
    await desk.click("text=打印约谈记录")
    await expect(desk.locator("h1")).to_have_text("约谈记录")
    desk = await cast.opens("supervision01", "/supervision/interviews")
    await expect(desk.locator("table")).to_contain_text("2026-01-05 09:30")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_hold_at_every_size_and_are_clean(
    console: RunningConsole, shot: Shot, theme: str
) -> None:
    cast = Cast(console)
    ticket = await overdue(cast, "夜市油烟长期扰民")
    desk = await cast.opens("supervision01", f"/supervision/new?ticket={ticket}&kind=interview")
    await desk.click("form.hl-form button[type=submit]")
    await expect(desk.locator("body")).to_contain_text("已制发")
    order = re.findall(r"/orders/(\d+)", desk.url)[0]
    for size in ("laptop", "desk", "large"):
        page = await console.page("supervision01", size=size, theme=theme)
        for name, path in (
            ("desk", f"/supervision?ticket={ticket}"),
            ("proposals", "/supervision/proposals"),
            ("new", f"/supervision/new?ticket={ticket}&ground=overdue"),
            ("orders", "/orders"),
            ("order", f"/orders/{order}"),
            ("interviews", "/supervision/interviews"),
            ("monitor", "/monitor"),
        ):
            await page.goto(console.base + path)
            wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, (name, size)
            if size == "laptop":
                assert await violations(page) == [], name
            await shot(page, f"sv-{name}-{size}-{theme}")
