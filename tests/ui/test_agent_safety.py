"""Nothing that was typed is ever lost: not by updates, lost lines, other seats or double keys."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from core.events import Audience, LiveEvent, LiveNote
from core.people.permissions import Permission
from tests.helpers import eventually
from tests.ui.conftest import RunningConsole
from tests.ui.seat import AGENT, focused, on_the_line, ring, saved, scalar, seat
from tickets.events import CallbackChanged, DraftChanged, DraftWritten, TicketChanged

pytestmark = pytest.mark.browser
UPDATES = 100
PIECES = "/static/js/elements/pieces.js"
LONG = "市民来电反映小区电梯多次停运，老人上下楼不便，物业答复配件未到，希望尽快修复并公示进度。" * 4


@dataclass(frozen=True)
class Told(LiveEvent):
    """A note of any topic, of something this page shows or of something it does not."""

    topic: str
    ref: int

    @property
    def live(self) -> LiveNote:
        permissions = (Permission.CALL_TAKE,)
        return LiveNote(self.topic, "changed", self.ref, 2, Audience(permissions=permissions), {})


async def _topics(page: Page) -> set[str]:
    """Every topic a part of the page, its pieces or a script of the frame listens to."""
    parts = await page.locator("[topics]").evaluate_all("(all) => all.map((e) => e.getAttribute('topics'))")
    pieces = await page.evaluate(f"import('{PIECES}').then((all) => all.TOPICS)")
    return {topic for part in parts for topic in part.split()} | {*pieces, "knowledge", "notice"}


async def test_nothing_typed_is_lost_while_a_hundred_updates_of_each_topic_arrive(
    console: RunningConsole,
) -> None:
    page = await on_the_line(console)
    draft = await scalar(console.node, "SELECT max(id) FROM ticket_draft")
    owner = await scalar(console.node, "SELECT owner_id FROM ticket_draft WHERE id = :d", d=draft)
    topics = await _topics(page)
    assert {"call", "draft", "ticket", "pbx", "callback"} <= topics

    async def storm() -> None:
        for number in range(UPDATES):
            async with console.node.db.begin() as uow:
                for topic in sorted(topics):
                    await uow.emit(Told(topic, number if topic != "draft" else 999_000 + number))
                await uow.emit(TicketChanged(number + 1, "0" * 18, 2, "note", None))
                await uow.emit(CallbackChanged(number + 1, 2))
                await uow.emit(DraftChanged(999_000 + number, 2, None, owner))
                await uow.emit(DraftWritten(999_000 + number, 2, owner, "another1"))

    await page.keyboard.press("F2")
    await page.keyboard.type("电梯停运")
    await page.keyboard.press("Tab")
    updates = asyncio.create_task(storm())
    await page.keyboard.type(LONG, delay=4)
    await updates
    assert await focused(page) == "narrative"
    await expect(page.locator("textarea[name=narrative]")).to_have_value(LONG)
    await saved(page)
    await page.reload()
    await expect(page.locator("textarea[name=narrative]")).to_have_value(LONG)
    await expect(page.locator("input[name=title]")).to_have_value("电梯停运")


async def test_a_server_out_of_reach_is_said_and_the_text_saved_when_it_is_back(
    console: RunningConsole,
) -> None:
    page = await on_the_line(console)

    async def cut(route: Route) -> None:
        await route.abort()

    await page.route("**/drafts/*/form", cut)
    await page.keyboard.press("F2")
    await page.keyboard.type("断线时写的标题")
    await expect(page.locator("[data-save-alert]")).to_contain_text("未保存，内容保留在本页")
    await expect(page.locator("input[name=title]")).to_have_value("断线时写的标题")
    await page.unroute("**/drafts/*/form")
    await saved(page)
    await expect(page.locator("[data-save-alert]")).to_be_hidden()


async def test_leaving_the_page_with_unsaved_text_asks_first(console: RunningConsole) -> None:
    page = await on_the_line(console)
    asked: list[str] = []

    async def stay(dialog: object) -> None:
        asked.append(getattr(dialog, "type", ""))
        await dialog.dismiss()  # type: ignore[attr-defined]  # a playwright dialog

    async def cut(route: Route) -> None:
        await route.abort()

    await page.route("**/drafts/*/form", cut)
    page.on("dialog", stay)
    await page.keyboard.press("F2")
    await page.keyboard.type("还没有保存")
    await page.evaluate("setTimeout(() => location.assign('/calls'), 0)")
    await eventually(lambda: "beforeunload" in asked, what="the page asks before it is left")
    await expect(page.locator("input[name=title]")).to_have_value("还没有保存")
    page.remove_listener("dialog", stay)
    await page.unroute("**/drafts/*/form")
    await saved(page)


async def test_two_seats_of_one_agent_are_shown_both_texts(console: RunningConsole) -> None:
    one = await on_the_line(console)
    two = await seat(console)
    await one.keyboard.press("F2")
    await one.keyboard.type("甲处的标题")
    await saved(one)
    await two.fill("input[name=title]", "乙处的标题")
    conflict = two.locator("hl-conflict")
    await expect(conflict).to_contain_text("甲处的标题")
    await expect(conflict).to_contain_text("乙处的标题")
    await expect(two.locator("input[name=title]")).to_have_value("乙处的标题")
    await two.click("[data-field=title] input[value=theirs]")
    await two.click("button[data-take=each]")
    await expect(two.locator("input[name=title]")).to_have_value("甲处的标题")
    await expect(conflict).to_be_hidden()
    await saved(two)


async def test_changing_the_tab_keeps_what_is_typed_in_each(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.type("通话的草稿")
    await saved(page)
    await page.keyboard.press("Alt+n")
    await page.wait_for_selector("[data-draft-tab] >> nth=1")
    await page.keyboard.press("F2")
    await expect(page.locator("[data-draft]:not([hidden]) input[name=title]")).to_have_value("通话的草稿")
    await page.click("[data-draft-tab] >> nth=1")
    await page.fill("[data-draft]:not([hidden]) input[name=title]", "来访的草稿")
    await page.keyboard.press("F2")
    await expect(page.locator("[data-draft]:not([hidden]) input[name=title]")).to_have_value("通话的草稿")
    await page.click("[data-draft-tab] >> nth=1")
    await expect(page.locator("[data-draft]:not([hidden]) input[name=title]")).to_have_value("来访的草稿")


async def test_keys_struck_twice_make_one_ticket(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.type("重复提交")
    await page.keyboard.press("Tab")
    await page.keyboard.type("连按两次保存键。")
    await page.focus("[role=combobox]")
    await page.keyboard.type("路灯")
    await page.keyboard.press("Enter")
    before = await scalar(console.node, "SELECT count(*) FROM ticket")
    await page.keyboard.press("Control+Enter")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_be_visible()
    assert await scalar(console.node, "SELECT count(*) FROM ticket") == before + 1


async def test_keys_belong_to_the_input_method_while_it_composes(console: RunningConsole) -> None:
    page = await on_the_line(console)
    for how in ("isComposing: true", "keyCode: 229"):
        for key in ("F1", "Enter"):
            await page.evaluate(
                f"document.querySelector('input[name=title]').dispatchEvent(new KeyboardEvent('keydown', "
                f"{{key: '{key}', ctrlKey: {str(key == 'Enter').lower()}, bubbles: true, {how}}}))"
            )
    assert await page.locator("dialog[open], .ag-result-card, .ag-field-error:visible").count() == 0
    await page.keyboard.press("F1")
    await expect(page.locator("dialog[open]")).to_contain_text("按键表")
    await page.keyboard.press("Escape")
    assert await page.locator("dialog[open]").count() == 0


async def test_the_sheet_gives_the_focus_back(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.press("F1")
    await page.keyboard.press("F1")
    assert await focused(page) == "title"


async def test_escape_from_a_fold_goes_back_to_the_field(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    assert await focused(page) == "title"
    await page.keyboard.press("Alt+j")
    await page.wait_for_selector("details[open] input[name=code]:focus")
    await page.keyboard.press("Escape")
    assert await focused(page) == "title"


async def test_a_field_that_is_put_right_is_no_longer_called_wrong(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.press("Control+Enter")
    wrong = page.locator(".ag-field-error:visible")
    await expect(wrong).to_have_count(3)
    await page.keyboard.type("路灯不亮")
    await expect(wrong).to_have_count(2)
    assert await page.locator("input[name=title]").get_attribute("aria-invalid") is None
    await page.focus("[role=combobox] >> visible=true")
    await page.keyboard.type("路灯")
    await page.wait_for_selector("[role=option]")
    await page.keyboard.press("Enter")
    await expect(wrong).to_have_count(1)


async def test_keys_can_be_switched_off(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.keyboard.press("F1")
    await page.uncheck("[data-keys-switch]")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+j")
    assert await page.locator("details[open][data-folds]").count() == 0


async def test_a_lost_live_connection_is_made_up_for(console: RunningConsole) -> None:
    page = await console.page(AGENT[0])
    lines: list[WebSocketRoute] = []
    down = asyncio.Event()

    async def carry(line: WebSocketRoute) -> None:
        if down.is_set():
            await line.close()
        else:
            line.connect_to_server()
            lines.append(line)

    await page.context.route_web_socket(re.compile("/live"), carry)
    await page.goto(console.base + "/agent")
    await page.wait_for_selector("[data-part=socket][data-state=good]")
    down.set()
    await lines[0].close()
    await page.wait_for_selector("[data-part=socket][data-state=bad]")
    await ring(console.node, answer_after=0.2)
    talking = "SELECT count(*) > 0 FROM call_session WHERE state = 'talking'"
    await eventually(lambda: scalar(console.node, talking), within=20)
    assert await page.locator("[data-draft]").count() == 0
    down.clear()
    await page.wait_for_selector("[data-draft]", timeout=60_000)
    await expect(page.locator(".ag-phone-word")).to_have_text("通话中")


async def test_a_draft_ended_at_another_seat_says_so_here(console: RunningConsole) -> None:
    one = await on_the_line(console)
    two = await seat(console)
    await one.keyboard.press("Alt+j")
    await one.keyboard.press("ArrowDown")
    await one.keyboard.press("ArrowDown")
    await one.keyboard.press("ArrowDown")
    await one.keyboard.press("Control+Enter")
    await expect(one.locator(".ag-result-card")).to_be_visible()
    await expect(two.locator("[data-save-alert]")).to_contain_text("已在别处结束")
