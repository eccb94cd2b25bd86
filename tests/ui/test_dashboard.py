"""The dashboard in a browser: one screen, charts with their tables, every number a way to its tickets."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.desk import Cast
from tests.ui.seat import city_counted, scalar, violations

pytestmark = pytest.mark.browser
WHOLE = "() => { const p = document.querySelector('#page'); return p.scrollHeight - p.clientHeight; }"
INK = "() => document.querySelector('hl-chart[kind=bars] canvas').toDataURL()"


async def opened(console: RunningConsole, *, size: str = "laptop", theme: str = "light") -> Page:
    """The dashboard of a city that is counted."""
    await city_counted(console.node)
    page = await console.page("supervision01", size=size, theme=theme)
    await page.goto(console.base + "/dashboard")
    await page.wait_for_selector("hl-chart[data-drawn=chart] canvas")
    return page


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("desk", "dark")])
async def test_it_is_one_screen_and_clean(console: RunningConsole, size: str, theme: str) -> None:
    page = await opened(console, size=size, theme=theme)
    assert await page.evaluate(WHOLE) <= 0
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert await violations(page) == []
    for key in await page.locator(".hl-chart-key").all():
        await key.click()
    await expect(page.locator("hl-chart[data-drawn=table] table")).to_have_count(2)
    assert await violations(page) == []


async def test_a_number_opens_exactly_its_tickets(console: RunningConsole) -> None:
    page = await opened(console)
    link = page.locator(".db-heat tbody td a").first
    number = (await link.inner_text()).strip()
    await link.click()
    await expect(page.locator("h1 .hl-number")).to_have_text(number)
    await expect(page.locator("tbody tr")).to_have_count(int(number))
    await page.go_back()
    await page.locator(".db-hots tbody a").first.click()
    await expect(page.locator("h1")).to_contain_text(re.compile(r"受理明细 \d+ 件"))


async def test_a_chart_is_drawn_anew_with_the_theme_and_keeps_its_table_behind_a_key(
    console: RunningConsole,
) -> None:
    page = await opened(console)
    light = await page.evaluate(INK)
    await page.evaluate("document.documentElement.setAttribute('data-theme', 'dark')")
    await page.wait_for_function(f"(old) => ({INK})() !== old", arg=light)
    await page.locator("hl-chart[kind=bars] .hl-chart-key").click()
    table = page.locator("hl-chart[kind=bars] table")
    await expect(table).to_be_visible()
    await expect(table.locator("tbody tr").first).to_contain_text("n=")
    await page.locator("hl-chart[kind=bars] .hl-chart-key").click()
    await expect(table).to_be_hidden()


async def test_a_bar_opens_what_it_counts(console: RunningConsole) -> None:
    page = await opened(console)
    rows = page.locator("hl-chart[kind=bars] tbody tr")
    values = [await one.get_attribute("data-value") for one in await rows.locator("td[data-value]").all()]
    assert values
    place = await page.evaluate(
        """() => {
          const host = document.querySelector('hl-chart[kind=bars]');
          const best = host.data.series[0].cells.findIndex((cell) => cell.value > 50);
          const at = host.chart.convertToPixel({ seriesIndex: 0 }, [best, 10]);
          const box = host.canvas.getBoundingClientRect();
          const wide = host.chart.getWidth() / host.data.labels.length;
          return [box.left + at[0] - Math.min(11, wide / 6), box.top + at[1]];
        }"""
    )
    await page.mouse.click(*place)
    await page.wait_for_url(re.compile("/measures/on_time/tickets"))
    await expect(page.locator("h1")).to_contain_text("按时办结明细")


async def test_what_happens_is_seen_without_a_reload(console: RunningConsole) -> None:
    page, cast = await opened(console), Cast(console)
    cell = page.locator(".db-heat tbody tr", has_text="派单").locator("td").first
    before = int((await cell.inner_text()).strip())
    await cast.makes(title="公交站台座椅损坏")
    await expect(cell).to_have_text(str(before + 1), timeout=20_000)


async def test_urging_is_one_press(console: RunningConsole) -> None:
    page = await opened(console)
    first = page.locator(".db-risk tbody tr").first
    ident = (await first.get_attribute("id") or "").removeprefix("risk-")
    before = int(await scalar(console.node, "SELECT urges FROM ticket WHERE id = :id", id=int(ident)))
    await first.locator("button").click()
    await page.wait_for_url(re.compile(r"/dashboard\?ticket="))
    await expect(page.locator(f"#risk-{ident} button")).to_have_text(re.compile(f"催办\\s*{before + 1}"))


async def test_without_script_it_is_tables(console: RunningConsole) -> None:
    page = await opened(console)
    context = await page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]  # it has a browser
    await context.add_cookies(await page.context.cookies())  # type: ignore[arg-type]  # as they came
    plain = await context.new_page()
    await plain.goto(console.base + "/dashboard")
    await expect(plain.locator("hl-chart table")).to_have_count(2)
    for table in await plain.locator("hl-chart table").all():
        await expect(table).to_be_visible()
    await context.close()
