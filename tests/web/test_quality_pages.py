"""Quality in the console: draw, listen, score, appeal, decide, compare; bad input and who may not."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.people.permissions import Role
from core.settings import Settings
from core.tables import table_of
from telephony.models import CallLeg, CallSession
from tests.web.conftest import PASSWORD, SYSTEM, Answer, Browser, Console

WEEK = "2026-11-16"
AT = datetime.fromisoformat("2026-11-17T02:00:00+00:00")


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    """Recordings of the simulator's folder are this node's."""
    folder = Path(settings.paths.var) / "recordings"
    folder.mkdir(parents=True)
    (folder / "demo.wav").write_bytes(b"RIFF" + b"\0" * 400)
    return settings


async def drawn(console: Console, calls: int = 1, *, user: str = "agent") -> tuple[Browser, str]:
    """A leader's browser, and the address of the first case of a drawn week."""
    async with console.ctx.db.begin() as uow:
        for n in range(calls):
            at = AT + timedelta(hours=n)
            call = {
                "pbx": "simulator", "session_key": f"k{n}", "direction": "inbound", "caller_kind": "mobile",
                "state": "ended", "outcome": "answered", "queues": [], "transfers": [], "linkedids": [],
                "recording": "demo.wav", "started_at": at, "answered_at": at, "version": 1,
                "ended_at": at + timedelta(minutes=2),
            }  # fmt: skip
            made = sa.insert(table_of(CallSession)).values(**call).returning(table_of(CallSession).c.id)
            leg = {
                "session_id": (await uow.session.execute(made)).scalar_one(), "leg_key": "1",
                "extension": "1",
                "user_id": console.users[user], "state": "ended", "ring_seconds": 3, "talk_seconds": 120,
                "hold_seconds": 0,
            }  # fmt: skip
            await uow.session.execute(sa.insert(table_of(CallLeg)).values(**leg))
    leader = await console.signed_in("shift_leader")
    answer = await leader.post("/quality/draws", {"week": WEEK, "seed": "7"})
    assert answer.status == 303, answer.text[-400:]
    found = re.search(r"/quality/cases/\d+", (await leader.get(f"/quality?week={WEEK}")).text)
    assert found is not None
    return leader, found[0]


async def sheet(browser: Browser, address: str, **more: Any) -> dict[str, Any]:
    """The form of a score with full marks."""
    page = (await browser.get(address)).text
    codes = re.findall(r'name="code" value="(\w+)"', page)
    points = re.findall(r'data-points="(\d+)"', page)
    hidden = dict(re.findall(r'name="(version|sheet_id)" value="(\d+)"', page))
    return {**hidden, "code": codes[: len(points)], "mark": points, "comment": "规范", **more}


async def scored(browser: Browser, address: str, **more: Any) -> Answer:
    return await browser.post(address + "/score", await sheet(browser, address, **more))


async def test_a_reviewer_listens_audited_and_scores_and_the_agent_reads_it(console: Console) -> None:
    _, address = await drawn(console)
    reviewer, agent = await console.signed_in("quality_reviewer"), await console.signed_in("agent")
    assert (await reviewer.get(address + "/recording")).status == 403  # not asked for yet
    assert (await reviewer.post(address + "/listen")).status == 303
    sound = await reviewer.get(address + "/recording", headers={"Range": "bytes=0-3"})
    assert (sound.status, sound.text) == (206, "RIFF")
    async with console.ctx.db.read() as session:
        rows = await session.execute(
            sa.text("SELECT actor_login, reason FROM audit_log WHERE action = 'recording.listen'")
        )
        assert [tuple(row) for row in rows] == [("quality_reviewer", "质量检查")]
    marks = (await sheet(reviewer, address))["mark"]
    answer = await scored(reviewer, address, mark=["5", *marks[1:]], comment="开头语不规范")
    assert answer.status == 303, answer.text[-300:]
    own = (await agent.get("/me/quality")).text
    assert "95.0" in own
    case = re.search(r"/me/quality/\d+", own)
    assert case is not None
    page = (await agent.get(case[0])).text
    assert "开头语不规范" in page
    assert "张quality_reviewer" not in page


async def test_the_pages_of_a_reviewer_show_no_number(console: Console) -> None:
    _, address = await drawn(console)
    made = await console.ticket()
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE quality_case SET ticket_id = :id"), {"id": made.id})
        await uow.session.execute(
            sa.text("UPDATE call_session SET caller_ref = (SELECT phone_ref FROM ticket WHERE id = :id)"),
            {"id": made.id},
        )
    reviewer = await console.signed_in("quality_reviewer")
    page = (await reviewer.get(address)).text
    assert "138****1234" in page
    assert "路灯不亮" in page
    assert "13800001234" not in page
    assert "王小明" not in page
    assert (await reviewer.get(f"/tickets/{made.id}")).status == 403


@pytest.mark.parametrize(
    "change", [{"mark": ["", *["1"] * 6]}, {"mark": ["x", *["1"] * 6]}, {"fatal": ["rude"], "comment": ""}]
)
async def test_what_is_missing_is_said_and_the_rest_stays(console: Console, change: dict[str, Any]) -> None:
    _, address = await drawn(console)
    reviewer = await console.signed_in("quality_reviewer")
    answer = await scored(reviewer, address, **{"comment": "写了一半", **change})
    assert answer.status == 422
    assert ("写了一半" in answer.text) or change.get("comment") == ""
    assert "评分" in answer.text


async def test_a_double_click_scores_once(console: Console) -> None:
    _, address = await drawn(console)
    reviewer = await console.signed_in("quality_reviewer")
    form = await sheet(reviewer, address)
    assert (await reviewer.post(address + "/score", form)).status == 303
    assert (await reviewer.post(address + "/score", form)).status == 409


async def test_an_appeal_goes_to_another_reviewer(console: Console) -> None:
    leader, address = await drawn(console)
    reviewer, agent = await console.signed_in("quality_reviewer"), await console.signed_in("agent")
    await scored(reviewer, address, mark=["0"] * 7)
    own = address.replace("/quality/cases", "/me/quality")
    short = await agent.post(own + "/appeal", {"reason": "不服"})
    assert short.status == 422
    assert "不服" in short.text
    assert (await agent.post(own + "/appeal", {"reason": "录音中已按规定问候"})).status == 303
    form = {
        **await sheet(leader, address),
        "outcome": "upheld",
        "answer": "已复听，维持",
        "code": [],
        "mark": [],
    }
    assert (await reviewer.post(address + "/decide", form)).status == 403
    assert (await leader.post(address + "/decide", form)).status == 303
    assert "已复听，维持" in (await agent.get(own)).text
    assert (await agent.post(own + "/appeal", {"reason": "再次申诉一下"})).status == 409


async def test_an_agent_reaches_only_his_own(console: Console) -> None:
    _, address = await drawn(console, user="callback_officer")
    await scored(await console.signed_in("quality_reviewer"), address)
    agent = await console.signed_in("agent")
    own = address.replace("/quality/cases", "/me/quality")
    assert (await agent.get(own)).status == 404
    assert (await agent.post(own + "/appeal", {"reason": "不是我的通话"})).status == 404
    assert (await agent.get(address)).status == 403


async def test_several_score_blind_and_then_compare(console: Console) -> None:
    leader, address = await drawn(console)
    async with console.ctx.db.begin() as uow:
        second = await console.ctx.people.create_user(
            uow, SYSTEM, login="quality2", name="李四", password=PASSWORD, unit_id=console.units["hotline"],
            roles=frozenset({Role.QUALITY_REVIEWER}),
        )  # fmt: skip
    members = [str(console.users["quality_reviewer"]), str(second)]
    one = await leader.post(address + "/calibrate", {"member": members[:1]})
    assert one.status == 422
    made = await leader.post(address + "/calibrate", {"member": members})
    room = made.headers["Location"].split("?")[0]
    marks = {"quality_reviewer": "10", "quality2": "4"}
    for login, first in marks.items():
        browser = await console.signed_in(login)
        form = await sheet(browser, room)
        form["mark"][0] = first
        assert (await browser.post(room + "/score", form)).status == 303
        assert "一致率" not in (await browser.get(room)).text
    assert (await leader.post(room + "/close", {"note": "从严"})).status == 303
    page = (await leader.get(room)).text
    assert "一致率" in page
    assert "90.0%" in page


async def test_sheet_and_plan_are_changed_by_version(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    page = (await leader.get("/quality/rules")).text
    names = ("code", "group", "name", "points", "hint")
    lines = {name: re.findall(rf'name="{name}"[^>]*value="([^"]*)"', page) for name in names}
    lines["name"][-3], lines["points"][-3] = "外语应答", "20"
    seen = re.findall(r'name="seen" value="(\d+)"', page)
    assert (await leader.post("/quality/rules/sheet", {"seen": seen[0], **lines})).status == 303
    assert "外语应答" in (await leader.get("/quality/rules")).text
    assert (await leader.post("/quality/rules/sheet", {"seen": seen[0], **lines})).status == 409
    bad = {**lines, "points": ["x"] * len(lines["points"])}
    answer = await leader.post("/quality/rules/sheet", {"seen": str(int(seen[0]) + 1), **bad})
    assert answer.status == 422
    assert "第 1 行" in answer.text
    plan = {"seen": seen[1], "low": "0", "complaint": "0", "long": "0", "random": "0", "new": "0"}
    assert (await leader.post("/quality/rules/plan", plan)).status == 422
    assert (await leader.post("/quality/rules/plan", {**plan, "random": "3"})).status == 303


@pytest.mark.parametrize("by", ["agent", "item"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_figures_are_a_page_and_files(console: Console, by: str, kind: str) -> None:
    leader, address = await drawn(console)
    await scored(await console.signed_in("quality_reviewer"), address)
    page = (await leader.get("/quality/figures")).text
    assert "100.0" in page
    assert "平均分 = 已评分通话的得分之和" in page
    file = await leader.get(f"/quality/figures?by={by}&file={kind}")
    assert file.status == 200
    assert "attachment" in file.headers["Content-Disposition"]
    assert (await leader.get("/quality/figures?first=2026-11-30&last=2026-01-05")).status == 422


async def test_a_week_is_drawn_once_and_only_when_it_is_over(console: Console) -> None:
    leader, _ = await drawn(console)
    assert (await leader.post("/quality/draws", {"week": WEEK})).status == 409
    assert (await leader.post("/quality/draws", {"week": "2026-11-23"})).status == 422
    assert (await leader.post("/quality/draws", {"week": WEEK, "seed": "-1"})).status == 400
