"""A shift at the leader's desk: an agent's state as it changes, a help call, a broadcast, listening in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.helpers import eventually
from tests.ui.conftest import RunningConsole
from tests.ui.seat import ring, scalar, telephone_ready, violations

AGENT, EXTENSION, LEADER = "agent11", "1011", "leader01"


async def desk(console: RunningConsole, login: str, path: str) -> Page:
    page = await console.page(login)
    await page.goto(console.base + path)
    await page.wait_for_selector("[data-part=socket][data-state=good]")
    return page


async def test_a_shift_at_the_leaders_desk(
    console: RunningConsole, shot: Callable[[Page, str], Awaitable[None]]
) -> None:
    node = console.node
    await telephone_ready(node)
    floor = await desk(console, LEADER, "/floor")
    seat = await desk(console, AGENT, "/agent")
    user = await scalar(node, "SELECT id FROM user_account WHERE login = :login", login=AGENT)
    name = await scalar(node, "SELECT name FROM user_account WHERE login = :login", login=AGENT)
    row = floor.locator(f"[data-key=a{user}]")

    # The agent signs in and pauses at his page; the leader's page follows by itself.
    await seat.keyboard.press("F8")
    await seat.get_by_role("button", name="签入并示闲").first.click()
    await expect(row).to_contain_text("示闲")
    await seat.locator("[data-key=st-f8]").click()
    await seat.locator("[data-key=st-reason-training]").first.click()
    await expect(row).to_contain_text("培训")
    await expect(row).to_have_attribute("data-state", "not_ready")

    # By the keyboard alone: to the row, open it, set him ready; out of the list of those who are not.
    await floor.locator("[data-filter-state=not_ready]").click()
    await expect(row).to_be_visible()
    await row.locator("a").first.focus()
    await floor.keyboard.press("Enter")
    await expect(floor.locator("#fl-chosen")).to_contain_text(str(name))
    await floor.keyboard.press("Alt+5")
    await expect(row).to_have_attribute("data-state", "ready")
    await expect(row).to_be_hidden()
    await floor.locator('[data-filter-state=""]').click()
    await expect(row).to_be_visible()

    # In a call the agent asks for help; the leader is told on whatever page he is, and answers.
    await ring(node, EXTENSION, answer_after=0.2)
    await expect(row).to_have_attribute("data-state", "talking")
    other = await floor.context.new_page()
    await other.goto(console.base + "/tickets")
    await other.wait_for_selector("[data-part=socket][data-state=good]")
    await seat.keyboard.press("F9")
    banner = other.locator("[data-help-waits]").filter(has_text=str(name))
    await expect(banner).to_contain_text("138****1234")
    await expect(row).to_contain_text("求助中")
    await shot(floor, "floor-help")
    await seat.locator("#help-text").fill("来电人要求领导接听")
    await banner.get_by_role("button", name=re.compile("我来处理")).click()
    await expect(seat.locator("#help-own")).to_contain_text("收到，马上协助")
    await expect(seat.locator("#help-text")).to_have_value(
        "来电人要求领导接听"
    )  # typed while live things came
    await seat.locator("[data-help-say] button").click()
    await expect(seat.locator("#help-own")).to_contain_text("来电人要求领导接听")

    # Listening and barging in are orders about the agent's call.
    panel = floor.locator("#fl-chosen")
    await expect(panel.get_by_role("button", name=re.compile("监听"))).to_be_visible()
    await floor.locator("#page").focus()
    await floor.keyboard.press("Alt+1")
    await expect(panel.locator("[data-said]")).to_contain_text("监听")
    await floor.keyboard.press("Alt+3")

    async def ordered() -> bool:
        kinds = await scalar(node, "SELECT string_agg(kind, ' ' ORDER BY id) FROM call_order")
        return bool(kinds == "listen barge")

    await eventually(ordered, within=10, what="both orders are taken down")

    # A broadcast is on the seat at once; who has read it stands with the leader.
    await floor.locator(".fl-broadcast textarea").fill("系统 15 点维护，请提前保存")
    await floor.locator(".fl-broadcast [value=urgent]").check()
    await floor.locator(".fl-broadcast button").click()
    strip = seat.locator("#must-read")
    await expect(strip).to_contain_text("系统 15 点维护")
    await shot(seat, "floor-broadcast-seat")
    await strip.get_by_role("button", name="已阅").click()
    await expect(strip).not_to_contain_text("系统 15 点维护")
    await expect(floor.locator("hl-region progress")).to_have_attribute("value", "2")
    for page in (floor, seat):
        assert await violations(page) == []


async def test_the_pages_of_the_floor_pass_the_accessibility_rules(console: RunningConsole) -> None:
    leader = await console.page(LEADER)
    for path in ("/floor", "/floor/help", "/floor/broadcasts", "/floor/languages", "/me/figures?period=week"):
        await leader.goto(console.base + path)
        assert await violations(leader) == [], path


async def test_a_foreign_caller_is_given_to_a_seat_that_speaks_the_language(console: RunningConsole) -> None:
    node = console.node
    await telephone_ready(node)
    leader = await console.page(LEADER)
    user = await scalar(node, "SELECT id FROM user_account WHERE login = 'agent12'")
    await leader.goto(console.base + f"/floor/languages?person={user}")
    await leader.locator(f"form[action$='/people/{user}'] input[value=zhuang]").check()
    await leader.locator(f"form[action$='/people/{user}'] button").click()
    speaker, seat = await desk(console, "agent12", "/agent"), await desk(console, AGENT, "/agent")
    for page in (speaker, seat):
        await page.keyboard.press("F8")
        await page.get_by_role("button", name="签入并示闲").first.click()
    await ring(node, EXTENSION, answer_after=0.2)
    await seat.wait_for_selector("[data-draft]")
    await seat.keyboard.press("Alt+L")
    dialog = seat.locator("#language-dialog")
    await dialog.locator("select").select_option("zhuang")
    await dialog.get_by_role("button", name="标记语言").click()
    await expect(dialog).to_contain_text("会壮语的坐席")
    assert await violations(seat) == []
    await dialog.get_by_role("button", name="转给此坐席").click()
    await expect(dialog.locator("[data-handed]")).to_contain_text("已发出转接")
    order = await scalar(node, "SELECT kind || ' ' || target FROM call_order")
    assert order == "transfer 1012"
