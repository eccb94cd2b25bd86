"""Knowledge at the console: beside the form, its pages, tasks, gaps, the emergency wording."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from tests.web.agent_rig import HX, Floor, ctx, floor, hx_post, plain
from tests.web.conftest import Browser, Console
from tickets.knowledge import banners, service
from tickets.knowledge.service import Content
from tickets.knowledge.terms import Step

__all__ = ["ctx", "floor"]
QUESTION, ANSWER = "居住证到期怎么签注", "到期前在政务平台网上签注。"


async def article(console: Console, question: str = QUESTION, **over: Any) -> int:
    """An article of the water bureau that is in force."""
    people, users = console.ctx.people, console.users
    async with console.ctx.db.begin() as uow:
        actors = {
            who: await people.actor_for_user(uow.session, users[who])
            for who in ("dept_officer", "dept_head", "shift_leader")
        }
        officer, head, leader = actors["dept_officer"], actors["dept_head"], actors["shift_leader"]
        assert officer is not None
        assert head is not None
        assert leader is not None
        values: dict[str, Any] = {
            "answer": ANSWER, "basis": "见公告", "audience": "public", "valid_from": uow.now.date(),
        }  # fmt: skip
        ident = await service.create(uow, officer, Content(question, **(values | over)), unit_id=None)
        steps = ((officer, Step.SUBMIT), (head, Step.APPROVE), (leader, Step.PUBLISH))
        for version, (actor, step) in enumerate(steps, 1):
            await service.advance(uow, actor, ident, version, step)
    return ident


def form(**over: str) -> dict[str, str]:
    """The form of an article as the page posts it."""
    return {
        "question": QUESTION, "answer": ANSWER, "basis": "见公告", "audience": "public",
        "valid_from": "2026-11-23", "valid_to": "", "category_id": "", "district_id": "", "then": "submit",
    } | over  # fmt: skip


async def step(browser: Browser, ident: str, version: int, name: str, note: str = "") -> int:
    data = {"version": str(version), "step": name, "note": note}
    return (await browser.post(f"/knowledge/{ident}/step", data)).status


# ---- beside the form


async def test_the_seat_suggests_and_keeps_what_was_answered_by_with_the_draft(floor: Floor) -> None:
    ident, draft = await article(floor.console), await floor.answered()
    browser = await floor.console.signed_in("a1001")
    panel = await browser.get(f"/drafts/{draft}/panel")
    assert "<hl-knowledge" in panel.text
    typed = {"title": "居住证快到期了", "narrative": "", "category_id": "", "area_id": ""}
    hits = await hx_post(browser, "/knowledge/suggest", typed)
    assert QUESTION in plain(hits.text)
    assert ANSWER in hits.text
    used = await hx_post(browser, f"/drafts/{draft}/knowledge", {"article_id": ident})
    assert (used.status, used.headers["HL-Edition"]) == (200, "1")
    ended = await hx_post(browser, f"/drafts/{draft}/record", floor.form(code="direct_answer", note=ANSWER))
    assert "已登记" in ended.text
    kept = "SELECT edition FROM knowledge_use WHERE draft_id = :id"
    assert await floor.scalar(kept, id=draft) == 1
    late = await hx_post(browser, f"/drafts/{draft}/knowledge", {"article_id": ident})
    assert late.status == 409


async def test_nobody_answers_in_a_colleagues_draft(floor: Floor) -> None:
    ident, draft = await article(floor.console), await floor.answered()
    stranger = await floor.console.signed_in("a1002")
    refused = await hx_post(stranger, f"/drafts/{draft}/knowledge", {"article_id": ident})
    assert refused.status == 404
    assert await floor.scalar("SELECT count(*) FROM knowledge_use") == 0


async def test_a_unit_answers_by_an_article_and_the_ticket_shows_its_edition(console: Console) -> None:
    ident = await article(console, "路灯不亮怎么报修")
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    await officer.post(f"/tickets/{made.id}/do/sign", {"version": "2"})
    asked = await officer.get(f"/tickets/{made.id}/do/close", headers=HX)
    assert "路灯不亮怎么报修" in asked.text
    assert f'data-article="{ident}"' in asked.text
    assert (await officer.post(f"/tickets/{made.id}/knowledge", {"article_id": str(ident)})).status == 200
    panel = await officer.get(f"/tickets/{made.id}/knowledge")
    assert "路灯不亮怎么报修" in panel.text
    assert "第 1 版" in panel.text
    stranger = await console.signed_in("road_officer")
    assert (await stranger.get(f"/tickets/{made.id}/knowledge")).status == 404


# ---- writing and reading


async def test_an_article_is_written_reviewed_published_and_found_through_its_pages(console: Console) -> None:
    officer, head = await console.signed_in("dept_officer"), await console.signed_in("dept_head")
    leader, agent = await console.signed_in("shift_leader"), await console.signed_in("agent")
    sent = await officer.post("/knowledge/new", form(unit_id=str(console.units["water"])))
    ident = re.findall(r"/knowledge/(\d+)", sent.headers["Location"])[0]
    assert (await agent.get(f"/knowledge/{ident}")).status == 404
    assert QUESTION in (await head.get("/knowledge/desk")).text
    assert await step(head, ident, 2, "approve") == 303
    assert QUESTION in (await leader.get("/knowledge/desk")).text
    assert await step(leader, ident, 3, "publish") == 303
    found = await agent.get("/knowledge?q=居住证")
    assert "<mark>居住证</mark>到期怎么签注" in found.text
    page = await agent.get(f"/knowledge/{ident}")
    assert ANSWER in page.text
    assert "编写新版本" not in page.text
    assert "第 1 版生效中" in plain(page.text)


async def test_a_refusal_keeps_what_was_typed(console: Console) -> None:
    officer = await console.signed_in("dept_officer")
    refused = await officer.post("/knowledge/new", form(question=" ", answer="写了很久的答复"))
    assert refused.status == 422
    assert "写了很久的答复" in refused.text
    ident = await article(console)
    stale = await officer.post(
        f"/knowledge/{ident}/edit", form(version="1", answer="以旧版本为底的答复", unit_id="")
    )
    assert stale.status == 409
    assert "以旧版本为底的答复" in stale.text
    wrong = await step(officer, str(ident), 4, "publish")
    assert wrong == 409


async def test_texts_of_articles_are_no_markup(console: Console) -> None:
    evil = "\"'><script>alert(4711)</script>"
    ident = await article(console, evil, answer=evil, basis=evil)
    agent, officer = await console.signed_in("agent"), await console.signed_in("dept_officer")
    pages = [
        await agent.get(f"/knowledge/{ident}"),
        await agent.get("/knowledge"),
        await agent.get("/knowledge/preview"),
        await officer.get(f"/knowledge/{ident}/edit"),
        await hx_post(agent, "/knowledge/suggest", {"q": "alert"}),
    ]
    for page in pages:
        assert page.status == 200
        assert "alert(4711)" in page.text
        assert "<script>alert" not in page.text


# ---- tasks, gaps, synonyms, lists


async def test_one_click_makes_a_task_and_a_new_version_ends_it(console: Console) -> None:
    ident = await article(console)
    agent, officer = await console.signed_in("agent"), await console.signed_in("dept_officer")
    told = await hx_post(agent, "/knowledge/feedback", {"kind": "wrong", "article_id": ident})
    assert "3 个工作日内处理" in told.text
    tasks = plain((await officer.get("/knowledge/tasks")).text)
    assert QUESTION in tasks
    assert "剩 3 工作日" in tasks
    other = await console.signed_in("road_officer")
    assert QUESTION not in (await other.get("/knowledge/tasks")).text
    sent = await officer.post(
        "/knowledge/tasks/1/reject", {"version": "1", "reason": "口径没有变化"}, follow=False
    )
    assert sent.status == 303
    assert "口径没有变化" in (await agent.get("/knowledge/reports")).text


async def test_what_two_people_looked_for_in_vain_is_a_gap(console: Console) -> None:
    editor = await console.signed_in("knowledge_editor")
    for login in ("agent", "shift_leader"):
        browser = await console.signed_in(login)
        answer = await hx_post(browser, "/knowledge/suggest", {"q": "无人机报备13812345678", "final": "true"})
        assert "没有找到" in answer.text
    page = plain((await editor.get("/knowledge/gaps")).text)
    assert "无人机报备" in page
    assert "138" not in page
    begun = await editor.get("/knowledge/new?gap=1")
    assert 'value="无人机报备"' in begun.text


async def test_synonyms_are_added_and_removed_by_editors(console: Console) -> None:
    editor = await console.signed_in("knowledge_editor")
    assert (await editor.post("/knowledge/synonyms", {"words": "电动车、电瓶车"})).status == 303
    assert "电瓶车" in (await editor.get("/knowledge/synonyms")).text
    assert (await editor.post("/knowledge/synonyms", {"words": "一个"})).status == 422
    assert (await editor.post("/knowledge/synonyms/1/remove", {})).status == 303
    assert "还没有同义词" in (await editor.get("/knowledge/synonyms")).text


async def test_a_list_tells_its_bad_lines_and_imports_the_good_ones(console: Console) -> None:
    officer = await console.signed_in("dept_officer")
    text = "问题,答复口径,失效日期\n停水怎么办,看公告,\n没有答复,,\n过期的,答复,2020-01-01\n"
    tried = plain((await officer.post("/knowledge/import", {"text": text})).text)
    assert "可导入 1 条" in tried
    assert "问题或答复为空" in tried
    assert "停水怎么办" not in (await officer.get("/knowledge/desk?shelf=all")).text
    done = plain((await officer.post("/knowledge/import", {"text": text, "sure": "true"})).text)
    assert "已导入 1 条" in done
    assert "停水怎么办" in (await officer.get("/knowledge/desk?shelf=writing")).text
    heading = await officer.post("/knowledge/import", {"text": "别的,列\n1,2\n"})
    assert heading.status == 422
    await article(console)
    exported = await officer.get("/knowledge/export.csv")
    assert QUESTION in exported.text


async def test_the_preview_shows_public_articles_only(console: Console) -> None:
    await article(console)
    await article(console, "内部怎么答", audience="internal")
    page = await (await console.signed_in("agent")).get("/knowledge/preview")
    assert QUESTION in page.text
    assert "内部怎么答" not in page.text


# ---- the emergency wording


async def test_a_wording_stands_above_every_agents_page_until_it_is_taken_down(console: Console) -> None:
    leader, agent = await console.signed_in("shift_leader"), await console.signed_in("agent")
    officer = await console.signed_in("dept_officer")
    wording = {"title": "城北停水", "body": "今晚恢复，以公告为准。", "ends_at": "2026-11-23T20:00"}
    sent = await leader.post("/banners", wording)
    assert sent.headers["Location"] == "/banners?banner=1"
    for path in ("/agent", "/knowledge", "/tickets", "/notifications"):
        assert "今晚恢复" in (await agent.get(path)).text, path
    assert "今晚恢复" not in (await officer.get("/unit")).text
    strip = await agent.post("/banners/1/read", {"edition": "1"}, headers=HX)
    assert "data-read" in strip.text
    assert "1 / 3 人已阅" in plain((await leader.get("/banners/1/readers")).text)
    stale = await leader.post("/banners/1/change", wording | {"edition": "9"})
    assert stale.status == 409
    assert (await leader.post("/banners/1/change", wording | {"edition": "1", "body": "明早"})).status == 303
    again = await agent.get("/banners/now")
    assert "已阅" in again.text
    assert "data-read" not in again.text
    end = {"edition": "2", "reason": "已恢复"}
    assert (await leader.post("/banners/1/withdraw", end)).status == 303
    assert "kn-banner" not in (await agent.get("/banners/now")).text
    assert "明早" not in (await agent.get("/agent")).text


async def test_a_wording_that_ends_in_the_past_is_not_issued(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    refused = await leader.post(
        "/banners", {"title": "停水", "body": "写好的口径", "ends_at": "2026-11-23T09:00"}
    )
    assert refused.status == 422
    assert "写好的口径" in refused.text


async def test_an_agent_whose_page_is_late_reads_the_newest_text_only(console: Console) -> None:
    people = console.ctx.people
    async with console.ctx.db.begin() as uow:
        leader = await people.actor_for_user(uow.session, console.users["shift_leader"])
        assert leader is not None
        ends = uow.now + timedelta(hours=2)
        ident = await banners.issue(uow, leader, "停水", "第一版", ends)
        await banners.change(uow, leader, ident, 1, "停水", "第二版", ends)
    agent = await console.signed_in("agent")
    assert (await agent.post(f"/banners/{ident}/read", {"edition": "1"}, headers=HX)).status == 409
    assert (await agent.get(f"/banners/{ident}/text")).status == 200
