"""The call-back desk and the approvals inbox, as their people use them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.people import delegation
from core.people.permissions import Role
from tests.web.conftest import PASSWORD, SYSTEM, Console
from tickets.states import Action

EVIL = "<script>alert(4711)</script>"
REPLY = {"public_reply": "已现场处置，恢复正常。", "result": "reached"}


async def act(console: Console, login: str, ticket_id: int, action: Action, **data: object) -> None:
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        person = await ctx.people.actor_for_user(uow.session, console.users[login])
        assert person is not None
        version = await number(console, f"SELECT version FROM ticket WHERE id = {ticket_id}")
        await ctx.tickets.act(uow, person, ticket_id, version, action, data)


async def number(console: Console, statement: str) -> int:
    async with console.ctx.db.read() as session:
        return int(str((await session.execute(text(statement))).scalar_one()))


async def word(console: Console, statement: str) -> str:
    async with console.ctx.db.read() as session:
        return str((await session.execute(text(statement))).scalar_one())


async def waiting_for_call_back(console: Console) -> int:
    made = await console.ticket("road")
    await act(console, "road_officer", made.id, Action.SIGN)
    await act(console, "road_officer", made.id, Action.CLOSE, **REPLY)
    await act(console, "supervision_officer", made.id, Action.SUPERVISE, note="重点")
    await act(console, "dispatcher", made.id, Action.PASS_CHECK)
    return made.id


async def test_three_answers_close_a_ticket_and_the_next_one_is_shown(console: Console) -> None:
    ident = await waiting_for_call_back(console)
    officer = await console.signed_in("callback_officer")
    shown = await officer.get("/revisits")
    assert REPLY["public_reply"] in shown.text
    version = await number(console, f"SELECT version FROM ticket WHERE id = {ident}")
    form = {"version": str(version), "result": "reached", "responded": "true", "solved": "true"}
    half = await officer.post(f"/revisits/{ident}", {**form, "note": "还没问完"})
    assert half.status == 422
    assert "还没问完" in half.text
    done = await officer.post(f"/revisits/{ident}", {**form, "satisfied": "4"})
    assert done.status == 303
    assert await word(console, f"SELECT state FROM ticket WHERE id = {ident}") == "closed"
    assert "没有待回访的工单" in (await officer.get("/revisits")).text


async def test_what_is_not_solved_goes_back_in_the_same_step(console: Console) -> None:
    ident = await waiting_for_call_back(console)
    officer = await console.signed_in("callback_officer")
    version = await number(console, f"SELECT version FROM ticket WHERE id = {ident}")
    form = {"version": str(version), "result": "reached", "responded": "false", "solved": "false"}
    again = {"satisfied": "1", "redo": "true", "reason_code": "not_solved", "note": EVIL}
    assert (await officer.post(f"/revisits/{ident}", form | again)).status == 303
    assert await word(console, f"SELECT state FROM ticket WHERE id = {ident}") == "waiting_sign"
    assert await number(console, f"SELECT round FROM ticket WHERE id = {ident}") == 2


async def test_the_handling_unit_never_calls_back(console: Console) -> None:
    ident = await waiting_for_call_back(console)
    unit = await console.signed_in("road_officer")
    assert (await unit.get("/revisits")).status == 403
    form = {"version": "1", "result": "reached", "responded": "true", "solved": "true", "satisfied": "5"}
    assert (await unit.post(f"/revisits/{ident}", form)).status == 403


async def test_supervision_finds_an_application_and_grants_it(console: Console) -> None:
    made = await console.ticket("road")
    await act(console, "road_officer", made.id, Action.SIGN)
    asked = {"reason_code": "works", "note": EVIL, "days": 2}
    await act(console, "road_officer", made.id, Action.APPLY_EXTENSION, **asked)
    officer = await console.signed_in("supervision_officer")
    shown = await officer.get("/approvals")
    assert "涉及工程施工周期" in shown.text
    assert EVIL not in shown.text
    assert "alert(4711)" in shown.text
    version = await number(console, f"SELECT version FROM ticket WHERE id = {made.id}")
    refusal = {"version": str(version), "decision": "no", "note": " "}
    assert (await officer.post(f"/approvals/{made.id}/extension", refusal)).status == 422
    granted = await officer.post(
        f"/approvals/{made.id}/extension", {"version": str(version), "decision": "yes", "note": "同意"}
    )
    assert granted.status == 303
    assert await number(console, f"SELECT extensions FROM ticket WHERE id = {made.id}") == 1


async def test_an_officer_finds_an_empty_inbox_unless_he_stands_in(console: Console) -> None:
    made = await console.ticket("water", urgency="urgent")
    async with console.ctx.db.begin() as uow:
        console.users["colleague"] = await console.ctx.people.create_user(
            uow, SYSTEM, login="colleague", name="同事", password=PASSWORD,
            unit_id=console.units["water"], roles=frozenset({Role.DEPT_OFFICER}),
        )  # fmt: skip
    await act(console, "colleague", made.id, Action.SIGN)
    await act(console, "colleague", made.id, Action.CLOSE, **REPLY)
    officer = await console.signed_in("dept_officer")
    assert "没有待审批事项" in (await officer.get("/approvals")).text
    version = await number(console, f"SELECT version FROM ticket WHERE id = {made.id}")
    yes = {"version": str(version), "decision": "yes"}
    assert (await officer.post(f"/approvals/{made.id}/closing", yes)).status == 403
    ctx = console.ctx
    async with ctx.db.begin() as uow:
        head = await ctx.people.actor_for_user(uow.session, console.users["dept_head"])
        assert head is not None
        today = (ctx.clock.now() + timedelta(hours=8)).date()
        deputy = console.users["dept_officer"]
        await delegation.create(
            uow, head, deputy_id=deputy, first_day=today, last_day=today, reason="外出学习"
        )
    assert "您正在代" in (await officer.get(f"/approvals?ticket={made.id}&kind=closing")).text
    assert (await officer.post(f"/approvals/{made.id}/closing", yes)).status == 303
    statement = f"SELECT on_behalf_of FROM ticket_request WHERE ticket_id = {made.id}"
    assert await number(console, statement) == console.users["dept_head"]


@pytest.mark.parametrize("kind", ["return", "nothing"])
async def test_what_is_decided_elsewhere_is_not_decided_here(console: Console, kind: str) -> None:
    officer = await console.signed_in("supervision_officer")
    answer = await officer.post(f"/approvals/1/{kind}", {"version": "1", "decision": "yes"})
    assert answer.status == 404
