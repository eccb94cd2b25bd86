"""Cards on screens: the list with its filters, the places where they wait, and the one click."""

from __future__ import annotations

from typing import cast

import pytest

from core.clock import ManualClock, SystemClock
from core.leadership import Lease
from core.settings import Leadership
from sla.plain import CityLimits
from sla.sweep import CardSweep
from tests.web.conftest import Console

DAY = 24 * 3600.0


async def issued(console: Console, clock: ManualClock, days: float) -> None:
    """So many days later, whatever is due by then is issued."""
    ctx = console.ctx
    clock.step(days * DAY)
    lease = Lease(ctx.db, "scheduler", "one", Leadership(lease_seconds=3600), SystemClock())
    assert await lease.try_take()
    await CardSweep(ctx.db, cast(CityLimits, ctx.tickets.limits), lease, clock.now).run()


async def card(console: Console, level: str, stage: str = "total") -> int:
    row = await console.ctx.db.fetch("SELECT id FROM card WHERE level = $1 AND stage = $2", level, stage)
    return int(row[0]["id"])


async def test_the_list_shows_cards_of_ones_unit_with_who_has_to_acknowledge(
    console: Console, clock: ManualClock
) -> None:
    made = await console.ticket("water", title="水管漏水")
    await issued(console, clock, 4)  # a matter of three days: red
    officer = await console.signed_in("dept_officer")
    page = (await officer.get("/cards")).text
    for words in ("红牌", "黄牌", "水管漏水", f"/tickets/{made.id}", "承办联络员", "承办领导", "待确认"):
        assert words in page
    only = (await officer.get("/cards?level=red")).text
    assert "黄牌</span>" not in only
    assert "水管漏水" not in (await (await console.signed_in("road_officer")).get("/cards")).text
    assert "水管漏水" in (await (await console.signed_in("inspector")).get("/cards")).text


@pytest.mark.parametrize("query", ["level=green", "state=lost", "before=soon", "before=2026_1", "sort=id"])
async def test_a_bad_query_is_refused(console: Console, query: str) -> None:
    officer = await console.signed_in("dept_officer")
    assert (await officer.get(f"/cards?{query}")).status == 400


async def test_one_click_acknowledges_and_leads_back(console: Console, clock: ManualClock) -> None:
    made = await console.ticket("water", title="水管漏水")
    await issued(console, clock, 4)
    red = await card(console, "red")
    officer = await console.signed_in("dept_officer")
    waiting = (await officer.get("/cards/waiting")).text
    assert f'action="/cards/{red}/acknowledge"' in waiting
    of_ticket = (await officer.get(f"/tickets/{made.id}/cards")).text
    assert f'action="/cards/{red}/acknowledge"' in of_ticket
    for _ in range(2):  # the second click changes nothing
        answer = await officer.post(f"/cards/{red}/acknowledge", {"back": f"/tickets/{made.id}"})
        assert (answer.status, answer.headers["Location"]) == (303, f"/tickets/{made.id}")
    assert f'action="/cards/{red}/acknowledge"' not in (await officer.get("/cards/waiting")).text
    rows = await console.ctx.db.fetch(
        "SELECT post FROM card_receipt WHERE card_id = $1 AND acknowledged_at IS NOT NULL", red
    )
    assert [row["post"] for row in rows] == ["dept_officer"]
    assert "张dept_officer" in (await officer.get(f"/tickets/{made.id}/cards")).text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/cards/../admin", "/login"])
async def test_it_leads_back_to_our_own_pages_only(console: Console, clock: ManualClock, back: str) -> None:
    await console.ticket("water")
    await issued(console, clock, 4)
    red = await card(console, "red")
    officer = await console.signed_in("dept_officer")
    assert (await officer.post(f"/cards/{red}/acknowledge", {"back": back})).status == 400


async def test_a_foreign_card_is_answered_like_one_that_does_not_exist(
    console: Console, clock: ManualClock
) -> None:
    await console.ticket("water")
    await issued(console, clock, 4)
    stranger = await console.signed_in("road_officer")
    for ident in (await card(console, "red"), 987_654_321):
        answer = await stranger.post(f"/cards/{ident}/acknowledge", {})
        assert answer.status == 404
        assert "这张牌不存在" in answer.text
    named = await console.signed_in("supervision_officer")  # sees it, and is not named
    assert (await named.post(f"/cards/{await card(console, 'red')}/acknowledge", {})).status == 403


async def test_the_timeline_and_the_notices_tell_of_cards(console: Console, clock: ManualClock) -> None:
    made = await console.ticket("water")
    await issued(console, clock, 4)
    officer = await console.signed_in("dept_officer")
    page = (await officer.get(f"/tickets/{made.id}")).text
    assert "亮牌" in page
    assert "总时限：" in page
    assert "催办通知书" in page
    assert "催办通知书" in (await officer.get("/notifications")).text


async def test_a_long_list_is_read_page_by_page(console: Console, clock: ManualClock) -> None:
    for _ in range(20):
        await console.ticket("water")
    await issued(console, clock, 4)  # more than fifty cards
    officer = await console.signed_in("dept_officer")
    page = (await officer.get("/cards")).text
    assert "下一页" in page
    following = page.partition('class="hl-table-foot"')[2].partition('href="')[2].partition('"')[0]
    rest = await officer.get(following.replace("&amp;", "&"))
    assert rest.status == 200
    assert "data-live=" not in rest.text.partition('id="rows"')[2][:80]
