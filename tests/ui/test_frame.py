"""The frame and the ticket pages in a real browser: live rows, the status line, themes, access."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from node import Node
from tests.ui.conftest import RunningConsole
from tickets.forms import parse_form
from web.live import HUB

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
LIVE = "[data-part=socket][data-state=good]"
# Somebody works on it, and there is a telephone number to show.
OPEN = "stage IS NOT NULL AND phone_ref IS NOT NULL"
PAGES = [
    (None, "/login"),
    ("dispatcher01", "/dispatch"),
    ("dispatcher01", "/rulings"),
    ("dispatcher01", "/checks"),
    ("dispatcher01", "/tickets"),
    ("agent01", "/search"),
    ("chengguan01", "/unit"),
    ("inspector", "/admin/audit"),
    ("sysadmin", "/admin/outbox"),
    ("editor01", "/welcome"),
    ("editor01", "/password"),
    ("editor01", "/nothing-here"),
]


async def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page."""
    await page.evaluate(AXE)
    report: dict[str, Any] = await page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{found['id']}: {found['nodes'][0]['html'][:120]}" for found in report["violations"]]


async def a_ticket(node: Node, condition: str) -> int:
    async with node.db.read() as session:
        query = text(f"SELECT id FROM ticket WHERE {condition} ORDER BY id DESC LIMIT 1")
        return int((await session.execute(query)).scalar_one())


async def a_waiting_ticket(node: Node) -> int:
    """A new ticket, as an agent makes it."""
    async with node.db.begin() as uow:
        found = await uow.session.execute(text("SELECT id FROM user_account WHERE login = 'agent01'"))
        agent = await node.people.actor_for_user(uow.session, found.scalar_one())
        category = await uow.session.execute(text("SELECT id FROM category WHERE level = 3 LIMIT 1"))
        assert agent is not None
        raw = {
            "type": "help",
            "category_id": category.scalar_one(),
            "title": "路灯不亮",
            "narrative": "小区门口的路灯已经三天不亮",
            "phone": "13800001234",
        }
        made = await node.tickets.create(uow, agent, parse_form(raw, now=uow.now))
    return made.id


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
async def test_every_page_passes_axe_in_every_theme(
    console: RunningConsole, shot: Callable[[Page, str], Awaitable[None]], theme: str
) -> None:
    found: dict[str, list[str]] = {}
    pages: dict[str | None, Page] = {}
    for login, path in PAGES:
        page = pages.get(login) or await console.page(login, theme=theme)
        pages[login] = page
        await page.goto(console.base + path)
        wrong = await violations(page)
        await shot(page, f"{path.strip('/').replace('/', '-')}-{theme}")
        if wrong:
            found[path] = wrong
    assert found == {}


async def test_a_dispatched_ticket_appears_in_the_list_of_the_department_by_itself(
    console: RunningConsole, node: Node
) -> None:
    waiting = await a_waiting_ticket(node)
    department = await console.page("chengguan01")
    await department.goto(console.base + "/unit")
    await department.wait_for_selector(LIVE)
    assert await department.locator(f"#ticket-{waiting}").count() == 0
    desk = await console.page("dispatcher01")
    await desk.goto(f"{console.base}/dispatch?ticket={waiting}")
    await desk.click(".hl-dispatch .ts-control")
    await desk.keyboard.type("csgl")
    await desk.keyboard.press("Enter")
    await desk.click(".hl-dispatch button[type=submit]")
    await expect(department.locator(f"#ticket-{waiting}")).to_be_visible()
    await department.click(f"#open-{waiting}")
    await expect(department.locator(".hl-timeline")).to_contain_text("派发")


async def test_an_update_never_takes_away_what_somebody_is_typing(
    console: RunningConsole, node: Node
) -> None:
    ident = await a_ticket(node, OPEN)
    page = await console.page("leader01")
    await page.goto(f"{console.base}/tickets/{ident}")
    await page.wait_for_selector(LIVE)
    await page.fill("textarea[name=note]", "写到一半的备注")
    await page.click("[data-person=phone] summary")
    await page.fill("[data-person=phone] input[name=reason]", "先行")
    async with node.db.begin() as uow:
        found = await uow.session.execute(text("SELECT id FROM user_account WHERE login = 'agent01'"))
        agent = await node.people.actor_for_user(uow.session, found.scalar_one())
        assert agent is not None
        await node.tickets.urge(uow, agent, ident, "市民再次来电催办")
    await expect(page.locator(".hl-timeline")).to_contain_text("市民再次来电催办")
    assert await page.input_value("textarea[name=note]") == "写到一半的备注"
    assert await page.input_value("[data-person=phone] input[name=reason]") == "先行"


async def test_a_person_is_revealed_in_place_after_giving_a_reason(
    console: RunningConsole, node: Node
) -> None:
    ident = await a_ticket(node, "phone_ref IS NOT NULL")
    page = await console.page("leader01")
    await page.goto(f"{console.base}/tickets/{ident}")
    await page.click("[data-person=phone] summary")
    await page.fill("[data-person=phone] input[name=reason]", "核对联系方式")
    await page.press("[data-person=phone] input[name=reason]", "Enter")
    await expect(page.get_by_text("已记入审计")).to_be_visible()


async def test_a_notice_says_what_happened_when_a_piece_of_a_page_is_refused(
    console: RunningConsole, node: Node
) -> None:
    ident = await a_ticket(node, "phone_ref IS NOT NULL")
    page = await console.page("leader01")
    await page.goto(f"{console.base}/tickets/{ident}")
    await page.click("[data-person=phone] summary")
    await page.fill("[data-person=phone] input[name=reason]", "　")
    await page.press("[data-person=phone] input[name=reason]", "Enter")
    await expect(page.locator("#notices")).to_contain_text("请填写原因")
    assert await page.input_value("[data-person=phone] input[name=reason]") == "　"


async def test_the_status_line_tells_of_a_lost_connection_and_of_the_recovery(
    console: RunningConsole, node: Node
) -> None:
    page = await console.page("agent01")
    await page.wait_for_selector(LIVE)
    await node.app[HUB].close_all(node.app)
    await expect(page.locator("[data-part=socket]")).to_contain_text("正在重连")
    await page.wait_for_selector(LIVE)


async def test_a_session_that_is_ended_elsewhere_is_said_to_have_ended(
    console: RunningConsole, node: Node
) -> None:
    page = await console.page("agent01")
    await page.wait_for_selector(LIVE)
    async with node.db.begin() as uow:
        found = await uow.session.execute(text("SELECT id FROM user_account WHERE login = 'agent01'"))
        system = await node.people.actor_for_user(uow.session, found.scalar_one())
        assert system is not None
        assert system.user_id is not None
        await node.people.set_roles(uow, system, system.user_id, system.roles)
    await expect(page.locator("[data-part=socket]")).to_contain_text("登录已失效")


async def test_theme_and_text_size_are_chosen_in_the_menu_and_kept(console: RunningConsole) -> None:
    page = await console.page("editor01")
    await page.click(".hl-user summary")
    await page.click("button[value=dark]")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.click(".hl-user summary")
    await page.keyboard.press("Escape")
    await expect(page.locator(".hl-user details")).not_to_have_attribute("open", "")
    await page.click(".hl-user summary")
    await page.click("button[value=large]")
    await expect(page.locator("html")).to_have_attribute("data-size", "large")
    await page.goto(console.base + "/password")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_what_a_page_fetches_by_itself_says_so(console: RunningConsole, node: Node) -> None:
    ident = await a_ticket(node, OPEN)
    page = await console.page("leader01")
    await page.goto(f"{console.base}/tickets/{ident}")
    await page.wait_for_selector(LIVE)
    async with page.expect_request(lambda request: request.url.endswith("/timeline")) as caught:
        await page.evaluate(
            "ref => document.dispatchEvent(new CustomEvent('hl:live', "
            "{detail: {topic: 'ticket', ref: ref}}))",
            ident,
        )
    assert (await caught.value).headers["hl-background"] == "1"
