"""The agent's state by keyboard alone: signing in, a break, a call, the work after it; on any page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from core.people.permissions import Role
from node import Node
from tests.ui.conftest import RunningConsole, seed_small, ui_settings
from tests.ui.seat import AGENT, ring, scalar, telephone_ready, violations

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]


@pytest.fixture
async def node(database_url: str, tmp_path: Path) -> AsyncIterator[Node]:
    """As everywhere, but without a model: nothing of it is looked at here, and to train one takes a core."""
    running = Node(ui_settings(tmp_path, HOTLINE_CLASSIFIER__STARTER="false"), database_url)
    await seed_small(running)
    await running.start()
    yield running
    await running.stop()


async def _word(page: Page, word: str) -> None:
    await expect(page.locator(".st-head summary .st-word")).to_have_text(word)


async def test_a_shift_by_keyboard(console: RunningConsole, shot: Shot) -> None:
    await telephone_ready(console.node)
    page = await console.page(AGENT[0])
    await page.goto(console.base + "/agent")
    await _word(page, "未签入")
    await shot(page, "seat-state-out")
    await page.keyboard.press("F8")
    await expect(page.locator(".st-menu-panel [data-seat-first]")).to_be_focused()
    await page.keyboard.press("Enter")
    await _word(page, "示闲")

    await page.goto(console.base + "/calls")  # the head is on every page
    await page.keyboard.press("F8")
    await expect(page.locator(".st-menu-panel [data-seat-first]")).to_be_focused()
    await shot(page, "seat-state-reasons")
    assert await violations(page) == []
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await _word(page, "示忙 · 培训")
    await page.reload()
    await _word(page, "示忙 · 培训")
    await page.keyboard.press("F8")
    await _word(page, "示闲")

    await page.goto(console.base + "/agent")
    await ring(console.node, answer_after=0.5, talk=2)
    await _word(page, "通话")
    await _word(page, "话后整理")
    await page.reload()
    await _word(page, "话后整理")
    await page.keyboard.press("F8")
    await expect(page.locator(".st-menu-panel .st-wrap [data-seat-first]")).to_be_focused()
    await shot(page, "seat-state-wrap-up")
    assert await violations(page) == []
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await _word(page, "示闲")
    assert await scalar(console.node, "SELECT code FROM wrap_up") == "answered"


async def test_the_state_never_takes_the_focus_from_a_form(console: RunningConsole) -> None:
    """A leader's hand and a second tab change what is shown; who types goes on typing."""
    await telephone_ready(console.node)
    page = await console.page(AGENT[0])
    await page.goto(console.base + "/agent")
    await page.keyboard.press("F8")
    await page.keyboard.press("Enter")
    await _word(page, "示闲")
    await page.keyboard.press("Alt+n")
    title = page.locator("input[name=title]")
    await title.fill("路灯")
    await title.press("End")
    node = console.node
    user = await scalar(node, "SELECT id FROM user_account WHERE login = :l", l=AGENT[0])
    async with node.db.begin() as uow:
        leader = await scalar(node, "SELECT min(user_id) FROM user_role WHERE role = :r", r=Role.SHIFT_LEADER)
        actor = await node.people.actor_for_user(uow.session, leader)
        assert actor is not None
        await node.telephony.agents.lead_not_ready(uow, actor, user, "meeting")
    await _word(page, "示忙 · 会议")
    await page.keyboard.type("不亮")
    await expect(title).to_have_value("路灯不亮")
    await expect(title).to_be_focused()


@pytest.mark.parametrize(("theme", "size"), [("dark", "laptop"), ("light", "desk"), ("contrast", "laptop")])
async def test_the_states_are_clean(console: RunningConsole, shot: Shot, theme: str, size: str) -> None:
    await telephone_ready(console.node)
    page = await console.page(AGENT[0], theme=theme, size=size)
    await page.goto(console.base + "/agent")
    assert await violations(page) == []
    await page.keyboard.press("F8")
    assert await violations(page) == []
    await shot(page, f"seat-state-sign-in-{theme}-{size}")
    await page.keyboard.press("Enter")
    await _word(page, "示闲")
    await page.keyboard.press("F8")
    await shot(page, f"seat-state-ready-{theme}-{size}")
    assert await violations(page) == []
