"""The seat in three columns: what fits, what the type asks for, and what is found and put in while typing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import AGENT, BUSY, focused, on_the_line, ring, saved, scalar, seat, violations

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]
OPEN = "[data-draft]:not([hidden]) "
# From the type to the bar that saves, with everything that helps: all of it is in sight at once.
IN_SIGHT = (
    "select[name=type]",
    "input[name=title]",
    "textarea[name=narrative]",
    "textarea[name=expected]",
    "select[name=category_id] + input",
    "select[name=area_id] + input",
    "input[name=address]",
    "input[name=occurred_at]",
    "input[name=phone]",
    "input[name=subject_name]",
    "hl-asks",
    "hl-advice",
    "hl-alike",
    "hl-knowledge [data-hits]",
    ".ag-actions button[type=submit]",
)
HIDDEN = """(elements) => elements.filter((one) => {
  const box = one.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return !(top && (top === one || one.contains(top) || top.contains(one))) || box.bottom > innerHeight;
}).length"""


@pytest.mark.parametrize(("size", "theme"), [("laptop", "light"), ("laptop", "dark"), ("desk", "light")])
async def test_everything_of_a_call_is_in_sight_without_scrolling(
    console: RunningConsole, shot: Shot, size: str, theme: str
) -> None:
    page = await seat(console, size=size, theme=theme)
    await ring(console.node, answer_after=0.2)
    await page.wait_for_selector("[data-draft]")
    await page.select_option(f"{OPEN}select[name=type]", "complaint")
    await page.fill(f"{OPEN}input[name=title]", "七星路饭店油烟扰民")
    await page.fill(f"{OPEN}textarea[name=narrative]", "楼下饭店每晚排放油烟，居民无法开窗。")
    await expect(page.locator("hl-advice [data-take=area_id]")).to_be_visible()
    assert {name: await page.locator(OPEN + name).evaluate_all(HIDDEN) for name in IN_SIGHT} == dict.fromkeys(
        IN_SIGHT, 0
    )
    for part in ("html", ".hl-page", "[data-scrolls]"):
        over = "(one) => one.scrollHeight - one.clientHeight"
        assert await page.locator(part).first.evaluate(over) == 0, part
    await shot(page, f"seat-{size}-{theme}")


async def test_from_ring_to_save_by_keys_alone_while_the_pop_of_a_second_call_arrives(
    console: RunningConsole,
) -> None:
    page = await seat(console)
    await ring(console.node, answer_after=1.0, talk=2)
    await page.wait_for_selector("[data-draft]")
    await page.keyboard.press("F2")
    await page.keyboard.type("七星路饭店油烟扰民")
    await page.keyboard.press("Tab")
    await page.keyboard.type("楼下饭店每晚")
    await expect(page.locator(".ag-phone-word")).to_have_text("无通话")  # he has hung up; it is still written
    await ring(console.node, AGENT[1], "13900000002")
    await expect(page.locator(".ag-banner")).to_contain_text("139****0002")
    assert await focused(page) == "narrative"
    await page.keyboard.type("排放油烟，居民无法开窗。")
    await page.keyboard.press("Tab")
    await page.keyboard.type("希望治理")
    await page.keyboard.press("Tab")
    await page.keyboard.type("yyrm")
    await page.wait_for_selector("[role=option]")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Alt+5")  # the place the text names
    await expect(page.locator("select[name=area_id]")).not_to_have_value("")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    assert await focused(page) == "address"
    await page.keyboard.type("qxl")
    await page.wait_for_selector("hl-place [role=option]")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("input[name=address]")).to_have_value("七星路")
    await page.keyboard.type("18号")
    await saved(page)
    await page.reload()  # in the middle of the call
    await expect(page.locator("input[name=address]")).to_have_value("七星路18号")
    await expect(page.locator(".ag-banner")).to_contain_text("139****0002")
    await page.keyboard.press("F2")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_contain_text("工单已登记")
    row = "SELECT district_id IS NOT NULL FROM ticket WHERE title = :t AND address = '七星路18号'"
    assert await scalar(console.node, row, t="七星路饭店油烟扰民") is True


async def test_what_a_complaint_hangs_on_is_asked_once_more_and_never_refused(
    console: RunningConsole,
) -> None:
    page = await on_the_line(console)
    await page.select_option("select[name=type]", "complaint")
    await expect(page.locator("hl-asks")).to_contain_text("诉求点、地点、发生时间、被反映方")
    await page.fill("input[name=title]", "油烟扰民")
    await page.fill("textarea[name=narrative]", "每晚排放油烟，居民无法开窗。")
    await page.fill("select[name=category_id] + input", "油烟")
    await page.wait_for_selector("[role=option]")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    assert await focused(page) == "subject_name"
    await expect(page.locator("hl-asks")).to_contain_text("再按一次 Ctrl+Enter 保存")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_contain_text("工单已登记")


async def test_snippets_come_by_code_and_from_the_list_and_respect_an_input_method(
    console: RunningConsole,
) -> None:
    page = await on_the_line(console)
    story = page.locator("textarea[name=narrative]")
    await story.focus()
    await page.keyboard.type("前文。;fy ")
    await page.keyboard.type("路灯不亮")  # the gap is chosen: what is typed fills it
    await expect(story).to_have_value("前文。来电人反映：路灯不亮。希望有关部门核实处理并回复。")
    await page.keyboard.press("Control+z")
    await page.keyboard.press("Control+End")
    await page.keyboard.press("Alt+c")
    await page.keyboard.type("gzddlx")
    await expect(page.locator("#snippet-list [aria-selected=true]")).to_contain_text("告知等待联系")
    await page.keyboard.press("Enter")
    await expect(story).to_be_focused()
    assert (await story.input_value()).endswith("请保持电话畅通。")
    before = await story.input_value()
    await story.evaluate(
        "(field) => { field.value += ';lx '; field.setSelectionRange(9999, 9999);"
        "field.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true})); }"
    )
    await expect(story).to_have_value(before + ";lx ")  # the blank belongs to what is being composed
    await page.keyboard.press("Alt+c")
    await page.keyboard.press("Escape")
    await expect(story).to_be_focused()


async def test_a_direct_answer_takes_two_keys(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.fill("textarea[name=narrative]", "询问办证材料，已逐项告知。")
    await page.keyboard.press("Alt+z")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".ag-result-card")).to_contain_text("直接答复")
    note = "SELECT note FROM intake_record ORDER BY id DESC LIMIT 1"
    assert await scalar(console.node, note) == "询问办证材料，已逐项告知。"


async def test_another_seat_writes_and_the_old_page_says_so_and_saves_nothing_over_it(
    console: RunningConsole,
) -> None:
    old = await on_the_line(console)
    await old.fill("input[name=title]", "旧坐席的标题")
    await saved(old)
    new = await seat(console)  # the same agent signs in elsewhere and finds the same tabs
    await expect(new.locator("[data-draft-tab]")).to_have_count(1)
    await expect(new.locator("input[name=title]")).to_have_value("旧坐席的标题")
    await new.fill("input[name=title]", "新坐席的标题")
    await saved(new)
    told = old.locator("[data-save-alert]")
    await expect(told).to_contain_text("正在另一个标签页或坐席上填写")
    assert await violations(old) == []
    await expect(old.locator("input[name=title]")).to_have_value("旧坐席的标题")
    await old.click("[data-go-on]")
    await expect(old.locator("input[name=title]")).to_have_value("新坐席的标题")
    await expect(told).to_be_hidden()
    await expect(new.locator("[data-save-alert]")).to_contain_text("正在另一个标签页或坐席上填写")
    await new.fill("textarea[name=narrative]", "两边都在写。")  # nothing is lost: both texts are shown
    await expect(new.locator("hl-conflict")).to_be_visible()
    assert await violations(new) == []
    await new.click("button[data-take=ours]")
    await saved(new)
    await expect(told).to_contain_text("正在另一个标签页或坐席上填写")


async def test_page_keys_go_round_the_tabs_and_back_into_the_text(console: RunningConsole) -> None:
    page = await seat(console, BUSY[0])
    await page.fill(f"{OPEN}input[name=title]", "第一张")
    await page.keyboard.press("Alt+n")
    await expect(page.locator("[data-draft-tab]")).not_to_have_count(1)
    await page.wait_for_selector("[data-part=socket][data-state=good]")
    first = await page.locator(OPEN).get_attribute("data-draft")
    assert first is not None
    await page.keyboard.press("Alt+PageDown")
    await expect(page.locator(OPEN)).not_to_have_attribute("data-draft", first)
    await page.keyboard.press("Alt+PageUp")
    await expect(page.locator(OPEN)).to_have_attribute("data-draft", first)


async def test_lists_and_the_page_of_snippets_are_clean(console: RunningConsole, shot: Shot) -> None:
    page = await on_the_line(console)
    await page.focus("input[name=address]")
    await page.keyboard.type("qx")
    await page.wait_for_selector("hl-place [role=option]")
    await page.keyboard.press("ArrowDown")
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+c")
    await page.wait_for_selector("#snippet-list [role=option]")
    assert await violations(page) == []
    await page.goto(console.base + "/snippets?new=1")
    assert await violations(page) == []
    await shot(page, "snippets")
