"""A citizen who cannot telephone writes on a phone; the agent answers from the seat and registers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations

Shot = Callable[[Page, str], Awaitable[None]]
PHONE = {"width": 390, "height": 844}
WANTED = "我听不见，小区从早上开始停水"
ASKED = "您好，请问是哪个小区？"


async def ready(console: RunningConsole, login: str) -> None:
    """This agent is signed in at his telephone and ready."""
    node = console.node
    user = await scalar(node, f"SELECT id FROM user_account WHERE login = '{login}'")
    async with node.db.begin() as uow:
        actor = await node.people.actor_for_user(uow.session, user)
        assert actor is not None
        await node.telephony.agents.sign_in(uow, actor)


async def test_a_conversation_in_writing_from_the_phone_to_the_number(
    console: RunningConsole, shot: Shot
) -> None:
    agent = await console.page("agent01")
    await agent.goto(f"{console.base}/agent")
    await ready(console, "agent01")

    citizen = await console.page()
    await citizen.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict of the two
    await citizen.goto(f"{console.base}/text")
    assert await violations(citizen) == []
    await shot(citizen, "text-start")
    await citizen.check("input[name=agree]")
    await citizen.fill("input[name=phone]", "13800138000")
    await citizen.click("text=开始对话")
    await citizen.fill("textarea", WANTED)
    await citizen.keyboard.press("Control+Enter")
    await expect(citizen.locator("[data-lines]")).to_contain_text(WANTED)
    await expect(citizen.locator("textarea")).to_have_value("")

    # The agent is typing into a form of another matter: the offer takes neither focus nor text.
    await agent.keyboard.press("Alt+N")
    await agent.fill("textarea[name=narrative]", "正在登记另一件事")
    await expect(agent.locator(".ch-offer")).to_be_visible(timeout=15000)
    await expect(agent.locator("textarea[name=narrative]")).to_have_value("正在登记另一件事")
    await shot(agent, "chat-offered")
    await agent.keyboard.press("Alt+W")
    pane = agent.locator("hl-chat")
    await expect(pane).to_contain_text(WANTED)
    await expect(pane.locator("textarea")).to_be_focused()
    await pane.locator("textarea").fill(ASKED)
    await agent.keyboard.press("Control+Enter")
    await expect(pane.locator("[data-lines]")).to_contain_text(ASKED)
    await expect(citizen.locator("[data-lines]")).to_contain_text(ASKED)
    await expect(citizen.locator("[data-state]")).to_contain_text("话务员正在与您对话")
    assert await violations(citizen) == []
    await shot(citizen, "text-talk")

    # What the agent has begun to write stays while the citizen writes.
    await pane.locator("textarea").fill("我先帮您")
    await citizen.fill("textarea", "彰泰春天，三栋")
    await citizen.click("text=发送")
    await expect(pane.locator("[data-lines]")).to_contain_text("彰泰春天，三栋")
    await expect(pane.locator("textarea")).to_have_value("我先帮您")
    assert await violations(agent) == []
    await shot(agent, "chat-seat")
    assert (
        await scalar(console.node, "SELECT count(*) FROM ticket_draft WHERE chat_session_id IS NOT NULL") == 1
    )

    async with console.node.db.begin() as uow:
        user = await scalar(console.node, "SELECT id FROM user_account WHERE login = 'agent01'")
        actor = await console.node.people.actor_for_user(uow.session, user)
        draft = await scalar(console.node, "SELECT id FROM ticket_draft WHERE chat_session_id IS NOT NULL")
        version = await scalar(console.node, f"SELECT version FROM ticket_draft WHERE id = {draft}")
        assert actor is not None
        await console.node.drafts.end_as_record(
            uow, actor, draft, version, "direct_answer", "告知停水检修，下午恢复。"
        )
    await expect(citizen.locator("[data-lines]")).to_contain_text("您的诉求已登记，编号", timeout=15000)
    await expect(citizen.locator("main")).to_contain_text("本次文字服务已结束")
    await shot(citizen, "text-over")


async def test_the_page_of_the_citizen_works_without_scripts(console: RunningConsole) -> None:
    browser = (await console.page()).context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{console.base}/text")
    await page.check("input[name=agree]")
    await page.click("text=开始对话")
    await page.fill("textarea", WANTED)
    await page.click("text=发送")
    await expect(page.locator("ol")).to_contain_text(WANTED)
    await page.click("text=结束对话")
    await expect(page.locator("h1")).to_contain_text("对话已结束")
    await context.close()
