"""The supervisor's dashboard: every number is a link to exactly what it counted."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from core.clock import ManualClock
from telephony.figures import Figures, FloorNow
from tests.sla.measures_rig import fold
from tests.web.conftest import Answer, Browser, Console
from tests.web.test_actions import do
from tickets.workflow import Action

LINK = re.compile(r'<a[^>]*href="(/measures/[^"]+)"[^>]*>(.*?)</a>', re.S)
HEAD = re.compile(r'<span class="hl-number">(\d+)</span> 件')
PANELS = ("calls", "stages", "risk", "units", "rates", "hot")


def clock_of(console: Console) -> ManualClock:
    assert isinstance(console.ctx.clock, ManualClock)
    return console.ctx.clock


async def lived(console: Console) -> None:
    """Some tickets at every station of the way, and time that passed."""
    officer, desk = await console.signed_in("dept_officer"), await console.signed_in("supervision_officer")
    caller = await console.signed_in("callback_officer")
    for number in range(4):
        made = await console.ticket("water", phone=f"1380000123{number}")
        await do(console, officer, made.id, Action.SIGN)
        if number:
            told = {"result": "reached", "solved": "true", "public_reply": "路灯已经修好"}
            await do(console, officer, made.id, Action.CLOSE, **told)
        if number > 1:
            await do(console, desk, made.id, Action.SUPERVISE, note="重点督办")
            await do(console, desk, made.id, Action.PASS_CHECK)
        if number > 2:
            answers = {"result": "reached", "responded": "true", "solved": "true", "satisfied": "5"}
            await do(console, caller, made.id, Action.REVISIT, **answers)
    await console.ticket("road", type="complaint")
    await console.ticket()
    clock_of(console).advance(timedelta(days=9).total_seconds())
    await console.ticket("east", phone="13900000000")
    await fold(console.ctx.db)


async def watcher(console: Console) -> tuple[Browser, Answer]:
    browser = await console.signed_in("supervision_officer")
    return browser, await browser.get("/dashboard")


async def test_every_number_of_the_page_opens_a_list_that_says_the_same(console: Console) -> None:
    await lived(console)
    browser, page = await watcher(console)
    assert page.status == 200
    links = {
        html.unescape(path): re.sub(r"<[^>]+>", "", words).strip() for path, words in LINK.findall(page.text)
    }
    assert len(links) > 15
    for path, words in links.items():
        answer = await browser.get(path)
        assert answer.status == 200, path
        found = HEAD.search(answer.text)
        assert found, path
        assert answer.text.count('<td class="hl-number">20') == int(found[1]), path
        if not words.endswith("%"):
            shown = re.search(r"\d+$", words)
            assert shown, words
            assert shown[0] == found[1], path


async def test_each_panel_is_fetched_alone_and_says_what_the_page_says(console: Console) -> None:
    await lived(console)
    browser, page = await watcher(console)
    for name in PANELS:
        answer = await browser.get(f"/dashboard/panels/{name}")
        assert answer.status == 200, name
        assert "<html" not in answer.text
        assert answer.text.strip() in page.text, name
    assert (await browser.get("/dashboard/panels/nothing")).status == 404


async def test_units_are_shown_with_their_peers_and_without_rank_when_few(console: Console) -> None:
    await lived(console)
    browser, page = await watcher(console)
    assert "市水利局" in page.text
    assert "n=" in page.text
    assert "不排名" in page.text
    districts = (await browser.get("/dashboard?peers=district")).text
    assert 'data-key="peers-district" aria-current="true"' in districts
    units = districts[districts.index("承办单位：按时办结") :]
    assert "七星区" in units
    assert "市水利局" not in units[: units.index("热点")]
    assert (await browser.get("/dashboard?peers=village")).status == 400


async def test_what_is_at_risk_is_urged_with_one_press(console: Console) -> None:
    await lived(console)
    browser, page = await watcher(console)
    first = re.search(r'action="(/tickets/(\d+)/do/urge)" method="post">(.*?)</form>', page.text, re.S)
    assert first
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', first[3]))
    answer = await browser.post(first[1], form)
    assert (answer.status, answer.headers["Location"]) == (303, f"/dashboard?ticket={first[2]}")
    again = await browser.post(first[1], form)
    assert again.status == 303
    page = await browser.get(answer.headers["Location"])
    assert page.status == 200
    assert page.text.count(">催办 1<") == 1


async def test_an_inspector_sees_all_and_urges_nobody(console: Console) -> None:
    await lived(console)
    browser = await console.signed_in("inspector")
    page = await browser.get("/dashboard")
    assert page.status == 200
    assert "/do/urge" not in page.text
    assert 'id="risk-' in page.text


@pytest.mark.parametrize("login", ["system_admin", "dispatcher", "agent", "dept_head", "audit_admin"])
async def test_who_does_not_watch_over_the_whole_sees_no_figures(console: Console, login: str) -> None:
    browser = await console.signed_in(login)
    for path in ("/dashboard", "/dashboard/panels/stages", "/measures/accepted/tickets"):
        assert (await browser.get(path)).status == 403, path


async def test_a_list_that_cannot_be_is_refused(console: Console) -> None:
    browser, _ = await watcher(console)
    assert (await browser.get("/measures/nothing/tickets")).status == 404
    for query in ("first=yesterday", "unit=0", "apart=maybe", "sort=x", "cursor=%00"):
        assert (await browser.get(f"/measures/due/tickets?{query}")).status == 400, query
    assert (await browser.get("/measures/due/tickets?cursor=abc")).status == 400
    empty = await browser.get("/measures/due/tickets?first=2030-01-01&last=2029-01-01")
    assert empty.status == 200
    assert "这个数字后面没有工单" in empty.text


async def test_pages_of_a_long_list_go_on_where_the_last_one_ended(console: Console) -> None:
    for number in range(60):
        await console.ticket("water", phone=f"138000012{number:02}")
    await fold(console.ctx.db)
    browser, _ = await watcher(console)
    first = await browser.get("/measures/sent/tickets")
    assert '明细 <span class="hl-number">60</span> 件次' in first.text
    following = re.search(r'href="(/measures/[^"]*cursor=[^"]+)"', first.text)
    assert following
    second = await browser.get(html.unescape(following[1]))
    numbers = [re.findall(r'href="/tickets/(\d+)"', page.text) for page in (first, second)]
    assert [len(found) for found in numbers] == [50, 10]
    assert not set(numbers[0]) & set(numbers[1])


async def test_the_page_says_when_counting_is_behind(console: Console) -> None:
    await console.counted()
    browser, page = await watcher(console)
    assert "统计滞后" not in page.text
    await console.ticket()
    clock_of(console).advance(60)
    stages = (await browser.get("/dashboard/panels/stages")).text
    assert "统计滞后" in stages
    async with console.ctx.db.begin() as uow:
        await uow.fetch("UPDATE measure_count SET upto = 0")
    assert "历史工单正在统计" in (await browser.get("/dashboard/panels/stages")).text


async def test_the_floor_is_shown_as_telephony_tells_it(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents: dict[str, int] | None = {"talking": 4, "ready": 2, "out": 0}

    async def floor_now(_session: Any, now: Any) -> FloorNow:
        today = Figures(offered=13, answered=9, answered_in_15=6, abandoned=3, short_abandoned=1)
        since = now - timedelta(seconds=42)
        return FloorNow(now, 3, since, today, agents=agents, connected=True)

    monkeypatch.setattr("web.reads.floor.floor_now", floor_now)
    browser, page = await watcher(console)
    calls = (await browser.get("/dashboard/panels/calls")).text
    assert calls.strip() in page.text
    for words in ("0:42", "75.0%", "50.0%", "通话 4", "示闲 2", "短时 1"):
        assert words in calls, words
    assert "签出" not in calls
    agents = None
    assert "没有报告坐席状态" in (await browser.get("/dashboard/panels/calls")).text
