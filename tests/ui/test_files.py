"""Files in the browser: several at once with their own answers, a list that leaves, a form on paper."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import FilePayload, expect

from node import Node
from tests.tickets import files
from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations
from tests.ui.test_frame import a_waiting_ticket

pytestmark = pytest.mark.browser


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


async def a_dispatched_ticket(node: Node) -> int:
    """Which of the demo's tickets are at a unit depends on the hour; this one is."""
    ticket = await a_waiting_ticket(node)
    unit = await scalar(node, "SELECT id FROM unit WHERE kind = 'bureau' ORDER BY sort LIMIT 1")
    dispatcher = await scalar(node, "SELECT id FROM user_account WHERE login = 'dispatcher01'")
    async with node.db.begin() as uow:
        actor = await node.people.actor_for_user(uow.session, dispatcher)
        assert actor is not None
        await node.tickets.dispatch(uow, actor, ticket, 1, unit)
    return ticket


async def test_files_are_added_watched_exported_and_printed(console: RunningConsole, node: Node) -> None:
    ticket = await a_dispatched_ticket(node)
    number = await scalar(node, "SELECT number FROM ticket WHERE id = :id", id=ticket)
    page = await console.page("dispatcher01")

    await page.goto(f"{console.base}/tickets/{ticket}/attachments")
    watcher = await console.page("supervision01")
    await watcher.goto(f"{console.base}/tickets/{ticket}/attachments")
    await expect(watcher.locator("[data-part=socket][data-state=good]")).to_be_visible()
    good = [payload("现场.jpg", files.picture()), payload("说明.docx", files.docx())]
    await page.set_input_files("input[type=file]", [*good, payload("脚本.pdf", files.BAD["script.pdf"][0])])
    await expect(page.locator(".hl-files > li")).to_have_count(2)
    refused = page.locator(".hl-upload-queue > li[data-state=refused]")
    await expect(refused).to_have_text(re.compile("脚本.pdf：文件里有程序或脚本"))
    await expect(watcher.locator(".hl-files > li")).to_have_count(2)  # who looks on sees them come
    assert await violations(page) == []

    await page.click(".hl-file-name >> text=现场.jpg")
    shown = page.locator(".hl-picture img")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("image => image.naturalWidth") == 64
    mark = page.locator("hl-watermark")
    assert await mark.get_attribute("ticket") == number
    await mark.evaluate("one => one.remove()")
    await expect(page.locator("hl-watermark")).to_have_count(1)
    assert await violations(page) == []
    await page.fill("input[name=reason]", "传错了")
    await page.click("text=撤回附件")
    await expect(page.locator(".hl-notice")).to_contain_text("传错了")

    await page.goto(f"{console.base}/tickets?type=help")
    await page.click("text=导出 Excel")
    link = page.locator("text=下载 工单")
    await expect(link).to_be_visible()
    async with page.expect_download() as download:
        await link.click()
    assert (await download.value).suggested_filename.endswith(".xlsx")

    await page.goto(f"{console.base}/tickets/{ticket}/print/transfer")
    await expect(page.locator("h1")).to_have_text("转办单")
    assert await page.locator(".pr-marks").evaluate("image => image.naturalWidth > 0")
    assert await violations(page) == []
