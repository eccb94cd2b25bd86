"""axe-core on the pages of the administrators, and their trees walked by keyboard."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations

pytestmark = pytest.mark.browser
PAGES = {
    "sysadmin": (
        "/admin/units?unit={unit}",
        "/admin/units/{unit}/close",
        "/admin/categories?code=01",
        "/admin/catalog",
        "/admin/catalog/words",
        "/admin/catalog/queues",
        "/admin/catalog/templates",
        "/admin/notices",
        "/admin/calendar?day=2026-04-20",
        "/admin/calendar/import",
        "/admin/calendar/versions",
        "/admin/policies",
        "/admin/policies/1",
        "/admin/policies/1/edit",
        "/admin/policies/1/publish",
        "/admin/settings",
        "/notices",
    ),
    "auditadmin": ("/admin/audit", "/admin/deletions"),
}


@pytest.mark.parametrize(("login", "theme"), [("sysadmin", "dark"), ("auditadmin", "light")])
async def test_the_pages_of_the_administrators_are_clean(
    console: RunningConsole, login: str, theme: str
) -> None:
    page = await console.page(login, theme=theme)
    unit = await scalar(console.node, "SELECT min(id) FROM unit WHERE kind = 'bureau'")
    for path in PAGES[login]:
        await page.goto(console.base + path.format(unit=unit))
        assert await violations(page) == [], path


async def test_a_unit_is_found_by_initials_and_reached_without_a_mouse(console: RunningConsole) -> None:
    page = await console.page("sysadmin")
    await page.goto(console.base + "/admin/units")
    await page.focus("hl-filter input")
    await page.keyboard.type("sgaj")
    await expect(page.locator("#unit-tree a[data-hit]").first).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("main h2").first).to_contain_text("公安局")
