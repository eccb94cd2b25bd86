"""A point on the map at the ticket's page: where it was set wrongly, it is taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations
from tickets.points import service as points
from tickets.points.datum import Datum, Point

Shot = Callable[[Page, str], Awaitable[None]]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_hotline_takes_a_point_back_by_keyboard(
    console: RunningConsole, shot: Shot, theme: str
) -> None:
    ident = await scalar(
        console.node, "SELECT id FROM ticket WHERE confidentiality = 'normal' ORDER BY id LIMIT 1"
    )
    async with console.node.db.begin() as uow:
        await points.keep(uow, ident, Point(25.2736, 110.2907, Datum.GCJ02))
    page = await console.page("leader01", theme=theme)
    await page.goto(f"{console.base}/tickets/{ident}")
    await expect(page.get_by_text("坐标 25.273600, 110.290700（GCJ-02）")).to_be_visible()
    await page.focus("summary:has-text('坐标标错了')")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator(".hl-reveal [name=reason]:focus")).to_be_visible()
    assert await violations(page) == []
    await shot(page, f"point-{theme}")
    await page.keyboard.type("标到了江对岸")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("坐标已撤回：标到了江对岸")).to_be_visible()
    await expect(page.get_by_text("坐标标错了")).to_have_count(0)
    assert await violations(page) == []
    await shot(page, f"point-{theme}-gone")
