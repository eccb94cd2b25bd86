"""What is done to a ticket from its page: forms, refusals that keep what was typed, many at once."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlmodel import col

from core.audit import AuditRow
from core.catalog.reasons import Reason, save
from core.clock import to_city
from core.startup import SENTENCES
from tests.web.conftest import Answer, Browser, Console
from tickets.inputs import INPUTS
from tickets.workflow import RULES, Action
from web.sentences import PROBLEMS

ROOT = Path(__file__).parents[2]


async def version(console: Console, ident: int) -> int:
    query = text("SELECT version FROM ticket WHERE id = :id")
    async with console.ctx.db.read() as session:
        return int((await session.execute(query, {"id": ident})).scalar_one())


async def state(console: Console, ident: int) -> str:
    query = text("SELECT state FROM ticket WHERE id = :id")
    async with console.ctx.db.read() as session:
        return str((await session.execute(query, {"id": ident})).scalar_one())


async def do(console: Console, browser: Browser, ident: int, action: Action, **form: Any) -> Answer:
    """Post the form of an action as seen now."""
    sent = {"version": str(await version(console, ident)), **form}
    return await browser.post(f"/tickets/{ident}/do/{action.value}", sent)


async def refusals(console: Console) -> list[tuple[str, int | None, str, str]]:
    async with console.ctx.db.read() as session:
        query = select(AuditRow).where(col(AuditRow.action) == "ticket.refused").order_by(col(AuditRow.id))
        rows = (await session.execute(query)).scalars().all()
        return [(row.actor_login, row.object_id, row.detail["act"], row.detail["code"]) for row in rows]


async def reason(console: Console, kind: str, code: str) -> str:
    async with console.ctx.db.begin() as uow:
        head = await console.ctx.people.actor_for_user(uow.session, console.users["system_admin"])
        assert head is not None
        await save(uow, head, Reason(kind, code, f"原因{code}"))
    return code


# ---- the way of a ticket --------------------------------------------------------------------


async def test_a_ticket_goes_its_whole_way_through_the_forms(console: Console) -> None:
    made = await console.ticket()
    desk = await console.signed_in("dispatcher")
    officer = await console.signed_in("dept_officer")
    sent = await do(console, desk, made.id, Action.DISPATCH, unit_id=str(console.units["water"]))
    assert (sent.status, sent.headers["Location"]) == (303, f"/tickets/{made.id}")
    assert (await do(console, officer, made.id, Action.SIGN)).status == 303
    told = {"means": "phone", "result": "reached", "note": "已说明"}
    assert (await do(console, officer, made.id, Action.CONTACT, **told)).status == 303
    reply = {"handling": "换了灯泡", "public_reply": "路灯已修复", "solved": "true"}
    assert (await do(console, officer, made.id, Action.CLOSE, **reply)).status == 303
    page = (await desk.get(f"/tickets/{made.id}")).text
    assert "路灯已修复" in page
    assert "换了灯泡" in page
    assert "已联系上" in page
    assert (await do(console, desk, made.id, Action.PASS_CHECK)).status == 303
    assert await state(console, made.id) in ("waiting_callback", "closed")


async def test_every_form_a_person_is_offered_opens_and_names_only_fields_of_its_input(
    console: Console,
) -> None:
    seen: set[str] = set()
    waiting, signing = await console.ticket(), await console.ticket("water")
    for login in ("dispatcher", "shift_leader", "supervision_officer", "dept_officer", "dept_head"):
        browser = await console.signed_in(login)
        for ident in (waiting.id, signing.id):
            page = await browser.get(f"/tickets/{ident}")
            for path in set(re.findall(rf'href="(/tickets/{ident}/do/\w+)"', page.text)):
                action = Action(path.rsplit("/", 1)[1])
                for headers in ({}, {"HX-Request": "true"}):
                    form = await browser.get(path, headers=headers)
                    assert form.status == 200, path
                    assert ("<html" in form.text) is (not headers)
                names = set(re.findall(r' name="([a-z_0-9]+)"', form.text)) - {
                    "version",
                    "back",
                    "master_number",
                }
                assert names <= set(INPUTS[action].model_fields), path
                seen.add(action.value)
    assert {"dispatch", "answer", "edit", "urge", "merge", "void", "redispatch", "add_co", "return"} <= seen


async def test_a_closing_without_a_contact_keeps_the_reply_and_says_what_is_missing(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await do(console, officer, made.id, Action.SIGN)
    answer = await do(console, officer, made.id, Action.CLOSE, public_reply="写了很久的答复", solved="true")
    assert answer.status == 422
    assert "写了很久的答复" in answer.text
    assert "还没有联系市民" in answer.text
    assert await state(console, made.id) == "handling"


async def test_an_addition_sent_twice_from_one_form_is_one_and_from_a_new_form_another(
    console: Console,
) -> None:
    made = await console.ticket("water")
    agent = await console.signed_in("agent")
    for action, told in ((Action.URGE, {"note": ""}), (Action.ADD, {"note": "另有井盖破损"})):
        for forms in (1, 2):
            sent = {"version": str(await version(console, made.id)), **told}
            for _ in range(2):
                assert (await agent.post(f"/tickets/{made.id}/do/{action.value}", sent)).status == 303
            async with console.ctx.db.read() as session:
                count = text("SELECT count(*) FROM ticket_history WHERE action = :action")
                assert (await session.execute(count, {"action": action.value})).scalar_one() == forms


async def test_the_form_of_a_correction_clears_the_unit_complained_about_only_when_asked(
    console: Console,
) -> None:
    water = console.units["water"]
    made = await console.ticket(subject_unit_id=water)
    desk = await console.signed_in("dispatcher")

    async def subject() -> int | None:
        async with console.ctx.db.read() as session:
            found: int | None = (
                await session.execute(text("SELECT subject_unit_id FROM ticket"))
            ).scalar_one()
            return found

    async with console.ctx.db.begin() as uow:  # no picker offers it any more
        await uow.session.execute(text("UPDATE unit SET active = false WHERE id = :id"), {"id": water})
    form = (await desk.get(f"/tickets/{made.id}/do/edit")).text
    assert re.search(rf'<option value="{water}"[^>]* selected', form)
    missing = await do(console, desk, made.id, Action.EDIT, subject_unit_id="")
    assert (missing.status, 'id="act-note-error"' in missing.text) == (422, True)
    assert await subject() == water
    assert (await do(console, desk, made.id, Action.EDIT, subject_unit_id="", note="误选")).status == 303
    assert await subject() is None
    timeline = re.sub(r"\s+", "", re.sub("<[^>]+>", "", (await desk.get(f"/tickets/{made.id}")).text))
    assert "（空）" in timeline[timeline.index("被反映单位") :]


async def test_the_page_and_the_form_say_when_the_next_try_counts(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await do(console, officer, made.id, Action.SIGN)
    form = (await officer.get(f"/tickets/{made.id}/do/contact")).text
    assert "须在不同时间联系 3 次，两次至少相隔 60 分钟" in form
    await do(console, officer, made.id, Action.CONTACT, means="phone", result="no_answer")
    next_at = to_city(console.ctx.clock.now() + timedelta(minutes=60)).strftime("%m-%d %H:%M")
    assert f"{next_at} 起再联系才计入下一次" in (await officer.get(f"/tickets/{made.id}/do/contact")).text
    assert f"{next_at} 起再联系才计入下一次" in (await officer.get(f"/tickets/{made.id}/do/close")).text
    page = re.sub("<[^>]+>", "", (await officer.get(f"/tickets/{made.id}")).text)
    assert f"已计 1 次，还须 2 次。{next_at} 起再联系才计入下一次" in page


async def test_a_telephone_number_in_a_public_reply_is_refused_at_its_field(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await do(console, officer, made.id, Action.SIGN)
    told = {"public_reply": "请拨 13812345678", "solved": "true", "result": "reached"}
    answer = await do(console, officer, made.id, Action.CLOSE, **told)
    assert answer.status == 422
    assert 'id="act-public_reply-error"' in answer.text


async def test_a_conflict_shows_what_was_typed_beside_what_the_other_did(console: Console) -> None:
    made = await console.ticket("water")
    mine, theirs = await console.signed_in("dept_officer"), await console.signed_in("dept_head")
    seen = await version(console, made.id)
    await do(console, theirs, made.id, Action.SIGN, note="负责人先签了")
    form = {"version": str(seen), "unit_id": str(console.units["water"]), "note": "我的话不能丢"}
    answer = await mine.post(f"/tickets/{made.id}/do/sub_dispatch", form)
    assert answer.status == 409
    assert "我的话不能丢" in answer.text
    assert "负责人先签了" in answer.text
    assert f'name="version" value="{seen + 1}"' in answer.text


async def test_an_appeal_gives_a_new_ticket_with_number_and_code(console: Console) -> None:
    made = await console.ticket()
    agent = await console.signed_in("agent")
    await do(console, agent, made.id, Action.ANSWER, public_reply="已经答复")
    answer = await do(console, agent, made.id, Action.APPEAL, note="对答复不服")
    assert answer.status == 200
    assert re.search(r"申诉工单号 <a[^>]*>\d{18}<", answer.text)
    assert re.search(r"查询码 <strong[^>]*>\d{4,}<", answer.text)


async def test_a_master_may_be_named_by_its_number(console: Console) -> None:
    first, second = await console.ticket(), await console.ticket()
    desk = await console.signed_in("dispatcher")
    wrong = await do(console, desk, second.id, Action.MERGE, master_number="9" * 18)
    assert (wrong.status, "没有找到" in wrong.text) == (422, True)
    assert (await do(console, desk, second.id, Action.MERGE, master_number=first.number)).status == 303
    assert "并入的工单" in (await desk.get(f"/tickets/{first.id}")).text
    assert "主单" in (await desk.get(f"/tickets/{second.id}")).text


async def test_the_timeline_tells_a_correction_as_before_and_after_and_a_reason_by_its_word(
    console: Console,
) -> None:
    made = await console.ticket()
    leader = await console.signed_in("shift_leader")
    await do(console, leader, made.id, Action.EDIT, title="路口三盏路灯不亮", urgency="urgent")
    page = (await leader.get(f"/tickets/{made.id}/timeline")).text
    assert "<del>路灯不亮</del> <ins>路口三盏路灯不亮</ins>" in page
    assert "<ins>紧急</ins>" in page
    code = await reason(console, "void", "twice")
    await do(console, leader, made.id, Action.VOID, reason_code=code, note="重复登记")
    page = (await leader.get(f"/tickets/{made.id}/timeline?show=states")).text
    assert "原因twice" in page
    assert "路口三盏路灯不亮" not in page


async def test_what_cannot_be_done_is_listed_with_the_reason(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await do(console, officer, made.id, Action.SIGN)
    async with console.ctx.db.begin() as uow:
        boss = await console.ctx.people.actor_for_user(uow.session, console.users["dispatcher"])
        assert boss is not None
        seen = await version(console, made.id)
        co = {"unit_ids": [console.units["road"]]}
        await console.ctx.tickets.act(uow, boss, made.id, seen, Action.ADD_CO, co)
    bar = (await officer.get(f"/tickets/{made.id}/bar")).text
    assert "协办单位未全部回复" in bar
    assert f'href="/tickets/{made.id}/do/contact"' in bar
    form = await officer.get(f"/tickets/{made.id}/do/close")
    assert "协办单位未全部回复" in form.text
    assert 'type="submit">办结' not in form.text


# ---- what is refused leaves a trace ---------------------------------------------------------


async def test_a_forged_jump_is_refused_and_noted(console: Console) -> None:
    made = await console.ticket("water")
    desk = await console.signed_in("dispatcher")
    officer = await console.signed_in("dept_officer")
    assert (await do(console, desk, made.id, Action.PASS_CHECK)).status == 409
    assert (await do(console, officer, made.id, Action.VOID, note="x", reason_code="y")).status == 403
    assert (await officer.post(f"/tickets/{made.id}/do/sign", {})).status == 400
    assert (await do(console, officer, made.id, Action.SIGN, state="closed")).status == 400
    assert await state(console, made.id) == "waiting_sign"
    assert await refusals(console) == [
        ("dispatcher", made.id, "pass_check", "action_not_allowed"),
        ("dept_officer", made.id, "void", "forbidden"),
        ("dept_officer", made.id, "sign", "version_required"),
        ("dept_officer", made.id, "sign", "unknown_field"),
    ]


async def test_nobody_acts_on_a_ticket_he_may_not_see(console: Console) -> None:
    made = await console.ticket("water")
    stranger = await console.signed_in("road_officer")
    form = {"version": "2", "note": "x", "unit_id": "1", "reason_code": "x", "public_reply": "xx"}
    for action in Action:
        known = set(INPUTS[action].model_fields) if action in INPUTS else set()
        sent = {name: value for name, value in form.items() if name in known | {"version"}}
        path = f"/tickets/{made.id}/do/{action.value}"
        assert (await stranger.get(path)).status == 404, action
        assert (await stranger.post(path, sent)).status in (404, 422), action
    assert await version(console, made.id) == 2


async def test_what_only_the_product_does_cannot_be_asked_for(console: Console) -> None:
    made = await console.ticket("water")
    leader = await console.signed_in("shift_leader")
    for action in ("close_member", "hand_over", "create", "recount", "nonsense"):
        assert (await leader.get(f"/tickets/{made.id}/do/{action}")).status == 404
        assert (await do_raw(leader, made.id, action)).status == 404
    assert not RULES[Action.HAND_OVER].who


async def do_raw(browser: Browser, ident: int, action: str) -> Answer:
    return await browser.post(f"/tickets/{ident}/do/{action}", {"version": "2"})


async def test_what_is_typed_into_a_form_of_an_action_is_not_markup_anywhere(console: Console) -> None:
    evil = "\"'></textarea><script>alert(4711)</script><img src=x onerror=a()>"
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await do(console, officer, made.id, Action.SIGN, note=evil)
    await do(console, officer, made.id, Action.CONTACT, means="phone", result="reached", note=evil)
    kept = await do(console, officer, made.id, Action.CLOSE, public_reply="", handling=evil, note=evil)
    assert kept.status == 422
    told = {"public_reply": evil, "handling": evil, "solved": "true"}
    assert (await do(console, officer, made.id, Action.CLOSE, **told)).status == 303
    desk = await console.signed_in("dispatcher")
    pages = [kept.text]
    for path in ("", "/process", "/replies", "/timeline", "/do/urge"):
        pages.append((await desk.get(f"/tickets/{made.id}{path}")).text)
    pages.append((await desk.get("/checks")).text)
    assert sum("alert(4711)" in page for page in pages) >= 6
    assert not any("<script>alert" in page or "<img src=x" in page for page in pages)


# ---- who else is there ----------------------------------------------------------------------


async def test_being_at_a_ticket_is_told_only_to_those_who_may_see_it(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    path = f"/tickets/{made.id}/presence"
    assert (await officer.post(path, {"state": "typing", "ask": "true"})).status == 204
    assert (await (await console.signed_in("road_officer")).post(path, {"state": "here"})).status == 404
    async with console.ctx.db.read() as session:
        query = text("SELECT ref, audience, data FROM event_log WHERE topic = 'presence'")
        (row,) = (await session.execute(query)).all()
    assert row.ref == made.id
    assert row.audience["units"] == [console.units["water"]]
    assert row.audience["permissions"] == ["ticket.read_hotline", "ticket.read_all"]
    assert row.data["state"] == "typing"


# ---- many at once ---------------------------------------------------------------------------


async def test_bulk_signing_reports_each_ticket_and_does_what_it_can(console: Console) -> None:
    mine = [await console.ticket("water") for _ in range(3)]
    foreign = await console.ticket("road")
    officer = await console.signed_in("dept_officer")
    marks = [f"{one.id}:2" for one in mine[:2]] + [f"{mine[2].id}:1", f"{foreign.id}:2"]
    form = [("ticket", mark) for mark in marks]
    answer = await officer.post("/tickets/bulk/sign", form, headers={"Accept": "application/json"})
    assert answer.status == 200
    assert [await state(console, one.id) for one in mine] == ["handling", "handling", "waiting_sign"]
    assert '"code": "version_conflict"' in answer.text
    assert '"code": "ticket_not_found"' in answer.text
    page = await officer.post("/tickets/bulk/sign", form)
    assert "成功 2 件，未办理 2 件" in page.text


# ---- words ----------------------------------------------------------------------------------


def test_every_error_of_the_ticket_room_has_a_sentence() -> None:
    codes: set[str] = set()
    for path in (ROOT / "tickets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("HotlineError", "refuse"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant):
                    codes.add(str(first.value))
    guards = (ROOT / "tickets" / "guards.py").read_text("utf-8")
    codes.update(re.findall(r'return "(\w+)"', guards), re.findall(r'"(\w+)" if ', guards))
    assert codes - {*PROBLEMS, *SENTENCES} == set()  # those of a command are told at the command line
