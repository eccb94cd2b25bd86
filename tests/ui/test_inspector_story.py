"""The inspector's day: the feed, the cards, the audit log, scores of a month, a recording by approval."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations

Shot = Callable[[Page, str], Awaitable[None]]


async def test_an_inspector_reads_everything_and_hears_a_call_once_it_is_approved(
    console: RunningConsole, shot: Shot
) -> None:
    query = (
        "SELECT t.id FROM ticket t JOIN call_session c ON c.id = t.call_session_id "
        "WHERE c.recording IS NOT NULL AND t.type <> 'report' ORDER BY t.id DESC LIMIT 1"
    )
    ident = await scalar(console.node, query)
    page = await console.page("inspector")
    for path, title in (("/monitor", "电子监察"), ("/cards", "亮牌"), ("/admin/audit", "审计")):
        await page.goto(console.base + path)
        await expect(page.locator("h1")).to_contain_text(title)
    await page.goto(f"{console.base}/monitor/scores")
    await expect(page.locator("h1").first).to_contain_text("监察评分")
    await page.click("text=上月")
    await expect(page.locator("h1").first).to_contain_text("监察评分")
    assert await violations(page) == []
    await shot(page, "inspector-scores")
    # The recording: no reason of his own opens it.
    await page.goto(f"{console.base}/tickets/{ident}")
    await page.click("text=申请听录音")
    await page.fill("[data-recording] input[name=reason]", "核查接听态度投诉")
    await page.click("[data-recording] button")
    await expect(page.locator("table")).to_contain_text("核查接听态度投诉")
    await expect(page.locator("table")).to_contain_text("待审批")
    approver = await console.page("auditadmin")
    await approver.goto(f"{console.base}/monitor/recordings")
    await shot(approver, "inspector-approval")
    assert await violations(approver) == []
    await approver.get_by_role("button", name="批准", exact=True).click()
    await expect(approver.locator("table")).to_contain_text("可收听")
    await page.goto(f"{console.base}/tickets/{ident}")
    await page.click("text=听录音")
    await page.fill("[data-recording] input[name=reason]", "核查接听态度投诉")
    await page.click("[data-recording] button")
    await expect(page.locator("[data-recording] [data-player]")).to_be_visible()
    await page.goto(f"{console.base}/admin/audit")
    assert {"申请听录音", "收听录音"} <= set(await page.locator("main td").all_inner_texts())
