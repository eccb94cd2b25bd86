"""A kiosk in Chromium: by touch alone, cleared after a minute, a slip, and a network that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, Response, Route, async_playwright, expect
from sqlalchemy import select, text
from sqlmodel import col

from core.people import enrolment, machines
from core.people.machines import Kind, Scope
from core.people.models import Unit, User
from tests.ui.conftest import ARGUMENTS, PATIENCE, RunningConsole, chromium_path
from tests.ui.seat import scalar, violations
from web.assets import Assets
from web.views.kiosk import SHELL

Shot = Callable[[Page, str], Awaitable[None]]
SPEAKING = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
LEFT = """async () => {
  const opened = await new Promise((done) => {
    const asked = indexedDB.open('hl-kiosk', 1); asked.onsuccess = () => done(asked.result);
  });
  const rows = await new Promise((done) => {
    const asked = opened.transaction('waiting').objectStore('waiting').getAll();
    asked.onsuccess = () => done(asked.result);
  });
  opened.close();
  return {
    rows: rows.length, session: sessionStorage.length, cookies: document.cookie, history: history.length,
    local: Object.keys(localStorage), html: document.documentElement.outerHTML,
    address: location.pathname + location.search + location.hash,
    inputs: Array.from(document.querySelectorAll('input')).map((one) => one.value).join(''),
    sounds: Array.from(document.querySelectorAll('audio')).map((one) => one.src).join(''),
  };
}"""
SMALL = """() => Array.from(document.querySelectorAll('[data-kiosk] button'))
  .filter((one) => one.offsetParent !== null)
  .map((one) => [one.textContent.trim(), one.offsetWidth, one.offsetHeight])
  .filter(([, wide, high]) => wide < 48 || high < 48)"""


@pytest.fixture
async def speaking() -> AsyncIterator[Browser]:
    """A Chromium with a microphone that hears a tone."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *SPEAKING])
        yield browser
        await browser.close()


async def client(console: RunningConsole) -> str:
    """The token of a kiosk in a town of the demo city."""
    async with console.node.db.begin() as uow:
        found = await uow.session.execute(select(col(User.id)).where(col(User.login) == "secadmin"))
        admin = await console.node.people.actor_for_user(uow.session, found.scalar_one())
        assert admin is not None
        unit = await uow.session.execute(select(col(Unit.id)).where(col(Unit.code) == "xiufeng-03"))
        return await machines.create(
            uow, admin, name="甲山服务亭", code="kiosk-1", kind=Kind.KIOSK,
            scopes=frozenset({Scope.KIOSK}), unit_id=unit.scalar_one(),
        )  # fmt: skip


async def device(console: RunningConsole) -> str:
    """The code that enrols a new kiosk."""
    await client(console)
    return await invited(console)


async def invited(console: RunningConsole) -> str:
    """A code for the kiosk that is there."""
    async with console.node.db.begin() as uow:
        found = await uow.session.execute(select(col(User.id)).where(col(User.login) == "secadmin"))
        admin = await console.node.people.actor_for_user(uow.session, found.scalar_one())
        assert admin is not None
        return await enrolment.invite_named(uow, admin, "kiosk-1")


async def opened(console: RunningConsole, browser: Browser) -> Page:
    """The page of a kiosk as a device first shows it, with a clock that can be moved."""
    context = await browser.new_context(
        viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=True
    )
    page = await context.new_page()
    await page.clock.install()
    await page.goto(console.base + "/kiosk")
    return page


async def started(console: RunningConsole, browser: Browser) -> Page:
    """A kiosk that was set up, at its first screen."""
    page = await opened(console, browser)
    await typed(page, await device(console))  # by touch, as on a screen without keys
    await touch(page, "启用本机")
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    return page


async def touch(page: Page, name: str) -> None:
    await page.locator("[data-kiosk]").get_by_role("button", name=name, exact=True).tap()


async def spoken(page: Page) -> None:
    """Up to a voice message that was recorded."""
    for name in ("我要反映", "请求帮助"):
        await touch(page, name)
    await page.locator("[data-pick=category_id]").first.tap()
    await expect(page.locator("[data-pick=district_id][aria-pressed=true]")).to_have_count(1)
    await expect(page.locator("[data-pick=street_id][aria-pressed=true]")).to_have_text("甲山街道")
    await touch(page, "下一步")
    await touch(page, "开始录音")
    await expect(page.locator("[data-recorded]")).to_contain_text("正在录音 1 秒")
    await touch(page, "说完了")
    await expect(page.locator("[data-recorded]")).to_contain_text("已录")
    await touch(page, "有安全隐患")
    await touch(page, "下一步")


async def ready(page: Page) -> None:
    """A matter that was spoken, with a telephone number, up to the screen that sends it."""
    await spoken(page)
    await typed(page, "13877775678")
    await touch(page, "下一步")


async def typed(page: Page, digits: str) -> None:
    for digit in digits:
        await touch(page, digit)


async def count(console: RunningConsole) -> int:
    return int(await scalar(console.node, "SELECT count(*) FROM submission WHERE channel = 'kiosk'"))


async def test_by_touch_alone_to_a_slip_and_a_minute_later_nothing_is_left(
    console: RunningConsole, speaking: Browser, shot: Shot
) -> None:
    page = await started(console, speaking)
    await shot(page, "kiosk-home")
    assert await violations(page) == []
    before = await page.evaluate("history.length")
    await spoken(page)
    assert await page.evaluate(SMALL) == []
    await typed(page, "13877775678")
    await shot(page, "kiosk-phone")
    await touch(page, "下一步")
    await expect(page.locator("[data-facts]")).to_contain_text("13877775678")
    await shot(page, "kiosk-check")
    assert await page.evaluate(SMALL) == []
    await touch(page, "同意并提交")
    await expect(page.get_by_role("heading", name="已提交")).to_be_visible()
    number = await page.locator("[data-number]").inner_text()
    code = await page.locator("[data-code]").inner_text()
    assert (len(number), len(code)) == (18, 6)
    await expect(page.locator("[data-picture]")).to_be_visible()
    await shot(page, "kiosk-slip")
    assert await violations(page) == []
    await page.emulate_media(media="print")
    await expect(page.locator("[data-slip]")).to_be_visible()
    await expect(page.locator(".ks-top")).to_be_hidden()
    await shot(page, "kiosk-print")
    await page.emulate_media(media="screen")
    # The clock goes on, nobody touches anything.
    await page.clock.run_for(46_000)
    await expect(page.locator("[data-rest]")).to_be_visible()
    await shot(page, "kiosk-countdown")
    await page.clock.run_for(16_000)
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    await expect(page.locator("[data-rest]")).to_be_hidden()
    left = await page.evaluate(LEFT)
    for secret in (number, code, "13877775678", "blob:", "data:image/svg"):
        assert secret not in left["html"], secret
    assert (left["rows"], left["session"], left["cookies"]) == (0, 0, "")
    assert (left["inputs"], left["sounds"]) == ("", "")
    assert left["local"] == ["hl.kiosk.device"]
    assert (left["history"], left["address"]) == (before, "/kiosk")
    await page.go_back()
    await page.go_forward()
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    assert number not in await page.content()
    assert await count(console) == 1
    sounds = "SELECT count(*) FROM ticket_attachment a JOIN submission s ON s.ticket_id = a.ticket_id"
    assert await scalar(console.node, sounds) == 1


async def test_half_filled_in_and_left_is_cleared_and_a_touch_keeps_it(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    await spoken(page)
    await typed(page, "138")
    await page.clock.run_for(50_000)
    await page.locator("[data-stay]").tap()
    await expect(page.locator("[data-shown=phone]")).to_have_text("138")
    await page.clock.run_for(44_000)
    await expect(page.locator("[data-rest]")).to_be_hidden()
    await page.clock.run_for(17_000)
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    left = await page.evaluate(LEFT)
    assert "138</output>" not in left["html"]
    assert "有安全隐患</button>" in left["html"]  # the page itself is whole again
    assert 'aria-pressed="true"' not in left["html"]
    assert left["sounds"] == ""
    assert await count(console) == 0


async def test_what_was_submitted_without_a_network_is_sent_once_when_it_is_back(
    console: RunningConsole, speaking: Browser, shot: Shot
) -> None:
    page = await started(console, speaking)
    await ready(page)
    await page.context.set_offline(True)
    await touch(page, "同意并提交")
    await expect(page.get_by_role("heading", name="已存在本机，网络恢复后自动提交")).to_be_visible()
    await expect(page.locator("[data-waiting]")).to_have_text("待提交 1 件")
    await shot(page, "kiosk-offline")
    await touch(page, "完成")
    await page.clock.run_for(40_000)
    assert await count(console) == 0
    await page.context.set_offline(False)
    await page.clock.run_for(16_000)
    await expect(page.locator("[data-waiting]")).to_have_text("")
    assert (await page.evaluate(LEFT))["rows"] == 0
    await page.clock.run_for(60_000)
    assert await count(console) == 1


async def test_an_answer_that_is_lost_on_its_way_makes_no_second_ticket(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    await ready(page)
    sent = []

    async def lose(route: object) -> None:
        await route.fetch()  # type: ignore[attr-defined]  # the server has it, the kiosk hears nothing
        sent.append(1)
        await route.abort()  # type: ignore[attr-defined]  # as above

    await page.route("**/kiosk/submit", lose)
    await touch(page, "同意并提交")
    await expect(page.locator("[data-waiting]")).to_have_text("待提交 1 件")
    await page.unroute("**/kiosk/submit")
    await page.reload()  # the device starts anew meanwhile
    await expect(page.locator("[data-waiting]")).to_have_text("")
    assert sent == [1]
    assert await count(console) == 1


async def test_a_device_whose_token_was_revoked_says_so_and_serves_nobody(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    async with console.node.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE machine_client SET revoked_at = now(), revoked_by = created_by")
        )
    await page.clock.run_for(16_000)
    await expect(page.get_by_role("heading", name="本机还没有启用")).to_be_visible()
    await expect(page.locator("[data-device]")).to_have_text("本机已停用")
    assert (await page.evaluate(LEFT))["local"] == []


KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const one of await cache.keys()) {
      found.push([new URL(one.url).pathname, await (await cache.match(one)).text()]);
    }
  }
  return found;
}"""


CONTROLLED = """async () => {
  const workers = navigator.serviceWorker;
  while (!workers.controller) {
    await new Promise((done) => workers.addEventListener('controllerchange', done, { once: true }));
  }
}"""


async def kept(page: Page) -> dict[str, str]:
    """What lies in the caches once the worker has the page: path and text."""
    async with asyncio.timeout(PATIENCE / 1000):
        await page.evaluate(CONTROLLED)
    return dict(await page.evaluate(KEPT))


async def switched_on(page: Page) -> Page:
    """The device is switched off and on again: another page of the same profile."""
    other = await page.context.new_page()
    await page.close()
    await other.clock.install()
    await other.goto(page.url)
    return other


async def test_a_kiosk_that_is_switched_on_without_a_network_serves_and_sends_later_once(
    console: RunningConsole, speaking: Browser, shot: Shot
) -> None:
    page = await started(console, speaking)
    await kept(page)
    await page.context.set_offline(True)
    page = await switched_on(page)
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    await expect(page.locator("[data-screen=home] [data-net]")).to_be_visible()
    await expect(page.locator("[data-device]")).to_have_text("甲山服务亭")
    await shot(page, "kiosk-home-offline")
    assert await violations(page) == []
    await ready(page)
    await expect(page.locator("[data-screen=check] [data-net]")).to_contain_text("先存在本机")
    await shot(page, "kiosk-check-offline")
    await touch(page, "同意并提交")
    await expect(page.get_by_role("heading", name="已存在本机，网络恢复后自动提交")).to_be_visible()
    page = await switched_on(page)  # and the power fails besides
    await expect(page.locator("[data-waiting]")).to_have_text("待提交 1 件")
    assert "13877775678" not in await page.content()
    assert await count(console) == 0
    await page.context.set_offline(False)
    await page.clock.run_for(16_000)
    await expect(page.locator("[data-waiting]")).to_have_text("")
    await expect(page.locator("[data-screen=home] [data-net]")).to_be_hidden()
    await page.clock.run_for(60_000)
    assert await count(console) == 1
    everything = await kept(page)
    assert set(everything) == {"/kiosk", *(one for one in everything if one.startswith("/static/"))}
    for secret in ("13877775678", "甲山服务亭", "hotline_kiosk"):
        assert all(secret not in one for path, one in everything.items() if path == "/kiosk")
    left = await page.evaluate(LEFT)
    assert (left["rows"], left["session"], left["cookies"], left["inputs"]) == (0, 0, "", "")


async def test_a_server_that_is_down_is_a_network_that_is_down(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    await kept(page)
    await console.node.stop()
    page = await switched_on(page)
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    await expect(page.locator("[data-screen=home] [data-net]")).to_be_visible()
    await ready(page)
    await touch(page, "同意并提交")
    await expect(page.get_by_role("heading", name="已存在本机，网络恢复后自动提交")).to_be_visible()
    await expect(page.locator("[data-waiting]")).to_have_text("待提交 1 件")
    assert (await page.evaluate(LEFT))["rows"] == 1
    await page.clock.run_for(61_000)
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    assert "13877775678" not in await page.content()


UPDATE = """async () => {
  const one = await navigator.serviceWorker.getRegistration('/kiosk');
  await one.update();
  const newer = one.installing || one.waiting;
  while (newer.state === 'installing') {
    await new Promise((done) => newer.addEventListener('statechange', done, { once: true }));
  }
  return newer.state;
}"""


async def reworded(console: RunningConsole) -> None:
    """A word of the page is another: there is a newer shell."""
    async with console.node.db.begin() as uow:
        await uow.session.execute(
            text(
                "UPDATE category SET name = '全新的一类' WHERE id ="
                " (SELECT min(id) FROM category WHERE level = 1 AND active)"
            )
        )


NO_WORKER = """async () => {
  for (;;) {
    const one = await navigator.serviceWorker.getRegistration('/kiosk');
    if (!one) return;
    const worker = one.installing || one.waiting || one.active;
    if (worker) await new Promise((done) => worker.addEventListener('statechange', done, { once: true }));
  }
}"""


async def test_a_newer_page_does_not_come_while_a_device_is_being_enrolled(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await opened(console, speaking)
    await kept(page)
    code = await device(console)
    await typed(page, code[:6])
    await reworded(console)
    assert await page.evaluate(UPDATE) == "installed"
    async with page.expect_response("**/kiosk/enrol"):
        await page.clock.run_for(16_000)
        await typed(page, code[6:])
        await touch(page, "启用本机")
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
    async with page.expect_navigation():
        await page.clock.run_for(16_000)
    await expect(page.locator("[data-device]")).to_have_text("甲山服务亭")


async def test_a_newer_page_comes_when_nobody_stands_there(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    before = await kept(page)
    await reworded(console)
    await touch(page, "我要反映")
    await touch(page, "请求帮助")
    for offline in (True, False):  # when the network is back, the device asks for what is new
        await page.context.set_offline(offline)
        await page.clock.run_for(16_000)
        await page.locator("[data-kiosk] h1:visible").tap()
    waiting = "navigator.serviceWorker.getRegistration('/kiosk').then((one) => Boolean(one.waiting))"
    await page.wait_for_function(waiting)
    await expect(page.get_by_role("heading", name="是哪方面的事？")).to_be_visible()  # nobody is disturbed
    async with page.expect_navigation():
        await page.locator("[data-kiosk] [data-clear]:visible").tap()
    await touch(page, "我要反映")
    await touch(page, "请求帮助")
    await expect(page.locator("[data-kiosk]").get_by_role("button", name="全新的一类")).to_be_visible()
    after = await kept(page)
    assert "全新的一类" in after["/kiosk"]
    assert "全新的一类" not in before["/kiosk"]
    assert len(after) == len(before)  # the shell before is gone


async def test_a_shell_that_could_not_be_had_is_asked_for_again_and_holds_nothing_up(
    console: RunningConsole, speaking: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Assets, "url", lambda assets, name: f"/static/{assets.digest}/{name}")
        patch.setattr("web.views.kiosk.SHELL", (*SHELL, "js/kiosk/missing.js"))
        page = await started(console, speaking)
        await page.evaluate(NO_WORKER)
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    await page.context.set_offline(True)
    await page.clock.run_for(16_000)
    await expect(page.locator("[data-screen=home] [data-net]")).to_be_visible()
    await page.context.set_offline(False)
    async with asyncio.timeout(PATIENCE / 1000):
        await page.evaluate(CONTROLLED)
    assert mistakes == []


async def test_a_device_that_was_stopped_while_somebody_uses_it_promises_nothing(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    await ready(page)
    async with console.node.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE machine_client SET revoked_at = now(), revoked_by = created_by")
        )
    await touch(page, "同意并提交")
    await expect(page.locator("[data-problem=setup]")).to_contain_text("没有提交，已清除")
    left = await page.evaluate(LEFT)
    assert left["rows"] == 0
    assert "13877775678" not in left["html"]
    assert await count(console) == 0
    page = await switched_on(page)  # and it stays stopped, with the shell it has
    await expect(page.get_by_role("heading", name="本机还没有启用")).to_be_visible()


async def replaced(console: RunningConsole) -> None:
    """Another device is this kiosk from now on: the token here opens nothing."""
    async with console.node.db.begin() as uow:
        await uow.session.execute(text("UPDATE machine_client SET token_hash = sha256('another')"))


async def answer_with(page: Page, path: str, status: int) -> None:
    """From here on the server answers so."""
    await page.route(path, lambda route: route.fulfill(status=status, json={}))


async def test_what_a_stopped_device_could_not_send_waits_when_its_writer_has_gone(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    await ready(page)
    held: list[Route] = []
    await page.route("**/kiosk/submit", lambda route: held.append(route))
    async with page.expect_request("**/kiosk/submit"):
        await touch(page, "同意并提交")
    await touch(page, "结束并清除")
    await replaced(console)
    async with page.expect_response("**/kiosk/submit"):
        await held.pop().continue_()
    await page.unroute("**/kiosk/submit")
    await expect(page.get_by_role("heading", name="本机还没有启用")).to_be_visible()
    await expect(page.locator("[data-waiting]")).to_have_text("待提交 1 件")
    await expect(page.locator("[data-problem=setup]")).to_have_text("")
    await typed(page, await invited(console))
    await touch(page, "启用本机")
    await expect(page.locator("[data-waiting]")).to_have_text("")
    assert await count(console) == 1


async def test_what_was_refused_while_nobody_can_say_why_waits(
    console: RunningConsole, speaking: Browser
) -> None:
    page = await started(console, speaking)
    await ready(page)
    await page.route("**/kiosk/device", lambda route: route.abort())
    await answer_with(page, "**/kiosk/submit", 401)
    await touch(page, "同意并提交")
    await expect(page.get_by_role("heading", name="已存在本机，网络恢复后自动提交")).to_be_visible()
    await touch(page, "完成")
    await expect(page.locator("[data-waiting]")).to_have_text("待提交 1 件")
    await page.unroute_all()
    await page.clock.run_for(16_000)
    await expect(page.locator("[data-waiting]")).to_have_text("")
    assert await count(console) == 1


def no_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a browser that refuses the device's cookie."""
    monkeypatch.setattr("web.views.kiosk_device.set_device", lambda *_: None)


def served(answer: Response) -> bool:
    """Whether the server said that the device may work."""
    return answer.url.endswith("/kiosk/device") and answer.ok


async def test_a_token_from_before_serves_until_the_browser_has_kept_the_cookie(
    console: RunningConsole, speaking: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await opened(console, speaking)
    token = await client(console)
    await page.evaluate("(token) => localStorage.setItem('hl.kiosk.token', token)", token)
    with monkeypatch.context() as patch:
        no_cookie(patch)
        await page.reload()
        await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()
        for _ in range(2):
            async with page.expect_response(served):
                await page.clock.run_for(16_000)
        assert "hl.kiosk.token" in (await page.evaluate(LEFT))["local"]
    await page.reload()
    await page.wait_for_function("() => localStorage.getItem('hl.kiosk.token') === null")
    async with page.expect_response(served):
        await page.clock.run_for(16_000)
    await expect(page.get_by_role("heading", name="您好，请选择")).to_be_visible()


async def test_a_device_that_cannot_be_enrolled_says_what_is_wrong(
    console: RunningConsole, speaking: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await opened(console, speaking)
    said = page.locator("[data-problem=setup]")
    await typed(page, "000000000000")
    await touch(page, "启用本机")
    await expect(said).to_contain_text("启用码不对")
    for status, words in ((403, "网址不一致"), (429, "一分钟后"), (503, "稍后再试")):
        await answer_with(page, "**/kiosk/enrol", status)
        await touch(page, "启用本机")
        await expect(said).to_contain_text(words)
        await expect(said).not_to_contain_text("启用码不对")
        await page.unroute("**/kiosk/enrol")
    no_cookie(monkeypatch)
    await touch(page, "清空")
    await typed(page, await device(console))
    await touch(page, "启用本机")
    await expect(said).to_contain_text("没有保存启用凭证")


async def test_no_script_of_the_page_can_read_the_token_(console: RunningConsole, speaking: Browser) -> None:
    page = await started(console, speaking)
    (cookie,) = [one for one in await page.context.cookies() if "kiosk" in one["name"]]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/kiosk")
    stores = "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"
    seen = await page.evaluate(stores)
    assert cookie["value"] not in seen
    assert cookie["value"] not in await page.content()
