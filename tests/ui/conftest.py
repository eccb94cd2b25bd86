"""A whole node with the demo city, and a Chromium that looks at it.

Without Chromium these tests are skipped with one line that says how to enable them; where
HOTLINE_REQUIRE names `browser` they fail instead, so that a pipeline cannot pass without them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from core.settings import Settings, load_settings
from node import Node
from routing.demo import Size, seed

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARTIFACTS = Path(__file__).parents[1] / ".artifacts"
PATIENCE = 20_000  # milliseconds; a machine that builds something else beside is slow, not wrong
SIZES = {"laptop": (1366, 768), "desk": (1920, 1080), "large": (3840, 2160)}


def chromium_path() -> str:
    """Where Chromium is; skips, or fails when it is required."""
    chosen = os.environ.get("HOTLINE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if chosen:
        return chosen
    if "browser" in os.environ.get("HOTLINE_REQUIRE", ""):
        pytest.fail("Chromium is required (HOTLINE_REQUIRE) and not on PATH")
    pytest.skip("no Chromium on PATH; enable with: apt-get install chromium libatomic1")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    path = chromium_path()
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@dataclass
class RunningConsole:
    """A node that answers at `base`."""

    base: str
    node: Node
    settings: Settings
    _open: Callable[[int, int, str], Awaitable[BrowserContext]]

    async def page(self, login: str | None = None, *, size: str = "laptop", theme: str = "light") -> Page:
        """A page in a browser context of its own, signed in as `login` if given.

        A script error or a breach of the content policy fails the test that sees it.
        """
        context = await self._open(*SIZES[size], theme)
        page = await context.new_page()
        if login is not None:
            await self.sign_in(page, login)
        return page

    async def sign_in(self, page: Page, login: str) -> None:
        """Through the login page, as people do."""
        await page.goto(self.base + "/login")
        await page.fill("input[name=login]:not([type=hidden])", login)
        await page.fill("input[name=password]:not([type=hidden])", self.settings.secrets.demo_password)
        await page.press("input[name=password]:not([type=hidden])", "Enter")
        await page.wait_for_selector(".hl-user")


def ui_settings(tmp_path: Path, **more: str) -> Settings:
    """Settings of a quiet node on a free port: the simulator runs, and rings only when told to."""
    environ = {
        "HOTLINE_PATHS__VAR": str(tmp_path / "var"),
        "HOTLINE_HTTP__PORT": "0",
        "HOTLINE_TELEPHONY__SIMULATOR__CALLS_PER_HOUR": "0",
        "HOTLINE_CLASSIFIER__STARTER": "false",  # training takes a core, and stopping waits for it
    }
    return load_settings(environ={**environ, **more})


@pytest.fixture
async def node(database_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    """A whole node on a fresh database with a small demo city."""
    settings = ui_settings(tmp_path)
    running = Node(settings, database_url)
    running.first_releases.done = True  # what is public in a test is what the test publishes
    await seed_small(running)
    await running.start()
    yield running
    await running.stop()


async def seed_small(node: Node) -> None:
    """The demo city with a handful of tickets."""
    await seed(node.context, size=Size(tickets=60, records=20, missed=6))


@pytest.fixture
async def console(node: Node, chromium: Browser) -> AsyncIterator[RunningConsole]:
    """The node's console; every page error of the test is reported at its end."""
    base = f"http://127.0.0.1:{node.port}"
    contexts: list[BrowserContext] = []
    mistakes: list[str] = []

    async def opened(width: int, height: int, theme: str) -> BrowserContext:
        context = await chromium.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        await context.add_cookies([{"name": "hl_theme", "value": theme, "url": base}])
        context.on("weberror", lambda error: mistakes.append(str(error.error)))
        context.on("console", lambda message: _note(mistakes, message.type, message.text))
        contexts.append(context)
        return context

    yield RunningConsole(base, node, node.settings, opened)
    for context in contexts:
        await context.close()
    assert mistakes == []


def _note(mistakes: list[str], kind: str, words: str) -> None:
    """Keep what a page did wrong; an answer of 4xx and a lost socket are not its mistakes."""
    expected = ("Failed to load resource", "WebSocket connection to", "Response Status Error Code 4")
    if kind == "error" and not words.startswith(expected):
        mistakes.append(words)


@pytest.fixture
def shot() -> Callable[[Page, str], Awaitable[None]]:
    """Keep a picture of a page among the artifacts, for people to look at."""

    async def take(page: Page, name: str) -> None:
        await asyncio.to_thread(ARTIFACTS.mkdir, parents=True, exist_ok=True)
        await page.screenshot(path=ARTIFACTS / f"{name}.png")

    return take
