"""The administrators' desks: accounts, approvals, lists of people, sessions, delegations."""

from __future__ import annotations

import re

from sqlalchemy import text

from core.clock import to_city
from core.people.permissions import Role
from tests.web.conftest import PASSWORD, SYSTEM, Answer, Console

NEW = {"login": "wang.wu", "name": "王五", "extension": "1088", "roles": "agent"}


def _new(console: Console, **more: str) -> dict[str, str]:
    return {**NEW, "unit_id": str(console.units["hotline"]), **more}


def _secret(answer: Answer) -> str:
    found = re.search(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>", answer.text)
    assert found, answer.text[-800:]
    return found[1]


async def _one(console: Console, query: str, **values: object) -> object:
    async with console.ctx.db.read() as session:
        return (await session.execute(text(query), values)).scalar_one()


async def test_an_account_is_previewed_made_approved_and_used(console: Console) -> None:
    system = await console.signed_in("system_admin")
    preview = await system.post("/admin/users", _new(console))
    assert preview.status == 200
    assert "安全管理员批准后生效" in preview.text
    assert await _one(console, "SELECT count(*) FROM user_account WHERE login = 'wang.wu'") == 0
    secret = _secret(await system.post("/admin/users", _new(console, sure="true", note="新招")))
    assert (await console.browser().sign_in("wang.wu", secret)).status == 401
    assert "查看并批准" not in (await system.get("/admin/approvals")).text
    security = await console.signed_in("security_admin")
    waiting = await security.get("/admin/approvals")
    ident = re.search(r'href="/admin/approvals/(\d+)"', waiting.text)
    assert ident
    shown = await security.get(f"/admin/approvals/{ident[1]}")
    assert "新招" in shown.text
    assert "话务员" in shown.text
    own = await system.post(f"/admin/approvals/{ident[1]}/approve", {"note": ""})
    assert own.status == 403
    assert (await security.post(f"/admin/approvals/{ident[1]}/approve", {"note": "同意"})).status == 303
    fresh = await console.browser().sign_in("wang.wu", secret)
    assert fresh.headers["Location"] == "/password"


async def test_a_taken_login_or_extension_says_whose_it_is_and_keeps_the_form(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE user_account SET extension = '1088' WHERE login = 'agent'"))
    system = await console.signed_in("system_admin")
    taken = await system.post("/admin/users", _new(console))
    assert taken.status == 409
    assert "已由 张agent（agent） 使用" in taken.text
    assert 'value="王五"' in taken.text
    twice = await system.post("/admin/users", _new(console, login="agent", extension=""))
    assert (twice.status, "工号已被使用" in twice.text) == (409, True)
    mixed = await system.post("/admin/users", [*_new(console).items(), ("roles", "audit_admin")])
    assert (mixed.status, "岗位不能兼任" in mixed.text) == (422, True)


async def test_closing_an_account_says_what_becomes_of_its_work_and_ends_its_sockets(
    console: Console,
) -> None:
    agent = await console.signed_in("agent")
    ident = console.users["agent"]
    async with console.ctx.db.begin() as uow:
        owner = await console.ctx.people.actor_for_user(uow.session, ident)
        assert owner is not None
        await console.ctx.drafts.open_manual(uow, owner)
    system = await console.signed_in("system_admin")
    preview = await system.post(f"/admin/users/{ident}/disable", {})
    assert "1 份未办结的草稿" in preview.text
    assert (await agent.get("/agent")).status == 200
    done = await system.post(f"/admin/users/{ident}/disable", {"sure": "true"})
    assert done.headers["Location"] == f"/admin/users/{ident}?done=saved"
    assert (await agent.get("/agent")).status == 303
    assert "停用" in (await system.get("/admin/users?text=agent&state=closed")).text


async def test_each_administrator_is_offered_and_allowed_only_his_own_acts(console: Console) -> None:
    ident = console.users["agent"]
    system = await console.signed_in("system_admin")
    security = await console.signed_in("security_admin")
    audit = await console.signed_in("audit_admin")
    for browser, allowed in ((system, {"disable"}), (security, {"disable", "unlock", "password"})):
        for act in ("disable", "unlock", "password"):
            answer = await browser.post(f"/admin/users/{ident}/{act}", {})
            assert (answer.status == 200) == (act in allowed), (allowed, act, answer.status)
    page = await audit.get(f"/admin/users/{ident}")
    assert page.status == 200
    assert "审计记录" in page.text
    assert f'action="/admin/users/{ident}/disable"' not in page.text
    assert "审计记录" not in (await system.get(f"/admin/users/{ident}")).text
    assert (await audit.post(f"/admin/users/{ident}/disable", {"sure": "true"})).status == 403


async def test_a_password_is_reset_once_and_shown_once(console: Console) -> None:
    security = await console.signed_in("security_admin")
    ident = console.users["agent"]
    secret = _secret(await security.post(f"/admin/users/{ident}/password", {"sure": "true"}))
    assert (await console.browser().sign_in("agent")).status == 401
    assert (await console.browser().sign_in("agent", secret)).headers["Location"] == "/password"
    assert secret not in (await security.get(f"/admin/users/{ident}")).text


async def test_the_list_is_searched_paged_and_exported_without_formulas(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        for number in range(60):
            await console.ctx.people.create_user(
                uow, SYSTEM, login=f"clerk{number:03}", name="=cmd()" if number == 0 else "赵六",
                password=PASSWORD, unit_id=console.units["road"], roles=frozenset({Role.DEPT_OFFICER}),
            )  # fmt: skip
    system = await console.signed_in("system_admin")
    first = await system.get(f"/admin/users?text=clerk&unit_id={console.units['road']}")
    assert "clerk049" in first.text
    assert "clerk050" not in first.text
    following = re.search(r'href="(/admin/users\?[^"]*after=clerk049)"', first.text)
    assert following
    second = await system.get(following[1].replace("&amp;", "&"))
    assert "clerk059" in second.text
    assert "clerk049" not in second.text
    assert "没有符合条件的账号" in (await system.get("/admin/users?text=%25")).text
    export = await system.get("/admin/users/list.csv?text=clerk")
    assert export.text.count("\r\n") == 61
    assert ",'=cmd()," in export.text
    assert await _one(console, "SELECT count(*) FROM audit_log WHERE action = 'user.export'") == 1


async def test_a_list_of_people_is_checked_line_by_line_and_nothing_is_written_before_import(
    console: Console,
) -> None:
    system = await console.signed_in("system_admin")
    lines = [
        "工号,姓名,单位编码,岗位,分机",
        "n1,甲,water,承办联络员,",
        "n2,乙,nowhere,承办联络员,",
        "n1,丙,water,承办联络员,",
        "n3,丁,water,没有这个岗位,",
        "n4,戊,hotline,系统管理员,",
        "bad login,己,water,承办联络员,",
        "road_officer,张road_officer,road,承办联络员,",
        "east_officer,新名,east,承办联络员、承办领导,",
    ]
    shown = await system.post("/admin/users/import", {"text": "\n".join(lines)})
    assert shown.status == 200
    for sentence in ("没有这个单位编码", "工号在列表中重复", "岗位为空或不能识别", "三员账号不能批量导入"):
        assert sentence in shown.text
    assert "新建 1，修改 1，不变 1，有误 5" in shown.text
    refused = await system.post("/admin/users/import", {"text": "\n".join(lines), "sure": "true"})
    assert refused.status == 422
    assert await _one(console, "SELECT count(*) FROM user_account WHERE login LIKE 'n_'") == 0
    assert await _one(console, "SELECT count(*) FROM user_import") == 0


async def test_a_list_without_a_column_leaves_it_alone_and_one_with_too_many_cells_is_told(
    console: Console,
) -> None:
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE user_account SET extension = '1088' WHERE login = 'agent'"))
    system = await console.signed_in("system_admin")
    listed = "工号,姓名,单位编码,岗位\nagent,新名,hotline,话务员\nroad_officer,乙,road,承办联络员,8800\n"
    shown = await system.post("/admin/users/import", {"text": listed})
    assert "单元格多于列名" in shown.text
    assert "修改 1，不变 0，有误 1" in shown.text
    right = listed.replace(",8800", "")
    sent = await system.post("/admin/users/import", {"text": right, "sure": "true"})
    await system.post(f"{sent.headers['Location']}/step", {})
    row = "SELECT name || coalesce(extension, '-') FROM user_account WHERE login = 'agent'"
    assert await _one(console, row) == "新名1088"


async def test_an_exported_list_names_the_unit_and_not_another_of_the_same_name(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE unit SET name = '城管局' WHERE code IN ('water', 'road')"))
    system = await console.signed_in("system_admin")
    for login, unit in (("road_officer", "road"), ("dept_officer", "water")):
        listed = (await system.get(f"/admin/users/list.csv?text={login}")).text
        assert f"{login},张{login},{unit}," in listed
    again = await system.post("/admin/users/import", {"text": listed})
    assert "修改 0，不变 1，有误 0" in again.text


async def test_a_long_list_is_done_in_steps_and_opened_by_one_approval(console: Console) -> None:
    system = await console.signed_in("system_admin")
    rows = [f"n{number:02},甲{number},water,承办联络员," for number in range(25)]
    rows.append("east_officer,新名,east,承办领导,")
    listed = "\ufeff" + "\n".join(["工号,姓名,单位编码,岗位,分机", *rows])
    sent = await system.post("/admin/users/import", {"text": listed, "sure": "true"})
    assert sent.status == 303
    address = sent.headers["Location"]
    other = await console.signed_in("security_admin")
    assert (await other.get(address)).status == 403
    for done in (20, 26):
        assert (await system.post(f"{address}/step", {})).status == 303
        assert f'<b class="hl-number">{done}</b> / 26' in (await system.get(address)).text
    assert (await system.post(f"{address}/step", {})).status == 303  # nothing is done twice
    assert (
        await _one(console, "SELECT count(*) FROM user_account WHERE login LIKE 'n__' AND NOT active") == 25
    )
    assert await _one(console, "SELECT name FROM user_account WHERE login = 'east_officer'") == "新名"
    secrets = await system.post(f"{address}/passwords", {})
    password = re.search(r"n07,([a-z0-9-]{14})", secrets.text)
    assert password
    assert (await system.post(f"{address}/passwords", {})).status == 410
    waiting = await other.get("/admin/approvals")
    ident = re.search(r'href="/admin/approvals/(\d+)"', waiting.text)
    assert ident
    assert (await other.post(f"/admin/approvals/{ident[1]}/approve", {"note": ""})).status == 303
    assert (await console.browser().sign_in("n07", password[1])).headers["Location"] == "/password"
    held = "SELECT string_agg(role, ',') FROM user_role WHERE user_id = :id"
    assert await _one(console, held, id=console.users["east_officer"]) == "dept_head"


async def test_the_people_of_a_refused_list_are_taken_up_by_the_next_one(console: Console) -> None:
    system, security = await console.signed_in("system_admin"), await console.signed_in("security_admin")

    async def listed(posts: str) -> str:
        lines = f"工号,姓名,单位编码,岗位\nn1,甲,water,{posts}\n"
        sent = await system.post("/admin/users/import", {"text": lines, "sure": "true"})
        await system.post(f"{sent.headers['Location']}/step", {})
        return str(await _one(console, "SELECT max(id) FROM admin_proposal"))

    first = await listed("承办领导")
    await security.post(f"/admin/approvals/{first}/refuse", {"note": "岗位有误"})
    second = await listed("承办联络员")
    assert second != first
    assert (await security.post(f"/admin/approvals/{second}/approve", {"note": ""})).status == 303
    row = "SELECT active::text || role FROM user_account a JOIN user_role r ON r.user_id = a.id"
    assert await _one(console, row + " WHERE login = 'n1'") == "truedept_officer"


async def test_killing_a_session_ends_it_and_closes_its_socket(console: Console) -> None:
    agent = await console.signed_in("agent")
    security = await console.signed_in("security_admin")
    async with agent.session.ws_connect(console.base + "/live", headers={"Origin": console.base}) as socket:
        assert (await socket.receive_json())["t"] == "hello"
        listed = await security.get("/admin/sessions?text=agent")
        ident = re.search(r'action="/admin/sessions/(\d+)/end"', listed.text)
        assert ident
        assert (await security.post(f"/admin/sessions/{ident[1]}/end", {})).status == 303
    assert (await agent.get("/agent")).status == 303
    assert await _one(console, "SELECT count(*) FROM audit_log WHERE action = 'session.kill'") == 1
    assert await _one(console, "SELECT count(*) FROM event_log WHERE topic = 'access'") == 1


async def test_everybody_sees_and_ends_his_own_sessions(console: Console) -> None:
    here, there = await console.signed_in("agent"), await console.signed_in("agent")
    listed = await here.get("/sessions")
    assert listed.text.count('/end"') >= 2
    assert (await here.post("/sessions/end-others", {})).status == 303
    assert (await there.get("/agent")).status == 303
    assert (await here.get("/agent")).status == 200


async def test_a_head_names_a_deputy_and_ends_it(console: Console) -> None:
    head = await console.signed_in("dept_head")
    today = to_city(console.ctx.clock.now()).date().isoformat()
    form = {
        "deputy_id": str(console.users["dept_officer"]),
        "first_day": today,
        "last_day": today,
        "reason": "培训",
    }
    assert (await head.post("/delegations", form)).status == 303
    again = await head.post("/delegations", form)
    assert (again.status, "日期重叠" in again.text) == (409, True)
    officer = await console.signed_in("dept_officer")
    assert "培训" in (await officer.get("/delegations")).text
    ident = re.search(r'action="/delegations/(\d+)/end"', (await head.get("/delegations")).text)
    assert ident
    assert (await officer.post(f"/delegations/{ident[1]}/end", {})).status == 403
    supervision = await console.signed_in("supervision_officer")
    assert (await supervision.post(f"/delegations/{ident[1]}/end", {})).status == 404
    assert (await head.post(f"/delegations/{ident[1]}/end", {})).status == 303
    assert "已提前结束" in (await head.get("/delegations")).text
