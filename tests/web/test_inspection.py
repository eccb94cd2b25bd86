"""The inspector's pages: recordings only when another person has approved it, scores of a month."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from core.clock import ManualClock
from tests.web.conftest import Console
from tests.web.test_recordings import SOUND, call_of, fetch, listen, listened, recorded


async def asked(console: Console, ticket: int, call: int) -> None:
    inspector = await console.signed_in("inspector")
    answer = await inspector.post(f"/tickets/{ticket}/calls/{call}/apply", {"reason": "核查服务态度"})
    assert answer.status == 303


async def the_request(console: Console) -> int:
    async with console.ctx.db.read() as session:
        return int((await session.execute(text("SELECT id FROM recording_request"))).scalar_one())


async def test_an_inspector_hears_nothing_on_his_own_reason(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    inspector = await console.signed_in("inspector")
    page = (await inspector.get(f"/tickets/{made.id}")).text
    assert "申请听录音" in page
    assert "收听原因" not in page
    refused = await inspector.post(f"/tickets/{made.id}/calls/{call}/listen", {"reason": "看看"})
    assert refused.status == 403
    assert "调听须经批准" in refused.text
    assert (await fetch(inspector, made.id, call))[0] == 403
    assert await listened(console) == []


async def test_an_approval_opens_one_call_for_a_day_and_ends_by_itself(
    console: Console, clock: ManualClock
) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    await asked(console, made.id, call)
    await asked(console, made.id, call)  # once more is the same request
    inspector = await console.signed_in("inspector")
    assert "等待审批" in (await inspector.get(f"/tickets/{made.id}")).text
    assert await listen(inspector, made.id, call) == 403
    approver = await console.signed_in("audit_admin")
    listing = (await approver.get("/monitor/recordings")).text
    assert "核查服务态度" in listing
    assert made.number in listing
    assert "13800001234" not in listing
    ident = await the_request(console)
    path = f"/monitor/recordings/{ident}/decide"
    assert (await inspector.post(path, {"decision": "approved"})).status == 403
    assert (await approver.post(path, {"decision": "approved"})).status == 303
    assert (await approver.post(path, {"decision": "refused", "note": "不"})).status == 409
    assert await listen(inspector, made.id, call, "核查服务态度") == 303
    assert (await fetch(inspector, made.id, call))[:2] == (200, SOUND)
    other = await call_of(console, made.id, key="2.2")
    assert await listen(inspector, made.id, other) == 403
    # Heard once more just before the end: the half hour of a reason does not outlast the approval.
    clock.advance(timedelta(hours=23, minutes=50).total_seconds())
    inspector = await console.signed_in("inspector")
    async with console.ctx.db.begin() as uow:
        back = text("UPDATE ticket SET call_session_id = :call WHERE id = :ticket")
        await uow.session.execute(back, {"call": call, "ticket": made.id})
    assert await listen(inspector, made.id, call, "再听一遍") == 303
    assert (await fetch(inspector, made.id, call))[0] == 200
    clock.advance(timedelta(minutes=11).total_seconds())
    assert (await fetch(inspector, made.id, call))[0] == 403
    assert await listen(inspector, made.id, call, "还想听") == 403
    assert "已到期" in (await inspector.get("/monitor/recordings")).text
    for action in ("recording.ask", "recording.grant"):
        assert len(await listened(console, action)) == 1


async def test_a_refusal_says_why_and_opens_nothing(console: Console) -> None:
    made = await console.ticket("water")
    call = await call_of(console, made.id)
    recorded(console)
    await asked(console, made.id, call)
    approver = await console.signed_in("supervision_officer")
    path = f"/monitor/recordings/{await the_request(console)}/decide"
    assert (await approver.post(path, {"decision": "refused", "note": ""})).status == 422
    assert (await approver.post(path, {"decision": "refused", "note": "与事项无关"})).status == 303
    inspector = await console.signed_in("inspector")
    assert "与事项无关" in (await inspector.get("/monitor/recordings")).text
    assert await listen(inspector, made.id, call) == 403
    assert "申请听录音" in (await inspector.get(f"/tickets/{made.id}")).text


async def test_one_asks_only_for_a_call_one_sees(console: Console) -> None:
    made, other = await console.ticket("water"), await console.ticket("road")
    foreign = await call_of(console, other.id)
    inspector = await console.signed_in("inspector")
    wrong = await inspector.post(f"/tickets/{made.id}/calls/{foreign}/apply", {"reason": "核查"})
    assert wrong.status == 404
    silent = await inspector.post(f"/calls/{foreign}/apply", {"reason": " "})
    assert silent.status == 422


async def test_scores_of_a_month_stand_on_a_page_with_cards_by_unit(
    console: Console, clock: ManualClock
) -> None:
    await console.ticket("water")
    async with console.ctx.db.begin() as uow:
        told = text(
            "INSERT INTO monitor_event (at, kind, unit_id, level, detail) "
            "VALUES (:at, 'card_issued', :unit, 'red', '{}')"
        )
        await uow.session.execute(told, {"at": uow.now, "unit": console.units["water"]})
    clock.advance(timedelta(days=10).total_seconds())
    inspector = await console.signed_in("inspector")
    page = await inspector.get("/monitor/scores")
    assert page.status == 200
    assert "2026 年 11 月监察评分" in page.text
    assert "计分规则" in page.text
    assert "市水利局" in page.text
    assert (await inspector.get("/monitor/scores?month=2026-10")).status == 200
    assert "本月没有亮牌和督办" in (await inspector.get("/monitor/scores?month=2026-10")).text
    assert (await inspector.get("/monitor/scores?month=2026-13")).status == 400
