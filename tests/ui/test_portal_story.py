"""A citizen at the portal on a phone: with script and in elder mode, and the whole way without any script."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, Route, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations
from tickets.states import Action

Shot = Callable[[Page, str], Awaitable[None]]
PHONE = {"width": 390, "height": 844}
TOLD = "小区门口的路灯不亮。已经三个晚上了，老人出门不方便。"


def photo(folder: Path) -> Path:
    path = folder / "lamp.jpg"
    Image.new("RGB", (640, 480), "navy").save(path, "JPEG")
    return path


async def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url


async def at_step(page: Page, number: int) -> None:
    """The one step that is shown, told in words and as a bar; its heading has the focus but at the start."""
    head = page.locator(".pt-step-head:visible")
    await expect(head).to_have_count(1)
    await expect(head).to_contain_text(f"第 {number} 步，共 7 步")
    assert await page.locator(".pt-progress").evaluate("bar => [bar.value, bar.max]") == [number, 7]


async def forth(page: Page, number: int) -> None:
    """Go on; the next step is read out from its heading."""
    await page.click("text=下一步")
    await at_step(page, number)
    await expect(page.locator(".pt-step-head:visible")).to_be_focused()


async def test_a_matter_from_the_phone_to_the_answer(
    console: RunningConsole, shot: Shot, tmp_path: Path
) -> None:
    page = await console.page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    for path in ("", "/submit", "/track", "/questions", "/cases", "/privacy", "/sign-in"):
        await page.goto(f"{console.base}/portal{path}")
        assert await violations(page) == [], path
        await fits(page)
        await shot(page, f"portal{path.replace('/', '-') or '-home'}")

    # One question a screen; a step that is not right does not let go on.
    await page.goto(f"{console.base}/portal")
    await page.click("text=我要诉求")
    await at_step(page, 1)
    await page.click("text=投诉")
    await forth(page, 2)
    await page.click("text=下一步")
    await expect(page.locator("#wrong-narrative")).to_have_text("请填写这一项。")
    await expect(page.locator("[name=narrative]")).to_be_focused()
    assert await violations(page) == []
    await page.fill("[name=narrative]", TOLD)
    await forth(page, 3)
    await forth(page, 4)
    await page.fill("[name=address]", "中山")
    await page.locator(".pt-spots li").first.click()
    await expect(page.locator("[name=area_id]")).not_to_have_value("")
    await forth(page, 5)
    await page.set_input_files("[name=files]", photo(tmp_path))
    await forth(page, 6)
    await page.fill("[name=phone]", "1380013800")
    await page.click("text=下一步")
    await expect(page.locator("#wrong-phone")).to_contain_text("号码不正确")
    await page.fill("[name=phone]", "13800138000")
    await forth(page, 7)
    for told in (TOLD, "投诉", "lamp.jpg", "13800138000"):
        await expect(page.locator("[data-summary]")).to_contain_text(told)
    assert await violations(page) == []
    await fits(page)
    await shot(page, "portal-step-last")
    await page.click("text=提交诉求")
    await expect(page.locator("#wrong-agree")).to_contain_text("隐私说明")
    await page.check("[name=agree]")
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    assert await violations(page) == []
    await shot(page, "portal-done")
    assert await page.evaluate("sessionStorage.length") == 0
    number = await page.locator(".pt-slip dd").first.inner_text()
    assert await scalar(console.node, "SELECT count(*) FROM ticket_attachment") == 1

    await page.click("text=查看进度")
    await expect(page.locator(".pt-state")).to_contain_text("等待热线受理")
    await page.click("summary:has-text('补充情况')")
    await page.fill("#text-add", "路口还有一盏")
    await page.click("button:has-text('补充情况')")
    await expect(page.locator(".pt-steps")).to_contain_text("路口还有一盏")
    assert await violations(page) == []
    await shot(page, "portal-track")

    # The hotline answers; the citizen, in elder mode, rates it.
    node = console.node
    async with node.db.begin() as uow:
        agent = await node.people.actor_for_user(
            uow.session, await scalar(node, "SELECT id FROM user_account WHERE login = 'agent01'")
        )
        assert agent is not None
        row = f"SELECT id FROM ticket WHERE number = '{number}'"
        ident = await scalar(node, row)
        version = await scalar(node, row.replace("SELECT id", "SELECT version"))
        reply = {"public_reply": "您好，路灯已于今天修好。"}
        await node.tickets.act(uow, agent, ident, version, Action.ANSWER, reply)
    await page.click("text=长辈版")
    await expect(page.locator("html")).to_have_attribute("data-size", "large")
    assert await page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    await expect(page.locator("#reply + p")).to_contain_text("路灯已于今天修好")
    assert await violations(page) == []
    await fits(page)
    await shot(page, "portal-elder")
    for name, value in (("responded", "1"), ("solved", "1"), ("satisfied", "5")):
        await page.check(f"[name={name}][value='{value}']")
    await page.click("text=提交评价")
    await expect(page.locator("main")).to_contain_text("您已评价")
    await page.click("text=看完了，清除这台设备上的记录")
    await page.go_back()
    await expect(page.locator("body")).not_to_contain_text(number)


async def test_steps_go_back_and_keep_everything(console: RunningConsole) -> None:
    """The browser's back is one step back; a reload, large letters and a wide screen cost nothing typed."""
    page = await console.page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await page.goto(f"{console.base}/portal/submit")
    await forth(page, 2)
    await page.fill("[name=narrative]", TOLD)
    await page.press("[name=title]", "Enter")
    await at_step(page, 3)
    await page.fill("[name=expected]", "尽快修好")
    await page.go_back()
    await at_step(page, 2)
    await expect(page.locator("[name=narrative]")).to_have_value(TOLD)
    await page.go_forward()
    await at_step(page, 3)
    await page.click("text=上一步")
    await at_step(page, 2)
    await page.go_forward()
    await at_step(page, 3)
    key = await page.locator("[name=key]").input_value()
    await page.reload()
    await at_step(page, 3)
    await expect(page.locator("[name=expected]")).to_have_value("尽快修好")
    await expect(page.locator("[data-kept]")).to_be_visible()
    assert await page.locator("[name=key]").input_value() == key
    await page.click("text=长辈版")
    await expect(page.locator("html")).to_have_attribute("data-size", "large")
    await at_step(page, 3)
    assert await violations(page) == []
    await fits(page)
    for number in (4, 5, 6):
        await forth(page, number)
    await page.fill("[name=phone]", "13800138000")
    await forth(page, 7)
    assert await violations(page) == []
    await fits(page)
    # From the summary to an answer and back to the summary.
    await page.click("[aria-label='修改：请说说这件事']")
    await at_step(page, 2)
    await page.fill("[name=title]", "路灯不亮")
    await page.click("text=回到核对")
    await at_step(page, 7)
    await expect(page.locator("[data-summary]")).to_contain_text("路灯不亮")
    # A wide screen has it all below each other.
    await page.set_viewport_size({"width": 1366, "height": 768})
    await expect(page.locator(".pt-step-head:visible")).to_have_count(0)
    for name, value in (("narrative", TOLD), ("expected", "尽快修好"), ("phone", "13800138000")):
        await expect(page.locator(f"[name={name}]")).to_be_visible()
        await expect(page.locator(f"[name={name}]")).to_have_value(value)
    assert await violations(page) == []
    await page.click("text=清空重填")
    await expect(page.locator("[name=narrative]")).to_have_value("")
    assert await page.locator("[name=key]").input_value() != key


async def test_the_link_past_the_head_stays_at_its_step(console: RunningConsole) -> None:
    page = await console.page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await page.goto(f"{console.base}/portal/submit")
    await forth(page, 2)
    await page.fill("[name=narrative]", TOLD)
    await forth(page, 3)
    await page.focus(".pu-skip")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/portal/submit#main")
    await at_step(page, 3)
    await expect(page.locator("#main")).to_be_focused()
    await forth(page, 4)
    await page.go_back()
    await at_step(page, 3)


async def to_the_end(page: Page) -> None:
    """From the first step to the last, with nothing but what is asked for."""
    await forth(page, 2)
    await page.fill("[name=narrative]", TOLD)
    for number in (3, 4, 5, 6):
        await forth(page, number)
    await page.fill("[name=phone]", "13800138000")
    await forth(page, 7)
    await page.check("[name=agree]")


async def test_back_after_sending_is_the_first_step_of_an_empty_form(console: RunningConsole) -> None:
    page = await console.page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await page.goto(f"{console.base}/portal/submit")
    await to_the_end(page)
    await page.reload()
    key = await page.locator("[name=key]").input_value()
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    await page.go_back()
    await at_step(page, 1)
    for name in ("narrative", "phone"):
        await expect(page.locator(f"[name={name}]")).to_have_value("")
    assert await page.locator("[name=key]").input_value() != key
    assert await page.evaluate("history.state") == {"step": 0}


async def test_what_is_changed_after_a_lost_answer_is_another_matter(console: RunningConsole) -> None:
    page = await console.page()

    async def lose(route: Route) -> None:
        if route.request.method == "POST":
            await route.fetch(max_redirects=0)  # the server has it, the browser never hears of it
            await route.fulfill(status=504, content_type="text/plain", body="no answer")
        else:
            await route.continue_()

    async def send_and_lose() -> None:
        await page.click("text=提交诉求")
        await expect(page.locator("body")).to_have_text("no answer")
        await page.goto(f"{console.base}/portal/submit")
        await expect(page.locator("[data-kept]")).to_be_visible()

    count = "SELECT count(*) FROM ticket"
    before = await scalar(console.node, count)
    await page.route("**/portal/submit", lose)
    await page.goto(f"{console.base}/portal/submit")
    await page.fill("[name=narrative]", TOLD)
    await page.fill("[name=phone]", "13800138000")
    await page.check("[name=agree]")
    await send_and_lose()
    await send_and_lose()  # the same is the same
    assert await scalar(console.node, count) == before + 1
    await page.fill("[name=narrative]", "解放路的井盖丢了。")
    await page.unroute("**/portal/submit")
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    assert await scalar(console.node, count) == before + 2


KEPT = "JSON.parse(sessionStorage.getItem('hl.portal.draft'))"


async def test_what_was_written_is_gone_two_hours_after_the_last_word(console: RunningConsole) -> None:
    page = await console.page()
    await page.clock.install()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await page.goto(f"{console.base}/portal/submit")
    await forth(page, 2)
    await page.fill("[name=narrative]", TOLD)
    await page.locator("[name=narrative]").blur()
    await page.clock.run_for(1_000)
    typed = await page.evaluate(f"{KEPT}.at")
    # Neither looking at a step nor loading the page anew is writing.
    await page.clock.run_for(60 * 60_000)
    await forth(page, 3)
    await page.reload()
    await at_step(page, 3)
    await page.clock.run_for(1_000)
    assert await page.evaluate(f"[{KEPT}.at, {KEPT}.step]") == [typed, 2]
    # The open form is emptied with it.
    async with page.expect_navigation():
        await page.clock.run_for(62 * 60_000)
    await at_step(page, 1)
    await expect(page.locator("[name=narrative]")).to_have_value("")
    assert await page.evaluate("sessionStorage.length") == 0
    # So it is on any other page of the portal, at once or while it is open.
    for minutes in (0, 119):
        await forth(page, 2)
        await page.fill("[name=narrative]", TOLD)
        await page.clock.run_for(1_000)
        if not minutes:
            await page.evaluate(
                f"sessionStorage.setItem('hl.portal.draft', JSON.stringify({{ ...{KEPT}, at: 0 }}))"
            )
        await page.goto(f"{console.base}/portal")
        await page.clock.run_for(1_000)
        assert await page.evaluate("sessionStorage.length") == (1 if minutes else 0)
        await page.clock.run_for(minutes * 60_000 + 61_000)
        assert await page.evaluate("sessionStorage.length") == 0
        await page.goto(f"{console.base}/portal/submit")
        await expect(page.locator("[data-kept]")).to_be_hidden()


async def test_what_the_server_refuses_leads_to_its_step(console: RunningConsole) -> None:
    page = await console.page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await page.goto(f"{console.base}/portal/submit")
    await page.evaluate(
        """told => {
          const form = document.querySelector("form[data-words]");
          form.narrative.value = told;
          form.phone.value = "12x4";
          form.agree.checked = true;
          HTMLFormElement.prototype.submit.call(form);
        }""",
        TOLD,
    )
    await at_step(page, 6)
    await expect(page.locator("[data-problem]")).to_be_focused()
    await expect(page.locator("#wrong-phone")).to_be_visible()
    assert await violations(page) == []
    await page.click("text=上一步")
    await at_step(page, 5)
    await page.click(".pt-pointers button")
    await at_step(page, 6)
    await expect(page.locator("[name=phone]")).to_be_focused()
    await page.fill("[name=phone]", "13800138000")
    await expect(page.locator("[data-problem]")).to_be_hidden()
    await forth(page, 7)
    await expect(page.locator("[data-summary]")).to_contain_text(TOLD)
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")


async def test_a_wide_page_keeps_what_was_typed_when_it_is_refused(
    console: RunningConsole, shot: Shot, tmp_path: Path
) -> None:
    page = await console.page()
    await page.goto(f"{console.base}/portal/submit")
    await page.fill("[name=narrative]", TOLD)
    await page.fill("[name=address]", "中山")
    await page.locator(".pt-spots li").first.click()
    await page.set_input_files("[name=files]", photo(tmp_path))
    await page.check("[name=wants_public]")
    await page.click("text=提交诉求")
    await expect(page.locator("[data-problem]")).to_be_focused()
    await expect(page.locator("[name=narrative]")).to_have_value(TOLD)
    await expect(page.locator("[name=area_id]")).not_to_have_value("")
    await expect(page.locator(".pt-files")).to_contain_text("lamp.jpg")
    assert await violations(page) == []
    await shot(page, "portal-refused")
    wrong = tmp_path / "a.exe"
    wrong.write_bytes(b"MZ")
    await page.set_input_files("[name=files]", wrong)
    await page.check("[name=agree]")
    await page.click("text=提交诉求")
    await expect(page.locator("#wrong-files")).to_contain_text("不支持这种文件")
    await page.set_input_files("[name=files]", [])
    await page.fill("[name=phone]", "13800138000")
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    assert await scalar(console.node, "SELECT count(*) FROM ticket_attachment") == 1


async def test_the_whole_way_without_script(console: RunningConsole, chromium: Browser, shot: Shot) -> None:
    context = await chromium.new_context(
        viewport=PHONE,  # type: ignore[arg-type]  # a dict of the two
        java_script_enabled=False,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    page = await context.new_page()
    await page.goto(f"{console.base}/portal")
    await page.click("text=长辈版")
    await page.click("text=我要诉求")
    await page.fill("[name=narrative]", TOLD)
    await page.fill("[name=address]", "中山路与解放路口")
    await page.click("text=提交诉求")
    await expect(page.locator("[data-problem]")).to_contain_text("请先同意隐私说明")
    await expect(page.locator("[name=narrative]")).to_have_value(TOLD)
    await page.fill("[name=phone]", "13800138000")
    await page.check("[name=agree]")
    await page.click("text=提交诉求")
    await expect(page.locator("h1")).to_have_text("已收到您的诉求")
    number, code = (await page.locator(".pt-slip dd").all_inner_texts())[:2]
    assert re.fullmatch(r"\d{6}", code)
    await page.click("header >> text=退出")
    await page.click("text=查进度")
    await page.fill("[name=number]", number)
    await page.fill("[name=code]", code)
    await page.click("main >> button:has-text('查询')")
    await expect(page.locator(".pt-state")).to_contain_text("等待热线受理")
    await page.click("summary:has-text('撤回诉求')")
    await page.fill("#text-withdraw", "已经修好了")
    await page.click("button:has-text('撤回诉求')")
    await expect(page.locator(".pt-state")).to_contain_text("已按您的要求撤回")
    await shot(page, "portal-noscript")
    await context.close()


# A voice that only notes what it is told; `fire` plays an event of what it was given last.
RECORDER = """
window.said = [];
window.silenced = Number(sessionStorage.getItem("silenced") || 0);
window.SpeechSynthesisUtterance = function (text) { this.text = text; };
Object.defineProperty(window, "speechSynthesis", { value: {
  queue: [],
  speak(one) { this.queue.push(one); window.said.push(one.text); },
  cancel() { this.queue = []; window.silenced += 1; sessionStorage.setItem("silenced", window.silenced); },
} });
"""


async def test_the_page_is_read_aloud_in_its_order_and_falls_silent(console: RunningConsole) -> None:
    page = await console.page()
    await page.add_init_script(RECORDER)
    await page.goto(f"{console.base}/portal")
    await page.click("text=长辈版")
    read = page.locator("[data-read-aloud]")
    await read.click()
    said: list[str] = await page.evaluate("said")
    assert said[:3] == ["您想办什么？", "我要诉求", "咨询、求助、投诉、举报、建议"]
    assert said[-1].endswith("24 小时有人接听。")
    for elsewhere in ("标准版", "登录", "隐私说明", "公开信息", "报警"):  # of the head and the foot
        assert elsewhere not in "".join(said)
    await page.evaluate("speechSynthesis.queue[1].onstart()")
    await expect(page.locator(".pt-reading")).to_have_text("我要诉求")
    assert await violations(page) == []
    # A second press: silent, nothing marked, and ready to begin anew.
    await expect(read).to_have_text("停止朗读")
    await read.click()
    assert await page.evaluate("speechSynthesis.queue.length") == 0
    await expect(page.locator(".pt-reading")).to_have_count(0)
    await expect(read).to_have_attribute("aria-pressed", "false")
    await read.click()
    assert await page.evaluate("said.length") == 2 * len(said)
    await page.evaluate("speechSynthesis.queue[speechSynthesis.queue.length - 1].onend()")
    await expect(read).to_have_text("朗读")
    # Leaving the page ends it, whatever the browser does with the voice of a page that went.
    await read.click()
    before = await page.evaluate("Number(sessionStorage.getItem('silenced'))")
    await page.click("text=查进度")
    await page.wait_for_url("**/portal/track")
    assert await page.evaluate("Number(sessionStorage.getItem('silenced'))") >= before + 2  # gone, and come
    # Numbers are read figure by figure, what is folded away is not read.
    await page.goto(f"{console.base}/portal/questions")
    await read.click()
    words = "".join(await page.evaluate("said"))
    questions = await page.locator(".pt-row strong").all_inner_texts()
    places = [words.index(one) for one in questions]
    assert places == sorted(places)
    assert questions
    # On a phone: the step that is seen, its question once; another step is another reading.
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await page.goto(f"{console.base}/portal/submit")
    await read.click()
    words = "".join(await page.evaluate("said"))
    assert words.count("这是一件什么事") == 1
    assert "第 1 步" in words
    assert "联系电话" not in words
    await forth(page, 2)
    await expect(read).to_have_text("朗读")
    assert await page.evaluate("speechSynthesis.queue.length") == 0
