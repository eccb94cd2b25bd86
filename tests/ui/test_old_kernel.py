"""The pages in the kernel that government desktops still have: they load, and no script of theirs fails.

The browser is fetched by `.ci/chromium86.sh` in continuous integration only.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node import Node
from tests.ui.conftest import ui_settings
from tests.ui.old_kernel import OldKernel, OldPage, old_kernel
from tests.ui.seat import scalar
from web.routes import ROUTES


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncIterator[OldKernel]:
    program = os.environ.get("HOTLINE_TEST_OLD_CHROMIUM", "")
    if not program:
        pytest.skip("no Chromium 86; enable with: HOTLINE_TEST_OLD_CHROMIUM=$(bash .ci/chromium86.sh FOLDER)")
    async with old_kernel(program, tmp_path / "profile") as found:
        yield found


async def signed_in(kernel: OldKernel, base: str, login: str, password: str) -> OldPage:
    """Through the login page, by its own form."""
    page = await kernel.page()
    await page.open(f"{base}/login")
    async with page.another():
        await page.value(
            "(() => { const form = document.querySelector('input[name=password]:not([type=hidden])').form; "
            f"form.querySelector('input[name=login]').value = {login!r}; "
            f"form.querySelector('input[name=password]').value = {password!r}; form.requestSubmit(); }})()"
        )
    await page.until("document.querySelector('.hl-user') !== null")
    return page


async def test_the_pages_load_in_chromium_86_without_a_mistake_of_a_script(
    kernel: OldKernel, node: Node, tmp_path: Path
) -> None:
    assert "/86." in await kernel.version()
    base, password = f"http://127.0.0.1:{node.port}", ui_settings(tmp_path).secrets.demo_password
    ticket = await scalar(node, "SELECT max(id) FROM ticket")
    public = await kernel.page()
    for path in ("/login", "/portal", "/portal/submit", "/text", "/open", "/open/data", "/intermediaries"):
        if not any(declared.path == path for declared in node.app[ROUTES]):
            continue
        await public.open(base + path)
        assert await public.value("document.querySelector('h1, form') !== null"), path
    await public.open(f"{base}/kiosk")
    await public.until("document.querySelector('[data-screen=setup]') !== null")
    assert public.mistakes == []
    page = await signed_in(kernel, base, "agent01", password)
    await page.open(f"{base}/agent")
    await page.until(
        "customElements.get('hl-draft-form') !== undefined || document.querySelector('h1') !== null"
    )
    for path in (f"/tickets/{ticket}", "/knowledge"):
        await page.open(base + path)
        await page.until("window.htmx !== undefined")
    assert page.mistakes == []


SHOWN = "Array.from(document.querySelectorAll('.pt-step-head')).filter(one => one.offsetParent)"


async def test_the_portal_asks_one_question_a_screen_in_chromium_86(kernel: OldKernel, node: Node) -> None:
    page = await kernel.page()
    await page.resize(375, 812)
    await page.open(f"http://127.0.0.1:{node.port}/portal/submit")
    await page.until(f"{SHOWN}.length === 1")
    click = "document.querySelector('.pt-step-bar button:nth-child({})').click()"
    field = "document.querySelector('[name={}]')"
    assert "第 1 步" in await page.value(f"{SHOWN}[0].textContent")
    await page.value(click.format(2))
    assert "第 2 步" in await page.value(f"{SHOWN}[0].textContent")
    assert await page.value(f"document.activeElement === {SHOWN}[0]")
    await page.value(click.format(2))  # nothing is written yet
    assert await page.value("document.querySelector('#wrong-narrative').textContent") == "请填写这一项。"
    told = "路灯不亮，已经三天。"
    await page.value(f"{field.format('narrative')}.value = {told!r}")
    for _ in range(4):
        await page.value(click.format(2))
    await page.value(f"{field.format('phone')}.value = '13800138000'")
    await page.value(click.format(2))
    assert told in await page.value("document.querySelector('[data-summary]').textContent")
    await page.value("history.back()")
    await page.until(f"{SHOWN}[0].textContent.includes('第 6 步')")
    assert await page.value("document.documentElement.scrollWidth <= innerWidth")
    await page.value(f"{field.format('agree')}.checked = true")
    await page.value(click.format(2))
    async with page.another():
        await page.value("document.querySelector('button[type=submit]:not(.pt-tool)').click()")
    assert await page.value("document.querySelector('.pt-slip') !== null")
    assert page.mistakes == []
