"""电子监察: what supervision did, newest first; another system follows it without gap or repetition."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import text

from core.clock import ManualClock
from sla.supervision.inputs import NewOrder
from sla.supervision.terms import Kind
from tests.security.test_orders import issued
from tests.web.conftest import Browser, Console
from tests.web.test_card_pages import issued as cards_issued


async def steps(console: Console, clock: ManualClock, count: int) -> int:
    """A document, `count` seconds apart in all, and its way to the end."""
    order = await issued(console, "water", await console.ticket("water", citizen_name="秦小川"))
    officer = await console.signed_in("dept_officer")
    clock.advance(count)
    assert (
        await officer.post(f"/orders/{order}/report", {"version": "1", "note": "秦小川已答复"})
    ).status == 303
    return order


async def fetched(browser: Browser, query: str = "") -> dict[str, Any]:
    answer = await browser.get(f"/monitor/export{query}", headers={"Accept": "application/json"})
    assert answer.status == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


async def test_the_feed_tells_every_step_newest_first_and_narrows(
    console: Console, clock: ManualClock
) -> None:
    await steps(console, clock, 5)
    await issued(console, "east", kind=Kind.BULLETIN)
    browser = await console.signed_in("inspector")
    page = (await browser.get("/monitor")).text
    assert page.index("督〔2026〕000002") < page.index("督〔2026〕000001")
    assert "督办反馈" in page
    for query, there, gone in (
        ("kind=order_reported", "000001", "000002"),
        ("level=bulletin", "000002", "000001"),
        (f"unit_id={console.units['east']}", "000002", "000001"),
    ):
        shown = (await browser.get(f"/monitor/rows?{query}")).text
        assert there in shown, query
        assert gone not in shown, query
    assert "没有符合条件的记录" in (await browser.get("/monitor?day=2026-11-01")).text
    for query in ("day=never", "unit_id=x", "before=%%%", "who=1"):
        assert (await browser.get(f"/monitor?{query}")).status == 400, query


async def test_pages_follow_each_other(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        actor = await console.ctx.people.actor_for_user(uow.session, console.users["supervision_officer"])
        assert actor is not None
        for n in range(60):
            asked = NewOrder(Kind.BULLETIN, console.units["water"], f"第{n}份", "通报内容")
            await console.ctx.supervision.issue(uow, actor, asked)
    browser = await console.signed_in("supervision_officer")
    first = (await browser.get("/monitor")).text
    following = re.search(r'href="(/monitor\?before=[^"]+)"', first)
    assert following is not None
    second = (await browser.get(following[1])).text
    numbers = re.findall(r"督〔2026〕(\d{6})", first + second)
    assert numbers == [f"{n:06d}" for n in range(60, 0, -1)]


async def test_another_system_follows_by_the_mark_and_meets_each_line_once(
    console: Console, clock: ManualClock
) -> None:
    await steps(console, clock, 5)
    browser = await console.signed_in("inspector")
    assert await fetched(browser) == {"format": "hotline-monitor/1", "events": [], "next": None}
    clock.advance(61)
    browser = await console.signed_in("inspector")
    one = await fetched(browser, "?limit=1")
    rest = await fetched(browser, f"?after={one['next']}")
    told = [line["kind"] for line in one["events"] + rest["events"]]
    assert told == ["order_issued", "order_reported"]
    assert await fetched(browser, f"?after={rest['next']}") == {**rest, "events": []}
    first = one["events"][0]
    assert set(first) == {"id", "at", "kind", "ticket", "unit", "level", "ref", "detail"}
    assert (first["unit"], first["level"]) == ("water", "order")


async def test_a_line_of_a_transaction_that_ended_late_is_not_missed(
    console: Console, clock: ManualClock
) -> None:
    browser = await console.signed_in("inspector")
    async with console.ctx.db.begin() as slow:
        actor = await console.ctx.people.actor_for_user(slow.session, console.users["supervision_officer"])
        assert actor is not None
        asked = NewOrder(Kind.BULLETIN, console.units["water"], "慢的一份", "通报内容")
        clock.advance(10)
        async with console.ctx.db.begin() as quick:
            line = "INSERT INTO monitor_event (at, kind, detail) VALUES (:at, 'card_issued', '{}')"
            await quick.session.execute(text(line), {"at": quick.now})
        clock.advance(40)
        early = await fetched(browser)
        assert early["events"] == []
        await console.ctx.supervision.issue(slow, actor, asked)
    clock.advance(30)
    assert [one["kind"] for one in (await fetched(browser))["events"]] == ["order_issued", "card_issued"]


async def test_the_export_names_nobody_and_is_audited(console: Console, clock: ManualClock) -> None:
    await steps(console, clock, 5)
    clock.advance(120)
    browser = await console.signed_in("inspector")
    answer = await browser.get("/monitor/export?from=2026-11-01&to=2026-11-30")
    assert "order_issued" in answer.text
    for words in ("秦小川", "13800001234", "已答复", "张"):
        assert words not in answer.text
    async with console.ctx.db.read() as session:
        query = text("SELECT detail FROM audit_log WHERE action = 'monitor.export'")
        detail = (await session.execute(query)).scalar_one()
    assert detail["from"] == "2026-11-01"
    assert (await browser.get("/monitor/export?after=x")).status == 400
    assert (await browser.get("/monitor/export?limit=10001")).status == 400
    officer = await console.signed_in("supervision_officer")
    assert (await officer.get("/monitor/export")).status == 403


async def test_the_feed_shows_cards_and_documents_side_by_side(console: Console, clock: ManualClock) -> None:
    made = await console.ticket("water")
    await issued(console, "water", made)
    await cards_issued(console, clock, 4)
    browser = await console.signed_in("inspector")
    answer = await browser.get("/monitor")
    assert answer.status == 200
    for words in ("发牌", "红牌", "总时限", "制发督办文书", "督〔2026〕000001"):
        assert words in answer.text, words
    assert "发牌" in (await browser.get("/monitor/rows?kind=card_issued")).text
