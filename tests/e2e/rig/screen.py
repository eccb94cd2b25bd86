"""A browser with one signed-in person per context."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.rig import needs
from tests.e2e.rig.product import PASSWORD, Product

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window; skips or fails the test where there is none."""
    program = needs.chromium_program()
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield chromium
        finally:
            await chromium.close()


async def sign_in(chromium: Browser, product: Product, login: str, path: str) -> Page:
    """A page of its own for this person, opened at `path`; what the page complains about fails the test."""
    context = await chromium.new_context(
        base_url=product.address, viewport={"width": 1366, "height": 768}, locale="zh-CN"
    )
    page = await context.new_page()
    await page.goto(f"/login?next={path}")
    await page.get_by_label("工号").fill(login)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.wait_for_url(f"**{path}*")
    return page


async def keep_picture(page: Page, name: str) -> None:
    """A screenshot for people to look at."""
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"story-{name}.png")
