"""Call control over the web: who may order what, what bad input is told, what the fragment shows."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from core.people.permissions import Permission, Role, permissions_of
from telephony.agents.models import AgentInterval, AgentSession
from telephony.controls import marks
from tests.web.agent_rig import HX, Call, Floor, ctx, floor, hx_post, plain
from tests.web.conftest import Browser, Console

__all__ = ["ctx", "floor"]


async def talking(floor: Floor) -> tuple[Call, Browser]:
    """A call that a1001 has answered, and his browser."""
    call = await floor.ring("a1001")
    await floor.answer(call)
    return call, await floor.console.signed_in("a1001")


async def leader(floor: Floor, extension: str | None = "1090") -> Browser:
    """The shift leader, with a telephone."""
    async with floor.ctx.db.begin() as uow:
        statement = "UPDATE user_account SET extension = :extension WHERE login = 'shift_leader'"
        await uow.session.execute(sa.text(statement), {"extension": extension})
    return await floor.console.signed_in("shift_leader")


async def count(floor: Floor) -> int:
    return int(await floor.scalar("SELECT count(*) FROM call_order"))


@pytest.mark.parametrize("role", list(Role))
async def test_only_who_takes_calls_orders_and_only_leaders_listen(console: Console, role: Role) -> None:
    browser = await console.signed_in(role.value)
    may = permissions_of(frozenset({role}))
    takes, leads = Permission.CALL_TAKE in may, Permission.FLOOR_LEAD in may
    shown = await browser.get("/seat/pieces?have=controls")
    assert ("controls" in shown.text) == takes
    answers = {
        "/seat/calls/1/hold": takes, "/seat/calls/1/abuse": takes, "/seat/calls/1/list": takes,
        "/floor/calls/1/listen": leads, "/floor/calls/1/end": leads, "/floor/abuse/1/close": leads,
        "/numbers/1/decide": leads,
    }  # fmt: skip
    for path, allowed in answers.items():
        status = (await browser.post(path, {"token": "t"}, headers=HX)).status
        assert (status != 403) == allowed, path
    assert (await browser.get("/numbers")).status == (200 if leads else 403)


async def test_without_a_call_there_are_no_buttons(floor: Floor) -> None:
    browser = await floor.console.signed_in("a1001")
    assert "<button" not in await browser.piece("controls")


async def test_hold_is_ordered_once_and_the_fragment_says_so(floor: Floor) -> None:
    call, browser = await talking(floor)
    shown = await browser.piece("controls")
    token = re.search(r'name="token" value="([\w-]+-hold)"', shown)
    assert token is not None
    for _ in range(2):
        answer = await hx_post(browser, f"/seat/calls/{call.id}/hold", {"token": token[1]})
        assert answer.status == 200
        assert "保持：正在处理" in plain(answer.text)
    assert await count(floor) == 1
    assert await floor.scalar("SELECT count(*) FROM audit_log WHERE action = 'call.hold'") == 1


async def test_a_held_call_offers_what_is_possible_and_says_why_not_the_rest(floor: Floor) -> None:
    call, browser = await talking(floor)
    async with floor.ctx.db.begin() as uow:
        await marks.add(uow, call.id, "hold", floor.users["a1001"])
    shown = plain(await browser.piece("controls"))
    assert "保持中" in shown
    assert "恢复通话" in shown
    answer = await hx_post(browser, f"/seat/calls/{call.id}/hold", {"token": "again"})
    assert (answer.status, "已在保持中" in answer.text) == (409, True)


@pytest.mark.parametrize(
    ("act", "form", "status", "words"),
    [
        ("transfer", {}, 422, "没有选择对象"),
        ("transfer", {"target": "colleague:1001&PJSIP/1002"}, 422, "不能呼叫"),
        ("transfer", {"target": "colleague:9001"}, 422, "不能呼叫"),
        ("transfer", {"target": "queue:hotline,1"}, 422, "不能呼叫"),
        ("consult", {"target": "queue:hotline"}, 422, "不能呼叫"),
        ("emergency", {"target": "emergency:114"}, 422, "不能呼叫"),
        ("transfer", {"number": "00852123"}, 422, "不能呼叫"),
        ("transfer", {"number": "13812345678\r\nAction: Command"}, 422, "不能呼叫"),
        ("transfer", {"number": "*999"}, 422, "不能呼叫"),
        ("conference", {"target": "context:hotline-dial"}, 422, "不能呼叫"),
    ],
)
async def test_a_target_that_is_none_is_refused_with_a_sentence(
    floor: Floor, act: str, form: dict[str, str], status: int, words: str
) -> None:
    call, browser = await talking(floor)
    answer = await hx_post(browser, f"/seat/calls/{call.id}/{act}", {"token": "t1", **form})
    assert (answer.status, words in answer.text) == (status, True), answer.text[:300]
    assert await count(floor) == 0


@pytest.mark.parametrize("form", [{}, {"token": "a b"}, {"token": "t", "Application": "System"}])
async def test_a_form_without_its_token_or_with_more_than_it_has_is_refused(
    floor: Floor, form: dict[str, str]
) -> None:
    call, browser = await talking(floor)
    assert (await hx_post(browser, f"/seat/calls/{call.id}/hold", form)).status == 400
    assert await count(floor) == 0


async def test_a_number_outside_is_kept_sealed(floor: Floor) -> None:
    call, browser = await talking(floor)
    answer = await hx_post(
        browser, f"/seat/calls/{call.id}/transfer", {"token": "t1", "number": "0773-2825566"}
    )
    assert answer.status == 200
    target, ref = (
        await floor.scalar("SELECT target FROM call_order"),
        await floor.scalar("SELECT number_ref FROM call_order"),
    )
    assert "2825566" not in target
    async with floor.ctx.db.read() as session:
        assert await floor.ctx.vault.reveal(session, ref) == "07732825566"


async def test_calls_of_others_and_calls_that_are_over_are_not_touched(floor: Floor) -> None:
    call, _ = await talking(floor)
    other = await floor.console.signed_in("a1002")
    answer = await hx_post(other, f"/seat/calls/{call.id}/hold", {"token": "t1"})
    assert (answer.status, "不在这个通话中" in answer.text) == (409, True)
    await floor.end(call)
    mine = await floor.console.signed_in("a1001")
    answer = await hx_post(mine, f"/seat/calls/{call.id}/hold", {"token": "t2"})
    assert (answer.status, "通话已结束" in answer.text) == (409, True)
    assert (await hx_post(mine, "/seat/calls/999999/hold", {"token": "t3"})).status == 404


async def test_the_emergency_dialog_reads_out_what_was_written(floor: Floor) -> None:
    draft = await floor.answered()
    browser = await floor.console.signed_in("a1001")
    saved = await hx_post(
        browser, f"/drafts/{draft}/form", floor.form(version=1, address="中山中路 12 号三楼冒烟")
    )
    assert saved.status == 200
    session_id = await floor.scalar("SELECT call_session_id FROM ticket_draft WHERE id = :id", id=draft)
    shown = plain((await browser.get(f"/seat/calls/{session_id}/emergency", headers=HX)).text)
    for words in ("110 公安", "119 消防", "120 急救", "122 交警", "中山中路 12 号三楼冒烟", "山中路路灯不亮"):
        assert words in shown, words
    assert "13812341234" not in shown


async def test_the_transfer_dialog_lists_queues_and_who_is_signed_in(floor: Floor) -> None:
    call, browser = await talking(floor)
    async with floor.ctx.db.begin() as uow:
        at, user = uow.now, floor.users["a1002"]
        row = AgentSession(
            user_id=user, extension="1002", pbx="pbx1", queues=[], signed_in_at=at, wish="ready",
            calls={}, changed_at=at, paused=False,
        )  # fmt: skip
        uow.session.add(row)
        await uow.session.flush()
        state = AgentInterval(
            agent_session_id=row.id, user_id=user, extension="1002", state="ready", started_at=at
        )
        uow.session.add(state)
    shown = (await browser.get(f"/seat/calls/{call.id}/targets", headers=HX)).text
    assert 'value="colleague:1002"' in shown
    assert "mzq" in shown  # found by the initials of 莫志强
    assert 'value="queue:hotline"' in shown
    assert 'value="colleague:1001"' not in shown


async def test_a_leader_orders_and_hears_only_of_his_own_orders(floor: Floor) -> None:
    call, _ = await talking(floor)
    boss = await leader(floor)
    answer = await hx_post(boss, f"/floor/calls/{call.id}/listen", {"token": "t1"})
    assert answer.status == 200
    assert "监听：正在处理" in plain(answer.text)
    ident = await floor.scalar("SELECT id FROM call_order")
    assert (await boss.get(f"/floor/orders/{ident}", headers=HX)).status == 200
    agent = await floor.console.signed_in("a1001")
    assert "监听" not in await agent.piece("controls")
    assert (await agent.get(f"/floor/orders/{ident}", headers=HX)).status == 403


async def test_a_leader_without_a_telephone_is_told_so(floor: Floor) -> None:
    call, _ = await talking(floor)
    boss = await leader(floor, None)
    answer = await hx_post(boss, f"/floor/calls/{call.id}/barge", {"token": "t1"})
    assert (answer.status, "没有绑定分机" in answer.text) == (409, True)
    assert (await hx_post(boss, f"/floor/calls/{call.id}/end", {"token": "t2"})).status == 200


async def test_abuse_is_reported_once_and_stands_on_the_leaders_page(floor: Floor) -> None:
    call, browser = await talking(floor)
    for _ in range(2):
        answer = await hx_post(browser, f"/seat/calls/{call.id}/abuse", {"reason": "threat"})
        assert "已报告班长" in answer.text
    assert (await hx_post(browser, f"/seat/calls/{call.id}/abuse", {"reason": "nonsense"})).status == 422
    boss = await leader(floor)
    shown = plain((await boss.get("/floor/abuse", headers=HX)).text)
    assert "威胁恐吓" in shown
    assert "韦晓兰" in shown
    report = await floor.scalar("SELECT id FROM abuse_report")
    assert (await boss.post(f"/floor/abuse/{report}/close")).status == 303
    assert "没有未处理的报告" in (await boss.get("/floor/abuse", headers=HX)).text


async def test_a_number_is_proposed_decided_shown_and_lifted(floor: Floor) -> None:
    call, browser = await talking(floor)
    empty = await hx_post(browser, f"/seat/calls/{call.id}/list", {"kind": "silent", "reason": " "})
    assert (empty.status, "请写明理由" in empty.text) == (422, True)
    form = {"kind": "harassment", "reason": "三次劝阻后仍辱骂"}
    answer = await hx_post(browser, f"/seat/calls/{call.id}/list", form)
    assert "骚扰电话（待批）" in answer.text
    boss = await leader(floor)
    page = (await boss.get("/numbers")).text
    assert "138****1234" in page
    assert "三次劝阻后仍辱骂" in page
    ident = await floor.scalar("SELECT id FROM number_listing")
    decision = {"version": "1", "decision": "approve", "days": "30"}
    assert (await boss.post(f"/numbers/{ident}/decide", decision)).status == 303
    assert (await boss.post(f"/numbers/{ident}/decide", decision)).status == 409  # somebody was faster
    assert "骚扰电话" in plain(await browser.piece("controls"))
    lifted = await boss.post(f"/numbers/{ident}/lift", {"version": "2", "reason": "已道歉"})
    assert lifted.status == 303
    assert "没有生效中的号码" in (await boss.get("/numbers")).text
