"""axe-core on every page of the floor, in both themes, with the parts that fold out open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import ring, scalar, seat, violations

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]


@pytest.mark.parametrize(("theme", "size"), [("light", "laptop"), ("dark", "desk"), ("contrast", "laptop")])
async def test_the_seat_is_clean_in_each_of_its_states(
    console: RunningConsole, shot: Shot, theme: str, size: str
) -> None:
    page = await seat(console, theme=theme, size=size)
    assert await violations(page) == []
    await ring(console.node, answer_after=3.0)
    await expect(page.locator(".ag-banner")).to_be_visible()
    assert await violations(page) == []
    await shot(page, f"seat-ringing-{theme}-{size}")
    await page.wait_for_selector("[data-draft]")
    assert await violations(page) == []
    await page.keyboard.press("F2")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-field-error:visible").first).to_be_visible()
    await page.focus("[role=combobox] >> visible=true")
    await page.keyboard.type("路")
    await page.wait_for_selector("[role=option]")
    assert await violations(page) == []
    await shot(page, f"seat-errors-{theme}-{size}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+j")
    await page.wait_for_selector("details[open] input[name=code]")
    assert await violations(page) == []
    for _ in range(4):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_be_visible()
    assert await violations(page) == []
    await page.keyboard.press("F1")
    assert await violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_lists_of_the_floor_are_clean(console: RunningConsole, shot: Shot, theme: str) -> None:
    page = await console.page("leader01", theme=theme)
    task = await scalar(console.node, "SELECT min(id) FROM callback_task WHERE closed_at IS NULL")
    call = await scalar(console.node, "SELECT max(id) FROM call_session")
    paths = ["/callbacks", "/callbacks?closed=1", "/calls", "/drafts/stale", "/agent"]
    paths += [f"/callbacks?task={task}"] if task else []
    paths += [f"/calls/{call}"] if call else []
    for path in paths:
        await page.goto(console.base + path)
        assert await violations(page) == [], path
        await shot(page, f"floor{path.translate(str.maketrans('/?=', '---'))}-{theme}")
