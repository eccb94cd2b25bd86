"""Five citizens, one matter: seen while typing, joined by one key, found as a cluster, confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.helpers import eventually
from tests.tickets.test_duplicates_clusters import PLANT
from tests.ui.conftest import RunningConsole
from tests.ui.seat import focused, on_the_line, scalar, violations
from tickets.duplicates.watch import ClusterWatch
from tickets.forms import parse_form

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Awaitable[None]]


async def told(console: RunningConsole, number: int) -> Any:
    """A citizen's matter, taken down by somebody else."""
    node = console.node
    title, text = PLANT[number]
    category = await scalar(node, "SELECT id FROM category WHERE level = 3 ORDER BY id LIMIT 1")
    agent = await scalar(node, "SELECT id FROM user_account WHERE login = 'agent12'")
    form = {"type": "complaint", "category_id": str(category), "title": title, "narrative": text}
    form |= {"phone": f"1390000200{number}", "address": "栖霞雅苑西门"}
    async with node.db.begin() as uow:
        actor = await node.people.actor_for_user(uow.session, agent)
        assert actor is not None
        return await node.tickets.create(uow, actor, parse_form(form, now=uow.now, phone_area="0773"))


async def followed(console: RunningConsole, ticket_id: int) -> None:
    """Wait until the leader has seen the ticket."""
    query = "SELECT count(*) FROM ticket_signature WHERE ticket_id = :id"

    async def seen() -> bool:
        return bool(await scalar(console.node, query, id=ticket_id))

    await eventually(seen, within=20, what="the leader has seen the ticket")


async def test_the_same_matter_is_seen_joined_found_and_confirmed(
    console: RunningConsole, shot: Shot
) -> None:
    made = [await told(console, number) for number in range(4)]
    await followed(console, made[-1].id)
    page = await on_the_line(console)
    await page.keyboard.press("F2")
    await page.keyboard.type(PLANT[4][0])
    await page.keyboard.press("Tab")
    await page.keyboard.type(PLANT[4][1])
    beside = page.locator("hl-alike")
    await expect(beside).to_contain_text("同一地点 栖霞雅苑")
    assert await focused(page) == "narrative"  # nothing takes the hand from the keys
    assert await violations(page) == []
    await shot(page, "duplicates-agent")
    await page.keyboard.press("Alt+r")
    await expect(page.locator(".ag-result-card")).to_contain_text("已记为重复来电")
    await shot(page, "duplicates-joined")
    fifth = await scalar(console.node, "SELECT max(id) FROM ticket")
    await followed(console, fifth)
    await found_and_confirmed(console, shot)


async def found_and_confirmed(console: RunningConsole, shot: Shot) -> None:
    node = console.node
    await ClusterWatch(node.db, node.leases["scheduler"]).run()  # at once, not at the next tick
    desk = await console.page("dispatcher01")
    await desk.goto(console.base + "/clusters")
    await expect(desk.locator("#rows")).to_contain_text("群诉")
    assert await violations(desk) == []
    await shot(desk, "duplicates-clusters")
    await desk.click("#rows .hl-cluster-matter a:has-text('搅拌厂')")
    await expect(desk.locator("body")).to_contain_text("5 人反映同一事项")
    assert await violations(desk) == []
    await shot(desk, "duplicates-cluster")
    await desk.keyboard.press("Alt+1")
    await expect(desk.locator("body")).to_contain_text("查看主单")
    await desk.click("text=查看主单")
    await expect(desk.locator("body")).to_contain_text("5 人来电反映，办结时一并答复")
    await shot(desk, "duplicates-master")
    dark = await console.page("supervision01", theme="dark")
    await dark.goto(console.base + "/clusters?state=all")
    await expect(dark.locator("#rows")).to_contain_text("已确认")
    assert await violations(dark) == []
    await shot(dark, "duplicates-dark")
