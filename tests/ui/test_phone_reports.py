"""Phone reports in a browser: tables that fit, charts that are drawn, numbers that lead to their calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.async_api import expect

from core.clock import to_city
from telephony.agent_time import Stretch
from tests.telephony.agent_rows import seat, write
from tests.telephony.test_figures import call
from tests.ui.conftest import RunningConsole
from tests.ui.seat import violations

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth - window.innerWidth"
DRAWN = "document.querySelectorAll('hl-chart').length === document.querySelectorAll('hl-chart canvas').length"


async def an_hour(console: RunningConsole) -> None:
    """An agent's hour yesterday, and a call made in it."""
    node = console.node
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    async with node.db.begin() as uow:
        query = sa.text(
            "SELECT id, extension FROM user_account WHERE extension IS NOT NULL ORDER BY id LIMIT 1"
        )
        user, extension = (await uow.session.execute(query)).one()
        seat_id = await seat(uow, user, extension, at)
        states = (
            ("ready", None, 900),
            ("talking", None, 1300),
            ("wrap_up", None, 100),
            ("not_ready", "break", 1300),
        )
        for state, reason, seconds in states:
            upto = at + timedelta(seconds=seconds)
            await write(uow, seat_id, extension, [Stretch(user, state, reason, None, at, upto)])
            at = upto
        end = sa.text("UPDATE agent_session SET signed_out_at = :at WHERE id = :id")
        await uow.session.execute(end, {"at": at, "id": seat_id})
        whole = call("answered", at=at.timestamp() - 600)
        made = replace(whole, direction="outbound", queues=(), queued=None, wait_seconds=None)
        await node.telephony.apply_changes(uow, "pbx1", [made])


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("desk", "dark")])
async def test_the_phone_reports_read_well_and_lead_to_their_calls(
    console: RunningConsole, size: str, theme: str
) -> None:
    await an_hour(console)
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
    await page.goto(f"{console.base}/reports/phone?by=agent&{days}")
    await page.locator('.rp-phone[aria-label="坐席工时"]').scroll_into_view_if_needed()
    await expect(page.locator('.rp-phone[aria-label="呼出"] tfoot td').first).to_have_text("1")
    link = page.locator('.rp-phone[aria-label="坐席工时"] tfoot td a').first
    signed = (await link.inner_text()).strip()
    await link.click()
    await expect(page.locator("h1 .hl-number")).to_have_text(signed)
    assert await page.evaluate(WIDE) <= 0
    assert await violations(page) == []
