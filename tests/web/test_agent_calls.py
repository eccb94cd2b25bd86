"""The list of calls and the page of one: the floor sees all, an agent his own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.people.permissions import Permission, Role, permissions_of
from telephony.models import CallSession
from tests.web.agent_rig import Floor, ctx, floor, plain
from tests.web.conftest import Console
from tickets.models import table_of

__all__ = ["ctx", "floor"]
_call = table_of(CallSession)
READERS = {Permission.CALL_TAKE, Permission.CALL_READ_ALL, Permission.FLOOR_READ}


@pytest.mark.parametrize("role", list(Role))
async def test_only_the_floor_and_its_overseers_read_calls(console: Console, role: Role) -> None:
    browser = await console.signed_in(role.value)
    allowed = bool(READERS & permissions_of(frozenset({role})))
    assert (await browser.get("/calls")).status == (200 if allowed else 403)


async def test_an_agent_sees_his_own_calls_and_the_leader_all(floor: Floor) -> None:
    one = await floor.ring("a1001", "13800000001")
    two = await floor.ring("a1002", "13800000002")
    await floor.answer(one)
    await floor.end(one)
    agent, leader = await floor.console.signed_in("a1001"), await floor.console.signed_in("shift_leader")
    own = (await agent.get("/calls")).text
    assert "138****0001" in own
    assert "138****0002" not in own
    everything = (await leader.get("/calls")).text
    assert "138****0001" in everything
    assert "138****0002" in everything
    assert (await agent.get(f"/calls/{two.id}")).status == 404
    assert (await leader.get(f"/calls/{two.id}")).status == 200


async def test_the_page_of_a_call_names_its_legs_and_its_ticket(floor: Floor) -> None:
    call = await floor.ring("a1001")
    await floor.answer(call)
    await floor.end(call)
    async with floor.ctx.db.begin() as uow:
        transfers = [{"kind": "blind", "from": "1001", "to": "1002"}]
        await uow.session.execute(sa.update(_call).where(_call.c.id == call.id).values(transfers=transfers))
    agent = await floor.console.signed_in("a1001")
    page = plain((await agent.get(f"/calls/{call.id}")).text)
    assert "韦晓兰(1001)" in page
    assert "来电人挂断" in page
    assert "盲转 1001 → 1002" in page


async def test_calls_can_be_narrowed_by_result_and_day(floor: Floor) -> None:
    call = await floor.ring("a1001")
    await floor.answer(call)
    await floor.end(call)
    await floor.abandon("13900000002")
    leader = await floor.console.signed_in("shift_leader")
    abandoned = (await leader.get("/calls?outcome=abandoned")).text
    assert "139****0002" in abandoned
    assert "138****1234" not in abandoned
    assert "没有符合条件的通话" in (await leader.get("/calls?day=2026-11-20")).text


async def test_a_long_day_is_read_page_by_page_without_losing_or_doubling_a_call(floor: Floor) -> None:
    made = {await floor.abandon(f"139{number:08}") for number in range(120)}
    leader = await floor.console.signed_in("shift_leader")
    seen: list[int] = []
    path = "/calls"
    while path:
        page = (await leader.get(path)).text
        seen += [int(part.split('"')[0]) for part in page.split('href="/calls/')[1:]]
        more = page.split('class="ag-pager"><a href="')
        path = more[1].split('"')[0].replace("&amp;", "&") if len(more) > 1 else ""
    assert len(seen) == len(made)
    assert set(seen) == made


@pytest.mark.parametrize(
    "query",
    [
        "outcome=nonsense",
        "day=yesterday",
        "before=1",
        "before=x-1",
        "sort=id",
        "before=99999999999999999999-1",
    ],
)
async def test_a_made_up_question_is_refused(floor: Floor, query: str) -> None:
    leader = await floor.console.signed_in("shift_leader")
    assert (await leader.get(f"/calls?{query}")).status == 400
