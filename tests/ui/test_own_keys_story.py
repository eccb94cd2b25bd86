"""An agent gives ready and not ready another key by pressing it; every seat has it, the old one is free."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import AGENT, telephone_ready, violations
from tests.ui.test_seat_state import node

__all__ = ["node"]
pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]


async def _record(page: Page, name: str, combination: str) -> None:
    await page.focus(f'[data-record="{name}"]')
    await page.keyboard.press("Enter")
    await expect(page.locator(f'[data-record="{name}"]')).to_have_text("请按键…")
    await page.keyboard.press(combination)


async def test_a_key_is_pressed_kept_and_used_at_another_seat(console: RunningConsole, shot: Shot) -> None:
    await telephone_ready(console.node)
    page = await console.page(AGENT[0])
    await page.goto(console.base + "/me/keys")
    assert await violations(page) == []
    row = page.locator("tr", has=page.locator('[data-record="F8"]'))

    for refused, why in (
        ("KeyK", "单个字母"),
        ("F5", "浏览器"),
        ("F9", "已用于“请班长协助”"),
        ("F1", "固定"),
    ):
        await _record(page, "F8", refused)
        await expect(row.locator("[role=alert]")).to_contain_text(why)
    assert await violations(page) == []
    await _record(page, "F8", "Escape")
    await expect(row.locator("[data-record]")).to_have_text("修改")
    await expect(row.locator("kbd")).to_have_text("F8")

    await _record(page, "F8", "Alt+KeyG")
    await expect(row.locator("kbd")).to_have_text("Alt+G")
    await expect(row.locator("[data-record]")).to_be_focused()
    await expect(page.locator("[data-said]")).to_contain_text("现在是 Alt+G")
    await shot(page, "own-keys")
    assert await violations(page) == []

    for seat in (page, await console.page(AGENT[0], theme="dark")):
        await seat.goto(console.base + "/agent")
        button = seat.locator('[data-key="st-f8"]')
        await expect(button).to_have_attribute("aria-keyshortcuts", "Alt+G")
        await seat.keyboard.press("F8")  # nobody's now
        await expect(seat.locator(".st-menu-panel")).to_be_hidden()
        await seat.keyboard.press("Alt+KeyG")
        await expect(seat.locator(".st-menu-panel [data-seat-first]")).to_be_focused()
        await seat.keyboard.press("Escape")
        await seat.keyboard.press("F1")
        await expect(seat.locator("#keys-title")).to_be_visible()
        await expect(seat.locator(".ag-keys-list")).to_contain_text("Alt+G")
        await seat.keyboard.press("F1")

    await page.goto(console.base + "/me/keys")
    await page.focus('[data-key="reset-all"]')
    await page.keyboard.press("Enter")
    await expect(row.locator("kbd")).to_have_text("F8")
