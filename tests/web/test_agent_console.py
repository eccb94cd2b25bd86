"""The agent's seat: whose call is shown to whom, and that all of it is there again after a reload."""

from __future__ import annotations

import pytest

from core.people.permissions import Permission, Role, permissions_of
from tests.web.agent_rig import Floor, ctx, floor, hx_post, plain
from tests.web.conftest import Console

__all__ = ["ctx", "floor"]
PIECES = "/seat/pieces?have=banner,phone,tabs,controls"
SEAT = {Permission.CALL_TAKE, Permission.DRAFT_WRITE}


@pytest.mark.parametrize("role", list(Role))
async def test_only_the_posts_of_the_floor_reach_the_seat(console: Console, role: Role) -> None:
    browser = await console.signed_in(role.value)
    allowed = bool(SEAT & permissions_of(frozenset({role})))
    assert (await browser.get("/agent")).status == (200 if allowed else 403)
    assert (await browser.get("/seat/pieces?have=phone")).status == (200 if allowed else 403)


async def test_a_ringing_call_is_shown_at_the_ringing_telephone_only(floor: Floor) -> None:
    first, second = await floor.console.signed_in("a1001"), await floor.console.signed_in("a1002")
    await floor.ring("a1001")
    assert "138****1234" in await first.piece("banner")
    assert "振铃中" in await first.piece("phone")
    assert (await second.piece("banner")).strip() == ""
    assert "无通话" in await second.piece("phone")


async def test_a_shift_leader_does_not_get_the_banner_of_an_agents_call(floor: Floor) -> None:
    leader = await floor.console.signed_in("shift_leader")
    await floor.ring("a1001")
    assert (await leader.piece("banner")).strip() == ""


async def test_every_page_of_the_floor_carries_the_banner_while_it_rings(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    call = await floor.ring()
    for path in ("/agent", "/callbacks", "/calls"):
        assert f'data-session="{call.id}"' in (await browser.get(path)).text, path
    await floor.end(call, "abandoned")
    assert "data-session" not in (await browser.get("/calls")).text


async def test_a_reload_in_mid_call_shows_call_and_draft_again(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    draft = await floor.answered()
    page = (await browser.get("/agent")).text
    assert f'data-draft="{draft}"' in page
    assert f'data-draft-tab="{draft}"' in page
    assert "通话中" in page
    assert f"/drafts/{draft}/form" in page


async def test_a_number_is_never_written_into_a_page_in_full(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    await floor.ring()
    assert "13812341234" not in (await browser.get("/agent")).text
    draft = await floor.answered()
    for path in (
        "/agent",
        f"/drafts/{draft}/panel",
        f"/drafts/{draft}/caller",
        PIECES,
        "/calls",
    ):
        assert "13812341234" not in (await browser.get(path)).text, path


async def test_a_caller_without_a_number_gets_a_card_that_says_so(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    draft = await floor.answered(number=None)
    assert "未显示号码" in (await browser.get(f"/drafts/{draft}/caller")).text


async def test_a_hostile_name_typed_by_an_agent_is_shown_as_text(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    draft = await floor.answered()
    typed = '"><script>alert(1)</script>'
    await hx_post(browser, f"/drafts/{draft}/form", floor.form(citizen_name=typed))
    page = (await browser.get("/agent")).text
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;" in page


async def test_the_card_shows_open_tickets_first_and_how_often_the_number_called(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    first = await floor.answered()
    made = await hx_post(browser, f"/drafts/{first}/ticket", floor.form())
    assert made.status == 200
    second = await floor.answered()
    card = (await browser.get(f"/drafts/{second}/caller")).text
    assert "近 24 小时第 2 次" in plain(card)
    assert card.index("中山中路路灯不亮") < card.index("最近五件")
    assert 'data-hotkey="Alt+U"' in card


async def test_a_number_that_calls_again_the_next_day_is_no_repeat(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    await floor.answered()
    floor.clock.advance(25 * 3600)
    browser = await floor.console.signed_in("a1001")
    draft = await floor.answered()
    assert "近 24 小时" not in (await browser.get(f"/drafts/{draft}/caller")).text


async def test_two_open_calls_of_one_agent_are_both_kept_as_tabs(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    one = await floor.answered(number="13800000001")
    two = await floor.answered(number="13800000002")
    tabs = await browser.piece("tabs")
    assert tabs.index(f'data-draft-tab="{one}"') < tabs.index(f'data-draft-tab="{two}"')
    assert tabs.count('data-hotkey="F2"') == 1


async def test_another_agents_draft_in_the_address_opens_ones_own_seat(floor: Floor) -> None:
    draft = await floor.answered("a1001")
    stranger = await floor.console.signed_in("a1002")
    answer = await stranger.get(f"/agent?draft={draft}")
    assert answer.status == 200
    assert f'data-draft="{draft}"' not in answer.text


@pytest.mark.parametrize("query", ["draft=x", "draft=0", "draft=-1", "draft=99999999999999999999", "evil=1"])
async def test_a_made_up_address_of_the_seat_is_refused(floor: Floor, query: str) -> None:
    browser = await floor.console.signed_in("a1001")
    assert (await browser.get(f"/agent?{query}")).status == 400


async def test_the_queue_shows_how_many_wait_and_since_when(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1002")
    await floor.ring("a1001")
    column = await browser.piece("phone")
    assert "等待" in column
    assert floor.clock.now().isoformat() in column
