"""Ticket pages: who sees which tickets where, and what can be done from them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlmodel import col

from core.audit import AuditRow
from core.clock import ManualClock, to_city
from tests.web.conftest import Console
from tests.web.test_decisions import act
from tickets.states import Action


async def test_the_department_sees_a_dispatched_ticket_in_its_list_and_others_do_not(
    console: Console,
) -> None:
    made = await console.ticket("water")
    own = await console.signed_in("dept_officer")
    assert f"/tickets/{made.id}" in (await own.get("/unit")).text
    page = (await own.get(f"/tickets/{made.id}")).text
    assert "路灯不亮" in page
    assert "138****1234" in page
    assert "13800001234" not in page
    other = await console.signed_in("road_officer")
    assert f"/tickets/{made.id}" not in (await other.get("/unit")).text
    assert (await other.get(f"/tickets/{made.id}")).status == 404


async def test_a_district_sees_what_its_towns_handle_but_not_the_other_way_round(console: Console) -> None:
    made = await console.ticket("town")
    above = await console.ticket("east")
    district = await console.signed_in("east_officer")
    town = await console.signed_in("town_officer")
    assert f"/tickets/{made.id}" in (await district.get("/unit")).text
    assert (await town.get(f"/tickets/{above.id}")).status == 404


async def test_the_dispatcher_sends_a_waiting_ticket_from_the_desk(console: Console) -> None:
    made = await console.ticket()
    browser = await console.signed_in("dispatcher")
    desk = (await browser.get("/dispatch")).text
    assert "路灯不亮" in desk
    assert "市水利局" in desk
    form = {"version": "1", "unit_id": str(console.units["water"]), "note": "请尽快", "back": "desk"}
    answer = await browser.post(f"/tickets/{made.id}/dispatch", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/dispatch")
    page = (await browser.get(f"/tickets/{made.id}")).text
    assert "待签收" in page
    assert "市水利局" in page
    assert "请尽快" in page


async def test_a_dispatch_that_came_too_late_keeps_what_was_typed(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dispatcher")
    form = {"version": "1", "unit_id": str(console.units["road"]), "note": "我的说明不能丢"}
    answer = await browser.post(f"/tickets/{made.id}/dispatch", form)
    assert answer.status == 409
    assert "没有派发" in answer.text


async def test_a_person_is_shown_for_a_reason_that_is_audited(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    path = f"/tickets/{made.id}/reveal"
    refused = await browser.post(path, {"field": "phone", "reason": "  "})
    assert refused.status == 422
    assert "13800001234" not in refused.text
    shown = await browser.post(path, {"field": "phone", "reason": "先行联系"})
    assert shown.status == 200
    assert "13800001234" in shown.text
    async with console.ctx.db.read() as session:
        rows = list(
            (await session.execute(select(AuditRow).where(col(AuditRow.action) == "person.reveal"))).scalars()
        )
    assert [(row.actor_login, row.object_id, row.reason) for row in rows] == [
        ("dept_officer", made.id, "先行联系")
    ]


async def test_the_reporter_of_a_sealed_matter_is_hidden_from_the_unit_that_handles_it(
    console: Console,
) -> None:
    made = await console.ticket("water", type="report")
    browser = await console.signed_in("dept_officer")
    for path in (f"/tickets/{made.id}", "/unit"):
        text = (await browser.get(path)).text
        assert "138****1234" not in text
        assert "王**" not in text
    answer = await browser.post(f"/tickets/{made.id}/reveal", {"field": "phone", "reason": "想知道"})
    assert answer.status == 403
    found = await browser.post("/search", {"q": "13800001234"})
    assert str(made.id) not in re.findall(r"/tickets/(\d+)", found.text)


async def test_a_ticket_is_found_by_number_and_by_telephone(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("agent")
    by_number = await browser.post("/search", {"q": f" {made.number[:12]} {made.number[12:]} "})
    assert (by_number.status, by_number.headers["Location"]) == (303, f"/tickets/{made.id}")
    for typed in ("13800001234", "+86 138-0000-1234"):
        assert f"/tickets/{made.id}" in (await browser.post("/search", {"q": typed})).text
    assert "没有该号码的工单" in (await browser.post("/search", {"q": "13900000000"})).text
    assert "看不懂" in (await browser.post("/search", {"q": "1380000"})).text


async def test_a_number_that_may_not_be_seen_is_answered_like_one_that_does_not_exist(
    console: Console,
) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("road_officer")
    hidden = await browser.post("/search", {"q": made.number})
    absent = await browser.post("/search", {"q": "9" * 18})
    assert hidden.status == absent.status == 200
    assert (
        hidden.text.replace(made.number, "#").split("<main")[1]
        == absent.text.replace("9" * 18, "#").split("<main")[1]
    )


async def test_lists_page_by_keyset_without_losing_or_doubling_a_row(console: Console) -> None:
    made = {(await console.ticket("water")).id for _ in range(30)}
    browser = await console.signed_in("dept_officer")
    seen: list[int] = []
    path = "/unit"
    while path:
        text = (await browser.get(path)).text
        seen += [int(found) for found in re.findall(r'<tr id="ticket-(\d+)"', text)]
        following = re.search(r'href="(/unit\?cursor=[^"]+)"', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert sorted(seen) == sorted(made)


async def test_filters_narrow_a_list_and_unknown_ones_are_refused(console: Console) -> None:
    made = await console.ticket("water")
    waiting = await console.ticket()
    browser = await console.signed_in("dispatcher")
    text = (await browser.get("/tickets?state=waiting_sign&type=help&text=路灯")).text
    assert f'id="ticket-{made.id}"' in text
    assert f'id="ticket-{waiting.id}"' not in text
    for query in ("password__startswith=a", "sort=phone", "state=nonsense", "cursor=xx", "state=a&state=b"):
        assert (await browser.get(f"/tickets?{query}")).status == 400


async def test_a_list_asked_for_by_htmx_is_a_fragment(console: Console) -> None:
    await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    answer = await browser.get("/unit", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "hl-table" in answer.text


async def test_a_note_is_added_to_the_timeline(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    assert (await browser.post(f"/tickets/{made.id}/notes", {"note": "已电话联系"})).status == 303
    assert "已电话联系" in (await browser.get(f"/tickets/{made.id}")).text


async def test_a_note_sent_twice_from_one_page_is_one_note(console: Console) -> None:
    made = await console.ticket("water")
    browser = await console.signed_in("dept_officer")
    page = (await browser.get(f"/tickets/{made.id}")).text
    form = page[page.index(f'action="/tickets/{made.id}/notes"') :]
    seen = re.search(r'name="version" value="(\d+)"', form)
    assert seen is not None
    for _ in range(2):
        sent = {"note": "已电话联系", "version": seen[1]}
        assert (await browser.post(f"/tickets/{made.id}/notes", sent)).status == 303
    async with console.ctx.db.read() as session:
        count = text("SELECT count(*) FROM ticket_history WHERE action = 'note'")
        assert (await session.execute(count)).scalar_one() == 1


async def test_a_dead_letter_is_listed_and_can_be_sent_again(console: Console) -> None:
    from core.outbox import OutboxRow

    async with console.ctx.db.begin() as uow:
        row = OutboxRow(
            dedup="d1", kind="sms", payload={}, created_at=uow.now, next_at=uow.now, attempts=12,
            last_error="对方无应答", dead_at=uow.now,
        )  # fmt: skip
        uow.session.add(row)
        await uow.session.flush()
        ident = row.id
    admin = await console.signed_in("system_admin")
    assert "对方无应答" in (await admin.get("/admin/outbox")).text
    assert (await admin.post(f"/admin/outbox/{ident}/resend")).status == 303
    assert "没有未送达的消息" in (await admin.get("/admin/outbox")).text
    assert (await admin.post(f"/admin/outbox/{ident}/resend")).status == 409
    auditor = await console.signed_in("audit_admin")
    assert "重新发送消息" in (await auditor.get("/admin/audit")).text
    entry = 'title="outbox.resend"'
    for asked in ("outbox.resend", "重新发送消息"):
        query = f"action={asked}&login=system_admin&object_type=消息"
        assert entry in (await auditor.get(f"/admin/audit?{query}")).text
    assert entry not in (await auditor.get("/admin/audit?action=登录")).text


async def due_of(console: Console, ticket_id: int) -> datetime:
    async with console.ctx.db.read() as session:
        query = text("SELECT due_at FROM ticket WHERE id = :id")
        due: datetime = (await session.execute(query, {"id": ticket_id})).scalar_one()
        return due


async def test_the_page_tells_how_the_total_was_counted(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    assert "<summary>如何计算</summary>" in (await officer.get(f"/tickets/{made.id}")).text
    told = re.search(
        r"<p>(自 [^<]* 起 3 个工作日[^<]*到期。)</p>", (await officer.get(f"/tickets/{made.id}/process")).text
    )
    assert told is not None
    due = to_city(await due_of(console, made.id))
    assert f"{due.month} 月 {due.day} 日" in told[1]
    assert told[1].endswith(f"{due:%H:%M} 到期。")


async def test_a_due_time_the_limits_do_not_come_to_is_not_explained_by_them(console: Console) -> None:
    made = await console.ticket("water")
    async with console.ctx.db.begin() as uow:
        moved = text(
            "UPDATE ticket_stage SET due_at = due_at + interval '1 day' "
            "WHERE ticket_id = :id AND stage = 'total'"
        )
        await uow.session.execute(moved, {"id": made.id})
    officer = await console.signed_in("dept_officer")
    assert "如何计算" not in (await officer.get(f"/tickets/{made.id}")).text


async def test_a_ticket_nobody_dispatched_has_no_total_to_explain(console: Console) -> None:
    made = await console.ticket()
    dispatcher = await console.signed_in("dispatcher")
    assert "如何计算" not in (await dispatcher.get(f"/tickets/{made.id}")).text


async def test_a_granted_extension_is_part_of_the_explanation(console: Console) -> None:
    made = await console.ticket("water")
    steps: list[tuple[str, Action, dict[str, Any]]] = [
        ("dept_officer", Action.SIGN, {}),
        ("dept_officer", Action.APPLY_EXTENSION, {"reason_code": "works", "note": "等待配件", "days": 2}),
        ("supervision_officer", Action.APPROVE_EXTENSION, {"note": "同意"}),
    ]
    before = await due_of(console, made.id)
    for login, action, data in steps:
        async with console.ctx.db.begin() as uow:
            person = await console.ctx.people.actor_for_user(uow.session, console.users[login])
            assert person is not None
            query = text("SELECT version FROM ticket WHERE id = :id")
            version = (await uow.session.execute(query, {"id": made.id})).scalar_one()
            await console.ctx.tickets.act(uow, person, made.id, version, action, data)
    after = await due_of(console, made.id)
    assert after > before
    officer = await console.signed_in("dept_officer")
    page = (await officer.get(f"/tickets/{made.id}")).text
    assert "起 3 个工作日，11 月 23 日同意延期 2 个工作日，共 5 个工作日；" in page
    assert f"{to_city(after).day} 日（周一）18:00 到期。" in page


async def test_a_suspension_is_part_of_the_explanation(console: Console, clock: ManualClock) -> None:
    made = await console.ticket("water")
    before = await due_of(console, made.id)
    apply = {"reason_code": "planned", "note": "等待管材", "days": 9}
    await act(console, "dept_officer", made.id, Action.SIGN)
    await act(console, "dept_officer", made.id, Action.APPLY_SUSPENSION, **apply)
    await act(console, "supervision_officer", made.id, Action.APPROVE_SUSPENSION)
    clock.step(2 * 24 * 3600.0)
    await act(console, "dept_officer", made.id, Action.RESUME, note="管材已到")
    after = await due_of(console, made.id)
    assert after > before
    officer = await console.signed_in("dept_officer")
    page = (await officer.get(f"/tickets/{made.id}")).text
    assert "挂起" in page
    assert f"{to_city(after).day} 日" in page
