"""Texts typed into the pages of the clock and of supervision: never markup, never a formula."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from sla.reports.document import Column, Format, Report, Table
from sla.reports.excel import excel
from sla.supervision.terms import Kind
from tests.security.test_exports import FORMULAS
from tests.security.test_foreign_ids import EVIL, _no_markup
from tests.security.test_orders import issued
from tests.web.conftest import Console
from tests.web.test_card_pages import card
from tests.web.test_card_pages import issued as cards_issued

SCRIPT = "<script>alert(4711)</script>"


async def test_the_note_of_an_acknowledgement_is_not_markup(console: Console, clock: ManualClock) -> None:
    made = await console.ticket("water", title=EVIL)
    await cards_issued(console, clock, 4)
    red = await card(console, "red")
    officer = await console.signed_in("dept_officer")
    assert (await officer.post(f"/cards/{red}/acknowledge", {"note": EVIL})).status == 303
    for login in ("dept_officer", "supervision_officer", "inspector"):
        browser = await console.signed_in(login)
        for path in ("/cards", f"/tickets/{made.id}", f"/tickets/{made.id}/timeline", "/monitor"):
            if login == "dept_officer" and path == "/monitor":
                continue
            answer = await browser.get(path)
            assert answer.status == 200, (login, path)
            _no_markup(answer.text, path)
    assert "alert(4711)" in (await officer.get("/cards")).text


async def test_the_record_of_an_interview_is_not_markup(console: Console) -> None:
    order = await issued(console, "water", kind=Kind.INTERVIEW, subject=EVIL, requirement=EVIL)
    boss = await console.signed_in("supervision_officer")
    form = {
        "version": "1",
        "held_at": "2026-11-23T09:30",
        **dict.fromkeys(("attendees", "minutes", "measures"), EVIL),
        "place": EVIL[:90],
        "next_look": "",
    }
    answer = await boss.post(f"/orders/{order}/record", form)
    assert answer.status == 303, answer.text[-400:]
    assert (await boss.post(f"/orders/{order}/look", {"version": "2", "note": EVIL})).status == 303
    paths = (f"/orders/{order}", f"/orders/{order}/print/record", "/supervision/interviews", "/orders")
    for path in paths:
        shown = await boss.get(path)
        assert shown.status == 200, path
        assert "alert(4711)" in shown.text, path
        _no_markup(shown.text, path)


async def test_the_name_of_a_wallboard_is_not_markup(console: Console) -> None:
    leader = await console.signed_in("shift_leader")
    made = await leader.post("/wallboards", {"name": EVIL[:40]})
    _no_markup(made.text, "made")
    _no_markup((await leader.get("/wallboards")).text, "/wallboards")
    _no_markup((await leader.post("/wallboards", {"name": EVIL * 4})).text, "refused")


async def test_the_name_of_a_category_is_not_markup_in_a_report(console: Console) -> None:
    ident = await console.category()
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE category SET name = :n, full_name = :n, level = 1"), {"n": SCRIPT}
        )
    boss = await console.signed_in("supervision_officer")
    await console.counted()
    form = {"kind": "special", "day": "2026-11-20", "last": "2026-11-22", "subject_id": str(ident)}
    made = await boss.post("/reports", form)
    assert made.status == 303, made.text[-400:]
    for path in ("/reports", made.headers["Location"]):
        shown = (await boss.get(path)).text
        assert "alert(4711)" in shown, path
        _no_markup(shown, path)


def test_no_cell_of_a_report_is_a_formula() -> None:
    rows = tuple((value, 1) for value in FORMULAS)
    table = Table("=1+1", (Column("=名称", Format.TEXT), Column("+件数", Format.COUNT)), rows)
    report = Report("=1+1", "@热线", date(2026, 11, 22), date(2026, 11, 22), (table,))
    book = zipfile.ZipFile(io.BytesIO(excel(report)))
    for name in book.namelist():
        assert b"<f>" not in book.read(name), name


@pytest.mark.parametrize("login", ["agent", "dept_officer", "dept_head", "dispatcher", "system_admin"])
async def test_a_report_opens_to_those_who_read_reports_only(console: Console, login: str) -> None:
    boss = await console.signed_in("supervision_officer")
    await console.counted()
    form = {"kind": "daily", "day": "2026-11-22", "last": "", "subject_id": ""}
    address = (await boss.post("/reports", form)).headers["Location"]
    stranger = await console.signed_in(login)
    for path in (address, f"{address}/docx", f"{address}/xlsx", "/reports", "/monitor/export", "/monitor"):
        assert (await stranger.get(path)).status in (403, 404), path


async def test_an_address_of_a_wallboard_that_was_never_made_shows_nothing(console: Console) -> None:
    browser = console.browser()
    for secret in ("0", "x" * 43, "..%2f", "%00", "1' OR '1'='1"):
        for path in (f"/wallboard/{secret}", f"/wallboard/{secret}/figures"):
            assert (await browser.get(path)).status in (400, 404), path
