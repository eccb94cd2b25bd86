"""Searching in the console: words in context, people exactly, nothing that may not be seen."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.audit import AuditRow
from core.privacy import Vault
from tests.web.conftest import Console
from tickets.citizens import names
from tickets.models import table_of
from tickets.search.models import TicketText


def _found(text: str) -> list[int]:
    return [int(ident) for ident in re.findall(r'<h2><a href="/tickets/(\d+)"', text)]


async def test_words_from_the_box_lead_to_an_address_of_their_own(console: Console) -> None:
    made = await console.ticket("water", narrative="东江路口的井盖破损，夜里有人摔倒")
    browser = await console.signed_in("agent")
    answer = await browser.post("/search", {"q": " 井盖破损，夜里 "})
    assert (answer.status, answer.headers["Location"]) == (303, "/search?text=" + quote("井盖破损，夜里"))
    text = (await browser.get(answer.headers["Location"])).text
    assert _found(text) == [made.id]
    assert "东江路口的<mark>井盖破损，夜里</mark>有人摔倒" in text
    assert "共 1 件" in text


async def test_results_page_by_keyset_and_are_counted_apart(console: Console) -> None:
    made = [(await console.ticket(title=f"第{number}件路灯")).id for number in range(30)]
    browser = await console.signed_in("dispatcher")
    first = (await browser.get("/search?text=路灯")).text
    following = re.search(r'href="(/search\?text=[^"]+cursor=[^"]+)"', first)
    counting = re.search(r'hx-get="(/search/count\?[^"]+)"', first)
    assert following
    assert counting
    second = (await browser.get(following[1].replace("&amp;", "&"))).text
    assert _found(first) + _found(second) == made[::-1]
    assert "共 30 件" in (await browser.get(counting[1].replace("&amp;", "&"))).text


async def test_a_department_finds_and_counts_only_what_it_handles(console: Console) -> None:
    own = await console.ticket("water", narrative="水管爆裂淹了地下室")
    for unit in ("road", "east", None):
        await console.ticket(unit, narrative="水管爆裂淹了地下室")
    browser = await console.signed_in("dept_officer")
    for path in ("/search?text=水管爆裂", "/unit?text=水管爆裂"):
        text = (await browser.get(path)).text
        assert set(map(int, re.findall(r'href="/tickets/(\d+)"', text))) == {own.id}, path
    assert "共 1 件" in (await browser.get("/search/count?text=水管爆裂")).text
    road = console.units["road"]
    assert _found((await browser.get(f"/search?text=水管爆裂&unit_id={road}")).text) == []


async def test_what_people_typed_is_text_in_snippets_and_in_the_question(console: Console) -> None:
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    await console.ticket(title=f"甲{attack}", narrative=f"前{attack}后", subject_name=f"店{attack}")
    browser = await console.signed_in("agent")
    for words in ("onerror=alert", "<script>", "</mark><b>", '"><svg onload=x>', attack):
        answer = await browser.get("/search?text=" + quote(words))
        assert answer.status == 200
        main = answer.text.split("<main", 1)[1]
        for live in ("<img", "<script>alert", "<svg onload", "<b>"):
            assert live not in main, words
    text = (await browser.get("/search?text=" + quote("<script>"))).text
    assert "<mark>&lt;script&gt;</mark>" in text


@pytest.mark.parametrize(
    "query",
    ["text=路灯&phone=1", "text=路灯&sort=phone", "text=a&text=b", "text=路灯&state=x", "text=路灯&cursor=x"],
)
async def test_what_is_not_understood_is_refused(console: Console, query: str) -> None:
    browser = await console.signed_in("agent")
    assert (await browser.get(f"/search?{query}")).status == 400
    assert (await browser.get(f"/search/count?{query.replace('cursor', 'nocursor')}")).status == 400
    assert (await browser.get("/search?text=" + "灯" * 61)).status == 400


async def test_an_empty_result_says_what_to_do(console: Console) -> None:
    await console.ticket()
    browser = await console.signed_in("agent")
    for path, words in (
        ("/search", "输入要查找的文字"),
        ("/search?text=灯", "请至少输入两个字"),
        ("/search?text=13800001234", "长数字请单独查找"),
        ("/search?text=没有的话", "请减少字数"),
        ("/search?text=路灯&state=closed", "清除条件再找"),
        ("/search?text=电话13800001234", "7 位以上的数字不参与文字查找"),
    ):
        assert words in (await browser.get(path)).text, path


async def test_looking_a_person_up_is_audited_without_the_person(console: Console, vault: Vault) -> None:
    made = await console.ticket("water")
    sealed = await console.ticket("water", type="report")
    console.ctx.clock.advance(600)  # type: ignore[attr-defined]  # the tests' clock
    async with console.ctx.db.begin() as uow:
        await names.follow(uow, vault)
    agent, officer = await console.signed_in("agent"), await console.signed_in("dept_officer")
    for browser, seen in ((agent, {made.id, sealed.id}), (officer, {made.id})):
        for form in ({"q": "13800001234"}, {"q": "王 小明", "by": "name"}):
            text = (await browser.post("/search", form)).text
            assert {int(ident) for ident in re.findall(r'id="ticket-(\d+)"', text)} == seen, form
    assert "没有该姓名的工单" in (await agent.post("/search", {"q": "王小", "by": "name"})).text
    async with console.ctx.db.read() as session:
        query = select(AuditRow).where(col(AuditRow.action) == "ticket.search").order_by(col(AuditRow.id))
        rows = list((await session.execute(query)).scalars())
    assert [(row.actor_login, row.detail) for row in rows] == [
        ("agent", {"by": "phone", "found": 2}),
        ("agent", {"by": "name", "found": 2}),
        ("dept_officer", {"by": "phone", "found": 1}),
        ("dept_officer", {"by": "name", "found": 1}),
        ("agent", {"by": "name", "found": 0}),
    ]


async def test_no_text_of_the_index_holds_a_telephone(console: Console) -> None:
    await console.ticket(narrative="请打13800001234，或 １３９００００１２３４ 找我")
    text = table_of(TicketText)
    async with console.ctx.db.read() as session:
        bodies = (await session.execute(select(text.c.body))).scalars().all()
    assert bodies
    assert not any(re.search(r"\d{7}", body) for body in bodies)
