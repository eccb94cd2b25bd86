"""The whole way in a browser on a real Asterisk: the phone rings, the page pops, the department sees it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.rig import scenarios
from tests.e2e.rig.phones import Citizen, Phones
from tests.e2e.rig.product import Product
from tests.e2e.rig.screen import browser, keep_picture, sign_in
from tests.e2e.rig.situations import Stage, number
from tests.e2e.test_story import blocking

pytestmark = [pytest.mark.asterisk, pytest.mark.browser, pytest.mark.slow]

CALLER = number(600)
MASKED = f"{CALLER[:3]}****{CALLER[-4:]}"
TITLE = "中山中路十字街一带路灯连续三晚不亮"
NARRATIVE = "市民来电反映：十字街至阳桥路段两侧路灯自周五晚起不亮，夜间通行不便，希望尽快维修。"


async def test_a_call_rings_pops_is_written_down_and_reaches_the_department(
    sip: Phones, stage: Stage, product: Product
) -> None:
    async with browser() as chromium:
        agent = await sign_in(chromium, product, "1002", "/agent")
        colleague = await sign_in(chromium, product, "1003", "/agent")
        officer = await sign_in(chromium, product, "lights", "/unit")
        water = await sign_in(chromium, product, "water", "/unit")

        await blocking(sip.agents, [1002], scenarios.answering(ring=2))
        sip.call([Citizen(CALLER, '"韦晓兰"'.encode())], scenarios.caller(30))
        await expect(agent.locator(".ag-banner")).to_contain_text(MASKED, timeout=15_000)
        await keep_picture(agent, "1-ringing")
        await expect(colleague.locator(".ag-banner")).to_have_count(0)

        form = agent.locator("form[data-draft-form]")
        await expect(form).to_be_visible(timeout=15_000)
        await _write_down(agent)
        await expect(agent.locator("[data-save-state]")).to_contain_text("已保存")
        await keep_picture(agent, "2-form")
        await agent.reload()
        await expect(agent.get_by_label("标题")).to_have_value(TITLE)
        await agent.get_by_role("button", name=re.compile("保存成工单")).click()
        shown = await agent.locator(".ag-result-number").inner_text()
        await expect(agent.locator(".ag-result-code")).to_have_text(re.compile(r"^\d{3} ?\d{3}$"))
        await keep_picture(agent, "3-saved")
        ticket_number = re.sub(r"\D", "", shown)
        assert len(ticket_number) == 18

        dispatcher = await sign_in(chromium, product, "dispatcher", "/dispatch")
        await dispatcher.get_by_text(TITLE).first.click()
        await expect(dispatcher.locator("form.hl-dispatch")).to_be_visible()
        await dispatcher.locator("select[name=unit_id]").select_option(label="市城市管理委员会", force=True)
        await dispatcher.get_by_role("button", name="派发").click()

        # The officer's list was open all the time: the row comes to it by itself.
        row = officer.get_by_role("row").filter(has_text=TITLE)
        await expect(row).to_be_visible(timeout=10_000)
        await row.get_by_role("link").first.click()
        await expect(officer.locator(".hl-timeline")).to_contain_text("市城市管理委员会")
        await expect(officer.locator("body")).to_contain_text(NARRATIVE[:20])
        await keep_picture(officer, "4-department")
        assert CALLER not in await officer.content()
        await expect(water.get_by_text(TITLE)).to_have_count(0)
        await expect(colleague.locator("form[data-draft-form]")).to_have_count(0)
        await blocking(stage.ended, CALLER)


async def _write_down(agent: Page) -> None:
    await agent.get_by_role("combobox", name="分类").fill("ldzm")
    await agent.keyboard.press("Enter")
    await agent.get_by_label("标题").fill(TITLE)
    await agent.get_by_label("内容").fill(NARRATIVE)
    await agent.get_by_label("诉求点").fill("尽快修复")
