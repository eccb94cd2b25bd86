"""Stories of the three administrators, in a browser: each at work, each refused where he must be."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.helpers import eventually
from tests.ui.conftest import RunningConsole
from tests.ui.desk import Cast
from tests.ui.seat import scalar

pytestmark = pytest.mark.browser


async def decide(page: Page, base: str, proposal: int, *, approve: bool = True) -> None:
    """Open what waits and decide on it."""
    await page.goto(f"{base}/admin/approvals/{proposal}")
    async with page.expect_navigation():
        await page.click(f"button:text-is('{'批准' if approve else '退回'}')")


async def proposal_of(cast: Cast) -> int:
    """The one that waits, once it is there."""
    waiting = "SELECT max(id) FROM admin_proposal WHERE state = 'waiting'"
    return int(await eventually(lambda: scalar(cast.node, waiting), what="something waits for approval"))


async def test_a_unit_is_closed_and_its_tickets_are_handed_over(console: RunningConsole) -> None:
    cast = Cast(console)
    tickets = [await cast.makes(title=f"园林问题{n}") for n in range(3)]
    old, new = await cast.unit("linye"), await cast.unit("chengguan")
    for ticket in tickets:
        await cast.does("dispatcher01", ticket, "dispatch", unit_id=old)
    await cast.does("linye01", tickets[0], "sign")
    due = await scalar(cast.node, "SELECT due_at FROM ticket WHERE id = :id", id=tickets[0])

    page = await cast.opens("sysadmin", f"/admin/units/{old}/close?to={new}")
    await expect(page.locator("body")).to_contain_text("在办工单")
    await page.fill("textarea[name=reason]", "机构改革方案")
    async with page.expect_navigation():
        await page.click("text=提交合并")
    proposal = await proposal_of(cast)
    own = await cast.opens("sysadmin", f"/admin/approvals/{proposal}")
    await expect(own.locator("button:has-text('批准')")).to_have_count(0)
    await decide(await cast.page("secadmin"), console.base, proposal)

    async def moved() -> bool:
        left = "SELECT count(*) FROM ticket_unit WHERE unit_id = :unit AND until IS NULL"
        stays = f"{left} AND ticket_id IN ({', '.join(map(str, tickets))})"
        return bool(await scalar(cast.node, stays, unit=int(old)) == 0)

    await eventually(moved, within=60, what="the tickets are handed over")
    desk = await cast.opens("chengguan01", "/workbench")
    await expect(desk.locator("body")).to_contain_text("园林问题0")
    assert await scalar(cast.node, "SELECT due_at FROM ticket WHERE id = :id", id=tickets[0]) == due
    assert await cast.state(tickets[0]) == "handling"
    assert await scalar(cast.node, "SELECT active FROM unit WHERE id = :id", id=int(old)) is False


async def test_an_account_needs_two_administrators_and_the_third_sees_what_they_did(
    console: RunningConsole,
) -> None:
    cast = Cast(console)
    page = await cast.opens("sysadmin", "/admin/users/new")
    await page.fill("input[name=name]", "赵新民")
    await page.fill("input[name=login]", "zhaoxm")
    await page.evaluate(
        """([unit]) => {
          const one = document.querySelector('main form select[name=unit_id]');
          if (one.tomselect) one.tomselect.setValue(unit); else one.value = unit;
        }""",
        [await cast.unit("chengguan")],
    )
    await page.check("input[name=roles][value=dept_officer]")
    async with page.expect_navigation():
        await page.click("main form button[type=submit]")
    if await page.locator("input[name=sure]").count():
        async with page.expect_navigation():
            await page.click("main form button[type=submit]")
    joined = "user_account u JOIN user_role r ON r.user_id = u.id"
    working = f"SELECT count(*) FROM {joined} WHERE login = 'zhaoxm' AND active"
    assert await scalar(cast.node, working) == 0
    await decide(await cast.page("secadmin"), console.base, await proposal_of(cast))

    async def approved() -> bool:
        return bool(await scalar(cast.node, working) == 1)

    await eventually(approved, what="the account works")
    audit = await cast.opens("auditadmin", "/admin/audit")
    await expect(audit.locator("body")).to_contain_text("批准事项")
    for login, path in (
        ("auditadmin", "/admin/users/new"),
        ("secadmin", "/admin/users/new"),
        ("sysadmin", "/admin/audit"),
        ("secadmin", "/admin/audit"),
        ("sysadmin", "/admin/sessions"),
        ("auditadmin", "/admin/units"),
        ("sysadmin", "/tickets"),
    ):
        refused = await cast.opens(login, path)
        await expect(refused.locator("body")).to_contain_text("没有权限")


async def test_the_security_administrator_ends_a_session_at_once(console: RunningConsole) -> None:
    cast = Cast(console)
    victim = await cast.opens("dispatcher01", "/dispatch")
    await victim.wait_for_selector("[data-part=socket][data-state=good]")
    page = await cast.opens("secadmin", "/admin/sessions")
    row = page.locator("tr", has_text="dispatcher01").first
    async with page.expect_navigation():
        await row.locator("button[type=submit]").first.click()
    if await page.locator("input[name=sure]").count():
        await page.click("main form button[type=submit]")
    joined = "web_session s JOIN user_account u ON u.id = s.user_id"
    ended = f"SELECT count(*) FROM {joined} WHERE login = 'dispatcher01'"

    async def gone() -> bool:
        return bool(await scalar(cast.node, f"{ended} AND ended_at IS NULL") == 0)

    await eventually(gone, within=10, what="the session is ended")
    await victim.goto(console.base + "/dispatch")
    await victim.wait_for_selector("input[name=login]:not([type=hidden])")
