"""A message left at night, from the telephone to the ticket on a screen, in the demo city."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Page, expect

from tests.helpers import eventually
from tests.ui.conftest import RunningConsole
from tests.ui.seat import scalar, violations

Shot = Callable[[Page, str], Awaitable[None]]
FROM_MAILBOX = "SELECT max(id) FROM ticket WHERE channel = 'voicemail' AND call_session_id = "


async def test_a_message_left_at_night_is_a_ticket_and_is_heard_there(
    console: RunningConsole, shot: Shot
) -> None:
    simulator = console.node.simulator
    assert simulator is not None
    call = simulator.place_call("13807730099", "", closed=True, message=5.0)
    key = call.citizen.linkedid
    ident: dict[str, Any] = {}

    async def there() -> bool:
        mine = f"(SELECT id FROM call_session WHERE session_key = '{key}')"
        ident["ticket"] = await scalar(console.node, FROM_MAILBOX + mine)
        return ident["ticket"] is not None

    await eventually(there, within=40, what="the message is a ticket")
    page = await console.page("dispatcher01")
    await page.goto(f"{console.base}/tickets/{ident['ticket']}")
    await expect(page.locator("h1")).to_contain_text("语音留言")
    await page.click("summary:has-text('听留言')")
    await shot(page, "message-asked")
    await page.fill("[data-recording] input[name=reason]", "核实诉求内容")
    await page.click("[data-recording] button")
    await expect(page.locator("[data-recording] [data-player]")).to_be_visible()
    await page.locator("[data-recording]").scroll_into_view_if_needed()
    await shot(page, "message-open")
    assert await violations(page) == []
    leader = await console.page("leader01")
    session = await scalar(console.node, f"SELECT id FROM call_session WHERE session_key = '{key}'")
    await leader.goto(f"{console.base}/calls/{session}")
    await expect(leader.get_by_role("heading", name="留言")).to_be_visible()
    await shot(leader, "message-call")
    assert await violations(leader) == []
