"""Reports are made on a page, read there, and fetched as files."""

import io
import re

from docx import Document

from tests.web.conftest import Console


async def make(console: Console, login: str = "supervision_officer", **form: str) -> tuple[str, str]:
    """The path of a new report, and the page it leads to."""
    await console.counted()
    browser = await console.signed_in(login)
    blank = {"last": "", "subject_id": ""}  # as the page sends what was not filled in
    made = await browser.post("/reports", {"kind": "daily", "day": "2026-11-20", **blank, **form})
    assert made.status == 303, made.text
    path = made.headers["Location"]
    return path, (await browser.get(path)).text


async def test_a_report_that_was_asked_for_is_shown_and_listed(console: Console) -> None:
    path, text = await make(console)
    assert "12345热线日报" in text
    assert "2026年11月20日" in text
    listed = await (await console.signed_in("inspector")).get("/reports?kind=daily")
    assert f'href="{path}"' in listed.text
    assert 'action="/reports"' not in listed.text  # who only reads is offered no form


async def test_a_weekly_report_is_of_the_week_its_day_lies_in(console: Console) -> None:
    _, text = await make(console, kind="weekly")
    assert "2026年11月16日至2026年11月22日" in text


async def test_files_are_fetched_with_their_name_and_twice_the_same(console: Console) -> None:
    path, _ = await make(console, "shift_leader")
    browser = await console.signed_in("shift_leader")
    for form in ("docx", "xlsx"):
        bodies = []
        for _ in range(2):
            async with browser.session.get(f"{browser.base}{path}/{form}") as got:
                assert got.status == 200
                assert re.search(rf"filename=\"report-\d+\.{form}\"", got.headers["Content-Disposition"])
                bodies.append(await got.read())
        assert bodies[0] == bodies[1]
        if form == "docx":
            assert Document(io.BytesIO(bodies[0])).paragraphs[0].text == "12345热线日报"


async def test_wrong_days_are_explained_and_nothing_is_made(console: Console) -> None:
    browser = await console.signed_in("supervision_officer")
    for form, sentence in (
        ({"kind": "special", "day": "2026-11-20", "last": "2026-11-01"}, "截止日期早于开始日期"),
        ({"kind": "daily", "day": "2027-11-20"}, "所选日期在今天之后"),
        ({"kind": "special", "day": "2020-01-01", "last": "2026-11-01"}, "最多 366 天"),
    ):
        answer = await browser.post("/reports", form)
        assert answer.status == 422
        assert sentence in answer.text
        assert f'value="{form["day"]}"' in answer.text  # what was typed is still there
    early = await browser.post("/reports", {"kind": "daily", "day": "2026-11-20"})
    assert early.status == 409
    assert "历史工单还在统计" in early.text
    assert (await browser.post("/reports", {"kind": "daily", "day": "昨天"})).status == 400
    assert "还没有报表" in (await browser.get("/reports")).text


async def test_a_report_that_is_not_there_is_said_so(console: Console) -> None:
    browser = await console.signed_in("inspector")
    for path in ("/reports/999", "/reports/999/docx"):
        answer = await browser.get(path)
        assert answer.status == 404
        assert "没有这份报表" in answer.text
