"""What leaves the house: no more than the screen shows, no formula, no phone, and never unseen."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import re
import tomllib
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import text

from tests.helpers import eventually
from tests.web.conftest import Browser, Console
from tickets.export.cells import guarded
from tickets.export.fonts import FONT
from tickets.points import service as points
from tickets.points.datum import Point
from tickets.states import Action

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", "|cmd", "%0A=1")
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def export(browser: Browser, **form: str) -> tuple[str, str]:
    """Ask for an export and wait for it; gives its address and the page at the end."""
    answer = await browser.post("/exports", {"source": "tickets", "format": "csv", **form})
    assert answer.status == 303, answer.text[-400:]
    address = answer.headers["Location"]

    async def done() -> str:
        page = (await browser.get(f"{address}/progress")).text
        return page if "正在导出" not in page else ""

    return address, await eventually(done)


async def content(browser: Browser, address: str) -> bytes:
    async with browser.session.get(f"{browser.base}{address}/file") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        return await answer.read()


async def lines(browser: Browser, **form: str) -> list[list[str]]:
    address, _ = await export(browser, **form)
    return list(csv.reader(io.StringIO((await content(browser, address)).decode("utf-8-sig"))))


@pytest.mark.parametrize("value", FORMULAS)
def test_a_cell_never_begins_a_formula(value: str) -> None:
    assert guarded(value)[:1] == "'"


@pytest.mark.parametrize("value", ["路灯不亮", "1+1=2", "", "2026-11-23", "a=b"])
def test_other_cells_stay_as_they_are(value: str) -> None:
    assert guarded(value) == value


async def test_formulas_in_a_ticket_are_text_in_both_formats(console: Console) -> None:
    await console.ticket("water", title="=HYPERLINK(1)", narrative="@SUM(A1)", citizen_name="-1+1")
    browser = await console.signed_in("dispatcher")
    cells = [cell for line in await lines(browser) for cell in line]
    assert "'=HYPERLINK(1)" in cells
    assert "'@SUM(A1)" in cells
    assert not any(cell[:1] in ("=", "+", "-", "@") for cell in cells)
    address, _ = await export(browser, format="xlsx")
    with zipfile.ZipFile(io.BytesIO(await content(browser, address))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        names = book.namelist()
    assert "<f>" not in sheet
    assert "'=HYPERLINK(1)" in sheet
    assert any(name.startswith("xl/media/") for name in names)  # the watermark behind the sheet
    footer = ElementTree.fromstring(sheet).find(f"{SHEET}headerFooter/{SHEET}oddFooter")
    assert footer is not None
    assert "dispatcher" in (footer.text or "")


async def test_an_export_shows_what_the_list_shows_and_nothing_else(console: Console) -> None:
    ours = await console.ticket("water")
    theirs = await console.ticket("road", title="道路塌陷")
    officer = await console.signed_in("dept_officer")
    numbers = {line[0] for line in await lines(officer, source="unit")}
    assert ours.number in numbers
    assert theirs.number not in numbers
    leader = await console.signed_in("shift_leader")
    assert {ours.number, theirs.number} <= {line[0] for line in await lines(leader)}
    found = await lines(leader, text="塌陷")
    assert theirs.number in {line[0] for line in found}
    assert ours.number not in {line[0] for line in found}


async def test_words_are_exported_as_the_page_finds_them(console: Console) -> None:
    """Also where they stand in what was added, which is in the index and not in the ticket's row."""
    added = await console.ticket("water")
    told = await console.ticket("water", narrative="河道里有塌陷的护栏")
    other = await console.ticket("water", title="别的事情")
    numbers = {str(one.id): one.number for one in (added, told, other)}
    async with console.ctx.db.begin() as uow:
        agent = await console.ctx.people.actor_for_user(uow.session, console.users["agent"])
        assert agent is not None
        data = {"note": "护栏又塌陷了一段"}
        await console.ctx.tickets.act(uow, agent, added.id, None, Action.ADD, data)
    for login, source, path in (("shift_leader", "tickets", "/tickets"), ("dept_officer", "unit", "/unit")):
        browser = await console.signed_in(login)
        for phrase in ("护栏", "塌陷", "13800001234", "没有这样的话", "路灯"):
            listed = re.findall(r"/tickets/(\d+)", (await browser.get(f"{path}?text={phrase}")).text)
            shown = {numbers[ident] for ident in listed}
            exported = await lines(browser, source=source, text=phrase)
            assert {line[0] for line in exported[3:-1]} == shown, (login, phrase)
            assert exported[-1] == [f"共 {len(shown)} 件"]
    found = await lines(await console.signed_in("dispatcher"), text="护栏", type="help")
    assert {line[0] for line in found[3:-1]} == {added.number, told.number}


async def test_the_limit_holds_for_words_as_well(console: Console) -> None:
    console.ctx.exports._limits = console.ctx.exports._limits.model_copy(update={"max_rows": 2})
    made = [await console.ticket("water", narrative="河道护栏") for _ in range(3)]
    browser = await console.signed_in("dispatcher")
    found = await lines(browser, text="护栏")
    assert "超过 2 件" in found[1][0]
    assert {line[0] for line in found[3:-1]} == {made[1].number, made[2].number}


async def test_no_phone_leaves_in_bulk_and_names_are_masked(console: Console) -> None:
    await console.ticket("water", narrative="请致电13800001234，身份证450303199001012345")
    await console.ticket("water", narrative="长" * 55 + "13800001234", confidentiality="secret")
    leader, officer = await console.signed_in("shift_leader"), await console.signed_in("dept_officer")
    for browser in (leader, officer):
        whole = str(await lines(browser))
        for secret in ("13800001234", "13800", "450303199001012345", "王小明"):
            assert secret not in whole
    assert "王**" in str(await lines(leader))
    assert [line[11] for line in (await lines(officer))[3:-1]] == ["保密", "王**"]


async def test_an_export_says_who_made_it_and_is_audited_with_its_filters(console: Console) -> None:
    await console.ticket("water")
    browser = await console.signed_in("dispatcher")
    found = await lines(browser, type="help", text="路灯")
    assert "张dispatcher（dispatcher）" in found[0][0]
    assert "2026-11-23 10:00" in found[0][0]
    assert found[-1] == ["共 1 件"]
    async with console.ctx.db.read() as session:
        query = "SELECT detail FROM audit_log WHERE action = 'ticket.export'"
        detail = (await session.execute(text(query))).scalar_one()
        assert detail["rows"] == 1
        assert detail["filters"] == {"type": "help", "text": "路灯"}
        count = "SELECT count(*) FROM audit_log WHERE action = 'export.download'"
        assert (await session.execute(text(count))).scalar_one() == 1


async def test_beyond_the_limit_the_newest_are_taken_and_it_is_said(console: Console) -> None:
    limits = console.ctx.exports._limits.model_copy(update={"max_rows": 2})
    console.ctx.exports._limits = limits
    made = [await console.ticket("water") for _ in range(3)]
    browser = await console.signed_in("dispatcher")
    address, page = await export(browser)
    assert "超过 2 件" in page
    found = list(csv.reader(io.StringIO((await content(browser, address)).decode("utf-8-sig"))))
    assert "超过 2 件" in found[1][0]
    assert {line[0] for line in found[3:-1]} == {made[1].number, made[2].number}


async def test_an_export_belongs_to_who_made_it(console: Console) -> None:
    await console.ticket("water")
    address, _ = await export(await console.signed_in("dispatcher"))
    for login in ("shift_leader", "dept_officer", "supervision_officer"):
        browser = await console.signed_in(login)
        for path in (address, f"{address}/progress", f"{address}/file"):
            assert (await browser.get(path)).status == 404


async def test_unknown_filters_and_fields_are_refused(console: Console) -> None:
    browser = await console.signed_in("dispatcher")
    for extra in ({"phone": "1"}, {"state": "nonsense"}, {"format": "exe"}, {"source": "x"}, {"limit": "9"}):
        answer = await browser.post("/exports", {"source": "tickets", "format": "csv", **extra})
        assert answer.status == 400, extra


async def test_one_export_at_a_time_and_a_dead_one_does_not_block_for_ever(console: Console) -> None:
    browser = await console.signed_in("dispatcher")
    insert = (
        "INSERT INTO ticket_export (owner_id, key, format, source, state, rows, total, cut, size, "
        "created_at, updated_at) VALUES (:owner, 'k', 'csv', 'tickets', 'running', 0, 0, false, 0, :at, :at)"
    )
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(text(insert), {"owner": console.users["dispatcher"], "at": uow.now})
    form = {"source": "tickets", "format": "csv"}
    assert (await browser.post("/exports", form)).status == 409
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE ticket_export SET updated_at = updated_at - interval '1 hour'")
        )
    assert (await browser.post("/exports", form)).status == 303
    await console.ctx.exports.stop()


async def test_an_export_past_its_time_is_taken_away(console: Console) -> None:
    await console.ticket("water")
    browser = await console.signed_in("dispatcher")
    address, _ = await export(browser)
    folder = console.ctx.settings.var / "exports"
    assert len(list(folder.iterdir())) == 1
    async with console.ctx.db.begin() as uow:
        await uow.session.execute(
            text("UPDATE ticket_export SET updated_at = updated_at - interval '25 hours'")
        )
    assert await console.ctx.exports.sweep() == 1
    assert list(folder.iterdir()) == []
    assert "已过保留期" in (await browser.get(address)).text
    assert (await browser.get(f"{address}/file")).status == 404


def test_the_font_is_the_vendored_one() -> None:
    entries = tomllib.loads((FONT.parent / "FONT.toml").read_text(encoding="utf-8"))["file"]
    for entry in entries:
        path = Path(FONT.parent) / entry["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]


# ---- forms on paper -------------------------------------------------------------------------


async def pinned(console: Console, ident: int) -> None:
    async with console.ctx.db.begin() as uow:
        await points.keep(uow, ident, Point(25.273571, 110.290194))


async def reply(console: Console, ticket: int, handling: str, public: str) -> None:
    insert = (
        "INSERT INTO ticket_reply (ticket_id, round, at, handling, public_reply, solved) "
        "VALUES (:ticket, 1, :at, :handling, :public, true)"
    )
    async with console.ctx.db.begin() as uow:
        values = {"ticket": ticket, "at": uow.now, "handling": handling, "public": public}
        await uow.session.execute(text(insert), values)


def letters(body: bytes) -> set[str]:
    """The characters a PDF says it shows, from the tables that lead from its glyphs to text."""
    found: set[str] = set()
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", body, re.DOTALL):
        data = packed.strip()
        with contextlib.suppress(ValueError, zlib.error):
            data = zlib.decompress(base64.a85decode(data, adobe=False) if data.endswith(b"~>") else data)
        if b"beginbfchar" in data or b"beginbfrange" in data:
            found |= {chr(int(code, 16)) for code in re.findall(rb"<([0-9A-Fa-f]{4})>", data)}
    return found


async def test_a_form_shows_number_units_and_words_on_the_page_and_in_the_pdf(console: Console) -> None:
    made = await console.ticket("water", narrative="路灯不亮 <b>&amp;\n第二段" + "很长的一段话" * 900)
    await reply(console, made.id, "已更换灯具", "您好，路灯已修复")
    await pinned(console, made.id)
    browser = await console.signed_in("dept_officer")
    for form, words in {"transfer": "转办单", "closing": "办结单"}.items():
        page = await browser.get(f"/tickets/{made.id}/print/{form}")
        assert page.status == 200
        assert f"<h1>{words}</h1>" in page.text
        for shown in (
            made.number,
            "市水利局",
            "&lt;b&gt;",
            "王**",
            "138****1234",
            "25.273571",
            "data:image/svg",
        ):
            assert shown in page.text, (form, shown)
        async with browser.session.get(f"{browser.base}/tickets/{made.id}/pdf/{form}") as answer:
            body = await answer.read()
        assert answer.content_type == "application/pdf"
        assert body.startswith(b"%PDF-")
        assert b"/FontFile2" in body  # the font is inside
        assert set(words + "市水利局路灯王签收").issubset(letters(body))
    assert "已更换灯具" in (await browser.get(f"/tickets/{made.id}/print/closing")).text
    async with console.ctx.db.read() as session:
        query = "SELECT detail FROM audit_log WHERE action = 'ticket.print' ORDER BY id LIMIT 2"
        found = list((await session.execute(text(query))).scalars())
    assert found == [{"form": "transfer", "as": way, "third": False} for way in ("page", "pdf")]


@pytest.mark.parametrize("login", ["dept_officer", "dispatcher"])
async def test_no_form_names_a_sealed_reporter_whoever_prints_it(console: Console, login: str) -> None:
    narrative = "王小明举报，电话13800001234，身份证450303199001012345"
    made = await console.ticket("water", confidentiality="secret", narrative=narrative)
    await reply(console, made.id, "已与王小明核实", "王小明您好")
    await pinned(console, made.id)
    browser = await console.signed_in(login)
    for form in ("transfer", "closing"):
        page = (await browser.get(f"/tickets/{made.id}/print/{form}")).text
        for secret in ("王小明", "13800001234", "138****1234</td>", "450303199001012345", "25.273571"):
            assert secret not in page, (form, secret)
        assert "已保密" in page


async def test_a_copy_for_third_parties_names_nobody(console: Console) -> None:
    made = await console.ticket("water", narrative="王小明称：联系13800001234，车牌桂C12345，邮箱a@b.cn")
    await pinned(console, made.id)
    browser = await console.signed_in("dept_officer")
    page = (await browser.get(f"/tickets/{made.id}/print/transfer?copy_for=third")).text
    for secret in ("25.273571", "王小明", "13800001234", "桂C12345", "a@b.cn", 'row">来电人', "联系电话"):
        assert secret not in page, secret
    assert "对外副本" in page
    whole = (await browser.get(f"/tickets/{made.id}/print/transfer")).text
    assert "王小明" in whole


async def test_forms_exist_only_for_steps_that_were_taken_and_for_who_sees_the_ticket(
    console: Console,
) -> None:
    fresh, made = await console.ticket(), await console.ticket("water")
    leader, stranger = await console.signed_in("shift_leader"), await console.signed_in("road_officer")
    assert (await leader.get(f"/tickets/{fresh.id}/print/transfer")).status == 409
    assert (await leader.get(f"/tickets/{made.id}/print/supervise")).status == 409
    assert (await leader.get(f"/tickets/{made.id}/print/nonsense")).status == 404
    assert (await leader.get(f"/tickets/{made.id}/pdf/transfer?copy_for=me")).status == 400
    for way in ("print", "pdf"):
        assert (await stranger.get(f"/tickets/{made.id}/{way}/transfer")).status == 404


async def test_every_page_of_a_person_carries_who_is_looking_and_at_which_ticket(console: Console) -> None:
    made = await console.ticket("water")
    officer = await console.signed_in("dept_officer")
    marked = re.compile(
        r'<hl-watermark aria-hidden="true" text="张dept_officer dept_officer"( ticket="(\d+)")?>'
    )
    for path, number in {"/unit": None, f"/tickets/{made.id}": made.number}.items():
        found = marked.search((await officer.get(path)).text)
        assert found is not None, path
        assert found[2] == number
    assert "<hl-watermark" not in (await console.browser().get("/login")).text
