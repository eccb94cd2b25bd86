"""The citizen's page and the agent's side of a conversation: who gets in, what is refused, what is kept."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from core.people.permissions import Permission, Role, permissions_of
from tests.web.agent_rig import HX, Floor, ctx, floor, plain
from tests.web.conftest import Answer, Browser, Console
from tests.web.test_knowledge_pages import QUESTION, article

__all__ = ["ctx", "floor"]


async def _begin(console: Console, phone: str = "") -> Browser:
    citizen = console.browser()
    answer = await citizen.post("/text", {"agree": "1", "phone": phone})
    assert answer.status == 303, answer.text
    assert answer.headers["Location"] == "/text/talk"
    return citizen


async def _say(citizen: Browser, text: str, key: str = "k1") -> Answer:
    return await citizen.post("/text/say", {"text": text, "key": key})


async def _scalar(console: Console, query: str) -> int:
    async with console.ctx.db.read() as session:
        return int((await session.execute(sa.text(query))).scalar_one())


async def test_a_citizen_without_an_account_agrees_writes_and_leaves(console: Console) -> None:
    citizen = console.browser()
    start = await citizen.get("/text")
    assert (start.status, "隐私说明" in start.text) == (200, True)
    assert "hl-frame" not in start.text
    refused = await citizen.post("/text", {"phone": "13800000001"})
    assert (refused.status, "请先同意隐私说明" in refused.text) == (422, True)
    assert 'value="13800000001"' in refused.text  # nothing typed is lost
    assert await _scalar(console, "SELECT count(*) FROM chat_session") == 0
    citizen = await _begin(console, "13800000001")
    assert (await _say(citizen, "我听不见，家里停水了")).status == 303
    page = (await citizen.get("/text/talk")).text
    assert "我听不见，家里停水了" in page
    assert "正在为您转接话务员" in page
    assert (await citizen.get("/text")).headers["Location"] == "/text/talk"
    over = await citizen.post("/text/leave")
    assert "对话已结束" in over.text
    assert (await citizen.get("/text/talk")).headers["Location"] == "/text"
    assert (await _say(citizen, "还在吗")).status == 404


async def test_the_token_lies_in_a_cookie_no_script_reads_and_no_address_shows(console: Console) -> None:
    citizen = console.browser()
    answer = await citizen.post("/text", {"agree": "1"})
    (cookie,) = [one for one in answer.set_cookies if one.startswith("hl_text=")]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    token = cookie.split(";")[0].partition("=")[2]
    assert len(token) >= 43
    assert token not in (await citizen.get("/text/talk")).text


@pytest.mark.parametrize("forged", ["x", "a" * 43, "a" * 5000, "'; DROP TABLE chat_session; --", "%00"])
async def test_a_forged_token_is_nobodys(console: Console, forged: str) -> None:
    await _begin(console)
    stranger = console.browser()
    cookie = {"Cookie": f"hl_text={forged}"}
    assert (await stranger.get("/text/talk", headers=cookie)).headers.get("Location") == "/text"
    assert (await stranger.get("/text/lines", headers=cookie)).status == 404
    answer = await stranger.post("/text/say", {"text": "我是谁", "key": "k"}, headers=cookie)
    assert answer.status == 404
    assert await _scalar(console, "SELECT count(*) FROM chat_message") == 0


BAD: dict[str, tuple[str, int, str]] = {
    "nothing": ("   ", 422, "请填写内容"),
    "control characters": ("\x07\x1b\u200b", 422, "请填写内容"),
    "too long": ("好" * 501, 422, "内容过长"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_message_that_is_refused_stays_in_its_field(console: Console, name: str) -> None:
    text, status, sentence = BAD[name]
    citizen = await _begin(console)
    answer = await _say(citizen, text)
    assert (answer.status, sentence in answer.text) == (status, True)
    if name == "too long":
        assert text in answer.text
    assert await _scalar(console, "SELECT count(*) FROM chat_message") == 0


async def test_a_megabyte_is_turned_away_before_it_is_read(console: Console) -> None:
    citizen = await _begin(console)
    answer = await _say(citizen, "a" * 1_000_000)
    assert answer.status == 413


async def test_markup_is_shown_as_it_was_written(console: Console) -> None:
    citizen = await _begin(console)
    await _say(citizen, '<script>alert(1)</script><img src=x onerror="alert(1)">')
    for path in ("/text/talk", "/text/lines"):
        page = (await citizen.get(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("phone", ["12345", "1001", "abc", "+1 202 555 0100"])
async def test_a_number_that_is_none_is_told(console: Console, phone: str) -> None:
    answer = await console.browser().post("/text", {"agree": "1", "phone": phone})
    assert (answer.status, "电话号码不正确" in answer.text) == (422, True)


async def test_one_source_opens_so_many_and_writes_so_fast(console: Console) -> None:
    limits = console.ctx.settings.text
    for _ in range(limits.opens_per_hour):
        citizen = await _begin(console)
    refused = await console.browser().post("/text", {"agree": "1"})
    assert (refused.status, "操作过于频繁" in refused.text) == (429, True)
    for number in range(limits.messages_per_minute):
        assert (await _say(citizen, f"第{number}条", f"k{number}")).status == 303
    flooded = await _say(citizen, "再来一条", "more")
    assert (flooded.status, "再来一条" in flooded.text) == (429, True)
    assert await _scalar(console, "SELECT max(messages) FROM chat_session") == limits.messages_per_minute


async def test_a_write_from_another_site_is_refused(console: Console) -> None:
    citizen = await _begin(console)
    for path in ("/text/say", "/text/leave", "/text"):
        answer = await citizen.post(path, {"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status == 403, path


@pytest.mark.parametrize("role", list(Role))
async def test_only_who_takes_or_oversees_conversations_sees_them(console: Console, role: Role) -> None:
    await _begin(console)
    browser = await console.signed_in(role.value)
    held = permissions_of(frozenset({role}))
    takes = Permission.TEXT_TAKE in held
    reads = takes or Permission.CALL_READ_ALL in held
    assert (await browser.get("/chats")).status == (200 if reads else 403)
    assert (await browser.get("/chats/seat")).status == (200 if takes else 403)
    assert (await browser.post("/chats/1/take")).status == (303 if takes else 403)


async def test_the_conversation_lands_on_the_seat_with_a_draft_and_goes_both_ways(floor: Floor) -> None:
    citizen = await _begin(floor.console, "13800000001")
    await _say(citizen, "我听不见，家里停水了")
    agent = await floor.console.signed_in("a1001")
    assert "138****0001" in (await agent.get("/chats")).text
    taken = await agent.post("/chats/1/take")
    assert re.fullmatch(r"/agent\?draft=\d+", taken.headers["Location"])
    seat = (await agent.get(taken.headers["Location"])).text
    assert "我听不见，家里停水了" in seat
    assert "data-hl-chat" in seat
    assert 'data-hotkey="F2"' in await agent.piece("tabs")
    answer = await agent.post("/chats/1/say", {"text": "请问在哪个小区？", "key": "a"}, headers=HX)
    assert answer.status == 204
    lines = (await citizen.get("/text/lines?after=1")).text
    assert "请问在哪个小区？" in lines
    assert "家里停水" not in lines
    assert "话务员正在与您对话" in lines
    assert await floor.scalar("SELECT count(*) FROM event_log WHERE topic = 'chat' AND kind = 'said'") == 2


async def test_a_refused_answer_says_why_and_a_colleague_cannot_write(floor: Floor) -> None:
    await _begin(floor.console)
    agent, other = await floor.console.signed_in("a1001"), await floor.console.signed_in("a1002")
    await agent.post("/chats/1/take")
    refused = await agent.post("/chats/1/say", {"text": "好" * 501, "key": "a"}, headers=HX)
    assert (refused.status, "内容过长" in refused.text) == (422, True)
    for path in ("say", "end"):
        answer = await other.post(f"/chats/1/{path}", {"text": "我来"} if path == "say" else {}, headers=HX)
        assert answer.status == 409, path
    assert (await other.post("/chats/1/take")).status == 409
    assert (await other.get("/chats/1/lines")).status in (404, 409)


async def test_what_was_said_is_read_by_others_for_a_reason_that_is_audited(floor: Floor) -> None:
    citizen = await _begin(floor.console)
    await _say(citizen, "我听不见，家里停水了")
    agent = await floor.console.signed_in("a1001")
    await agent.post("/chats/1/take")
    await agent.post("/chats/1/end")
    assert "家里停水" in (await agent.get("/chats/1")).text
    other = await floor.console.signed_in("a1002")
    assert (await other.get("/chats/1")).status == 404
    leader = await floor.console.signed_in("shift_leader")
    assert "家里停水" not in (await leader.get("/chats/1")).text
    assert (await leader.post("/chats/1/read", {"reason": " "})).status == 422
    shown = await leader.post("/chats/1/read", {"reason": "质检"})
    assert "家里停水" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert await floor.scalar("SELECT reason FROM audit_log WHERE action = 'chat.read'") == "质检"
    assert "家里停水" not in (await leader.get("/chats/1")).text


async def test_the_shift_leader_sees_the_day_apart_from_calls(floor: Floor) -> None:
    await _begin(floor.console)
    leader = await floor.console.signed_in("shift_leader")
    assert "发起 1 接待 0" in plain((await leader.get("/chats")).text)


async def _registered(floor: Floor, **form: str) -> tuple[int, int]:
    """A conversation that a1001 took and registered; returns the ids of its draft and its ticket."""
    citizen = await _begin(floor.console, "13800000001")
    await _say(citizen, "我听不见，家里停水了")
    agent = await floor.console.signed_in("a1001")
    await agent.post("/chats/1/take")
    draft = int(await floor.scalar("SELECT id FROM ticket_draft WHERE chat_session_id = 1"))
    typed = {**floor.form(**form), "version": "1"}
    made = await agent.post(f"/drafts/{draft}/ticket", typed, headers=HX)
    assert made.status in (200, 204, 303), made.text
    return draft, int(await floor.scalar("SELECT ticket_id FROM ticket_draft WHERE id = :i", i=draft))


async def test_a_ticket_links_to_its_conversation_and_the_conversation_to_its_ticket(floor: Floor) -> None:
    _, ticket = await _registered(floor)
    agent = await floor.console.signed_in("a1001")
    assert 'href="/chats/1"' in (await agent.get(f"/tickets/{ticket}")).text
    page = (await agent.get("/chats/1")).text
    assert f'href="/tickets/{ticket}"' in page
    assert "登记成工单" in page
    # A colleague of the hotline sees the ticket, not the list: he reads it by the ticket, for a reason.
    other = await floor.console.signed_in("a1002")
    place = f"/tickets/{ticket}/chats/1"
    assert f'href="{place}"' in (await other.get(f"/tickets/{ticket}")).text
    assert "家里停水" not in (await other.get(place)).text
    assert (await other.post(place + "/read", {"reason": ""})).status == 422
    shown = await other.post(place + "/read", {"reason": "核对诉求"})
    assert (shown.status, "家里停水" in shown.text) == (200, True)
    assert await floor.scalar("SELECT reason FROM audit_log WHERE action = 'chat.read'") == "核对诉求"


@pytest.mark.parametrize(("confidentiality", "reads"), [("public", True), ("secret", False)])
async def test_a_unit_reads_the_conversation_of_its_ticket_unless_the_reporter_is_sealed(
    floor: Floor, confidentiality: str, reads: bool
) -> None:
    _, ticket = await _registered(floor, confidentiality=confidentiality)
    ctx = floor.console.ctx
    unit = await floor.console.signed_in("dept_officer")
    assert (await unit.get(f"/tickets/{ticket}/chats/1")).status == 404  # not its ticket yet
    async with ctx.db.begin() as uow:
        boss = await ctx.people.actor_for_user(uow.session, floor.console.users["dispatcher"])
        assert boss is not None
        version = (
            await uow.session.execute(sa.text("SELECT version FROM ticket WHERE id = :i"), {"i": ticket})
        ).scalar_one()
        await ctx.tickets.dispatch(uow, boss, ticket, version, floor.console.units["water"])
    page = (await unit.get(f"/tickets/{ticket}")).text
    place = f"/tickets/{ticket}/chats/1"
    assert (f'href="{place}"' in page) == reads
    assert (await unit.get(place)).status == (200 if reads else 404)
    shown = await unit.post(place + "/read", {"reason": "核对诉求"})
    assert ("家里停水" in shown.text) == reads
    stranger = await floor.console.signed_in("road_officer")
    assert (await stranger.post(place + "/read", {"reason": "核对诉求"})).status == 404


async def test_words_that_are_gone_are_told_as_gone(floor: Floor) -> None:
    await _registered(floor)
    ctx = floor.console.ctx
    async with ctx.db.begin() as uow:
        await ctx.chats.end_for_draft(uow, 1, "已登记")
        assert await ctx.chats.forget_words(uow, [1]) == 1
    agent = await floor.console.signed_in("a1001")
    page = (await agent.get("/chats/1")).text
    assert "不能恢复" in page
    assert "家里停水" not in page


async def test_knowledge_is_suggested_by_what_the_citizen_wrote(console: Console) -> None:
    await article(console)
    agent = await console.signed_in("agent")
    said = await agent.post("/knowledge/suggest", {"said": "你好\n我的居住证快到期了"}, headers=HX)
    assert QUESTION in plain(said.text)
    other = await agent.post("/knowledge/suggest", {"said": "我家门口的路灯不亮"}, headers=HX)
    assert QUESTION not in plain(other.text)
