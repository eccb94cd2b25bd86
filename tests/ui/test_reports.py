"""Reports in a browser: a form that asks for what applies, a page that reads like a document."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from core.clock import to_city
from tests.ui.conftest import RunningConsole
from tests.ui.seat import city_counted, violations

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth - window.innerWidth"


async def listed(console: RunningConsole, *, size: str = "laptop", theme: str = "light") -> Page:
    """The list of reports of a city that is counted."""

    await city_counted(console.node)
    page = await console.page("supervision01", size=size, theme=theme)
    await page.goto(console.base + "/reports")
    return page


async def made(page: Page, kind: str, day: date | None = None) -> None:
    await page.select_option("select[name=kind]", kind)
    if day is not None:
        await page.fill("input[name=day]", day.isoformat())
    await page.click(".rp-form button")
    await page.wait_for_url(re.compile(r"/reports/\d+$"))


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("desk", "dark")])
@pytest.mark.parametrize("kind", ["monthly", "league"])
async def test_a_report_reads_like_a_document(
    console: RunningConsole, size: str, theme: str, kind: str
) -> None:
    page = await listed(console, size=size, theme=theme)
    assert await violations(page) == []
    await made(page, kind)
    await page.wait_for_function(
        "document.querySelectorAll('hl-chart').length === document.querySelectorAll('hl-chart canvas').length"
    )
    assert await page.evaluate(WIDE) <= 0
    assert await violations(page) == []
    for key in await page.locator(".hl-chart-key").all():
        await key.click()
    assert await violations(page) == []


async def test_the_form_asks_for_what_the_kind_needs(console: RunningConsole) -> None:
    page = await listed(console)
    subject, last = page.locator("select[name=subject_id]"), page.locator("input[name=last]")
    await expect(subject).to_be_hidden()
    await page.select_option("select[name=kind]", "special")
    await expect(subject).to_be_visible()
    await last.fill("2020-01-01")
    await page.click(".rp-form button")
    await expect(page.locator("#page")).to_contain_text("截止日期早于开始日期")
    await expect(last).to_have_value("2020-01-01")
    await page.select_option("select[name=kind]", "weekly")
    await expect(last).to_be_disabled()
    await page.click(".rp-form button")
    await expect(page.locator("h1")).to_contain_text("周报")


async def test_a_figure_opens_the_list_it_was_counted_from(console: RunningConsole) -> None:
    page = await listed(console)
    # Of last week there is something on every day of the year; of this month or week there may not be.
    await made(page, "weekly", to_city(datetime.now(UTC)).date() - timedelta(days=7))
    await expect(page.locator(".rp-head")).to_contain_text("报表生成时的数字；名单为现在的")
    link = page.locator("table", has_text="各类诉求受理情况").locator("tbody td a").first
    number = (await link.inner_text()).strip()
    await link.click()
    await expect(page.locator("h1 .hl-number")).to_have_text(number)


async def test_without_script_every_field_and_figure_is_there(console: RunningConsole) -> None:
    page = await listed(console)
    await made(page, "daily")
    context = await page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]  # it has a browser
    await context.add_cookies(await page.context.cookies())  # type: ignore[arg-type]  # as they came
    plain = await context.new_page()
    await plain.goto(page.url)
    for table in await plain.locator(".rp-paper table").all():
        await expect(table).to_be_visible()
    await plain.goto(console.base + "/reports")
    await expect(plain.locator("select[name=subject_id]")).to_be_visible()
    await plain.select_option("select[name=kind]", "weekly")
    await plain.click(".rp-form button")
    await expect(plain.locator("h1")).to_contain_text("周报")
    await context.close()
