"""The desks of the hotline: dispatching by one key, rulings on returns, checks of closings."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from routing.channels.texts import ON_THE_MAP
from tests.web.conftest import Answer, Console
from tests.web.test_actions import do, reason, state, version
from tickets.workflow import Action


async def returned(console: Console, by: str = "dept_officer", to: str = "road") -> int:
    """A ticket its unit asks to be relieved of."""
    made = await console.ticket("water")
    officer = await console.signed_in(by)
    code = await reason(console, "return", "notours")
    told = {"reason_code": code, "note": "不归我们管", "basis": "职责清单第三条"}
    answer = await do(
        console, officer, made.id, Action.RETURN, suggested_unit_id=str(console.units[to]), **told
    )
    assert answer.status == 303, answer.text[-400:]
    return made.id


async def checked(console: Console) -> int:
    """A ticket its unit has closed."""
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await do(console, officer, made.id, Action.SIGN)
    told: dict[str, Any] = {"result": "reached", "solved": "true", "public_reply": "路灯已经修好"}
    assert (await do(console, officer, made.id, Action.CLOSE, **told)).status == 303
    return made.id


def at_desk(answer: Answer, ident: int) -> bool:
    return f'id="wait-{ident}"' in answer.text


async def test_the_desk_shows_which_units_took_the_same_category_and_sends_there_in_one_step(
    console: Console,
) -> None:
    for unit in ("road", "road", "water"):
        await console.ticket(unit)
    made = await console.ticket()
    desk = await console.signed_in("dispatcher")
    page = (await desk.get("/dispatch")).text
    assert page.index("市住建局</span>") < page.index("市水利局</span>")
    assert "3 件中 2 件" in page
    assert 'data-hotkey="Alt+1"' in page
    form = {"version": "1", "unit_id": str(console.units["road"]), "back": "desk"}
    answer = await desk.post(f"/tickets/{made.id}/dispatch", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/dispatch")
    assert not at_desk(await desk.get("/dispatch"), made.id)


async def test_a_repeat_is_shown_beside_and_merged_in_one_step(console: Console) -> None:
    first = await console.ticket("water")
    other = await console.ticket(phone="13900000000")
    second = await console.ticket()
    desk = await console.signed_in("dispatcher")
    page = (await desk.get(f"/dispatch?ticket={second.id}")).text
    assert "同一来电人" in page
    assert f'name="master_id" value="{first.id}"' in page
    assert f'name="master_id" value="{other.id}"' not in page
    form = {"version": "1", "master_id": str(first.id), "back": "desk"}
    answer = await desk.post(f"/tickets/{second.id}/do/merge", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/dispatch")
    assert await state(console, second.id) == "merged"


async def test_two_pins_on_a_map_without_a_name_are_no_common_place(console: Console) -> None:
    """Every place of Weibo has the same words; only an address that says something is compared."""
    other = await console.ticket(phone="13900000000")
    made = await console.ticket()
    desk = await console.signed_in("dispatcher")
    for address, alike in (("象山区环城南一路3号", True), (ON_THE_MAP, False)):
        async with console.ctx.db.begin() as uow:
            same = "UPDATE ticket SET address = :address, narrative = 'x' || id, title = 'x' || id"
            await uow.session.execute(sa.text(same), {"address": address})
        page = (await desk.get(f"/dispatch?ticket={made.id}")).text
        assert (f'name="master_id" value="{other.id}"' in page) is alike, address


async def test_a_correction_at_the_desk_stays_at_the_ticket_and_an_answer_moves_on(console: Console) -> None:
    made = await console.ticket()
    desk = await console.signed_in("dispatcher")
    edited = await do(console, desk, made.id, Action.EDIT, title="三盏路灯不亮", back="desk")
    assert edited.headers["Location"] == f"/dispatch?ticket={made.id}"
    answered = await do(console, desk, made.id, Action.ANSWER, public_reply="已答复", back="desk")
    assert answered.headers["Location"] == "/dispatch"


async def test_a_return_is_ruled_with_the_suggested_unit_standing_ready(console: Console) -> None:
    ident = await returned(console)
    desk = await console.signed_in("dispatcher")
    page = await desk.get("/rulings")
    assert at_desk(page, ident)
    assert "职责清单第三条" in page.text
    assert "原因notours" in page.text
    form = (await desk.get(f"/tickets/{ident}/do/accept_return?back=rulings")).text
    assert f'value="{console.units["road"]}" data-keywords="szjj szjj" selected' in form
    told = {"note": "同意", "unit_id": str(console.units["road"]), "back": "rulings"}
    answer = await do(console, desk, ident, Action.ACCEPT_RETURN, **told)
    assert (answer.status, answer.headers["Location"]) == (303, "/rulings")
    assert not at_desk(await desk.get("/rulings/rows"), ident)


async def test_a_dispute_is_shown_to_the_dispatcher_but_ruled_by_supervision(console: Console) -> None:
    ident = await returned(console)
    desk = await console.signed_in("dispatcher")
    told = {"note": "转住建", "unit_id": str(console.units["road"])}
    await do(console, desk, ident, Action.ACCEPT_RETURN, **told)
    road = await console.signed_in("road_officer")
    again = {"reason_code": "notours", "note": "也不归我们", "basis": "三定方案"}
    unit = str(console.units["water"])
    assert (await do(console, road, ident, Action.RETURN, suggested_unit_id=unit, **again)).status == 303
    assert await state(console, ident) == "ruling"
    assert "由督查裁定" in (await desk.get("/rulings")).text
    boss = await console.signed_in("supervision_officer")
    assert f'href="/tickets/{ident}/do/rule?back=rulings"' in (await boss.get("/rulings")).text
    ruled = await do(console, boss, ident, Action.RULE, note="先办后议", unit_id=unit)
    assert ruled.status == 303
    page = (await desk.get(f"/tickets/{ident}")).text
    assert "已裁定" in page
    assert "退单 2 次" in page


async def test_a_check_passes_in_one_step_and_a_reject_needs_a_code(console: Console) -> None:
    passed, rejected = await checked(console), await checked(console)
    desk = await console.signed_in("dispatcher")
    page = await desk.get(f"/checks?ticket={passed}")
    assert at_desk(page, passed)
    assert "路灯已经修好" in page.text
    assert "已联系上" in page.text
    form = {"version": str(await version(console, passed)), "back": "checks"}
    answer = await desk.post(f"/tickets/{passed}/do/pass_check", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/checks")
    missing = await do(console, desk, rejected, Action.REJECT_CHECK, note="答非所问", back="checks")
    assert missing.status == 422
    assert "答非所问" in missing.text
    code = await reason(console, "reject_check", "offtopic")
    told = {"note": "请正面答复", "reason_code": code, "back": "checks"}
    assert (await do(console, desk, rejected, Action.REJECT_CHECK, **told)).status == 303
    assert await state(console, rejected) == "handling"
    assert "没有等待审核的工单" in (await desk.get("/checks")).text


async def test_a_desk_says_when_somebody_else_was_faster(console: Console) -> None:
    ident = await checked(console)
    mine, theirs = await console.signed_in("dispatcher"), await console.signed_in("shift_leader")
    await do(console, theirs, ident, Action.PASS_CHECK)
    assert "已由他人办理" in (await mine.get(f"/checks?ticket={ident}")).text
