"""Policy packs as a city edits them: drafted, checked, compared, approved, and in force from their day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text as sql

from core.clock import CITY_ZONE, to_city
from sla import pack_service as packs
from tests.web.conftest import Browser, Console
from tickets.states import Stage
from tickets.terms import TicketType, Urgency
from web.views._pack_form import values_of

HX = {"HX-Request": "true"}
DAY = date(2026, 12, 1)
NOON = datetime(2026, 12, 1, 12, tzinfo=CITY_ZONE)


async def first(console: Console) -> packs.Version:
    async with console.ctx.db.read() as session:
        return await packs.version(session, (await packs.versions(session))[-1].id)


async def count(console: Console, table: str) -> int:
    async with console.ctx.db.read() as session:
        return int((await session.execute(sql(f"SELECT count(*) FROM {table}"))).scalar_one())


async def drafted(console: Console, browser: Browser, **over: str) -> packs.Version:
    """A version with other figures, made with the form."""
    base = await first(console)
    form = {key: value for key, value in values_of(base.content).items() if value} | over
    answer = await browser.post(f"/admin/policies/{base.id}/edit", form, headers=HX)
    assert answer.status == 204, answer.text
    async with console.ctx.db.read() as session:
        return await packs.version(session, (await packs.versions(session))[0].id)


async def test_the_figures_are_read_as_tables(console: Console) -> None:
    browser, base = await console.signed_in("inspector"), await first(console)
    shown = (await browser.get(f"/admin/policies/{base.id}")).text
    for words in ("10 个工作日", "15 分钟", "消费投诉", "不超过原时限", "同一般"):
        assert words in shown, words
    assert "以此起草" not in shown


async def test_the_form_keeps_what_it_does_not_show(console: Console) -> None:
    browser, base = await console.signed_in("supervision_officer"), await first(console)
    made = await drafted(console, browser, total__complaint__normal="8wd", note="提速")
    assert made.number == 2
    assert made.pack.limit(Stage.TOTAL, TicketType.COMPLAINT, Urgency.NORMAL) == packs.checked(
        "", base.content.replace('complaint = { normal = "10wd"', 'complaint = { normal = "8wd"')
    ).limit(Stage.TOTAL, TicketType.COMPLAINT, Urgency.NORMAL)
    assert made.pack.categories == base.pack.categories
    assert made.pack.stages == base.pack.stages
    compared = (await browser.get(f"/admin/policies/compare?before={base.id}&after={made.id}")).text
    assert "1 处不同" in compared
    assert "总时限 投诉 一般" in compared


WRONG = [
    ("total__complaint__normal", "0wd", "0wd 没有留下任何时间"),
    ("total__complaint__normal", "-3wd", "-3wd 没有留下任何时间"),
    ("total__complaint__normal", "10000wd", "10000wd 过长"),
    ("total__complaint__normal", "10days", "没有单位 days"),
    ("total__complaint__normal", "十天", "“十天”不是时限"),
    ("total__complaint__normal", "24h", "24h 不是工作日"),
    ("total__complaint__urgent", "", "缺少 总时限 投诉 紧急（total.complaint.urgent）"),
    ("stages__sign__normal", "", "缺少 环节时限 签收 一般（stages.sign.normal）"),
    ("co_opinion__percent", "0", "1 到 100 的整数"),
    ("co_opinion__percent", "一半", "1 到 100 的整数"),
    ("office_hours", "", "时段的列表"),
    ("office_hours", "09:00-12:00 11:00-18:00", "重叠"),
    ("name", "", "名称（name） 不能是"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "sentence"), WRONG)
async def test_a_figure_that_cannot_be_is_refused_beside_the_form(
    console: Console, field: str, value: str, sentence: str
) -> None:
    browser, base = await console.signed_in("system_admin"), await first(console)
    form = {key: value for key, value in values_of(base.content).items() if value}
    form |= {field: value, "note": "试一试"}
    answer = await browser.post(f"/admin/policies/{base.id}/edit", form)
    assert answer.status == 422
    assert sentence in answer.text
    assert 'value="试一试"' in answer.text, "what was typed stays"
    assert await count(console, "pack_version") == 1


async def test_an_uploaded_text_is_taken_as_a_whole_or_refused_with_its_key(console: Console) -> None:
    browser, base = await console.signed_in("system_admin"), await first(console)
    path = f"/admin/policies/{base.id}/upload"
    for wrong, sentence in (
        (base.content.replace('"45wd"', '"0wd"'), "category.10.total.complaint.normal"),
        (base.content.replace('"45wd"', '"10000wd"'), "过长"),
        (base.content.replace('"45wd"', '"45 moons"'), "没有单位 moons"),
        (base.content + "\n[speed]\n", "没有 speed 这一项"),
        ("name = ", "不是有效的 TOML"),
    ):
        answer = await browser.post(path, {"text": wrong})
        assert answer.status == 422
        assert sentence in answer.text
    assert await count(console, "pack_version") == 1
    same = await browser.post(path, {"text": base.content.replace("\n", "\r\n")}, headers=HX)
    assert same.status == 409, "the line ends of a browser are no change"
    right = await browser.post(path, {"text": base.content.replace('"45wd"', '"30wd"')}, headers=HX)
    assert right.status == 204
    assert await count(console, "pack_version") == 2


async def test_a_version_counts_from_its_day_once_another_person_approved_it(console: Console) -> None:
    officer, security = (
        await console.signed_in("supervision_officer"),
        await console.signed_in("security_admin"),
    )
    base = await first(console)
    made = await drafted(console, officer, total__complaint__normal="8wd")
    preview = (await officer.get(f"/admin/policies/{made.id}/publish?effective={DAY}")).text
    assert "10 个工作日" in preview
    assert "8 个工作日" in preview
    form = {"effective": DAY.isoformat(), "note": "市政府常务会议"}
    await officer.post(f"/admin/policies/{made.id}/publish", form)
    assert await count(console, "pack_publication") == 1, "it waits"
    assert "市政府常务会议" in (await officer.get("/admin/policies")).text
    async with console.ctx.db.read() as session:
        waiting = (await session.execute(sql("SELECT id FROM admin_proposal"))).scalar_one()
    shown = (await security.get(f"/admin/approvals/{waiting}")).text
    assert "总时限 投诉 一般" in shown
    await security.post(f"/admin/approvals/{waiting}/approve", {"note": ""})
    async with console.ctx.db.read() as session:
        book = await packs.book(session)
    assert book is not None
    assert book.on(NOON - timedelta(days=1)) == base.pack
    assert book.on(NOON) == made.pack
    assert "待生效" in (await officer.get("/admin/policies")).text


async def test_a_day_that_is_over_is_refused_when_asked_and_when_approved(console: Console) -> None:
    officer, made = await console.signed_in("supervision_officer"), None
    made = await drafted(console, officer, total__complaint__normal="8wd")
    today = to_city(console.ctx.clock.now()).date()
    path = f"/admin/policies/{made.id}/publish"
    past = {"effective": (today - timedelta(days=1)).isoformat(), "note": "补发"}
    assert (await officer.post(path, past, headers=HX)).status == 422
    await officer.post(path, {"effective": today.isoformat(), "note": "今日起"})
    console.ctx.clock.advance(86_400)  # type: ignore[attr-defined]  # a ManualClock
    security = await console.signed_in("security_admin")
    async with console.ctx.db.read() as session:
        waiting = (await session.execute(sql("SELECT id FROM admin_proposal"))).scalar_one()
    answer = await security.post(f"/admin/approvals/{waiting}/approve", {"note": ""})
    assert "生效日期已过" in answer.text
    assert await count(console, "pack_publication") == 1


async def test_the_effect_on_open_tickets_is_counted_and_changes_none(console: Console) -> None:
    await console.ticket("water", type="complaint")
    officer = await console.signed_in("supervision_officer")
    made = await drafted(console, officer, total__complaint__normal="8wd")
    before = await _dues(console)
    shown = (await officer.get(f"/admin/policies/{made.id}/publish")).text
    assert "若按新版本 1 件总时限不同" in shown
    assert await _dues(console) == before


async def _dues(console: Console) -> list[object]:
    async with console.ctx.db.read() as session:
        return list((await session.execute(sql("SELECT due_at FROM ticket ORDER BY id"))).scalars())


async def test_a_proposal_is_taken_back_on_the_page_of_the_policies(console: Console) -> None:
    officer = await console.signed_in("supervision_officer")
    made = await drafted(console, officer, total__complaint__normal="8wd")
    await officer.post(f"/admin/policies/{made.id}/publish", {"effective": str(DAY), "note": "依据"})
    async with console.ctx.db.read() as session:
        waiting = (await session.execute(sql("SELECT id FROM admin_proposal"))).scalar_one()
    answer = await officer.post(f"/admin/policies/proposals/{waiting}/withdraw", follow=True)
    assert "已撤回" in answer.text
