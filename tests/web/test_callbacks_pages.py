"""The call-back list: one task per number, masked, claimed by one, closed with a result."""

from __future__ import annotations

import asyncio

import pytest

from core.people.permissions import Permission, Role, permissions_of
from tests.web.agent_rig import Floor, ctx, floor, plain
from tests.web.conftest import Browser, Console

__all__ = ["ctx", "floor"]
MASKED = "138****1234"


@pytest.fixture
async def agent(floor: Floor) -> Browser:
    return await floor.console.signed_in("a1001")


async def _task(floor: Floor) -> int:
    await floor.abandon(minutes_ago=5)
    return int(await floor.scalar("SELECT id FROM callback_task"))


@pytest.mark.parametrize("role", list(Role))
async def test_only_those_who_may_read_call_backs_reach_the_list(console: Console, role: Role) -> None:
    browser = await console.signed_in(role.value)
    allowed = Permission.CALLBACK_READ in permissions_of(frozenset({role}))
    for path in ("/callbacks", "/callbacks/rows"):
        assert (await browser.get(path)).status == (200 if allowed else 403), path


async def test_two_abandoned_calls_of_a_number_are_one_line(floor: Floor, agent: Browser) -> None:
    await floor.abandon(minutes_ago=9)
    await floor.abandon(minutes_ago=3)
    await floor.abandon("13900000002", minutes_ago=1)
    page = (await agent.get("/callbacks")).text
    assert page.count("<tr data-ref=") == 2
    assert "2 次" in page
    assert page.index(MASKED) < page.index("139****0002")


async def test_time_left_is_told_in_words_and_turns_with_the_ladder(floor: Floor, agent: Browser) -> None:
    await _task(floor)
    assert "剩 25 分" in plain((await agent.get("/callbacks")).text)
    floor.clock.advance(26 * 60)
    late = await floor.console.signed_in("a1001")
    page = (await late.get("/callbacks")).text
    assert "已超 1 分" in plain(page)
    assert 'data-tone="bad"' in page


async def test_the_number_is_masked_until_it_is_revealed_for_a_reason(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    page = (await agent.get(f"/callbacks?task={task}")).text
    assert MASKED in page
    assert "13812341234" not in page
    refused = await agent.post(f"/callbacks/{task}/reveal", {"reason": "  "})
    assert refused.status == 422
    shown = await agent.post(f"/callbacks/{task}/reveal", {"reason": "回拨漏接来电"})
    assert "13812341234" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "13812341234" not in (await agent.get(f"/callbacks?task={task}")).text
    row = "SELECT count(*) FROM audit_log WHERE action = 'person.reveal' AND reason = '回拨漏接来电'"
    assert await floor.scalar(row) == 1


async def test_a_dispatcher_reads_the_list_but_does_not_work_it(floor: Floor) -> None:
    task = await _task(floor)
    browser = await floor.console.signed_in("dispatcher")
    assert MASKED in (await browser.get(f"/callbacks?task={task}")).text
    assert (await browser.post(f"/callbacks/{task}/claim", {"version": "1"})).status == 403
    attempt = {"version": "1", "result": "reached"}
    assert (await browser.post(f"/callbacks/{task}/attempt", attempt)).status == 403


async def test_two_who_claim_at_once_are_told_who_was_first(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    other = await floor.console.signed_in("a1002")
    form = {"version": "1"}
    answers = await asyncio.gather(
        agent.post(f"/callbacks/{task}/claim", form), other.post(f"/callbacks/{task}/claim", form)
    )
    assert sorted(answer.status for answer in answers) == [303, 409]
    assert await floor.scalar("SELECT version FROM callback_task") == 2


async def test_a_reached_citizen_closes_the_task(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    await agent.post(f"/callbacks/{task}/claim", {"version": "1"})
    form = {"version": "2", "result": "reached", "note": "已说明情况"}
    assert (await agent.post(f"/callbacks/{task}/attempt", form)).status == 303
    assert MASKED not in (await agent.get("/callbacks/rows")).text
    closed = plain((await agent.get(f"/callbacks?closed=1&task={task}")).text)
    assert "已回拨" in closed
    assert "已说明情况" in closed


async def test_the_third_try_in_vain_closes_it_as_unreachable(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    for _ in range(3):
        version = await floor.scalar("SELECT version FROM callback_task")
        form = {"version": str(version), "result": "no_answer"}
        assert (await agent.post(f"/callbacks/{task}/attempt", form)).status == 303
    assert "拨不通" in (await agent.get("/callbacks?closed=1")).text


async def test_a_caller_who_gets_through_by_himself_closes_his_task(floor: Floor, agent: Browser) -> None:
    await _task(floor)
    await floor.answered("a1002")
    assert MASKED not in (await agent.get("/callbacks/rows")).text
    assert "已另来电" in (await agent.get("/callbacks/rows?closed=1")).text


async def test_the_same_result_sent_twice_counts_one_try(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    form = {"version": "1", "result": "busy"}
    statuses = [(await agent.post(f"/callbacks/{task}/attempt", form)).status for _ in range(2)]
    assert statuses == [303, 409]
    assert await floor.scalar("SELECT attempts FROM callback_task") == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"version": "1", "result": "nonsense"}, 422),
        ({"version": "x", "result": "busy"}, 400),
        ({"result": "busy"}, 400),
        ({"version": "1", "result": "busy", "closed_as": "called_back"}, 400),
    ],
)
async def test_a_made_up_result_changes_nothing(
    floor: Floor, agent: Browser, form: dict[str, str], status: int
) -> None:
    task = await _task(floor)
    assert (await agent.post(f"/callbacks/{task}/attempt", form)).status == status
    assert await floor.scalar("SELECT version FROM callback_task") == 1


@pytest.mark.parametrize("path", ["claim", "release", "attempt", "reveal"])
async def test_a_write_from_another_site_is_refused(floor: Floor, agent: Browser, path: str) -> None:
    task = await _task(floor)
    form = {"version": "1", "result": "reached", "reason": "x"}
    answer = await agent.post(f"/callbacks/{task}/{path}", form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    assert await floor.scalar("SELECT version FROM callback_task") == 1


async def test_an_unknown_task_is_not_found(floor: Floor, agent: Browser) -> None:
    assert (await agent.get("/callbacks?task=987654")).status == 404
    assert (await agent.post("/callbacks/987654/claim", {"version": "1"})).status == 404
