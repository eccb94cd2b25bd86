"""Phone reports: every number has its formula and opens the calls it counted; files say what they are of."""

import csv
import io
import random
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from core.clock import ManualClock
from core.db import UnitOfWork
from sla.reports.document import Format, written
from telephony.agent_time import Stretch
from telephony.calls import Session
from telephony.service import TelephonyService
from tests.telephony.agent_rows import begin, seat, write
from tests.telephony.test_figures import TEN, a_day, call
from tests.web.conftest import Browser, Console

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
DAYS = {"first": "2026-11-22", "last": "2026-11-24"}
ROW = re.compile(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', re.DOTALL)
CELL = re.compile(r'<td class="hl-right">(?:<a href="([^"]+)">)?([^<]*)(?:</a>)?</td>')


async def calls(console: Console, *sessions: Session) -> None:
    ctx = console.ctx
    service = TelephonyService(ctx.db, ctx.clock, ctx.vault, ctx.people, ctx.settings)

    async def work(uow: UnitOfWork) -> None:
        await service.apply_changes(uow, "pbx1", sessions)

    await ctx.db.retrying(work)


async def city(console: Console, seed: int = 5) -> int:
    """A day of calls, and an agent at 1001 who worked an hour of it; returns the agent."""
    agent = console.users["agent"]
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            sa.text("UPDATE user_account SET extension = '1001' WHERE id = :id"), {"id": agent}
        )
    for step in a_day(seed):
        await calls(console, *step)
    at = datetime.fromtimestamp(TEN, UTC)
    async with console.ctx.db.begin() as uow:
        seat_id = await seat(uow, agent, "1001", at)
        states = (
            ("ready", None, 600), ("talking", None, 1500), ("wrap_up", None, 300),
            ("not_ready", "break", 600), ("not_ready", "=cmd", 600),
        )  # fmt: skip
        call_id = await uow.session.scalar(
            sa.text("SELECT id FROM call_session WHERE outcome = 'answered' ORDER BY id LIMIT 1")
        )
        for state, reason, seconds in states:
            upto = at + timedelta(seconds=seconds)
            of = call_id if state == "wrap_up" else None
            await write(uow, seat_id, "1001", [Stretch(agent, state, reason, of, at, upto)])
            at = upto
    return agent


async def report(browser: Browser, **query: str) -> str:
    answer = await browser.get(f"/reports/phone?{urlencode({**DAYS, **query})}")
    assert answer.status == 200, answer.text[-500:]
    return answer.text


def tables(text: str) -> list[dict[str, list[tuple[str, str]]]]:
    """Of each table: label of a line → address and text of its cells."""
    parts = re.findall(r'<section class="hl-panel rp-phone".*?</section>', text, re.DOTALL)
    return [{label: CELL.findall(cells) for label, cells in ROW.findall(part)} for part in parts]


def workbook(body: bytes) -> list[list[list[str]]]:
    """The sheets of a workbook as texts."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        strings = [
            "".join(part.text or "" for part in one.iter(f"{MAIN}t"))
            for one in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        names = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
        sheets = [ElementTree.fromstring(archive.read(name)) for name in names]
    return [
        [[_text(cell, strings) for cell in row.iter(f"{MAIN}c")] for row in sheet.iter(f"{MAIN}row")]
        for sheet in sheets
    ]


def _text(cell: ElementTree.Element, strings: list[str]) -> str:
    value = cell.findtext(f"{MAIN}v") or ""
    return strings[int(value)] if cell.get("t") == "s" else value


@pytest.mark.parametrize("by", ["quarter", "hour", "day", "week", "month", "queue", "agent"])
async def test_each_number_opens_as_many_calls_as_it_says(console: Console, by: str) -> None:
    await city(console)
    browser = await console.signed_in("supervision_officer")
    first, *_ = tables(await report(browser, by=by))
    draw = random.Random(by)
    links = [(link, number) for cells in first.values() for link, number in cells if link]
    assert len(links) > (3 if by == "agent" else 10)
    missed_rings = "counted=missed"  # a call may have several
    for link, number in draw.sample(links, min(len(links), 12)):
        text = (await browser.get(link.replace("&amp;", "&"))).text
        found = re.search(r'<h1>[^<]+<span class="hl-number">(\d+)</span>', text)
        assert found is not None
        if missed_rings in link:
            assert 0 < int(found[1]) <= int(number)
        else:
            assert (link, found[1]) == (link, number)


async def test_a_total_is_the_sum_of_its_lines(console: Console) -> None:
    await city(console)
    browser = await console.signed_in("inspector")
    found = set()
    for by in ("quarter", "hour", "day", "week", "month", "queue"):
        calls_of, *_ = tables(await report(browser, by=by))
        total = [text for _, text in calls_of.pop("合计")]
        for place in range(9):
            assert sum(int(cells[place][1]) for cells in calls_of.values()) == int(total[place])
        found.add(tuple(total))
    assert len(found) == 1  # the same days, whatever their lines are


async def test_agents_stand_with_their_calls_and_their_time(console: Console) -> None:
    await city(console)
    browser = await console.signed_in("shift_leader")
    text = await report(browser, by="agent")
    taken, worked = tables(text)
    (label,) = [name for name in worked if name != "合计"]
    assert label in taken
    texts = [cell for _, cell in worked[label]]
    states = ["1:00:00", "0:10:00", "—", "0:25:00", "—", "—", "0:05:00", "—", "0:20:00"]
    assert texts == [*states, "0:10:00", "0:10:00", "75.0%"]
    assert "示忙·小休" in text


def afterwards(console: Console) -> ManualClock:
    """The clock, some minutes after the hour in which the agent worked."""
    clock = console.ctx.clock
    assert isinstance(clock, ManualClock)
    clock.step(TEN + 3600 - clock.now().timestamp() + 400.25)
    return clock


def milliseconds(text: str) -> tuple[int, int]:
    """Of an export: the sum of its lines, and the one it says."""
    lines = [line for line in csv.reader(io.StringIO(text)) if len(line) == 8]
    *parts, total = [round(float(line[-1]) * 1000) for line in lines[1:]]
    return sum(parts), total


@pytest.mark.parametrize("by", ["quarter", "agent"])
async def test_each_time_opens_the_stretches_it_is_the_sum_of(console: Console, by: str) -> None:
    agent = await city(console)
    clock = afterwards(console)
    at = datetime.fromtimestamp(TEN + 3600, UTC)
    async with console.ctx.db.begin() as uow:  # and one that goes on
        seat_id = await uow.session.scalar(sa.text("SELECT id FROM agent_session"))
        await begin(uow, seat_id, "1001", user_id=agent, state="ready", started_at=at)
    browser = await console.signed_in("shift_leader")
    worked = tables(await report(browser, by=by))[-1]
    links = [(link.replace("&amp;", "&"), told) for cells in worked.values() for link, told in cells if link]
    assert len(links) >= 12
    for again in (False, True):
        for link, told in random.Random(by).sample(links, 12):
            text = (await browser.get(link)).text
            assert f'<span class="hl-number">{told}</span>' in text, link
            file = re.findall(r'href="(/reports/phone/stretches/csv[^"]+)"', text)[0].replace("&amp;", "&")
            async with browser.session.get(browser.base + file) as got:
                parts, total = milliseconds((await got.read()).decode("utf-8-sig"))
            assert parts == total
            assert written(total / 1000, Format.SPAN) == told
        if not again:
            clock.step(600)  # what goes on has gone on since; the figure that was read stays as it was


async def test_stretches_are_a_workbook_too_and_every_file_is_audited(console: Console) -> None:
    agent = await city(console)
    afterwards(console)
    browser = await console.signed_in("shift_leader")
    query = f"spent=not_ready_ms&since=2026-11-23T00:00&until=2026-11-24T00:00&user={agent}"
    async with browser.session.get(f"{browser.base}/reports/phone/stretches/xlsx?{query}") as got:
        assert got.status == 200
        _, sheet = workbook(await got.read())
    assert [row[3:5] for row in sheet[2:4]] == [["示忙", "=cmd"], ["示忙", "小休"]]
    async with browser.session.get(f"{browser.base}/reports/phone/stretches/csv?{query}") as got:
        lines = list(csv.reader(io.StringIO((await got.read()).decode("utf-8-sig"))))
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)
    assert lines[-1][-1] == "1200.000"
    async with console.ctx.db.read() as session:
        found = await session.execute(
            sa.text(
                "SELECT detail ->> 'form' FROM audit_log WHERE object_type = 'phone_stretches' ORDER BY id"
            )
        )
    assert list(found.scalars()) == ["xlsx", "csv"]


def made(outcome: str, at: float, talk: float = 0.0) -> Session:
    """A call from 1001 to a citizen."""
    whole = call("answered", at=at, talk=talk)
    legs = tuple(replace(leg, answered_at=leg.answered_at if talk else None) for leg in whole.legs)
    answered = whole.answered if talk else None
    return replace(
        whole, direction="outbound", outcome=outcome, queues=(), queued=None, wait_seconds=None,
        answered=answered, legs=legs,
    )  # fmt: skip


async def test_calls_we_made_stand_apart_and_open_their_list(console: Console) -> None:
    await city(console)
    browser = await console.signed_in("supervision_officer")
    before = tables(await report(browser, by="day"))[0]
    await calls(
        console,
        made("answered", TEN + 60, 90.0),
        made("citizen_busy", TEN + 120),
        made("agent_no_answer", TEN + 180),  # never left the house
    )
    for by in ("quarter", "agent"):
        out = tables(await report(browser, by=by))[1]
        assert [text for _, text in out["合计"]] == ["2", "1", "0:01:30"]
        (label,) = [one for one, cells in out.items() if one != "合计" and cells[0][0]]
        for (link, _), number in zip(out[label], ("2", "1", "1"), strict=True):
            listed = (await browser.get(link.replace("&amp;", "&"))).text
            assert f'<span class="hl-number">{number}</span>' in listed
    assert tables(await report(browser, by="day"))[0] == before  # of calls that came in nothing has changed


async def test_headings_tell_the_formula(console: Console) -> None:
    await city(console)
    text = await report(await console.signed_in("inspector"), by="day")
    assert 'title="（通话 + 话后整理）÷ 接通"' in text
    assert 'title="（通话 + 话后整理）÷（签入 − 示忙），按 15 分钟切分"' in text


async def test_a_queue_is_asked_for_alone(console: Console) -> None:
    await city(console)
    browser = await console.signed_in("supervision_officer")
    parts = []
    for queue in ("hotline", "expert", ""):
        calls_of, *others = tables(await report(browser, by="day", queue=queue))
        parts.append(int(calls_of["合计"][0][1]))
        assert bool(others) == (queue == "")  # agents sit in several queues
    assert parts[0] + parts[1] == parts[2]


async def test_files_hold_the_same_figures_with_period_filter_and_definitions(console: Console) -> None:
    await city(console)
    browser = await console.signed_in("supervision_officer")
    query = urlencode({**DAYS, "by": "day"})
    shown, worked = tables(await report(browser, by="day"))
    async with browser.session.get(f"{browser.base}/reports/phone/xlsx?{query}") as got:
        assert got.status == 200
        words, sheet, *_ = workbook(await got.read())
    assert sheet[1][1] == "进线"
    rows = {row[0]: row[1:] for row in sheet[2:]}
    for label, cells in shown.items():
        assert rows[label][:9] == [text for _, text in cells[:9]]
    told = " ".join(cell for row in words for cell in row)
    for said in (
        "2026-11-22 至 2026-11-24",
        "按日",
        "队列：全部",
        "利用率：（通话 + 话后整理）÷（签入 − 示忙）",
    ):
        assert said in told
    async with browser.session.get(f"{browser.base}/reports/phone/csv?{query}") as got:
        text = (await got.read()).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    total = next(line for line in lines if line[:1] == ["合计"])
    assert total[1:10] == [cell for _, cell in shown["合计"][:9]]
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)
    assert ["利用率", "（通话 + 话后整理）÷（签入 − 示忙），按 15 分钟切分"] in lines
    assert worked


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"first": "2026-11-23", "last": "2026-11-01"}, "截止日期早于开始日期"),
        ({"first": "2026-12-23", "last": "2026-12-24"}, "所选日期在今天之后"),
        ({"by": "quarter", "first": "2026-10-23", "last": "2026-11-20"}, "按15分钟最多 7 天"),
        ({"by": "day", "first": "2024-10-23", "last": "2026-11-20"}, "其他最多 366 天"),
    ],
)
async def test_days_that_make_no_sense_are_explained(
    console: Console, query: dict[str, Any], sentence: str
) -> None:
    browser = await console.signed_in("inspector")
    for path in ("/reports/phone", "/reports/phone/csv", "/reports/phone/xlsx"):
        answer = await browser.get(f"{path}?{urlencode(query)}")
        assert answer.status == 422
        assert sentence in answer.text


async def test_what_makes_no_sense_else_is_refused(console: Console) -> None:
    browser = await console.signed_in("inspector")
    for path in (
        "?by=year",
        "?first=yesterday",
        "?sort=x",
        "/calls?counted=all&since=x&until=y",
        "/stretches?spent=x_ms&since=2026-11-23T00:00&until=2026-11-24T00:00",
        "/stretches?spent=ready_ms&since=2026-11-24T00:00&until=2026-11-23T00:00",
        "/stretches?spent=ready_ms&since=2020-11-23T00:00&until=2026-11-24T00:00",
        "/stretches?spent=ready_ms&since=9999-12-31T23:00Z&until=9999-12-31T23:30Z",
        "/stretches?spent=ready_ms&since=2026-11-23T00:00&until=2026-11-24T00:00&at=0001-01-01T00:00",
    ):
        assert (await browser.get(f"/reports/phone{path}")).status == 400
    span = "since=2026-11-23T00:00&until=2026-11-24T00:00"
    assert (await browser.get(f"/reports/phone/calls?counted=taken&{span}&user=999999")).status == 404
    assert (await browser.get("/reports/phone/docx")).status == 404


async def test_nothing_to_tell_is_said(console: Console) -> None:
    browser = await console.signed_in("inspector")
    for by in ("hour", "queue", "agent"):
        assert "没有来电，也没有坐席签入" in await report(browser, by=by)
    assert (await browser.get("/reports/phone/xlsx?by=day")).status == 200


async def test_lists_are_read_page_by_page(console: Console) -> None:
    await calls(console, *(call("answered", at=TEN + number) for number in range(120)))
    browser = await console.signed_in("inspector")
    path = "/reports/phone/calls?counted=answered&since=2026-11-23T10:00&until=2026-11-23T10:15"
    seen: list[str] = []
    while path:
        text = (await browser.get(path)).text
        seen += re.findall(r'data-key="(call\d+)"', text)
        more = re.search(r'class="ag-pager"><a href="([^"]+)"', text)
        path = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 120


async def test_an_export_is_audited(console: Console) -> None:
    browser = await console.signed_in("inspector")
    assert (await browser.get("/reports/phone/csv?by=day")).status == 200
    async with console.ctx.db.read() as session:
        found = await session.execute(
            sa.text("SELECT object_type, detail ->> 'form' FROM audit_log WHERE action = 'report.fetch'")
        )
    assert list(found) == [("phone_report", "csv")]
