"""The supervision desk and its documents, as the two sides see them."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import text

from core.clock import ManualClock
from tests.security.test_orders import issued
from tests.web.conftest import Browser, Console


async def state(console: Console, order: int) -> str:
    async with console.ctx.db.read() as session:
        query = text("SELECT state FROM supervision_order WHERE id = :id")
        return str((await session.execute(query, {"id": order})).scalar_one())


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


async def boss(console: Console) -> Browser:
    return await console.signed_in("supervision_officer")


async def test_the_desk_is_where_supervision_begins_and_lists_the_least_time_left_first(
    console: Console, clock: ManualClock
) -> None:
    later = await console.ticket("water", title="较晚到期")
    soon = await console.ticket("water", title="紧急先到期", urgency="urgent")
    browser = await boss(console)
    home = await browser.get("/", follow=True)
    assert "督办台" in home.text
    page = (await browser.get("/supervision")).text
    assert page.index(f'id="risk-{soon.id}"') < page.index(f'id="risk-{later.id}"')
    clock.advance(timedelta(days=2).total_seconds())
    browser = await boss(console)
    over = (await browser.get("/supervision?span=overdue")).text
    assert f'id="risk-{soon.id}"' in over
    assert f'id="risk-{later.id}"' not in over
    assert "超期" in over


async def test_the_list_is_narrowed_by_unit_type_and_mark_and_refuses_what_it_does_not_know(
    console: Console,
) -> None:
    water, east = await console.ticket("water"), await console.ticket("east", type="complaint")
    browser = await boss(console)
    mine = (await browser.get(f"/supervision?unit_id={console.units['water']}")).text
    assert f'id="risk-{water.id}"' in mine
    assert f'id="risk-{east.id}"' not in mine
    typed = (await browser.get("/supervision?type=complaint")).text
    assert f'id="risk-{east.id}"' in typed
    assert f'id="risk-{water.id}"' not in typed
    await issued(console, "water", water)
    marked = (await browser.get("/supervision?supervised=1")).text
    assert f'id="risk-{water.id}"' in marked
    assert f'id="risk-{east.id}"' not in marked
    for query in ("span=never", "unit_id=x", "who=me", "cursor=%%%", "span=overdue&span=today"):
        assert (await browser.get(f"/supervision?{query}")).status == 400, query


async def test_pages_of_the_risk_list_follow_each_other_without_gap_or_repetition(console: Console) -> None:
    made = {(await console.ticket("water", title=f"第{n}件")).id for n in range(35)}
    browser = await boss(console)
    first = (await browser.get("/supervision")).text
    following = re.search(r'href="(/supervision\?cursor=[^"]+)"', first)
    assert following is not None
    second = (await browser.get(following[1])).text
    shown = [int(found) for found in re.findall(r'id="risk-(\d+)"', first + second)]
    assert len(shown) == len(set(shown))
    assert set(shown) == made


async def test_one_click_urges_and_the_same_click_twice_urges_once(console: Console) -> None:
    made = await console.ticket("water")
    browser = await boss(console)
    mark = {"ticket": f"{made.id}:2"}
    for _ in range(2):
        answer = await browser.post("/tickets/bulk/urge", mark, headers={"Accept": "application/json"})
        assert '"done": true' in answer.text
    async with console.ctx.db.read() as session:
        assert (await session.execute(text("SELECT urges FROM ticket"))).scalar_one() == 1
    assert "共 1 次" in (await browser.get("/supervision")).text


async def test_a_document_is_begun_from_a_template_and_issued(console: Console) -> None:
    made = await console.ticket("water")
    browser = await boss(console)
    form = (await browser.get(f"/supervision/new?ticket={made.id}&kind=order")).text
    assert made.number in form
    assert re.search(rf'value="{console.units["water"]}"[^>]* selected', form)
    data = {
        "kind": "order",
        "ticket_id": str(made.id),
        "version": hidden(form, "version"),
        "key": hidden(form, "key"),
        "unit_id": str(console.units["water"]),
        "subject": "路灯",
        "requirement": "请限期办结",
        "days": "2",
        "ground": "overdue",
    }
    answer = await browser.post("/supervision/orders", data)
    assert answer.status == 303
    again = await browser.post("/supervision/orders", data)
    assert again.headers["Location"] == answer.headers["Location"]
    shown = await browser.get(answer.headers["Location"])
    assert "督〔2026〕000001" in shown.text
    assert "已制发" in shown.text
    assert "督〔2026〕000001" in (await browser.get(f"/tickets/{made.id}")).text


async def test_what_is_wrong_in_the_form_comes_back_with_everything_typed(console: Console) -> None:
    browser = await boss(console)
    data = {
        "kind": "handover",
        "key": "form-00001",
        "unit_id": str(console.units["water"]),
        "subject": "查处",
        "requirement": "留着的内容",
    }
    answer = await browser.post("/supervision/orders", data)
    assert answer.status == 422
    assert "留着的内容" in answer.text
    assert 'id="sv-recipient-error"' in answer.text
    odd = {**data, "kind": "order", "report_on": "2020-01-01"}
    assert "须晚于现在" in (await browser.post("/supervision/orders", odd)).text
    nobody = {**data, "kind": "order", "unit_id": ""}
    assert 'id="sv-unit_id-error"' in (await browser.post("/supervision/orders", nobody)).text


async def test_the_unit_finds_its_document_on_the_workbench_acknowledges_and_reports(
    console: Console,
) -> None:
    made = await console.ticket("water")
    order = await issued(console, "water", made)
    officer = await console.signed_in("dept_officer")
    assert "督办文书待办" in (await officer.get("/workbench")).text
    page = (await officer.get(f"/orders/{order}")).text
    assert "提交反馈" in page
    assert "销号</button>" not in page
    assert (await officer.post(f"/orders/{order}/acknowledge", {"version": "1"})).status == 303
    empty = await officer.post(f"/orders/{order}/report", {"version": "2", "note": " "})
    assert empty.status == 422
    assert (await officer.post(f"/orders/{order}/report", {"version": "2", "note": "已办"})).status == 303
    assert "督办文书待办" not in (await officer.get("/workbench")).text
    browser = await boss(console)
    assert (await browser.post(f"/orders/{order}/close", {"version": "3", "note": "已核实"})).status == 303
    assert await state(console, order) == "closed"


async def test_an_interview_is_recorded_on_its_page_and_listed(console: Console) -> None:
    from sla.supervision.terms import Kind

    order = await issued(console, "water", kind=Kind.INTERVIEW)
    browser = await boss(console)
    assert "待约谈" in (await browser.get("/supervision/interviews")).text
    record = {
        "version": "1",
        "held_at": "2026-11-23T09:00",
        "attendees": "局长",
        "minutes": "谈话",
        "measures": "整改",
        "next_look": "2026-12-01",
    }
    assert (await browser.post(f"/orders/{order}/record", {**record, "held_at": ""})).status == 422
    assert (await browser.post(f"/orders/{order}/record", record)).status == 303
    listed = (await browser.get("/supervision/interviews")).text
    assert "2026-11-23 09:00" in listed
    assert "2026-12-01" in listed
    assert "谈话" in (await browser.get(f"/orders/{order}/print/record")).text
    assert (await browser.get(f"/orders/{order}/pdf/record")).status == 200


async def test_papers_carry_number_watermark_and_signatures_and_are_audited(console: Console) -> None:
    order = await issued(console, "water")
    browser = await boss(console)
    page = (await browser.get(f"/orders/{order}/print/document")).text
    for words in ("督办单", "督〔2026〕000001", "承办单位负责人", "pr-marks"):
        assert words in page
    assert (await browser.get(f"/orders/{order}/print/record")).status == 409
    assert (await browser.get(f"/orders/{order}/print/nothing")).status == 404
    pdf = await browser.get(f"/orders/{order}/pdf/document")
    assert pdf.headers["Content-Type"] == "application/pdf"
    async with console.ctx.db.read() as session:
        query = text("SELECT count(*) FROM audit_log WHERE action = 'order.print'")
        assert (await session.execute(query)).scalar_one() == 2


async def test_a_proposal_becomes_an_order_with_one_press_and_is_gone(
    console: Console, clock: ManualClock
) -> None:
    made = await console.ticket("water")
    clock.advance(timedelta(days=30).total_seconds())
    browser = await boss(console)
    page = (await browser.get("/supervision/proposals")).text
    assert "已超期" in page
    data = {"version": "2", "ground": "overdue"}
    answer = await browser.post(f"/supervision/proposals/{made.id}", data)
    assert answer.status == 303
    assert (await browser.post(f"/supervision/proposals/{made.id}", data)).headers[
        "Location"
    ] == answer.headers["Location"]
    assert "已超期" in (await browser.get(answer.headers["Location"])).text
    assert "没有建议督办的工单" in (await browser.get("/supervision/proposals")).text


async def test_a_declined_proposal_is_gone_until_the_ticket_is_done_anew(
    console: Console, clock: ManualClock
) -> None:
    made = await console.ticket("water")
    clock.advance(timedelta(days=30).total_seconds())
    browser = await boss(console)
    path, data = (
        f"/supervision/proposals/{made.id}/decline",
        {"ground": "overdue", "reason": "管道更换，工期较长"},
    )
    assert (await browser.post(path, {**data, "reason": " "})).status == 422
    assert "已超期" in (await browser.get("/supervision/proposals")).text
    for _ in range(2):  # the same twice is done once
        assert (await browser.post(path, data)).status == 303
    assert "没有建议督办的工单" in (await browser.get("/supervision/proposals")).text
    officer = await console.signed_in("dept_officer")
    assert (await officer.post(path, data)).status == 403
    async with console.ctx.db.begin() as uow:
        count = text("SELECT count(*) FROM audit_log WHERE action = 'supervision.decline'")
        assert (await uow.session.execute(count)).scalar_one() == 1
        await uow.session.execute(text("UPDATE ticket SET round = round + 1 WHERE id = :id"), {"id": made.id})
    assert "已超期" in (await browser.get("/supervision/proposals")).text


async def test_an_empty_desk_says_what_will_appear_there(console: Console) -> None:
    browser = await boss(console)
    assert "没有在办工单" in (await browser.get("/supervision")).text
    assert "没有建议督办的工单" in (await browser.get("/supervision/proposals")).text
    assert "还没有约谈" in (await browser.get("/supervision/interviews")).text
    assert "没有督办文书" in (await browser.get("/orders")).text
