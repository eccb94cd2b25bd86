"""Phone reports in a browser: tables that fit, charts that are drawn, numbers that lead to their calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from core.clock import to_city
from tests.ui.conftest import RunningConsole
from tests.ui.seat import violations

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth - window.innerWidth"
DRAWN = "document.querySelectorAll('hl-chart').length === document.querySelectorAll('hl-chart canvas').length"


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("desk", "dark")])
async def test_the_phone_reports_read_well_and_lead_to_their_calls(
    console: RunningConsole, size: str, theme: str
) -> None:
    page = await console.page("supervision01", size=size, theme=theme)
    today = to_city(datetime.now(UTC)).date()
    days = f"first={today - timedelta(days=6)}&last={today}"
    for by in ("agent", "queue", "day"):
        await page.goto(f"{console.base}/reports/phone?by={by}&{days}")
        await page.wait_for_function(DRAWN)
        assert await page.evaluate(WIDE) <= 0
        assert await violations(page) == []
    heading = page.locator("abbr", has_text="平均处理").first
    assert await heading.get_attribute("title") == "（通话 + 话后整理）÷ 接通"
    link = page.locator(".rp-phone tfoot td a").first
    number = (await link.inner_text()).strip()
    await link.click()
    await expect(page.locator("h1 .hl-number")).to_have_text(number)
    assert await violations(page) == []
