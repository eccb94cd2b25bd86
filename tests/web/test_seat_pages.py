"""What stands beside the form of the seat: places, snippets, an appeal's earlier ticket, the last rating."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.people.org import create_unit
from core.people.permissions import Role
from routing import places
from routing.gazetteer import Place
from tests.web.agent_rig import HX, SYSTEM, Floor, ctx, floor, hx_post, plain
from tests.web.conftest import Console
from tickets.models import Ticket, table_of

__all__ = ["ctx", "floor"]
_ticket = table_of(Ticket)


async def _map(console: Console) -> int:
    """One district with a road; returns the district's id."""
    async with console.ctx.db.begin() as uow:
        editor = await console.ctx.people.actor_for_user(uow.session, console.users["supervision_officer"])
        assert editor is not None
        district = await create_unit(uow, SYSTEM, kind="district", name="秀峰区", code="xf")
        await places.take(uow, editor, [Place("中山中路", "xf")])
        return district.id


async def test_a_place_is_found_by_initials_and_says_where_it_lies(console: Console) -> None:
    district = await _map(console)
    agent = await console.signed_in("agent")
    for typed in ("中山", "zszl", "中山中路 18 号"):
        found = (await agent.post("/agent/places", {"q": typed})).text
        assert f'data-area="{district}"' in found, typed
        assert 'data-name="中山中路"' in found
    assert "<li" not in (await agent.post("/agent/places", {"q": ""})).text


async def test_the_place_a_text_names_is_offered_with_one_key(console: Console) -> None:
    district = await _map(console)
    agent = await console.signed_in("agent")
    shown = (await agent.post("/agent/advice", {"title": "中山中路路灯不亮"})).text
    assert f'data-take="area_id" value="{district}"' in shown
    assert 'data-hotkey="Alt+5"' in shown
    assert "data-take" not in (await agent.post("/agent/advice", {"title": "路灯不亮"})).text


@pytest.mark.parametrize("role", list(Role))
async def test_snippets_are_for_who_writes_drafts(console: Console, role: Role) -> None:
    browser = await console.signed_in(role.value)
    allowed = role in (Role.AGENT, Role.SHIFT_LEADER, Role.CALLBACK_OFFICER)
    assert (await browser.get("/snippets")).status == (200 if allowed else 403)


async def test_a_snippet_is_made_changed_and_taken_away_on_its_page(console: Console) -> None:
    agent = await console.signed_in("agent")
    new = {"code": "ld", "title": "路灯", "body": "来电人反映路灯____。"}
    assert (await agent.post("/snippets", new)).status == 303
    assert 'data-code="ld"' in (await agent.get("/agent/snippets", headers=HX)).text
    refused = await agent.post("/snippets", new | {"body": "打了很久的一段话"})
    assert refused.status == 409
    assert "这个短码已有一条常用语" in refused.text
    assert "打了很久的一段话" in refused.text
    async with console.ctx.db.read() as session:
        query = sa.text("SELECT id FROM snippet WHERE owner_id IS NOT NULL")
        ident = (await session.execute(query)).scalar_one()
    assert "来电人反映路灯" in (await agent.get(f"/snippets?edit={ident}")).text
    assert (await agent.post(f"/snippets/{ident}/remove", {})).status == 303
    assert (await agent.get(f"/snippets?edit={ident}")).status == 404


async def test_only_who_leads_the_floor_is_offered_a_shared_snippet(console: Console) -> None:
    agent, leader = await console.signed_in("agent"), await console.signed_in("shift_leader")
    assert 'name="shared"' not in (await agent.get("/snippets?new=1")).text
    assert 'name="shared"' in (await leader.get("/snippets?new=1")).text
    new = {"code": "gg", "title": "公告", "body": "已公告。", "shared": "true"}
    assert (await agent.post("/snippets", new)).status == 403
    assert (await leader.post("/snippets", new)).status == 303
    assert 'data-code="gg"' in (await agent.get("/agent/snippets")).text


async def test_a_closed_ticket_of_the_caller_may_be_appealed_against_from_the_form(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    first = await floor.answered()
    assert (await hx_post(browser, f"/drafts/{first}/ticket", floor.form())).status == 200
    number = await floor.scalar("SELECT number FROM ticket")
    async with floor.ctx.db.begin() as uow:
        rated = {"state": "closed", "stage": None, "satisfied": 2, "solved": False, "closed_at": uow.now}
        await uow.session.execute(sa.update(_ticket).values(**rated))
    second = await floor.answered()
    card = (await browser.get(f"/drafts/{second}/caller")).text
    assert "上次不满意 · 未解决" in plain(card)
    assert f'data-appeal="{number}"' in card
    told = floor.form(type="appeal", title="对处理不服", narrative="没有修好。")
    refused = await hx_post(browser, f"/drafts/{second}/ticket", told)
    assert (refused.status, "appeal_of" in refused.text) == (422, True)
    made = await hx_post(browser, f"/drafts/{second}/ticket", told | {"appeal_of": number})
    assert made.status == 200
    query = "SELECT count(*) FROM ticket a JOIN ticket b ON a.appeal_of_id = b.id WHERE b.number = :n"
    assert await floor.scalar(query, n=number) == 1


async def test_a_third_call_within_a_day_is_marked(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    tones = []
    for _ in range(3):
        draft = await floor.answered()
        card = (await browser.get(f"/drafts/{draft}/caller")).text
        tones.append(card.partition("近 24 小时")[0].rpartition('data-tone="')[2].partition('"')[0])
    assert tones[1:] == ["quiet", "warn"]
