"""Call control by keys: hold, a consultation that is handed over, 110, and the leader's buttons."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.async_api import Page, expect

from node import Node
from tests.helpers import eventually
from tests.ui.conftest import ARTIFACTS, RunningConsole
from tests.ui.seat import COLLEAGUE, on_the_line, scalar, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def signed_in(node: Node, login: str) -> None:
    """The colleague stands signed in, ready."""
    async with node.db.begin() as uow:
        actor = await node.people.actor_for_user(
            uow.session, await scalar(node, "SELECT id FROM user_account WHERE login = :login", login=login)
        )
        assert actor is not None
        queue = await scalar(node, "SELECT id FROM call_queue WHERE name = 'hotline'")
        member = "INSERT INTO call_queue_member (queue_id, user_id, penalty) VALUES (:queue, :user, 0)"
        await uow.session.execute(
            sa.text(member + " ON CONFLICT DO NOTHING"), {"queue": queue, "user": actor.user_id}
        )
        await node.telephony.agents.sign_in(uow, actor)


async def picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"controls-{name}.png")


async def test_a_call_is_held_consulted_about_and_handed_over_by_keys(console: RunningConsole) -> None:
    await signed_in(console.node, COLLEAGUE[0])
    page = await on_the_line(console)
    controls = page.locator("hl-controls")
    await expect(controls.get_by_role("button", name="保持 Alt+B")).to_be_visible(timeout=15000)
    await page.fill("textarea[name=narrative]", "正在输入，不能丢")
    await page.keyboard.press("Alt+b")
    await expect(controls.get_by_text("保持中", exact=True)).to_be_visible(timeout=15000)
    await expect(page.locator("textarea[name=narrative]")).to_be_focused()
    assert await page.input_value("textarea[name=narrative]") == "正在输入，不能丢"
    await picture(page, "held")
    assert await violations(page) == []
    await page.keyboard.press("Alt+b")
    await expect(controls.get_by_role("button", name="保持 Alt+B")).to_be_visible(timeout=15000)

    await page.keyboard.press("Alt+t")
    dialog = page.locator("dialog[data-dialog][open]")
    await expect(dialog.locator("[data-find]")).to_be_focused()
    await dialog.locator("[data-find]").fill(COLLEAGUE[1])
    await expect(dialog.locator("input[name=target]:checked")).to_have_value(f"colleague:{COLLEAGUE[1]}")
    await picture(page, "targets")
    assert await violations(page) == []
    await dialog.get_by_role("button", name="咨询").click()
    await expect(controls.get_by_text(f"{COLLEAGUE[1]} 在线")).to_be_visible(timeout=15000)
    await picture(page, "consulting")
    await controls.get_by_role("button", name="转交第三方").click()
    await expect(controls.locator("[data-call]")).to_have_count(0, timeout=10000)
    assert await page.input_value("textarea[name=narrative]") == "正在输入，不能丢"


async def test_110_is_one_key_with_the_summary_to_read_out(console: RunningConsole) -> None:
    page = await on_the_line(console)
    await page.fill("textarea[name=narrative]", "三楼冒烟，有人被困")

    async def saved() -> bool:
        mine = "SELECT max(d.version) FROM ticket_draft d JOIN call_session s ON s.id = d.call_session_id"
        return (
            await scalar(console.node, mine + " WHERE s.ended_at IS NULL AND s.state = 'talking'") or 0
        ) > 1

    await eventually(saved, within=15, what="what was typed is saved")
    await page.keyboard.press("Alt+0")
    dialog = page.locator("dialog[data-dialog][open]")
    await expect(dialog.get_by_text("三楼冒烟，有人被困")).to_be_visible(timeout=15000)
    await picture(page, "emergency")
    assert await violations(page) == []
    await dialog.get_by_role("button", name="110 公安").click()
    await expect(page.locator("hl-controls").get_by_text("110（公安） 在线")).to_be_visible(timeout=15000)


async def test_a_leader_listens_from_the_page_of_the_call_and_decides_on_a_number(
    console: RunningConsole,
) -> None:
    page = await on_the_line(console)
    await page.locator("hl-controls").get_by_role("button", name="辱骂、骚扰…").click()
    more = page.locator("dialog[data-dialog][open]")
    await more.get_by_label("理由").fill("多次辱骂")
    await picture(page, "abuse")
    assert await violations(page) == []
    await more.get_by_role("button", name="提议").click()
    await expect(page.locator("hl-controls").get_by_text("无声电话（待批）")).to_be_visible(timeout=15000)
    session_id = await scalar(console.node, "SELECT max(session_id) FROM call_leg WHERE state = 'talking'")
    async with console.node.db.begin() as uow:
        statement = "UPDATE user_account SET extension = :extension WHERE login = :login"
        await uow.session.execute(sa.text(statement), {"extension": None, "login": "agent13"})
        await uow.session.execute(sa.text(statement), {"extension": "1013", "login": "leader01"})
    boss = await console.page("leader01")
    await boss.goto(f"{console.base}/calls/{session_id}")
    await boss.get_by_role("button", name="监听").click()
    await expect(boss.get_by_text("监听：已接入")).to_be_visible(timeout=15000)
    await picture(boss, "leader")
    assert await violations(boss) == []
    await boss.goto(f"{console.base}/numbers")
    await expect(boss.get_by_text("多次辱骂")).to_be_visible(timeout=15000)
    await picture(boss, "numbers")
    assert await violations(boss) == []
    await boss.get_by_role("button", name="批准", exact=True).click()
    await expect(boss.locator("section[aria-label=生效中]").get_by_text("多次辱骂")).to_be_visible(
        timeout=15000
    )
    badge = page.locator("hl-controls .hl-badge", has_text="无声电话")
    await expect(badge).not_to_contain_text("待批", timeout=15000)
