"""The live floor, help calls, broadcasts and languages as pages and fragments."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.catalog import notices
from core.clock import ManualClock
from core.people.permissions import Role
from telephony.events import AgentMoved
from tests.telephony.floor_rig import Hand
from tests.web.conftest import PASSWORD, SYSTEM, Browser, Console
from web.floor_board import FLOOR, SETTLE_SECONDS, Board

HX = {"HX-Request": "true"}


class Stage:
    """A console with two agents at telephones and a leader who has one too."""

    def __init__(self, console: Console) -> None:
        self.console, self.ctx = console, console.ctx
        self.hand = Hand(console.ctx.db, console.ctx.vault)
        self.users: dict[str, int] = {}

    @property
    def clock(self) -> ManualClock:
        assert isinstance(self.ctx.clock, ManualClock)
        return self.ctx.clock

    async def hire(self, login: str, name: str, extension: str, role: Role = Role.AGENT) -> None:
        async with self.ctx.db.begin() as uow:
            self.users[login] = await self.ctx.people.create_user(
                uow, SYSTEM, login=login, name=name, password=PASSWORD, extension=extension,
                unit_id=self.console.units["hotline"], roles=frozenset({role}),
            )  # fmt: skip

    async def stands(self, login: str, state: str, seconds: float = 0, **more: Any) -> None:
        """The agent is in this state since so many seconds."""
        user = self.users[login]
        at = self.clock.now() - timedelta(seconds=seconds)
        if user not in self.hand.sessions:
            async with self.ctx.db.read() as session:
                query = sa.text("SELECT extension FROM user_account WHERE id = :id")
                extension = str((await session.execute(query, {"id": user})).scalar_one())
            await self.hand.sign_in(user, extension, at - timedelta(hours=1))
        await self.hand.state(user, state, at, **more)

    async def scalar(self, statement: str, **values: Any) -> Any:
        async with self.ctx.db.read() as session:
            return (await session.execute(sa.text(statement), values)).scalar_one_or_none()


@pytest.fixture
async def stage(console: Console) -> Stage:
    made = Stage(console)
    await made.hire("a1001", "韦晓兰", "1001")
    await made.hire("a1002", "莫志强", "1002")
    await made.hire("boss", "覃班长", "1050", Role.SHIFT_LEADER)
    return made


async def changes(browser: Browser, mark: str) -> Any:
    return json.loads((await browser.get(f"/floor/changes?mark={mark}", headers=HX)).text)


def moved(stage: Stage) -> None:
    """Tell the node what the event log would tell it."""
    stage.console.server.app[FLOOR].changes += 1


async def test_the_floor_shows_agents_callers_calls_and_what_stands_out(stage: Stage) -> None:
    await stage.stands("a1001", "wrap_up", 300)
    await stage.stands("a1002", "talking", 20)
    call = await stage.hand.call("13812341234", stage.clock.now())
    await stage.hand.leg(call, stage.users["a1002"], stage.clock.now())
    await stage.hand.call("13900005678", stage.clock.now() - timedelta(seconds=70))
    leader = await stage.console.signed_in("boss")
    page = await leader.get("/floor")
    assert page.status == 200
    for shown in ("韦晓兰", "话后整理过长", "139****5678", "138****1234", "接通 ÷（接通"):
        assert shown in page.text
    assert "13900005678" not in page.text


async def test_an_agent_may_not_see_the_floor_and_finds_no_way_to_it(stage: Stage) -> None:
    agent = await stage.console.signed_in("a1001")
    for path in ("/floor", "/floor/changes", f"/floor/agents/{stage.users['a1002']}", "/floor/help"):
        assert (await agent.get(path)).status == 403
    assert 'href="/floor"' not in (await agent.get("/agent")).text


async def test_only_what_changed_is_sent_and_a_foreign_mark_gets_everything(stage: Stage) -> None:
    await stage.stands("a1001", "ready")
    await stage.stands("a1002", "ready")
    leader = await stage.console.signed_in("boss")
    first = await changes(leader, "")
    assert {f"a{stage.users[login]}" for login in ("a1001", "a1002")} <= set(first["pieces"])
    assert (await changes(leader, first["mark"]))["pieces"] == {}
    await stage.stands("a1001", "not_ready", reason="break")
    moved(stage)
    second = await changes(leader, first["mark"])
    rows = {key for key in second["pieces"] if key.startswith("a")}
    assert rows == {f"a{stage.users['a1001']}"}
    assert "小休" in second["pieces"][f"a{stage.users['a1001']}"]
    assert "agents" not in second["lists"]
    assert set((await changes(leader, "other.7"))["pieces"]) == set(first["pieces"])


async def test_many_leaders_cost_one_reading(stage: Stage) -> None:
    await stage.stands("a1001", "ready")
    boards = stage.console.server.app[FLOOR]
    leader, colleague = await stage.console.signed_in("boss"), await stage.console.signed_in("shift_leader")
    first = await changes(leader, "")
    before = boards.readings
    moved(stage)
    for _ in range(5):
        await changes(leader, first["mark"])
        await changes(colleague, first["mark"])
    assert boards.readings - before <= 2  # one for the change, one at most for what grew old meanwhile
    assert SETTLE_SECONDS < 0.5


async def test_the_log_says_that_the_floor_changed(stage: Stage) -> None:
    boards = stage.console.server.app[FLOOR]
    async with stage.ctx.db.begin() as uow:
        await uow.emit(AgentMoved(1, "1001", "ready", None, 1, "pbx1"))
    rows = await stage.scalar("SELECT count(*) FROM event_log WHERE topic = 'agent'")
    assert rows == 1
    before = boards.changes
    async with stage.ctx.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE event_log SET seq = id"))
    await boards.heard(await stage.ctx.tail.read(0, 10))
    assert boards.changes == before + 1


def test_a_board_forgets_what_is_gone_and_counts_only_real_changes() -> None:
    board = Board()
    board.begin()
    board.put("a1", 1, lambda: "<p>1</p>")
    board.put("a2", 1, lambda: "<p>2</p>")
    board.order("agents", ["a1", "a2"])
    board.end()
    mark = board.mark
    board.begin()
    board.put("a1", 1, lambda: pytest.fail("rendered without need"))
    board.order("agents", ["a1"])
    board.end()
    told = json.loads("{" + board.since(mark) + "}")
    assert told["pieces"] == {}
    assert told["lists"] == {"agents": ["a1"]}
    mark = board.mark
    board.begin()
    board.put("a1", 1, lambda: pytest.fail("rendered without need"))
    board.order("agents", ["a1"])
    board.end()
    assert board.mark == mark


async def test_the_panel_has_the_buttons_of_what_can_be_done_now(stage: Stage) -> None:
    call = await stage.hand.call("13812341234", stage.clock.now())
    await stage.stands("a1001", "talking", 5, call_session_id=call, queue="hotline")
    await stage.stands("a1002", "ready")
    leader = await stage.console.signed_in("boss")
    talking = (await leader.get(f"/floor/agents/{stage.users['a1001']}", headers=HX)).text
    for act in ("listen", "whisper", "barge", "take-over", "end"):
        assert f'action="/floor/calls/{call}/{act}"' in talking
    idle = (await leader.get(f"/floor/agents/{stage.users['a1002']}", headers=HX)).text
    assert "/listen" not in idle
    for act in ("ready", "not-ready", "sign-out", "queues"):
        assert f'action="/floor/agents/{stage.users["a1002"]}/{act}"' in idle
    gone = (await leader.get(f"/floor/agents/{stage.users['boss']}", headers=HX)).text
    assert "已签出" in gone
    inspector = await stage.console.signed_in("inspector")
    assert "<form" not in (await inspector.get(f"/floor/agents/{stage.users['a1001']}", headers=HX)).text


# ---- help calls ---------------------------------------------------------------------------------


async def test_a_help_call_stands_above_every_page_of_the_leader_until_it_is_answered(stage: Stage) -> None:
    agent, leader = await stage.console.signed_in("a1001"), await stage.console.signed_in("boss")
    assert "data-help-waits=" not in (await leader.get("/tickets")).text
    sent = await agent.post("/seat/help", {}, headers=HX)
    assert "已请求协助" in sent.text
    assert "韦晓兰" in (await leader.get("/tickets")).text
    ident = await stage.scalar("SELECT id FROM help_call")
    answered = await leader.post(f"/floor/help/{ident}/answer", {"text": "马上到"}, headers=HX)
    assert "data-help-waits=" not in answered.text
    mine = (await agent.get("/seat/help", headers=HX)).text
    assert "覃班长 已应答" in mine
    assert "马上到" in mine
    other = await stage.console.signed_in("shift_leader")
    refused = await other.post(f"/floor/help/{ident}/answer", {"text": "我来"}, headers=HX)
    assert (refused.status, "同事已在处理" in refused.text) == (409, True)
    await agent.post("/seat/help/end", {}, headers=HX)
    assert (await agent.post("/seat/help/end", {}, headers=HX)).status == 200  # pressed twice
    history = (await leader.get("/floor/help")).text
    assert "已协助" in history


async def test_without_a_script_the_form_leads_on(stage: Stage) -> None:
    agent, leader = await stage.console.signed_in("a1001"), await stage.console.signed_in("boss")
    assert (await agent.post("/seat/help", {"text": "请协助"})).headers["Location"] == "/agent"
    ident = await stage.scalar("SELECT id FROM help_call")
    said = await leader.post(f"/floor/help/{ident}/answer", {"text": "收到"})
    assert said.headers["Location"] == f"/floor/help/{ident}"
    page = (await leader.get(f"/floor/help/{ident}")).text
    assert "请协助" in page
    assert "收到" in page
    assert "结束这次求助" in page
    stranger = await stage.console.signed_in("a1002")
    assert (await stranger.get(f"/floor/help/{ident}")).status == 404
    assert (await stranger.post(f"/floor/help/{ident}/say", {"text": "x"})).status == 404


async def test_what_was_typed_wrongly_is_refused_with_a_sentence(stage: Stage) -> None:
    agent = await stage.console.signed_in("a1001")
    await agent.post("/seat/help", {}, headers=HX)
    ident = await stage.scalar("SELECT id FROM help_call")
    empty = await agent.post(f"/floor/help/{ident}/say", {"text": "  "}, headers=HX)
    assert (empty.status, "1 至 300 字" in empty.text) == (422, True)


# ---- broadcasts ---------------------------------------------------------------------------------


async def test_a_broadcast_is_on_every_seat_until_it_was_read_and_the_sender_sees_who_did(
    stage: Stage,
) -> None:
    agent, leader = await stage.console.signed_in("a1001"), await stage.console.signed_in("boss")
    sent = await leader.post(
        "/floor/broadcasts", {"text": "系统 15 点维护", "urgency": "urgent", "minutes": "60"}
    )
    ident = await stage.scalar("SELECT id FROM notice")
    assert sent.headers["Location"] == f"/floor/broadcasts?one={ident}"
    strip = (await agent.get("/notices/strip", headers=HX)).text
    assert "系统 15 点维护" in strip
    assert "紧急广播" in strip
    assert "系统 15 点维护" not in (await leader.get("/notices/strip", headers=HX)).text  # he wrote it
    officer = await stage.console.signed_in("dept_officer")
    assert "系统" not in (await officer.get("/notices/strip", headers=HX)).text
    left = await agent.post(f"/notices/{ident}/read", {"strip": "true"}, headers=HX)
    assert "系统 15 点维护" not in left.text
    assert "未阅：" in (await leader.get(f"/floor/broadcasts/{ident}/readers", headers=HX)).text
    await leader.post(f"/floor/broadcasts/{ident}/withdraw", {})
    other = await stage.console.signed_in("a1002")
    assert "系统" not in (await other.get("/notices/strip", headers=HX)).text
    kinds = await stage.scalar(
        "SELECT string_agg(kind, ' ' ORDER BY id) FROM event_log WHERE topic LIKE 'notice%'"
    )
    assert kinds == "urgent read withdrawn"


@pytest.mark.parametrize("form", [{"text": ""}, {"text": "长" * 201}, {"text": "x", "minutes": "0"}])
async def test_a_broadcast_nobody_could_read_is_refused_and_kept_on_the_page(
    stage: Stage, form: dict[str, str]
) -> None:
    leader = await stage.console.signed_in("boss")
    refused = await leader.post("/floor/broadcasts", form)
    assert refused.status == 422
    assert "没有发送" in refused.text
    assert form["text"] in refused.text


async def test_the_board_counts_what_is_unread_and_each_notice_can_be_read(stage: Stage) -> None:
    leader, agent = await stage.console.signed_in("shift_leader"), await stage.console.signed_in("a1001")
    now = stage.clock.now()
    async with stage.ctx.db.begin() as uow:
        actor = await stage.ctx.people.actor_for_user(uow.session, stage.console.users["shift_leader"])
        assert actor is not None
        draft = notices.Draft("食堂调整", "十二点开饭", now, now + timedelta(days=1))
        ident = await notices.publish(uow, actor, draft)
    async with stage.ctx.db.read() as session:
        await notices._copy.get(session, now=True)
    assert "未阅 1" in (await agent.get("/notices")).text
    await agent.post(f"/notices/{ident}/read", {}, headers=HX)
    page = (await agent.get("/notices")).text
    assert "未阅" not in page
    assert "确认阅读" in page
    assert (await leader.get("/notices")).status == 200


# ---- languages ----------------------------------------------------------------------------------


async def _interpreter(stage: Stage, leader: Browser, **over: str) -> Any:
    form = {
        "name": "外事办译员", "languages": "vietnamese", "phone": "0773-2801234", "days": "1",
        "begins": "08:00", "ends": "18:00", "active": "true",
    } | over  # fmt: skip
    return await leader.post("/floor/languages/interpreters", form)


async def test_a_call_goes_to_a_seat_that_speaks_the_language_or_gets_an_interpreter(stage: Stage) -> None:
    agent, leader = await stage.console.signed_in("a1001"), await stage.console.signed_in("boss")
    call = await stage.hand.call("13812341234", stage.clock.now())
    await stage.stands("a1001", "talking", 5, call_session_id=call)
    await stage.hand.leg(call, stage.users["a1001"], stage.clock.now())
    await stage.stands("a1002", "ready", 30)
    await leader.post(f"/floor/languages/people/{stage.users['a1002']}", {"languages": "vietnamese"})
    assert (await _interpreter(stage, leader)).status == 303
    path = f"/seat/calls/{call}"
    assert "普通话" in (await agent.get(path + "/language")).text
    marked = (await agent.post(path + "/language", {"language": "vietnamese"}, headers=HX)).text
    assert "莫志强" in marked
    assert "转给此坐席" in marked
    assert "0773****34" in marked
    assert "28012" not in marked
    given = await agent.post(path + "/hand-over", {"token": "t1234567", "to": "seat:1002"}, headers=HX)
    assert "已发出转接" in given.text
    again = await agent.post(path + "/hand-over", {"token": "t1234567", "to": "seat:1002"}, headers=HX)
    assert again.status == 200  # the same click
    ident = await stage.scalar("SELECT id FROM interpreter")
    await agent.post(path + "/hand-over", {"token": "t7654321", "to": f"interpreter:{ident}"}, headers=HX)
    orders = await stage.scalar(
        "SELECT string_agg(kind || ' ' || target_kind || ' ' || target, ', ' ORDER BY id) FROM call_order"
    )
    assert orders == "transfer colleague 1002, conference outside 0773****34"
    later = await stage.hand.call("13812341234", stage.clock.now())
    await stage.hand.leg(later, stage.users["a1001"], stage.clock.now())
    assert "以前的来电标记为越南语" in (await agent.get(f"/seat/calls/{later}/language")).text
    foreign = await stage.console.signed_in("a1002")
    assert (await foreign.get(path + "/language")).status == 404
    assert (await foreign.post(path + "/language", {"language": "thai"})).status == 404


async def test_an_interpreter_out_of_hours_is_shown_without_a_button(stage: Stage) -> None:
    agent, leader = await stage.console.signed_in("a1001"), await stage.console.signed_in("boss")
    call = await stage.hand.call("13812341234", stage.clock.now())
    await stage.stands("a1001", "talking", 5, call_session_id=call)
    await stage.hand.leg(call, stage.users["a1001"], stage.clock.now())
    await _interpreter(stage, leader, days="7")
    await agent.post(f"/seat/calls/{call}/language", {"language": "vietnamese"})
    page = (await agent.get(f"/seat/calls/{call}/language")).text
    assert "现在不在服务时间" in page
    assert "邀请三方" not in page


@pytest.mark.parametrize(
    "over", [{"phone": "12"}, {"languages": "klingon"}, {"name": " "}, {"note": "长" * 201}]
)
async def test_an_interpreter_that_can_not_be_called_is_refused_with_all_that_was_typed(
    stage: Stage, over: dict[str, str]
) -> None:
    leader = await stage.console.signed_in("boss")
    refused = await _interpreter(stage, leader, **over)
    assert refused.status == 422
    assert "没有保存" in refused.text
    if "name" not in over:
        assert "外事办译员" in refused.text
    assert await stage.scalar("SELECT count(*) FROM interpreter") == 0


# ---- one's own work -------------------------------------------------------------------------------


async def test_my_work_shows_the_own_figures_and_nobody_elses_name(stage: Stage) -> None:
    for number in range(3, 7):
        await stage.hire(f"a100{number}", f"同事{number}", f"100{number}")
    now = stage.clock.now()
    for login, user in stage.users.items():
        if login == "boss":
            continue
        await stage.hand.sign_in(user, f"1{user:04}", now - timedelta(hours=1))
        for _ in range(2 if login == "a1001" else 4):
            at = now - timedelta(minutes=30)
            call = await stage.hand.call("13812341234", at, state="ended", ended_at=now, outcome="answered")
            await stage.hand.leg(call, user, at, state="ended", ended_at=now, talk_seconds=60, missed=0)
    agent = await stage.console.signed_in("a1001")
    page = (await agent.get("/me/figures")).text
    row = page[page.index("接听 =") :]
    row = row[: row.index("</tr>")]
    assert "<b>2</b>" in row
    assert '<td class="hl-right">4</td>' in row
    assert [name for name in ("同事3", "同事4", "同事5", "同事6", "莫志强") if name in page] == []
    assert page.count('href="/calls/') == 2
    for period in ("week", "month"):
        assert (await agent.get(f"/me/figures?period={period}")).status == 200
    assert (await agent.get("/me/figures?before=99999999999999999999-1")).status == 400
