"""Certificates and the market of intermediaries at the screen, with and without an account."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import sqlalchemy as sa

from core.people.actor import Actor
from tests.numbers import id_number, uscc
from tests.web.conftest import Console
from tickets.certificates import papers
from tickets.certificates.models import CertificateRecord
from tickets.certificates.terms import Paper
from tickets.intermediaries import cases, register
from tickets.intermediaries.register import Said
from tickets.intermediaries.scope import Market
from tickets.models import table_of

ID, USCC, NAME = id_number(), uscc(), "桂林阳朔测绘服务有限公司"
EVIL = "<script>alert(1)</script>"


async def actor(console: Console, login: str) -> Actor:
    async with console.ctx.db.read() as session:
        found = await console.ctx.people.actor_for_user(session, console.users[login])
    assert found is not None
    return found


async def house(console: Console, **over: Any) -> int:
    """A house of the roads' department; the waterworks run the market in these tests."""
    who = await actor(console, "supervision_officer")
    said: dict[str, Any] = {"uscc": USCC, "name": NAME, "trade": "测绘", "unit_id": console.units["road"]}
    async with console.ctx.db.begin() as uow:
        place = Market(console.units["water"])
        ident = await register.save(uow, who, place, Said(**(said | over)))
        if not over:
            await register.link(uow, who, place, ident, "intermediary")
    return ident


async def needing(console: Console) -> int:
    category = await console.category()
    admin = await actor(console, "system_admin")
    holder = console.ctx.vault.blind("id_number", ID)
    row = {"holder": holder, "kind": "id_card", "issuer": "七星公安分局", "revoked": False}
    async with console.ctx.db.begin() as uow:
        await papers.save(uow, admin, category, 0, [Paper("身份证", "id_card"), Paper("申请表")])
        await uow.session.execute(sa.insert(table_of(CertificateRecord)).values(**row))
    return category


async def test_the_tickets_page_takes_the_consent_asks_and_ticks(console: Console) -> None:
    await needing(console)
    made = await console.ticket()
    agent = await console.signed_in("agent")
    path = f"/tickets/{made.id}/papers"
    form = {"kinds": "id_card", "channel": "phone", "purpose": "核验", "id_number": ID}
    refused = await agent.post(path, form)
    assert (refused.status, "需要市民同意" in refused.text) == (409, True)
    assert (await agent.post(path, {**form, "agree": "true"})).status == 303
    page = (await agent.get(path)).text
    assert "免交" in page
    assert "七星公安分局" in page
    assert ID not in page
    wrong = await agent.post(path, {**form, "agree": "true", "id_number": ID[:-1]})
    assert wrong.status == 422
    nobody = await agent.post(path, {**form, "kinds": "low_income", "agree": "true"})
    assert nobody.status == 422


async def test_the_papers_beside_the_form_follow_the_category(console: Console) -> None:
    category = await needing(console)
    async with console.ctx.db.begin() as uow:
        draft = await console.ctx.drafts.open_manual(uow, await actor(console, "agent"))
    agent = await console.signed_in("agent")
    path = f"/drafts/{draft}/papers"
    assert (await agent.get(path)).text.strip() == ""
    assert "身份证" in (await agent.get(f"{path}?category_id={category}")).text
    form = {"kinds": "id_card", "channel": "phone", "id_number": ID, "category_id": str(category)}
    assert (await agent.post(path, form)).status == 409
    assert "免交" in (await agent.post(path, {**form, "agree": "true"})).text


async def test_the_administrator_writes_lists_with_editions(console: Console) -> None:
    category = await console.category()
    admin = await console.signed_in("system_admin")
    path = f"/papers/{category}"
    twice: list[tuple[str, str]] = [("version", "0"), ("note", "")]
    for name, kind in (("身份证", "id_card"), ("身份证件", "id_card"), ("", "")):
        twice += [("name", name), ("kind", kind)]
    answer = await admin.post(path, twice)
    assert (answer.status, "第 2 行不正确" in answer.text, "身份证件" in answer.text) == (422, True, True)
    right = [("version", "0"), ("name", "户口簿"), ("kind", "household")]
    assert (await admin.post(path, right)).status == 303
    assert (await admin.post(path, right)).status == 409
    assert "户口簿" in (await admin.get("/papers")).text


async def test_the_public_pages_need_no_account_and_show_no_inside(console: Console) -> None:
    ident = await house(console)
    evil = await house(console, uscc=uscc("91450300MA5K0A555"), name=f"坏{EVIL}", address=EVIL)
    anybody = console.browser()
    for path in ("/intermediaries", f"/intermediaries/{evil}"):
        answer = await anybody.get(path)
        assert answer.status == 200
        assert EVIL not in answer.text
    assert NAME in (await anybody.get("/intermediaries?q=阳朔")).text
    assert "没有找到" in (await anybody.get("/intermediaries?q=%25")).text
    page = (await anybody.get(f"/intermediaries/{ident}")).text
    assert "办理记录" not in page
    assert (await anybody.get("/intermediaries/987654")).status == 404
    assert (await anybody.get("/intermediaries?sort=x")).status == 400


async def test_a_service_is_rated_from_the_public_page_without_telling_what_was_wrong(
    console: Console,
) -> None:
    ident = await house(console)
    async with console.ctx.db.begin() as uow:
        who, place = await actor(console, "supervision_officer"), Market(console.units["water"])
        number = await register.issue_service(uow, who, place, ident, date(2026, 11, 20))
    anybody = console.browser()
    unknown = await anybody.post("/intermediaries/rate", {"service": "F23456789ABCD", "stars": "5"})
    no_ticket = await anybody.post(
        "/intermediaries/rate", {"number": "4" * 18, "code": "123456", "stars": "5"}
    )
    assert unknown.status == no_ticket.status == 422
    assert (await anybody.post("/intermediaries/rate", {"service": number, "stars": "4"})).status == 200
    again = await anybody.post("/intermediaries/rate", {"service": number, "stars": "1"})
    assert again.status == 409
    audited = "SELECT count(*) FROM audit_log WHERE detail::text LIKE '%stars%'"
    async with console.ctx.db.read() as session:
        assert (await session.execute(sa.text(audited))).scalar_one() == 0


async def test_a_code_that_is_tried_too_often_for_a_rating_locks(console: Console) -> None:
    made = await console.ticket("road", subject_name=NAME)
    anybody = console.browser()
    wrong = {"number": made.number, "code": "000000" if made.query_code != "000000" else "1", "stars": "1"}
    statuses = [(await anybody.post("/intermediaries/rate", wrong)).status for _ in range(6)]
    assert statuses[:5] == [422] * 5
    assert statuses[5] not in (200, 422)


async def test_the_department_serves_and_judges_and_the_house_sees_no_complainant(console: Console) -> None:
    await house(console)
    made = await console.ticket("road", type="complaint", subject_name=NAME)
    officer = await console.signed_in("road_officer")
    page = (await officer.get(f"/tickets/{made.id}/intermediary")).text
    assert "送达机构" in page
    path = f"/tickets/{made.id}/intermediary"
    named = await officer.post(f"{path}/serve", {"version": "0", "summary": "王小明说收费高"})
    assert named.status == 422
    assert (await officer.post(f"{path}/serve", {"version": "0", "summary": "收费高于公示"})).status == 303
    assert (
        await officer.post(
            f"{path}/judge",
            {"version": "2", "verdict": "verified", "finding": "overcharge", "text": "x"},
        )
    ).status == 409
    agency = await console.signed_in("intermediary")
    own = (await agency.get("/market/own")).text
    assert "收费高于公示" in own
    for secret in (made.number, "王小明", "王**", "1380000", "138****"):
        assert secret not in own
    assert (await agency.get(f"/tickets/{made.id}")).status == 403
    assert (await agency.get("/market")).status == 403


async def test_the_feed_is_public_json_by_keyset_with_public_fields_alone(console: Console) -> None:
    await house(console)
    made = await console.ticket("road", type="complaint", subject_name=NAME)
    async with console.ctx.db.begin() as uow:
        values = "closed_as = 'handled', state = 'closed', stage = NULL, closed_at = now()"
        await uow.session.execute(sa.text(f"UPDATE ticket SET {values} WHERE id = {made.id}"))
        who = await actor(console, "supervision_officer")
        await cases.judge(uow, who, made.id, 0, "verified", finding="breach", text="票据与合同不符")
        await uow.session.execute(sa.text("ALTER TABLE intermediary_credit_event DISABLE TRIGGER ALL"))
        settled = "UPDATE intermediary_credit_event SET at = at - interval '1 hour'"
        await uow.session.execute(sa.text(settled))
    anybody = console.browser()
    body = json.loads((await anybody.get("/credit/events?limit=1")).text)
    assert body["next"] == f"/credit/events?after={body['events'][0]['id']}&limit=1"
    assert (body["events"][0]["uscc"], body["events"][0]["finding"]) == (USCC, "breach")
    for secret in (made.number, "票据与合同不符", "王小明", "1380000"):
        assert secret not in json.dumps(body, ensure_ascii=False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["events"][0]["at"])
    assert json.loads((await anybody.get(body["next"])).text) == {"events": [], "next": None}
    for wrong in ("after=-1", "limit=0", "limit=100000", "page=2", "after=x"):
        assert (await anybody.get(f"/credit/events?{wrong}")).status == 400


async def test_the_desk_suggests_the_department_with_the_operator(console: Console) -> None:
    await house(console)
    await console.ticket(type="complaint", subject_name=NAME)
    page = (await (await console.signed_in("dispatcher")).get("/dispatch")).text
    assert "是登记的中介机构（测绘），由行业主管部门主办" in page
    assert "请市水利局协办" in page


async def test_the_register_is_edited_at_the_screen_and_by_list(console: Console) -> None:
    editor = await console.signed_in("supervision_officer")
    form = {"uscc": "12345", "name": NAME, "trade": "测绘", "unit_id": str(console.units["road"])}
    wrong = await editor.post("/market/new", form)
    assert (wrong.status, NAME in wrong.text) == (422, True)
    assert (await editor.post("/market/new", {**form, "uscc": USCC})).status == 303
    assert (await editor.post("/market/new", {**form, "uscc": USCC})).status == 409
    head = "统一社会信用代码,机构名称,行业,主管部门编码,资质名称,资质编号"
    text = f"{head}\n{USCC},{NAME},测绘,road,测绘乙级,=1+1"
    preview = await editor.post("/market/import", {"text": text})
    assert "确认导入" in preview.text
    assert (await editor.post("/market/import", {"text": text, "sure": "true"})).status == 303
    assert "'=1+1" in (await editor.get("/market/list.csv")).text
