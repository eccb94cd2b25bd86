"""The pages of citizen records: nothing in the clear, nothing to leaf through, nothing lost on a refusal."""

from __future__ import annotations

import re

from sqlalchemy import text

from tests.web.agent_rig import MOBILE, Floor, ctx, floor, hx_post, plain
from tests.web.conftest import Browser, Console
from tickets.citizens import records

__all__ = ["ctx", "floor"]
EVIL = "\"'><script>alert(4711)</script><img src=x onerror=a()>"
OTHER = "13900005678"


async def _record(console: Console, phone: str = "13800001234") -> int:
    async with console.ctx.db.begin() as uow:
        return await records.ensure(uow, (await console.ctx.vault.put(uow, "phone", phone)).id)


async def _version(browser: Browser, ident: int) -> str:
    found = re.search(r'name="version" value="(\d+)"', (await browser.get(f"/citizens/{ident}")).text)
    assert found is not None
    return found[1]


async def _refs(console: Console, ident: int) -> list[str]:
    query = "SELECT phone_ref FROM citizen_phone WHERE citizen_id = :id ORDER BY phone_ref"
    async with console.ctx.db.read() as session:
        return [str(ref) for ref in (await session.execute(text(query), {"id": ident})).scalars()]


async def test_the_search_page_lists_nobody_and_an_exact_number_opens_the_record(console: Console) -> None:
    await console.ticket(citizen_name="覃丽华")
    agent = await console.signed_in("agent")
    empty = (await agent.get("/citizens")).text
    assert "138****1234" not in empty
    assert "覃**" not in empty
    answer = await agent.post("/citizens/search", {"q": "138 0000 1234"})
    assert answer.status == 303
    page = (await agent.get(answer.headers["Location"])).text
    assert "覃**" in page
    assert "138****1234" in page
    assert "路灯不亮" in page
    assert "13800001234" not in page
    assert "覃丽华" not in page
    assert "没有找到档案" in (await agent.post("/citizens/search", {"q": "1380000"})).text


async def test_people_of_one_name_are_offered_masked(console: Console) -> None:
    agent = await console.signed_in("agent")
    for phone in ("13800001234", OTHER):
        made = await console.ticket(phone=phone, citizen_name="张伟")
        answer = await agent.get(f"/citizens/of-ticket/{made.id}")
        await agent.get(answer.headers["Location"])
    page = (await agent.post("/citizens/search", {"q": "张伟"})).text
    assert "找到 2 份档案" in page
    assert "139****5678" in page
    assert OTHER not in page


async def test_opening_a_record_is_audited_and_leafing_is_not(console: Console) -> None:
    for _ in range(17):
        await console.ticket()
    ident = await _record(console)
    agent = await console.signed_in("agent")
    first = (await agent.get(f"/citizens/{ident}")).text
    older = re.search(r'href="(/citizens/\d+\?tickets=[^"#]+)', first)
    assert older is not None
    second = (await agent.get(older[1].replace("&amp;", "&"))).text
    numbers = [set(re.findall(r'href="/tickets/(\d+)"', page)) for page in (first, second)]
    assert len(numbers[0]) == 15
    assert len(numbers[1]) == 2
    assert not numbers[0] & numbers[1]
    async with console.ctx.db.read() as session:
        query = "SELECT count(*) FROM audit_log WHERE action = 'citizen.open'"
        assert (await session.execute(text(query))).scalar_one() == 1
    assert (await agent.get(f"/citizens/{ident}?tickets=nonsense")).status == 400


async def test_a_value_is_shown_with_a_reason_and_recorded(console: Console) -> None:
    await console.ticket()
    ident = await _record(console)
    agent = await console.signed_in("agent")
    (ref,) = await _refs(console, ident)
    shown = await agent.post(f"/citizens/{ident}/reveal", {"ref": ref, "reason": "回电核实"})
    assert "13800001234" in shown.text
    assert (await agent.post(f"/citizens/{ident}/reveal", {"ref": ref, "reason": ""})).status == 422
    foreign = await _refs(console, await _record(console, OTHER))
    refused = await agent.post(f"/citizens/{ident}/reveal", {"ref": foreign[0], "reason": "x"})
    assert refused.status == 404
    assert OTHER not in refused.text


async def test_what_was_typed_stays_when_it_is_refused(console: Console) -> None:
    ident = await _record(console)
    agent = await console.signed_in("agent")
    form = {"version": "1", "business": "true", "company": "漓江餐饮", "uscc": "91450300MA5K0A0009"}
    answer = await agent.post(f"/citizens/{ident}/business", form)
    assert answer.status == 422
    assert "校验位不对" in answer.text
    assert "漓江餐饮" in answer.text
    assert "91450300MA5K0A0009" in answer.text
    flag = {"version": "1", "kind": "care", "reason": "独居老人"}
    assert (await agent.post(f"/citizens/{ident}/flags", flag)).status == 303
    late = await agent.post(f"/citizens/{ident}/flags", {**flag, "kind": "dialect", "reason": "只讲桂柳话"})
    assert late.status == 409
    assert "只讲桂柳话" in late.text
    again = {**flag, "version": await _version(agent, ident), "kind": "dialect"}
    assert (await agent.post(f"/citizens/{ident}/flags", again)).status == 303


async def test_a_number_of_another_record_leads_to_the_comparison_and_the_merge(console: Console) -> None:
    await console.ticket()
    await console.ticket(phone=OTHER, title="井盖破损")
    one, two = await _record(console), await _record(console, OTHER)
    agent = await console.signed_in("agent")
    taken = await agent.post(f"/citizens/{one}/phones", {"version": "1", "phone": OTHER})
    assert taken.status == 409
    assert f"/citizens/{one}/merge/{two}" in taken.text
    found = await agent.post(f"/citizens/{one}/merge/find", {"q": OTHER})
    preview = (await agent.get(found.headers["Location"])).text
    assert "共有 2 个号码、 2 件工单" in plain(preview)
    form = {"version": "1", "other_id": str(two), "other_version": "1", "reason": ""}
    assert (await agent.post(f"/citizens/{one}/merge", form)).status == 422
    done = await agent.post(f"/citizens/{one}/merge", {**form, "reason": "本人确认"})
    assert done.status == 303
    page = (await agent.get(f"/citizens/{one}")).text
    assert "井盖破损" in page
    assert "139****5678" in page
    moved = await agent.get(f"/citizens/{two}")
    assert (moved.status, moved.headers["Location"]) == (303, f"/citizens/{one}")
    undo = {"version": "2", "other_id": str(two), "reason": "弄错了"}
    assert (await agent.post(f"/citizens/{one}/unmerge", undo)).status == 303
    assert "井盖破损" not in (await agent.get(f"/citizens/{one}")).text


async def test_numbers_are_split_off_from_the_page(console: Console) -> None:
    await console.ticket()
    ident = await _record(console)
    agent = await console.signed_in("agent")
    await agent.post(f"/citizens/{ident}/phones", {"version": "1", "phone": OTHER})
    refs = await _refs(console, ident)
    page = plain((await agent.get(f"/citizens/{ident}/split")).text)
    assert "1 件" in page
    none = await agent.post(f"/citizens/{ident}/split", {"version": "2", "reason": "过户"})
    assert none.status == 422
    assert "过户" in none.text
    form = {"version": "2", "phones": refs[1], "reason": "过户"}
    done = await agent.post(f"/citizens/{ident}/split", form)
    assert done.status == 303
    assert "139****5678" in (await agent.get(done.headers["Location"])).text
    assert "139****5678" not in (await agent.get(f"/citizens/{ident}")).text


async def test_only_the_author_and_the_shift_leader_take_a_note_back(console: Console) -> None:
    ident = await _record(console)
    agent, officer = await console.signed_in("agent"), await console.signed_in("callback_officer")
    await agent.post(f"/citizens/{ident}/notes", {"note": "下午三点后方便接听"})
    page = (await agent.get(f"/citizens/{ident}")).text
    found = re.search(r"/notes/(\d+)/withdraw", page)
    assert found is not None
    path = f"/citizens/{ident}/notes/{found[1]}/withdraw"
    assert "withdraw" not in (await officer.get(f"/citizens/{ident}")).text
    assert (await officer.post(path, {"reason": "x"})).status == 403
    leader = await console.signed_in("shift_leader")
    assert (await leader.post(path, {"reason": "已不需要"})).status == 303
    page = plain((await agent.get(f"/citizens/{ident}")).text)
    assert "下午三点后方便接听" in page
    assert "已不需要" in page


async def test_who_only_reads_sees_no_forms(console: Console) -> None:
    await console.ticket()
    ident = await _record(console)
    inspector = await console.signed_in("inspector")
    page = (await inspector.get(f"/citizens/{ident}")).text
    assert "路灯不亮" in page
    for form in ("notes", "flags", "phones", "names", "business", "merge/find"):
        assert f'action="/citizens/{ident}/{form}"' not in page
    assert (await inspector.post(f"/citizens/{ident}/notes", {"note": "x"})).status == 403


async def test_no_text_of_a_record_becomes_markup(console: Console) -> None:
    await console.ticket(citizen_name=EVIL[:60], title=EVIL)
    one, two = await _record(console), await _record(console, OTHER)
    agent = await console.signed_in("shift_leader")
    await agent.get(f"/citizens/{one}")
    for ident in (one, two):
        await agent.post(f"/citizens/{ident}/notes", {"note": EVIL})
        await agent.post(f"/citizens/{ident}/flags", {"version": "1", "kind": "care", "reason": EVIL})
        await agent.post(f"/citizens/{ident}/names", {"version": "2", "name": EVIL[:60]})
        version = await _version(agent, ident)
        company = {"version": version, "business": "true", "company": EVIL, "uscc": ""}
        await agent.post(f"/citizens/{ident}/business", company)
    pages = [
        (await agent.get(f"/citizens/{one}")).text,
        (await agent.get(f"/citizens/{one}/merge/{two}")).text,
        (await agent.post("/citizens/search", {"q": EVIL})).text,
        (await agent.post(f"/citizens/{one}/merge/find", {"q": EVIL})).text,
        (await agent.post(f"/citizens/{one}/phones", {"version": "9", "phone": EVIL[:40]})).text,
        (await agent.post(f"/citizens/{one}/merge", {
            "version": "1", "other_id": str(two), "other_version": "1", "reason": EVIL})).text,
        (await agent.post(f"/citizens/{one}/split", {"version": "1", "reason": EVIL})).text,
    ]  # fmt: skip
    for index, page in enumerate(pages):
        assert "<script>alert" not in page, index
        assert "<img src=x" not in page, index
        assert "\"'><" not in page, index
    assert pages[0].count("alert(4711)") >= 4


async def test_the_card_of_a_caller_shows_his_record(floor: Floor) -> None:
    draft = await floor.answered()
    agent = await floor.console.signed_in("a1001")
    ident = await _record(floor.console, MOBILE)
    card = (await agent.get(f"/drafts/{draft}/caller")).text
    assert f'href="/citizens/{ident}"' in card
    await hx_post(agent, f"/citizens/{ident}/flags", {"version": 1, "kind": "hearing", "reason": "戴助听器"})
    await hx_post(agent, f"/citizens/{ident}/notes", {"note": "请放慢语速"})
    card = plain((await agent.get(f"/drafts/{draft}/caller")).text)
    assert "听力或言语不便" in card
    assert "请放慢语速" in card


async def test_a_unit_keeps_its_reply_templates_and_only_those(console: Console) -> None:
    officer = await console.signed_in("dept_officer")
    form = {"title": "路灯修复", "body": f"您好，{EVIL}", "category_id": str(await console.category())}
    assert (await officer.post("/unit/templates", {**form, "active": "true"})).status == 303
    page = (await officer.get("/unit/templates")).text
    assert "路灯修复" in page
    assert "<script>alert" not in page
    found = re.search(r"edit=(\d+)", page)
    assert found is not None
    edit = {**form, "template_id": found[1], "version": "1", "title": ""}
    refused = await officer.post("/unit/templates", edit)
    assert refused.status == 422
    assert "alert(4711)" in refused.text
    assert "<img src=x" not in refused.text
    road = await console.signed_in("road_officer")
    assert "路灯修复" not in (await road.get("/unit/templates")).text
    assert (await road.post("/unit/templates", {**edit, "title": "改"})).status == 404
    assert (await road.post("/unit/templates", {**form, "common": "true"})).status == 403
    admin = await console.signed_in("system_admin")
    assert (await admin.post("/unit/templates", {**form, "common": "true", "active": "true"})).status == 303
    assert "全市通用" in (await road.get("/unit/templates")).text


async def test_the_form_of_a_closing_offers_the_templates_of_the_category(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    form = {"title": "路灯修复", "body": EVIL, "category_id": str(await console.category()), "active": "true"}
    await officer.post("/unit/templates", form)
    await officer.post(f"/tickets/{made.id}/do/sign", {"version": "2"})
    page = (await officer.get(f"/tickets/{made.id}/do/close")).text
    assert "选用答复模板" in page
    assert "路灯修复" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
