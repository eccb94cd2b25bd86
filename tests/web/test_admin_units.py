"""The organisation tree and the categories at the administrator's desk, as a browser uses them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from tests.security.test_foreign_ids import EVIL
from tests.web.conftest import Browser, Console
from tickets.handover import Handovers

HX = {"HX-Request": "true"}


async def _scalar(console: Console, statement: str) -> object:
    async with console.ctx.db.read() as session:
        return (await session.execute(text(statement))).scalar_one()


async def _approve(console: Console, login: str) -> None:
    async with console.ctx.db.begin() as uow:
        actor = await console.ctx.people.actor_for_user(uow.session, console.users[login])
        assert actor is not None
        query = "SELECT id FROM admin_proposal WHERE state = 'waiting' ORDER BY id DESC LIMIT 1"
        ident = (await uow.session.execute(text(query))).scalar_one()
        await console.ctx.people.proposals.approve(uow, actor, ident, note="同意")


def _clean(page: str, where: str) -> None:
    for markup in ("<script>alert", "<img src=x", "\"'><"):
        assert markup not in page, where


async def test_a_unit_is_added_renamed_moved_and_found_again(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    east = console.units["east"]
    form = {"parent_id": str(east), "kind": "town", "name": "穿山街道", "short_name": "穿山", "code": "cs"}
    made = await browser.post("/admin/units", form, follow=True)
    assert "已新增" in made.text
    ident = int(str(await _scalar(console, "SELECT id FROM unit WHERE code = 'cs'")))
    assert (await browser.post("/admin/units", form, headers=HX)).status == 409
    await browser.post(f"/admin/units/{ident}/rename", {"name": "穿山新街道"})
    shown = await browser.get(f"/admin/units?unit={ident}")
    assert "穿山新街道" in shown.text
    assert "csxjd" in shown.text  # the initials it is found by
    refused = await browser.post(
        f"/admin/units/{ident}/move", {"parent_id": str(console.units["water"])}, headers=HX
    )
    assert refused.status == 409
    actions = "SELECT string_agg(action, ' ' ORDER BY id) FROM audit_log WHERE object_id = (SELECT id FROM unit WHERE code = 'cs') AND object_type = 'unit'"  # noqa: E501
    assert await _scalar(console, actions) == "unit.create unit.rename"


async def test_a_closed_unit_is_moved_to_where_it_fits_and_opened_there(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    road, water = console.units["road"], console.units["water"]
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE unit SET active = false WHERE id IN (:a, :b)"), {"a": road, "b": water}
        )
        await uow.session.execute(
            text("UPDATE unit SET parent_id = :b WHERE id = :a"), {"a": road, "b": water}
        )
    refused = await browser.post(f"/admin/units/{road}/open", headers=HX)
    assert (refused.status, "单位已撤销" in refused.text) == (409, True)
    shown = await browser.get(f"/admin/units?unit={road}")
    assert f'action="/admin/units/{road}/move"' in shown.text
    assert "新增下级单位" not in shown.text
    top = await _scalar(console, "SELECT id FROM unit WHERE kind = 'city'")
    assert (await browser.post(f"/admin/units/{road}/move", {"parent_id": str(top)})).status == 303
    assert "已启用" in (await browser.post(f"/admin/units/{road}/open", follow=True)).text


async def test_merging_shows_its_effect_waits_for_approval_and_then_shows_its_progress(
    console: Console,
) -> None:
    await console.ticket("water")
    browser = await console.signed_in("system_admin")
    water, road = console.units["water"], console.units["road"]
    preview = await browser.get(f"/admin/units/{water}/close?to={road}")
    assert "1 件（待签收 1）" in preview.text
    assert "市住建局" in preview.text
    empty = await browser.post(f"/admin/units/{water}/close", {"reason": "撤销"}, headers=HX)
    assert empty.status == 409
    sent = await browser.post(
        f"/admin/units/{water}/close", {"to_unit_id": str(road), "reason": "机构改革"}, follow=True
    )
    assert "待另一位管理员批准" in sent.text
    await _approve(console, "security_admin")
    ident = await _scalar(console, "SELECT id FROM unit_handover")
    running = await browser.get(f"/admin/units/handovers/{ident}", headers=HX)
    assert "正在移交" in running.text
    assert 'hx-trigger="load delay:2s"' in running.text
    await Handovers(console.ctx.db, console.ctx.tickets).run()
    done = await browser.get(f"/admin/units/handovers/{ident}")
    assert "已完成" in done.text
    assert "hx-get" not in done.text.split("ad-progress")[1]
    assert await _scalar(console, "SELECT lead_unit_id FROM ticket") == road
    officer = await console.signed_in("dept_officer")  # moved along with the unit
    assert "路灯不亮" in (await officer.get("/unit")).text


async def test_a_list_of_units_is_previewed_before_it_is_carried_out(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    given = "编码,名称,简称,类型,上级编码\nwater,市水务局,,部门,c\nnew,市园林局,,部门,c\n"
    preview = await browser.post("/admin/units/import", {"text": given})
    assert "新增 1，修改 1，不变 0，有误 0" in preview.text
    assert await _scalar(console, "SELECT count(*) FROM unit WHERE code = 'new'") == 0
    done = await browser.post("/admin/units/import", {"text": given, "sure": "true"}, follow=True)
    assert "列表已导入" in done.text
    exported = await browser.get("/admin/units/list.csv")
    assert exported.headers["Content-Disposition"].startswith("attachment")
    assert "市水务局" in exported.text
    wrong = await browser.post(
        "/admin/units/import", {"text": given + "x,y,,国,c\n", "sure": "true"}, headers=HX
    )
    assert wrong.status == 422


async def test_categories_are_drafted_compared_and_published_after_approval(console: Console) -> None:
    await console.category()
    browser = await console.signed_in("system_admin")
    assert "建立草稿" in (await browser.get("/admin/categories")).text
    await browser.post("/admin/categories/draft")
    edit = {"edits": "0", "what": "add", "code": "0201", "name": "停水", "parent": "light"}
    await browser.post("/admin/categories/edit", edit)
    stale = await browser.post("/admin/categories/edit", {**edit, "code": "0202", "name": "停电"}, headers=HX)
    assert stale.status == 409
    changes = await browser.get("/admin/categories?view=changes")
    assert "照明 / 停水" in changes.text
    found = re.search(r'name="version_id" value="(\d+)"', changes.text)
    assert found is not None
    form = {"version_id": found[1], "edits": "1", "note": "细化"}
    sent = await browser.post("/admin/categories/publish", form, follow=True)
    assert "待另一位管理员批准" in sent.text
    await _approve(console, "security_admin")
    assert "细化" in (await browser.get("/admin/categories?view=versions")).text
    assert await _scalar(console, "SELECT full_name FROM category WHERE code = '0201'") == "照明 / 停水"


async def test_a_list_of_categories_goes_into_the_draft(console: Console) -> None:
    await console.category()
    browser = await console.signed_in("system_admin")
    given = "编码,名称,上级编码,启用,并入编码\nlight,照明设施,,是,\nl1,路灯,light,是,\n"
    assert (await browser.post("/admin/categories/import", {"text": given}, headers=HX)).status == 409
    await browser.post("/admin/categories/draft")
    preview = await browser.post("/admin/categories/import", {"text": given})
    assert "2 处变化" in preview.text
    done = await browser.post(
        "/admin/categories/import", {"text": given, "sure": "true", "edits": "0"}, follow=True
    )
    assert "列表已导入" in done.text


async def test_names_that_want_to_be_scripts_stay_text(console: Console) -> None:
    await console.category()
    browser = await console.signed_in("system_admin")
    evil = EVIL[:60]
    form = {
        "parent_id": str(console.units["east"]),
        "kind": "town",
        "name": evil,
        "short_name": EVIL[:20],
        "code": "x",
    }
    assert (await browser.post("/admin/units", form)).status == 303
    ident = await _scalar(console, "SELECT id FROM unit WHERE code = 'x'")
    await browser.post("/admin/categories/draft")
    edit = {"edits": "0", "what": "add", "code": "x", "name": EVIL[:30], "parent": "light"}
    assert (await browser.post("/admin/categories/edit", edit)).status == 303
    lists = {
        "/admin/units/import": f"编码,名称,简称,类型,上级编码\n{evil},{evil},,{evil},{evil}\n",
        "/admin/categories/import": f"编码,名称,上级编码,启用,并入编码\n{evil[:20]},{evil},{evil},是,\n",
    }
    for path, given in lists.items():
        _clean((await browser.post(path, {"text": given})).text, path)
    pages = (f"/admin/units?unit={ident}", f"/admin/units/{ident}/close", "/admin/categories?code=x")
    for path in (*pages, "/admin/categories?view=changes"):
        answer = await browser.get(path)
        assert answer.status == 200, path
        assert "alert(4711)" in answer.text or "&lt;script" in answer.text, path
        _clean(answer.text, path)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/admin/units/{id}/rename", {"name": "改名"}),
        ("/admin/units/{id}/move", {"parent_id": "1"}),
        ("/admin/units/{id}/order", {"way": "up"}),
        ("/admin/units/{id}/close", {"reason": "撤销"}),
        ("/admin/categories/edit", {"edits": "0", "what": "add", "code": "x", "name": "x"}),
    ],
)
async def test_a_field_nobody_asked_for_is_refused(console: Console, path: str, form: dict[str, str]) -> None:
    browser: Browser = await console.signed_in("system_admin")
    address = path.replace("{id}", str(console.units["town"]))
    for extra in ("path", "active", "id"):
        assert (await browser.post(address, {**form, extra: "1"})).status == 400
