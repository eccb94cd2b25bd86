"""The pages of routing: the desk's suggestions, the catalogue, rules and their trial, places, figures."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import sqlalchemy as sa

from core.leadership import Lease
from routing.catalogue_service import Said, add
from routing.trials import Trials
from tests.routing.demo_rig import held_lease
from tests.web.conftest import Browser, Console

RULE = {"edits": "0", "code": "lamp", "name": "路灯归水利", "unit": "water", "words": "路灯、灯杆"}


async def catalogued(console: Console, lead: str = "road", **more: Any) -> None:
    """One row for the category of the tests' tickets."""
    await console.category()
    people = console.ctx.people
    async with console.ctx.db.begin() as uow:
        admin = await people.actor_for_user(uow.session, console.users["system_admin"])
        assert admin is not None
        said = Said("light", lead, date(2026, 1, 1), basis="《照明规定》", clock="3 个工作日", **more)
        await add(uow, admin, said)


async def scalar(console: Console, statement: str) -> object:
    async with console.ctx.db.read() as session:
        return (await session.execute(sa.text(statement))).scalar_one()


async def test_the_desk_suggests_with_reason_basis_clock_and_load_and_keeps_it(console: Console) -> None:
    await catalogued(console)
    await console.ticket("road")
    made = await console.ticket()
    desk = await console.signed_in("dispatcher")
    page = (await desk.get("/dispatch")).text
    for words in ("责任清单：分类“照明”，全市", "《照明规定》", "清单时限 3 个工作日", "在办 1", "Alt+1"):
        assert words in page, words
    assert "同类工单近期 1 件中 1 件" in page
    kept = f"SELECT source FROM dispatch_advice WHERE ticket_id = {made.id} AND ticket_version = 1"
    assert await scalar(console, kept) == "catalogue"
    form = {"version": "1", "unit_id": str(console.units["road"]), "back": "desk"}
    answer = await desk.post(f"/tickets/{made.id}/dispatch", form)
    assert (answer.status, answer.headers["Location"]) == (303, "/dispatch")
    chosen = f"SELECT unit_id FROM dispatch_choice WHERE ticket_id = {made.id}"
    assert await scalar(console, chosen) == console.units["road"]


async def test_a_co_handler_of_the_catalogue_is_asked_with_one_tick(console: Console) -> None:
    await catalogued(console, co=("water",))
    made = await console.ticket()
    desk = await console.signed_in("dispatcher")
    assert "请市水利局协办" in (await desk.get("/dispatch")).text
    form = {
        "version": "1",
        "unit_id": str(console.units["road"]),
        "co_unit_ids": str(console.units["water"]),
        "back": "desk",
    }
    assert (await desk.post(f"/tickets/{made.id}/dispatch", form)).status == 303
    co = f"SELECT unit_id FROM ticket_unit WHERE ticket_id = {made.id} AND role = 'co'"
    assert await scalar(console, co) == console.units["water"]


async def test_words_that_decided_are_marked_and_nothing_typed_becomes_markup(console: Console) -> None:
    await promoted(console)
    await console.ticket(narrative="<b>路口</b>的路灯一直不亮")
    desk = await console.signed_in("dispatcher")
    page = (await desk.get("/dispatch")).text
    assert "&lt;b&gt;路口&lt;/b&gt;的<mark>路灯</mark>一直不亮" in page
    assert "规则“路灯归水利”" in page


async def promoted(console: Console) -> Browser:
    """The rule of these tests drafted, tried and put in force, all through the pages."""
    boss = await console.signed_in("supervision_officer")
    assert (await boss.post("/routing/rules/draft")).status == 303
    assert (await boss.post("/routing/rules/rule", RULE)).status == 303
    page = (await boss.get("/routing/rules")).text
    assert "上线前须在近 30 天的工单上试算" in page
    refused = await boss.post("/routing/rules/promote", {"edits": "1", "note": "上线"})
    assert refused.status == 409
    assert "须先试算" in refused.text
    started = await boss.post(re.findall(r"/routing/rules/versions/\d+/trial", page)[0])
    trial = started.headers["Location"]
    assert "试算进度" in (await boss.get(trial)).text
    await Trials(console.ctx.db, await _lease(console)).run()
    assert "试算完成" in (await boss.get(f"{trial}/progress")).text
    assert "各单位工作量的变化" in (await boss.get(trial)).text
    assert (await boss.post("/routing/rules/promote", {"edits": "1", "note": "上线"})).status == 303
    return boss


async def _lease(console: Console) -> Lease:
    return await held_lease(console.ctx.db)


async def test_rules_go_live_only_after_a_trial_and_are_kept_in_versions(console: Console) -> None:
    boss = await promoted(console)
    page = (await boss.get("/routing/rules")).text
    assert "第 1 版正在使用" in page
    assert "近 30 天未命中" in page
    assert "上线" in (await boss.get("/routing/rules?view=versions")).text
    reader = await console.signed_in("dispatcher")
    assert "建立草稿" not in (await reader.get("/routing/rules")).text


async def test_a_rule_of_a_closed_unit_is_shown_as_wrong(console: Console) -> None:
    boss = await console.signed_in("supervision_officer")
    await boss.post("/routing/rules/draft")
    await boss.post("/routing/rules/rule", RULE)
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(sa.text("UPDATE unit SET active = false WHERE code = 'water'"))
    page = (await boss.get("/routing/rules")).text
    assert "1 条规则出错" in page
    assert "市水利局已停用" in page


async def test_the_box_says_which_rule_fired_which_did_not_and_which_row_gave_the_unit(
    console: Console,
) -> None:
    await catalogued(console)
    boss = await promoted(console)
    admin = await console.signed_in("system_admin")
    place = {"name": "漓江路", "kind": "road", "unit": "east", "community": ""}
    assert (await admin.post("/routing/places", place)).status == 303
    form = {"title": "路灯不亮", "category_id": str(await console.category()), "address": "漓江路 8 号"}
    page = (await boss.post("/routing/try", form)).text
    for words in ("命中", "关键词“路灯”", "清单第", "“漓江路” → 七星区", "市水利局", "市住建局"):
        assert words in page, words
    empty = {"category_id": "", "area_id": "", "type": "", "urgency": "", "channel": ""}
    missed = (await boss.post("/routing/try", {"title": "停水三天", **empty})).text
    assert "没有出现关键词：路灯、灯杆" in missed
    assert await scalar(console, "SELECT count(*) FROM dispatch_advice") == 0


async def test_an_agent_gets_the_suggestion_as_fragment_and_as_json(console: Console) -> None:
    await catalogued(console)
    agent = await console.signed_in("agent")
    form = {"title": "路灯不亮", "category_id": str(await console.category())}
    answer = await agent.post("/routing/advise", form)
    assert answer.status == 200
    assert "市住建局" in answer.text
    assert "<html" not in answer.text
    as_json = await agent.post("/routing/advise", form, headers={"Accept": "application/json"})
    assert f'"unit_id": {console.units["road"]}' in as_json.text
    assert (await agent.get("/routing/catalogue")).status == 403


async def test_a_row_of_the_catalogue_is_added_changed_and_comes_back_with_what_is_wrong(
    console: Console,
) -> None:
    await console.category()
    admin = await console.signed_in("system_admin")
    row = {"version": "0", "category": "light", "lead": "road", "valid_from": "2026-01-01", "basis": "《甲》"}
    assert (await admin.post("/routing/catalogue", row)).status == 303
    twice = await admin.post("/routing/catalogue", row | {"basis": "《乙》"})
    assert twice.status == 422
    assert "已有一条" in twice.text
    assert "《乙》" in twice.text
    ident = await scalar(console, "SELECT id FROM responsibility")
    changed = row | {"version": "1", "lead": "@district", "note": "改属地"}
    assert (await admin.post(f"/routing/catalogue/{ident}", changed)).status == 303
    faster = await admin.post(f"/routing/catalogue/{ident}", changed | {"basis": "《丙》"})
    assert faster.status == 409
    assert "别人先改了这一条" in faster.text
    assert "《丙》" in faster.text
    page = (await admin.get(f"/routing/catalogue/{ident}")).text
    assert "改属地" in page
    assert "属地区县" in (await admin.get("/routing/catalogue?q=甲")).text
    assert (await admin.post(f"/routing/catalogue/{ident}/end", {"version": "2"})).status == 303
    assert "没有符合条件的清单" in (await admin.get("/routing/catalogue")).text
    assert "已失效" in (await admin.get("/routing/catalogue?past=true")).text


async def test_a_list_is_looked_at_first_then_taken_whole_and_comes_out_as_it_went_in(
    console: Console,
) -> None:
    await console.category()
    admin = await console.signed_in("system_admin")
    heading = "分类编码,区域编码,主办单位编码,协办单位编码,依据,生效日期"
    good = f"{heading}\nlight,,road,water,《甲》,2026-01-01\nlight,east,属地区县,,《乙》,2026-01-01\n"
    bad = good + "nothing,,road,,,2026-01-01\nlight,,nobody,,,一月\n"
    preview = (await admin.post("/routing/catalogue/import", {"text": bad})).text
    assert "改正 2 行后才能导入" in preview
    assert "分类编码不存在" in preview
    refused = await admin.post("/routing/catalogue/import", {"text": bad, "sure": "true"})
    assert refused.status in (409, 422)
    assert await scalar(console, "SELECT count(*) FROM responsibility") == 0
    assert (await admin.post("/routing/catalogue/import", {"text": good, "sure": "true"})).status == 303
    out = (await admin.get("/routing/catalogue/list.csv")).text
    assert "属地区县" in out
    again = (await admin.post("/routing/catalogue/import", {"text": out})).text
    assert "相同 2" in again
    assert "没有需要导入的变化" in again


async def test_what_a_list_does_not_say_stays_as_it_is(console: Console) -> None:
    await catalogued(console, script="问杆号")
    admin = await console.signed_in("system_admin")
    text = "分类编码,主办单位编码\nlight,water\n"
    assert "修改 1" in (await admin.post("/routing/catalogue/import", {"text": text})).text
    assert (await admin.post("/routing/catalogue/import", {"text": text, "sure": "true"})).status == 303
    assert (
        await scalar(console, "SELECT lead || basis || script FROM responsibility")
        == "water《照明规定》问杆号"
    )


async def test_places_are_imported_listed_and_removed(console: Console) -> None:
    admin = await console.signed_in("system_admin")
    text = "名称,类别,所属单位编码,社区（村）\n榕荫花园,小区,town,榕荫社区\n漓江路,道路,east,\n"
    assert (await admin.post("/routing/places/import", {"text": text, "sure": "true"})).status == 303
    page = (await admin.get("/routing/places?q=榕荫")).text
    assert "榕荫花园" in page
    assert "漓江路" not in page
    wrong = (await admin.post("/routing/places/import", {"text": text + "路,道路,east,\n"})).text
    assert "改正 1 行后才能导入" in wrong
    path = re.findall(r"/routing/places/\d+/remove", page)[0]
    assert (await admin.post(path)).status == 303
    assert "没有符合的地名" in (await admin.get("/routing/places?q=榕荫")).text


async def test_each_figure_opens_the_tickets_behind_it(console: Console) -> None:
    await catalogued(console)
    desk = await console.signed_in("dispatcher")
    made = await console.ticket()
    await desk.get("/dispatch")
    form = {"version": "1", "unit_id": str(console.units["road"]), "back": "desk"}
    await desk.post(f"/tickets/{made.id}/dispatch", form)
    await console.ticket("water")
    page = (await desk.get("/routing/figures")).text
    assert "100.0%" in page
    assert "1 件有建议" in page
    behind = (await desk.get("/routing/figures/tickets?first=2026-11-01&last=2026-11-30&kind=followed")).text
    assert behind.count('href="/tickets/') == 1
    assert f'href="/tickets/{made.id}"' in behind
    assert "责任清单" in behind
    for by in ("unit", "category", "rule", "source"):
        assert (await desk.get(f"/routing/figures?by={by}")).status == 200
    assert (await desk.get("/routing/figures?first=2026-11-30&last=2026-11-01")).status == 422
    assert (await desk.get("/routing/figures?first=2026-01-01&last=2026-11-01")).status == 422
