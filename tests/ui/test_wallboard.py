"""The wallboard in a real browser: it fits its screen, turns its panels, and never shows old as new."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import SIZES, RunningConsole

pytestmark = pytest.mark.browser
SIZES.setdefault("wall", (1920, 1080))
SIZES.setdefault("wall-4k", (3840, 2160))
PANELS = 6
# What reaches beyond the panel it is in, or is written smaller than a thirtieth of the screen's height.
WRONG = """() => {
  const out = [], high = window.innerHeight;
  document.querySelectorAll('[data-shown] *').forEach((one) => {
    if (!one.textContent.trim() || one.offsetParent === null) return;
    const at = one.getBoundingClientRect();
    const home = document.querySelector('.wb-panels').getBoundingClientRect();
    const beyond = at.bottom > home.bottom + 1 || at.right > window.innerWidth + 1;
    if (beyond) out.push(['outside', one.textContent]);
    const size = parseFloat(getComputedStyle(one).fontSize);
    if (!one.children.length && size < high / 30) out.push(['small', one.textContent]);
  });
  return out;
}"""


async def address(console: RunningConsole) -> str:
    leader = await console.page("leader01")
    await leader.goto(console.base + "/wallboards")
    await leader.fill("input[name=name]", "大厅")
    await leader.click("text=新建地址")
    return await leader.input_value("input[readonly]")


async def board(console: RunningConsole, size: str = "wall") -> Page:
    found = await address(console)
    page = await console.page(size=size)
    await page.clock.install()
    await page.goto(found)
    await expect(page.locator("[data-part=state]")).to_have_text(re.compile(r"^数据 \d"))  # its first figures
    await expect(page.locator("hl-wallboard:not([data-stale])")).to_be_attached()
    return page


@pytest.mark.parametrize("size", ["wall", "wall-4k"])
async def test_every_panel_fits_and_is_large(console: RunningConsole, size: str) -> None:
    page = await board(console, size)
    for number in range(PANELS):
        await page.evaluate("(n) => document.querySelector('hl-wallboard').show(n)", number)
        assert await page.evaluate(WRONG) == [], number


async def test_it_turns_by_itself_and_begins_again(console: RunningConsole) -> None:
    page = await board(console)
    seen = [await page.text_content("h1")]
    for _ in range(PANELS):
        await page.clock.run_for(12_000)
        seen.append(await page.text_content("h1"))
    assert len(set(seen)) == PANELS
    assert seen[0] == seen[-1]


async def _no_answer(page: Page) -> None:
    await page.route("**/figures", lambda route: route.abort())


async def test_old_figures_grey_out_with_their_time_and_come_back(console: RunningConsole) -> None:
    page = await board(console)
    told = await page.text_content("[data-part=state]")
    assert told is not None
    await _no_answer(page)
    await page.clock.run_for(16_000)
    await expect(page.locator("hl-wallboard[data-stale]")).to_be_attached()
    state = await page.text_content("[data-part=state]")
    assert state is not None
    assert state.startswith("数据停在 ")
    await page.unroute("**/figures")
    await page.clock.run_for(6_000)
    await expect(page.locator("hl-wallboard:not([data-stale])")).to_be_attached()


async def test_a_board_whose_address_was_ended_goes_out(console: RunningConsole) -> None:
    page = await board(console)
    leader = await console.page("leader01")
    await leader.goto(console.base + "/wallboards")
    await leader.click("text=停用")
    await leader.wait_for_selector("text=已停用")
    await page.clock.run_for(6_000)
    await expect(page.locator(".wb-closed")).to_have_text("此大屏地址已停用")
    assert await page.locator("[data-panel]").count() == 0


async def test_with_reduced_motion_nothing_moves(console: RunningConsole) -> None:
    page = await board(console)
    await page.emulate_media(reduced_motion="reduce")
    style = "getComputedStyle(document.querySelector('[data-shown]')).animationName"
    assert await page.evaluate(style) == "none"
