"""The call-back list: one task per number, masked, claimed by one, closed with a result."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from core.people.permissions import Permission, Role, permissions_of
from telephony.events import CallEnded
from telephony.models import CallSession
from tests.web.agent_rig import MOBILE, Floor, ctx, floor, plain
from tests.web.conftest import Browser, Console
from tickets.models import table_of

__all__ = ["ctx", "floor"]
MASKED = "138****1234"
_call = table_of(CallSession)


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


@pytest.mark.parametrize("path", ["claim", "release", "attempt", "reveal", "dial"])
async def test_a_write_from_another_site_is_refused(floor: Floor, agent: Browser, path: str) -> None:
    task = await _task(floor)
    form = {"version": "1", "result": "reached", "reason": "x"}
    answer = await agent.post(f"/callbacks/{task}/{path}", form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    assert await floor.scalar("SELECT version FROM callback_task") == 1


async def test_an_unknown_task_is_not_found(floor: Floor, agent: Browser) -> None:
    assert (await agent.get("/callbacks?task=987654")).status == 404
    assert (await agent.post("/callbacks/987654/claim", {"version": "1"})).status == 404


async def _outbound(floor: Floor, outcome: str) -> None:
    """The call of the last order, over."""
    async with floor.ctx.db.begin() as uow:
        ring = "UPDATE dial_order SET state = 'ringing' RETURNING channel_id"
        key = (await uow.session.execute(sa.text(ring))).scalars().all()[-1]
        values = {
            "pbx": "pbx1", "session_key": key, "direction": "outbound", "caller_kind": "mobile",
            "state": "ended", "outcome": outcome, "queues": [], "transfers": [], "linkedids": [],
            "started_at": uow.now, "ended_at": uow.now, "version": 1,
        }  # fmt: skip
        made = await uow.session.execute(sa.insert(_call).values(**values).returning(_call.c.id))
        await uow.emit(CallEnded(made.scalar_one(), outcome, (), 1, "outbound"))


async def test_one_key_takes_the_most_urgent_and_another_calls_it(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    page = (await agent.get("/callbacks")).text
    assert 'data-hotkey="Alt+Q"' in page
    answer = await agent.post("/callbacks/next")
    assert answer.headers["Location"] == f"/callbacks?task={task}"
    shown = (await agent.get(f"/callbacks?task={task}")).text
    assert 'data-hotkey="Alt+P"' in shown
    assert (await agent.post(f"/callbacks/{task}/dial")).status == 303
    assert (await agent.post(f"/callbacks/{task}/dial")).status == 303  # a double click
    assert await floor.scalar("SELECT count(*) FROM dial_order") == 1
    assert "正在接通电话系统" in (await agent.get(f"/callbacks/{task}/detail")).text
    assert MOBILE not in shown


async def test_with_nothing_left_the_list_says_so(floor: Floor, agent: Browser) -> None:
    answer = await agent.post("/callbacks/next")
    assert "现在没有可拨的任务" in (await agent.get(answer.headers["Location"])).text


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("citizen_busy", "市民电话占线"),
        ("citizen_no_answer", "市民无人接听"),
        ("citizen_rejected", "市民拒接"),
        ("number_invalid", "号码无效"),
        ("trunk_down", "外线不通，没有拨到市民"),
        ("agent_no_answer", "话机振铃没有接起，没有拨打市民"),
        ("agent_busy", "话机正忙或拒接，没有拨打市民"),
        ("cancelled", "坐席先挂断，不计次数"),
        ("ended_unknown", "没有拨出，不计次数"),
    ],
)
async def test_each_way_a_call_fails_is_told_in_a_sentence(
    floor: Floor, agent: Browser, outcome: str, sentence: str
) -> None:
    task = await _task(floor)
    await agent.post(f"/callbacks/{task}/dial")
    await _outbound(floor, outcome)
    assert sentence in plain((await agent.get(f"/callbacks/{task}/detail")).text)


async def test_who_was_just_called_in_vain_is_not_called_before_the_time_that_is_shown(
    floor: Floor, agent: Browser
) -> None:
    task = await _task(floor)
    await agent.post(f"/callbacks/{task}/dial")
    await _outbound(floor, "citizen_no_answer")
    assert "11-23 10:15 后可再拨" in plain((await agent.get(f"/callbacks?task={task}")).text)
    refused = await agent.post(f"/callbacks/{task}/dial")
    assert refused.status == 409
    assert "还没到再拨时间" in refused.text


async def test_a_colleague_sees_who_is_at_it_and_is_not_let_in_between(floor: Floor, agent: Browser) -> None:
    task = await _task(floor)
    await agent.post(f"/callbacks/{task}/dial")
    other = await floor.console.signed_in("a1002")
    page = plain((await other.get(f"/callbacks?task={task}")).text)
    assert "韦晓兰 正在回拨" in page
    assert (await other.post(f"/callbacks/{task}/dial")).status == 409


async def test_without_a_telephone_of_ones_own_nothing_is_dialled(floor: Floor) -> None:
    task = await _task(floor)
    officer = await floor.console.signed_in("callback_officer")
    assert "没有绑定分机" in (await officer.get(f"/callbacks?task={task}")).text
    refused = await officer.post(f"/callbacks/{task}/dial")
    assert (refused.status, "没有绑定分机" in refused.text) == (409, True)
    assert await floor.scalar("SELECT claimed_by FROM callback_task") is None


async def test_the_shift_leader_sees_tasks_by_age(floor: Floor, agent: Browser) -> None:
    await _task(floor)
    await floor.abandon("13900000002")
    floor.clock.advance(3 * 3600)
    await floor.abandon("13900000003")
    leader = await floor.console.signed_in("shift_leader")
    page = plain((await leader.get("/callbacks")).text)
    assert "已超时 2" in page
    assert "1–4 小时 2" in page
    assert "30 分内 1" in page
    aged = (await leader.get("/callbacks?age=fresh")).text
    assert "139****0003" in aged
    assert "139****0002" not in aged
    assert "30 分内" not in (await (await floor.console.signed_in("a1001")).get("/callbacks")).text
    assert (await leader.get("/callbacks?age=ancient")).status == 400
