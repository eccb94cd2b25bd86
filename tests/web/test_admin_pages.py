"""The catalogue, notices, settings, messages given up, audit log and deletions, as a browser uses them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from core import outbox, retention
from core.catalog import notices
from core.clock import to_city
from core.people.actor import Actor
from tests.security.test_foreign_ids import EVIL
from tests.web.conftest import Browser, Console
from tickets.citizens import records
from tickets.citizens import service as citizens

HX = {"HX-Request": "true"}
SYSTEM = Actor.system("tests")


async def _scalar(console: Console, statement: str) -> object:
    async with console.ctx.db.read() as session:
        return (await session.execute(text(statement))).scalar_one()


def _clean(page: str, where: str) -> None:
    for markup in ("<script>alert", "<img src=x", "\"'><"):
        assert markup not in page, where


# ---- catalogue ------------------------------------------------------------------------------


async def test_reason_codes_are_changed_and_imported_with_a_preview(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    form = {"kind": "void", "code": "noise", "label": "骚扰来电", "sort": "50", "active": "true"}
    assert "已保存" in (await browser.post("/admin/catalog/reasons", form, follow=True)).text
    assert "骚扰来电" in (await browser.get("/admin/catalog?kind=void")).text
    given = "类别,编码,名称,填写提示,启用,顺序\n作废原因,noise,骚扰,,否,60\n作废原因,新码,坏,,是,1\n"
    preview = await browser.post("/admin/catalog/reasons/import", {"text": given})
    assert "修改 1，不变 0，有误 1" in preview.text
    wrong = await browser.post("/admin/catalog/reasons/import", {"text": given, "sure": "true"}, headers=HX)
    assert wrong.status == 422
    right = given.replace("新码", "new")
    await browser.post("/admin/catalog/reasons/import", {"text": right, "sure": "true"})
    assert await _scalar(console, "SELECT active FROM reason_code WHERE code = 'noise'") is False
    assert "骚扰" in (await browser.get("/admin/catalog/reasons.csv")).text


async def test_a_list_of_reasons_changes_nothing_it_does_not_say_and_names_every_wrong_line(
    console: Console,
) -> None:
    browser = await console.signed_in("system_admin")
    form = {"kind": "void", "code": "noise", "label": "骚扰来电", "hint": "说明经过", "sort": "50"}
    await browser.post("/admin/catalog/reasons", form)  # a closed one
    short = "类别,编码,名称\n作废原因,noise,骚扰\n"
    await browser.post("/admin/catalog/reasons/import", {"text": short, "sure": "true"})
    kept = "SELECT label || hint || active || sort FROM reason_code WHERE code = 'noise'"
    assert await _scalar(console, kept) == "骚扰说明经过false50"
    lines = [
        "类别,编码,名称,启用,顺序",
        "作废原因,a1,甲,是,十",
        "作废原因,a2,乙,也许,1",
        "没有的类别,a3,丙,是,1",
        "作废原因,a4,丁,是,1,多出",
        "作废原因,a5,戊,是,1",
        "作废原因,a5,己,是,2",
    ]
    shown = (await browser.post("/admin/catalog/reasons/import", {"text": "\n".join(lines)})).text
    for sentence in ("顺序须为", "只能填“是”或“否”", "没有这个类别", "单元格多于列名", "编码在列表中重复"):
        assert sentence in shown, sentence
    assert "新增 1，修改 0，不变 0，有误 5" in shown


async def test_words_are_added_tried_and_removed(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    await browser.post("/admin/catalog/words", {"kind": "other", "words": "塌方，地陷\n塌方"})
    ident = await _scalar(console, "SELECT id FROM sensitive_word WHERE word = '塌方'")
    await browser.post(f"/admin/catalog/words/{ident}/remove")
    assert await _scalar(console, "SELECT count(*) FROM sensitive_word WHERE word IN ('塌方', '地陷')") == 1
    tried = await browser.post("/admin/catalog/words/try", {"text": "小区停水"}, headers=HX)
    assert "停水" in tried.text


async def test_a_ticket_shows_the_sensitive_words_it_was_made_with(console: Console) -> None:
    made = await console.ticket("water", narrative="多户停水三天，有人说要上访")
    officer, admin = await console.signed_in("dept_officer"), await console.signed_in("system_admin")
    for path in (f"/tickets/{made.id}", f"/tickets/{made.id}/head"):
        page = (await officer.get(path)).text
        assert "停水</span>" in page, path
        assert "上访</span>" in page, path
    assert "在 1 件工单中出现" in (await admin.get("/admin/catalog/words")).text


async def test_queues_say_that_the_telephone_system_is_not_changed_from_here(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE user_account SET extension = '1001' WHERE login = 'agent'"))
    browser = await console.signed_in("system_admin")
    ident = await _scalar(console, "SELECT id FROM call_queue WHERE name = 'hotline'")
    form = {"add": str(console.users["agent"])}
    await browser.post(f"/admin/catalog/queues/{ident}/members", form)
    shown = await browser.get("/admin/catalog/queues")
    assert "尚不会写入电话系统" in shown.text
    assert "张agent" in shown.text
    out = {"user_ids": str(console.users["agent"]), "penalties": "-1"}
    await browser.post(f"/admin/catalog/queues/{ident}/members", out)
    assert await _scalar(console, "SELECT count(*) FROM call_queue_member") == 0


async def test_a_wording_is_previewed_with_its_faults_and_kept_as_a_new_version(console: Console) -> None:
    browser = await console.signed_in("system_admin")
    path = "/admin/catalog/templates/receipt"
    shown = await browser.post(f"{path}/preview", {"text": "编号{number}"}, headers=HX)
    assert "{number}" not in shown.text
    faulty = await browser.post(f"{path}/preview", {"text": "单位{unit}"}, headers=HX)
    assert "不能使用占位符 {unit}" in faulty.text
    form = {"base_version": "1", "text": "已登记，编号{number}，查询码{code}。", "enabled": "true"}
    assert "已保存" in (await browser.post(path, form, follow=True)).text
    assert (await browser.post(path, form, headers=HX)).status == 409
    assert "第 2 版" in (await browser.get("/admin/catalog/templates?event=receipt")).text


# ---- notices --------------------------------------------------------------------------------


def _notice(console: Console, **over: str) -> dict[str, str]:
    now = to_city(console.ctx.clock.now())
    return {
        "title": "系统升级",
        "body": "今晚 22 点升级",
        "starts_at": now.strftime("%Y-%m-%dT%H:%M"),
        "ends_at": (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        **over,
    }


async def test_a_must_read_notice_stands_above_every_page_until_it_was_read(console: Console) -> None:
    leader, agent = await console.signed_in("shift_leader"), await console.signed_in("agent")
    await leader.post("/admin/notices", _notice(console, must_read="true", posts="agent"))
    assert "系统升级" not in (await leader.get("/notices")).text
    ident = await _scalar(console, "SELECT id FROM notice")
    async with console.ctx.db.read() as session:
        await notices._copy.get(session, now=True)
    assert "必读公告" in (await agent.get("/password")).text
    await agent.post(f"/notices/{ident}/read")
    assert "必读公告" not in (await agent.get("/password")).text
    assert "1 / 1 人已确认" in (await leader.get(f"/admin/notices?notice={ident}")).text
    stranger = await console.signed_in("dispatcher")
    assert (await stranger.post(f"/notices/{ident}/read", headers=HX)).status == 404
    await leader.post(f"/admin/notices/{ident}/withdraw")
    assert "系统升级" not in (await agent.get("/notices")).text


async def test_a_notice_says_whom_it_reaches_and_refuses_a_stale_change(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    reach = await leader.post("/admin/notices/audience", {"posts": "agent"}, headers=HX)
    assert ">1</b> 人" in reach.text
    await leader.post("/admin/notices", _notice(console))
    ident = await _scalar(console, "SELECT id FROM notice")
    change = _notice(console, title="改期", version="1")
    assert (await leader.post(f"/admin/notices/{ident}/change", change, headers=HX)).status == 204
    assert (await leader.post(f"/admin/notices/{ident}/change", change, headers=HX)).status == 409
    bad = _notice(console, ends_at="2020-01-01T00:00")
    assert (await leader.post("/admin/notices", bad, headers=HX)).status == 422


# ---- settings -------------------------------------------------------------------------------


async def test_settings_are_shown_with_their_place_and_secrets_never(console: Console) -> None:
    browser = await console.signed_in("audit_admin")
    page = (await browser.get("/admin/settings")).text
    secrets = console.ctx.settings.secrets
    for value in (secrets.index_key, secrets.demo_password, *secrets.master_keys.values()):
        assert value not in page
    assert "已设置" in page
    for name in ("city.name", "telephony.simulator.speed", "retention.session_days"):
        assert name in page
    assert "环境变量" in page or "默认" in page


# ---- messages given up ----------------------------------------------------------------------


async def _dead(console: Console, *dedups: str) -> list[str]:
    async with console.ctx.db.begin() as uow:
        for dedup in dedups:
            await outbox.enqueue(uow, kind="sms", dedup=dedup, payload={})
        await uow.session.execute(
            text("UPDATE outbox SET dead_at = now(), attempts = 12, last_error = 'timeout ' || dedup")
        )
        rows = await uow.session.execute(text("SELECT id FROM outbox ORDER BY id"))
        return [str(ident) for ident in rows.scalars()]


async def test_many_messages_are_sent_again_or_discarded_with_a_reason(console: Console) -> None:
    ids = await _dead(console, "a", "b", "c")
    browser = await console.signed_in("system_admin")
    found = await browser.get("/admin/outbox?text=timeout+b")
    assert f'value="{ids[1]}"' in found.text
    assert f'value="{ids[0]}"' not in found.text
    pairs = [("act", "resend"), *(("ids", ident) for ident in ids[:2])]
    assert "已重新排入发送" in (await browser.post("/admin/outbox", pairs, follow=True)).text
    silent = await browser.post("/admin/outbox", {"act": "discard", "ids": ids[2]}, headers=HX)
    assert silent.status == 422
    await browser.post("/admin/outbox", {"act": "discard", "ids": ids[2], "reason": "号码已停用"})
    none = await browser.post("/admin/outbox", {"act": "resend", "ids": ids[2]}, headers=HX)
    assert none.status == 422
    assert await _scalar(console, "SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL") == 0
    audited = "SELECT string_agg(action, ' ' ORDER BY id) FROM audit_log WHERE object_type = 'outbox'"
    assert await _scalar(console, audited) == "outbox.resend outbox.resend outbox.discard"


# ---- audit log ------------------------------------------------------------------------------


async def test_the_audit_log_is_searched_by_reason_and_time_and_its_export_is_an_entry(
    console: Console,
) -> None:
    ids = await _dead(console, "a")
    admin = await console.signed_in("system_admin")
    await admin.post("/admin/outbox", {"act": "discard", "ids": ids[0], "reason": "=号码 100%_停用"})
    auditor = await console.signed_in("audit_admin")
    found = await auditor.get("/admin/audit?reason=100%25_&action=放弃消息&since=2026-11-23&until=2026-11-23")
    assert "=号码 100%_停用" in found.text
    assert "没有符合条件" in (await auditor.get("/admin/audit?reason=1000_")).text
    assert "没有符合条件" in (await auditor.get("/admin/audit?until=2026-11-22")).text
    assert "条待链" in found.text
    exported = await auditor.post("/admin/audit/export", {"action": "放弃消息"})
    assert exported.headers["Content-Type"].startswith("text/csv")
    assert "'=号码" in exported.text
    again = await auditor.get("/admin/audit?action=导出审计日志")
    assert "&#34;rows&#34;: 1" in again.text or '"rows": 1' in again.text


async def test_the_audit_log_is_read_page_by_page_without_gaps(console: Console) -> None:
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text(
                "INSERT INTO audit_log (at, actor_login, action, object_type, detail) "
                "SELECT now(), 'robot', 'x', 'y', '{}' FROM generate_series(1, 120)"
            )
        )
    auditor = await console.signed_in("audit_admin")
    seen, path = 0, "/admin/audit?login=robot"
    while path:
        page = (await auditor.get(path)).text
        seen += page.count('<td class="hl-nowrap">robot</td>')
        after = page.partition('href="/admin/audit?login=robot&amp;before=')[2]
        path = f"/admin/audit?login=robot&before={after.partition(chr(34))[0]}" if after else ""
    assert seen == 120


async def test_ids_no_row_can_have_are_refused_and_never_reach_the_database(console: Console) -> None:
    admin, leader = await console.signed_in("system_admin"), await console.signed_in("shift_leader")
    ident, huge = await _scalar(console, "SELECT id FROM call_queue LIMIT 1"), str(2**63)
    notice = _notice(console)
    for browser, path, form in (
        (admin, "/admin/outbox", {"ids": huge, "act": "resend"}),
        (admin, f"/admin/catalog/queues/{ident}/members", {"user_ids": huge, "penalties": "1"}),
        (leader, "/admin/notices", {**notice, "unit_ids": huge}),
        (leader, "/admin/notices/audience", {"unit_ids": huge}),
    ):
        assert (await browser.post(path, form)).status == 400, path


# ---- deletions ------------------------------------------------------------------------------


async def _citizen(console: Console) -> int:
    made = await console.ticket()
    async with console.ctx.db.begin() as uow:
        query = text("SELECT phone_ref FROM ticket WHERE id = :id")
        ref = (await uow.session.execute(query, {"id": made.id})).scalar_one()
        ident = await records.ensure(uow, ref)
        await uow.session.execute(text("UPDATE ticket SET state = 'closed', stage = NULL"))
    return ident


async def test_a_citizen_is_deleted_only_after_the_audit_administrator_agreed(console: Console) -> None:
    ident = await _citizen(console)
    security = await console.signed_in("security_admin")
    found = await security.post("/admin/deletions/find", {"typed": "13800001234"}, follow=True)
    assert "销毁，不能恢复" in found.text
    assert "13800001234" not in found.text
    form = {"reason": "本人申请"}
    sent = await security.post(f"/admin/deletions/{ident}/request", form, follow=True)
    assert "待另一位管理员批准" in sent.text
    query = "SELECT count(*) FROM personal_value WHERE destroyed_at IS NOT NULL"
    assert await _scalar(console, query) == 0
    async with console.ctx.db.begin() as uow:
        actor = await console.ctx.people.actor_for_user(uow.session, console.users["audit_admin"])
        assert actor is not None
        waiting = await uow.session.execute(text("SELECT id FROM admin_proposal"))
        await console.ctx.people.proposals.approve(uow, actor, waiting.scalar_one())
    assert int(str(await _scalar(console, query))) >= 2
    assert "个人信息已经删除" in (await security.get(f"/admin/deletions?citizen={ident}")).text


async def test_a_deletion_does_not_take_along_what_was_merged_into_the_record_since(
    console: Console,
) -> None:
    ident = await _citizen(console)
    security, auditor = await console.signed_in("security_admin"), await console.signed_in("audit_admin")
    await security.post(f"/admin/deletions/{ident}/request", {"reason": "本人申请"})
    async with console.ctx.db.begin() as uow:
        agent = await console.ctx.people.actor_for_user(uow.session, console.users["agent"])
        assert agent is not None
        other = await records.ensure(uow, (await console.ctx.vault.put(uow, "phone", "13800005678")).id)
        await citizens.merge(uow, agent, ident, 1, other, 1, "同一个人")
    waiting = await _scalar(console, "SELECT id FROM admin_proposal")
    answer = await auditor.post(f"/admin/approvals/{waiting}/approve", {"note": ""})
    assert (answer.status, "事项已过时" in answer.text) == (409, True)
    query = "SELECT count(*) FROM personal_value WHERE destroyed_at IS NOT NULL"
    assert await _scalar(console, query) == 0


async def test_the_deletion_of_who_never_gave_a_name_can_be_asked_for(console: Console) -> None:
    await console.ticket(citizen_name="")
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text("UPDATE ticket SET state = 'closed', stage = NULL"))
    assert await _scalar(console, "SELECT count(*) FROM citizen") == 0
    security = await console.signed_in("security_admin")
    found = await security.post("/admin/deletions/find", {"typed": "13800001234"}, follow=True)
    assert "销毁，不能恢复" in found.text
    unknown = await security.post("/admin/deletions/find", {"typed": "13900001234"})
    assert unknown.status == 404


async def test_a_legal_hold_refuses_the_request_until_it_is_lifted(console: Console) -> None:
    ident = await _citizen(console)
    auditor, security = await console.signed_in("audit_admin"), await console.signed_in("security_admin")
    number = str(await _scalar(console, "SELECT number FROM ticket"))
    hold = {"subject": "ticket", "typed": number, "reason": "行政诉讼"}
    assert "已保存" in (await auditor.post("/admin/deletions/holds", hold, follow=True)).text
    refused = await security.post(f"/admin/deletions/{ident}/request", {"reason": "本人申请"}, headers=HX)
    assert refused.status == 409
    assert "依法保全" in refused.text
    held = await _scalar(console, "SELECT id FROM legal_hold")
    await auditor.post(f"/admin/deletions/holds/{held}/lift", {"reason": "结案"})
    sent = await security.post(f"/admin/deletions/{ident}/request", {"reason": "本人申请"}, headers=HX)
    assert sent.status == 204


async def test_retention_is_shown_as_it_is_set_and_as_it_stands(console: Console) -> None:
    page = (await (await console.signed_in("audit_admin")).get("/admin/deletions")).text
    assert "180 天" in page
    assert page.count("尚未清理") > 2
    await retention.sweep(console.ctx.db, console.ctx.settings.retention)
    page = (await (await console.signed_in("audit_admin")).get("/admin/deletions")).text
    # Recordings are files, swept where the PBX keeps them; conversations have a sweep of their own.
    assert page.count("尚未清理") == 2


# ---- texts that want to be scripts ----------------------------------------------------------


async def test_no_text_of_these_pages_becomes_markup(console: Console) -> None:
    ident = await _citizen(console)
    admin, leader = await console.signed_in("system_admin"), await console.signed_in("shift_leader")
    auditor = await console.signed_in("audit_admin")
    dead = await _dead(console, EVIL)
    posts: list[tuple[Browser, str, dict[str, str]]] = [
        (admin, "/admin/catalog/reasons", {"kind": "void", "code": "evil", "label": EVIL[:60], "hint": EVIL}),
        (admin, "/admin/catalog/words", {"kind": "other", "words": EVIL[:40]}),
        (admin, "/admin/catalog/queues", {"name": "evil", "label": EVIL[:40], "kind": "skill"}),
        (leader, "/admin/notices", _notice(console, title=EVIL[:80], body=EVIL, must_read="true")),
        (auditor, "/admin/deletions/holds", {"subject": "citizen", "typed": str(ident), "reason": EVIL}),
    ]
    for browser, path, form in posts:
        assert (await browser.post(path, form)).status == 303, path
    async with console.ctx.db.read() as session:
        await notices._copy.get(session, now=True)
    pages = (
        (admin, "/admin/catalog?kind=void"),
        (admin, "/admin/catalog/words"),
        (admin, "/admin/catalog/queues"),
        (leader, "/admin/notices?notice=1"),
        (leader, "/notices"),
        (admin, "/admin/outbox"),
        (auditor, "/admin/deletions"),
        (auditor, "/admin/audit"),
    )
    for browser, path in pages:
        answer = await browser.get(path)
        assert answer.status == 200, path
        assert "script" in answer.text, path
        _clean(answer.text, path)
    preview = {"text": f"类别,编码,名称\n{EVIL},{EVIL},{EVIL}\n"}
    _clean((await admin.post("/admin/catalog/reasons/import", preview)).text, "import")
    _clean((await admin.post("/admin/catalog/words/try", {"text": EVIL})).text, "try")
    wording = await admin.post("/admin/catalog/templates/receipt/preview", {"text": EVIL})
    _clean(wording.text, "wording")
    await admin.post("/admin/outbox", {"act": "discard", "ids": dead[0], "reason": EVIL})
    _clean((await auditor.get("/admin/audit")).text, "audit")
