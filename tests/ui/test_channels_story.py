"""A citizen on the WeChat of the demo, and the pages on which channels and other systems are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from core.people import machines
from core.people.machines import Kind, Scope
from node import Node
from tests.ui.conftest import RunningConsole, seed_small, ui_settings
from tests.ui.seat import scalar, violations
from tickets.exchange.webhooks import Webhooks
from tickets.messages.kinds import MessageEvent
from tickets.messages.reach import Parcel
from tickets.states import Action

Shot = Callable[[Page, str], Awaitable[None]]
SCREENS = [("laptop", "light"), ("laptop", "dark"), ("desk", "light"), ("desk", "dark")]
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
REPLY = "您好，路灯已于今天修好，给您添麻烦了。"


@pytest.fixture
async def node(database_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    """A node that writes to citizens at any hour: the tests run at night as well."""
    running = Node(ui_settings(tmp_path, HOTLINE_NOTIFY__QUIET_HOURS=""), database_url)
    await seed_small(running)
    await running.start()
    yield running
    await running.stop()


async def says(page: Page, words: str, answer: str) -> None:
    """Write a message and wait for what is answered."""
    await page.fill("#text", words)
    await page.click("button:has-text('发送')")
    await expect(page.locator(".tx-line").last).to_contain_text(answer)


async def answered(node: Node) -> None:
    """The hotline answers the newest ticket itself."""
    async with node.db.begin() as uow:
        login = "SELECT id FROM user_account WHERE login = 'agent01'"
        agent = await node.people.actor_for_user(uow.session, await scalar(node, login))
        assert agent is not None
        row = "SELECT id FROM ticket ORDER BY id DESC LIMIT 1"
        ident = await scalar(node, row)
        version = await scalar(node, row.replace("SELECT id", "SELECT version"))
        await node.tickets.act(uow, agent, ident, version, Action.ANSWER, {"public_reply": REPLY})


async def asked(node: Node) -> None:
    """The question how content he is, which the outbox sends when its day has come."""
    sender = node.citizen_channels.sender
    ident = await scalar(node, "SELECT id FROM ticket ORDER BY id DESC LIMIT 1")
    async with node.db.read() as session:
        way = await sender.way_of(session, ident)
    assert way is not None
    text = "请评价本次办理。"
    survey = Parcel("survey-1", ident, MessageEvent.SURVEY.value, text, node.db.clock.now())
    await sender.tell(way, survey)


async def test_a_citizen_on_wechat_from_the_first_word_to_the_rating(
    console: RunningConsole, shot: Shot
) -> None:
    page = await console.page()
    await page.goto(f"{console.base}/demo/wechat")
    assert await violations(page) == []
    await says(page, "小区门口路灯三晚不亮，老人出门不方便", "哪里")
    await page.click("text=发位置")
    await expect(page.locator(".tx-line").last).to_contain_text("地点已记下")
    await page.click("text=发一张照片")
    await expect(page.locator(".tx-line").last).to_contain_text("1 张")
    await says(page, "好了", "怎样联系您")
    await says(page, "张先生 13800138000", "回复“确认”提交")
    await says(page, "确认", "工单编号")
    place = "SELECT latitude || ',' || longitude || ',' || datum FROM ticket_point"
    assert await scalar(console.node, place) == "25.27361,110.29002,gcj02"
    template = page.locator(".tx-line", has_text="模板消息")
    await expect(template.first).to_contain_text("待受理")

    await answered(console.node)
    await expect(page.locator(".tx-lines")).to_contain_text("路灯已于今天修好")
    await asked(console.node)
    tap = page.locator(".tx-taps button").first
    await expect(tap).to_be_visible()
    assert await violations(page) == []
    await shot(page, "wechat-rating")
    await tap.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".tx-line").last).to_contain_text("评价已收到")
    rated = "SELECT responded AND solved AND satisfied = 5 FROM ticket ORDER BY id DESC LIMIT 1"
    assert await scalar(console.node, rated) is True
    assert await violations(page) == []
    for size, theme in SCREENS:
        other = await console.page(size=size, theme=theme)
        await other.goto(f"{console.base}/demo/wechat")
        assert await violations(other) == [], (size, theme)
        await shot(other, f"wechat-{size}-{theme}")


async def systems(console: RunningConsole) -> None:
    """Three clients; one of them listens."""
    node = console.node
    login = "SELECT id FROM user_account WHERE login = 'secadmin'"
    async with node.db.begin() as uow:
        admin = await node.people.actor_for_user(uow.session, await scalar(node, login))
        assert admin is not None
        made = [
            ("网上办事大厅", "hall", Kind.HALL, {Scope.TICKETS_SUBMIT}),
            ("公安 110 接处警平台", "police", Kind.POLICE, {*Scope} - {Scope.KIOSK, Scope.CTI}),
            ("自治区平台", "province", Kind.PLATFORM, {Scope.TICKETS_READ, Scope.WEBHOOKS}),
        ]
        tokens = [
            await machines.create(uow, admin, name=name, code=code, kind=kind, scopes=frozenset(scopes))
            for name, code, kind, scopes in made
        ]
    client = await machines.enter(node.db, tokens[-1])
    hooks = node.webhooks
    assert client is not None
    assert isinstance(hooks, Webhooks)
    address = "https://93.184.216.34/hotline/of-a-long-secret-path"
    await hooks.subscribe(client, address, ["created", "closed", "emergency"])


async def test_channels_and_other_systems_at_their_desks(console: RunningConsole, shot: Shot) -> None:
    await systems(console)
    for size, theme in SCREENS:
        page = await console.page("sysadmin", size=size, theme=theme)
        await channels_page(page, console.base)
        await shot(page, f"channels-{size}-{theme}")
        page = await console.page("secadmin", size=size, theme=theme)
        await machines_page(page, console.base, f"chengguan-{size}-{theme}")
        await shot(page, f"machines-{size}-{theme}")


async def channels_page(page: Page, base: str) -> None:
    """The ways of writing to us: clean, and the button tries one."""
    await page.goto(f"{base}/admin/channels")
    await expect(page.locator("main")).to_contain_text("微信公众号")
    assert await violations(page) == []
    await page.click("form[action='/admin/channels/wechat/check'] button")
    await expect(page.locator(".ad-done")).to_contain_text("测试通过")
    assert await violations(page) == []
    assert await page.evaluate(WIDE) <= 0


async def machines_page(page: Page, base: str, code: str) -> None:
    """Other systems: of a subscription only the host; a new one's token, this once."""
    await page.goto(f"{base}/admin/machines")
    listening = page.locator("section", has=page.get_by_role("heading", name="订阅通知"))
    await expect(listening).to_contain_text("93.184.216.34")
    await expect(page.locator("main")).not_to_contain_text("of-a-long-secret-path")
    await page.fill("[name=name]", "市城管平台")
    await page.fill("[name=code]", code)
    await page.get_by_label("读取工单").check()
    await page.click("text=新建接入系统")
    await expect(page.get_by_role("heading", name="令牌：市城管平台")).to_be_visible()
    assert len(await page.locator("input[readonly]").input_value()) == machines.LENGTH
    assert await violations(page) == []
    assert await page.evaluate(WIDE) <= 0
