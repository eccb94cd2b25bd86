"""Certificates beside the agent's form; the market from an appeal to the public list; axe on its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from routing.demo.certificates import held, id_number
from routing.demo.market import HOUSES
from tests.ui.conftest import RunningConsole
from tests.ui.seat import on_the_line, scalar, violations

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]


async def test_what_the_registry_verifies_is_not_needed_and_only_with_consent(
    console: RunningConsole, shot: Shot
) -> None:
    node = console.node
    now = node.clock.now()
    index = next(one for one in range(400) if _fit(held(one, now.date())))
    page = await on_the_line(console)
    category = await scalar(node, "SELECT id FROM category WHERE code = '070301'")
    await page.evaluate(
        "id => { const one = document.querySelector('form[data-draft-form] [name=category_id]');"
        " one.value = id; one.dispatchEvent(new Event('hl:filled'));"
        " one.dispatchEvent(new Event('change', { bubbles: true })); }",
        str(category),
    )
    strip = page.locator("hl-papers")
    await expect(strip).to_contain_text("居民身份证")
    await page.click(".ag-more summary")
    await page.fill("input[name=id_number]", id_number(index))
    await strip.locator("[data-check]").click()
    await expect(page.locator("#notices")).to_contain_text("需要市民同意")
    assert await scalar(node, "SELECT count(*) FROM certificate_consent WHERE draft_id IS NOT NULL") == 0
    await strip.locator("[data-agree]").check()
    await strip.locator("[data-check]").click()
    await expect(strip).to_contain_text("居民身份证 免交")
    assert await violations(page) == []
    await shot(page, "papers_beside_the_form")
    await strip.locator("[data-back]").click()
    await expect(strip).not_to_contain_text("免交")


def _fit(records: dict[str, dict[str, object]]) -> bool:
    card = records.get("id_card")
    return card is not None and not card["revoked"] and str(card["valid_to"]) > "2030"


async def test_a_house_on_appeal_is_listed_for_everybody_to_see(console: RunningConsole) -> None:
    agency = await console.page("agency02")
    await expect(agency.locator("body")).to_contain_text("申诉中")
    public = await console.page()
    await public.goto(console.base + "/intermediaries/blacklist")
    await expect(public.locator("body")).to_contain_text("没有机构在黑名单中")
    desk = await console.page("supervision01")
    await desk.goto(console.base + "/market/blacklist?state=appealed")
    await desk.fill("textarea[name=text]", "复检样品取样有见证记录，申诉不成立。")
    await desk.click("button[value=uphold]")
    await desk.wait_for_url("**/market/blacklist?done=saved")
    await public.reload()
    await expect(public.locator("table")).to_contain_text(HOUSES[7].name)
    assert await scalar(console.node, "SELECT count(*) FROM ticket WHERE subject_name <> ''") > 0


PAGES = {
    "shichang_head": ("/market", "/market/1", "/market/new", "/market/import", "/market/blacklist"),
    "supervision01": ("/market/cases", "/market/qualifications", "/certificates", "/market/8", "/market/2"),
    "sysadmin": ("/papers", "/papers/{category}"),
    "agency01": ("/market/own",),
    "zhujian01": ("/tickets/{ticket}",),
}
PUBLIC = ("/intermediaries", "/intermediaries/1", "/intermediaries/blacklist", "/intermediaries/rate")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_of_the_market_are_clean(console: RunningConsole, theme: str) -> None:
    ids = {
        "category": await scalar(console.node, "SELECT id FROM category WHERE code = '0703'"),
        "ticket": await scalar(console.node, "SELECT ticket_id FROM intermediary_case ORDER BY id LIMIT 1"),
    }
    wrong: dict[str, list[str]] = {}
    for login, paths in ({None: PUBLIC} | PAGES).items():
        page = await console.page(login, theme=theme)
        for path in paths:
            answer = await page.goto(console.base + path.format(**ids))
            assert answer is not None
            assert answer.status == 200, path
            if "ticket" in path:
                await page.wait_for_selector("#market")
            if found := await violations(page):
                wrong[path] = found
    assert wrong == {}
