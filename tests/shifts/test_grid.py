"""Rotas as lists: every way people save them, errors by line, the rest kept."""

import io
import zipfile
from datetime import date, timedelta

import pytest
import xlsxwriter

from core.catalog import files
from core.errors import HotlineError
from telephony.shifts import grid
from telephony.shifts.grid import Kind, Kinds, Planned
from telephony.shifts.hours import parse_hours

MONDAY = date(2026, 11, 30)
A, N = Kind(1, "A", "早班", parse_hours("08:00-16:00")), Kind(2, "N", "夜班", parse_hours("22:00-06:00"))
OLD = Kind(3, "Z", "旧班", parse_hours("09:00-10:00"), active=False)
KINDS = Kinds([A, N, OLD])
PEOPLE = [(11, "agent01", "张三"), (12, "agent02", "李四")]
QUEUES = {"hotline": "hotline", "综合": "hotline", "expert": "expert", "专家": "expert"}
TABLE = "工号,姓名,周一,周二,周三,周四,周五,周六,周日,队列\nagent01,张三,A,早班,a,休,,N,夜班,综合、专家\n"


def steps(text: str, before: grid.Rows | None = None) -> list[grid.Step]:
    return grid.steps(text, MONDAY, PEOPLE, KINDS, QUEUES, before or {})


def codes(step: grid.Step) -> str:
    return "".join(step.rows[day].code if day in step.rows else "-" for day in grid.week(MONDAY))


def test_codes_names_and_words_for_rest_are_understood() -> None:
    (step,) = steps(TABLE)
    assert (step.effect, codes(step), step.user_id) == ("new", "AAA--NN", 11)
    assert step.rows[MONDAY].queues == ("hotline", "expert")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_every_encoding_and_delimiter_reads_the_same(encoding: str, delimiter: str) -> None:
    raw = TABLE.replace(",", delimiter).replace("\n", "\r\n").encode(encoding)
    (step,) = steps(files.text_of(raw))
    assert codes(step) == "AAA--NN"


def book(rows: list[list[object]]) -> bytes:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = made.add_worksheet()
    day = made.add_format({"num_format": "yyyy-mm-dd"})
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write_datetime(row, column, cell, day)
            elif cell is not None:
                sheet.write(row, column, cell)
    made.close()
    return out.getvalue()


def test_excel_with_a_title_dates_for_heads_and_blank_rows() -> None:
    days = [MONDAY + timedelta(days=n) for n in range(7)]
    raw = book(
        [["排班表"], ["工号", "姓名", *days], [], ["agent01", "张三", "A", "A", "A", None, None, "N", "N"]]
    )
    (step,) = steps(files.text_of(raw))
    assert (codes(step), step.number) == ("AAA--NN", 4)


@pytest.mark.parametrize(
    "heads",
    [
        "11/30,12/1,12/2,12/3,12/4,12/5,12/6",
        "星期一,星期二,礼拜三,周四,周五,周六,星期天",
        "11月30日,12月1日,12月2日,12月3日,12月4日,12月5日,12月6日",
        "周一（11-30）,周二（12-01）,周三（12-02）,周四（12-03）,周五（12-04）,周六（12-05）,周日",
    ],
)
def test_heads_name_days_in_the_ways_people_do(heads: str) -> None:
    (step,) = steps(f"工号,{heads}\nagent01,A,A,A,,,N,N\n")
    assert codes(step) == "AAA--NN"


def test_what_is_wrong_is_said_by_line_and_the_rest_goes_on() -> None:
    lines = ("nobody,王五,A,A", "agent01,李四,A,A", "agent02,李四,X,Z", "agent02,李四,A,N", "agent02,,N,")
    text = "\n".join(("工号,姓名,周一,周二", *lines))
    found = steps(text)
    assert [(step.number, step.effect) for step in found] == [
        (2, "wrong"), (3, "wrong"), (4, "wrong"), (5, "wrong"), (6, "wrong"),
    ]  # fmt: skip
    assert "不是可排班的人员" in found[0].why[0]
    assert "姓名与工号不符" in found[1].why[0]
    assert [("周一" in why, "周二" in why) for why in found[2].why] == [(True, False), (False, True)]
    assert "同一人" in found[3].why[0]
    good = steps("工号,周一\nagent09,A\nagent02,N\n")
    assert [step.effect for step in good] == ["wrong", "new"]


def test_days_the_list_does_not_have_stay_as_they_are() -> None:
    tuesday = MONDAY + timedelta(days=1)
    before = {(11, tuesday): Planned(2, "N", N.hours, ("hotline",))}
    (step,) = steps("工号,周一\nagent01,A\n", before)
    assert (step.effect, codes(step)) == ("changed", "AN-----")
    assert step.rows[MONDAY].queues == ("hotline",)
    (same,) = steps("工号,周二\nagent01,N\n", before)
    assert same.effect == "same"


def test_a_cell_that_says_what_it_said_keeps_the_hours_it_had() -> None:
    then = parse_hours("07:00-15:00")
    now = Planned(1, "A", then)
    found = grid.planned("A", (), KINDS, now)
    assert found is not None
    assert found.hours == then
    kept = grid.planned("Z", (), KINDS, Planned(3, "Z", OLD.hours))  # closed since
    assert kept is not None
    with pytest.raises(KeyError):
        grid.planned("Z", (), KINDS, None)


def test_a_list_that_is_written_is_read_back_as_the_same() -> None:
    (step,) = steps(TABLE)
    rows = {(11, day): one for day, one in step.rows.items()}
    heads, lines = grid.as_list(PEOPLE, MONDAY, rows, {"hotline": "综合", "expert": "专家"})
    text = "\n".join(",".join(line) for line in (heads, *lines))
    assert [one.effect for one in steps(text, rows)] == ["same", "same"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "list_file_kind"),
        (b"\x89PNG\r\n\x1a\n\0\0", "list_file_kind"),
        (b"PK\x03\x04broken", "list_file_broken"),
        (book([["工号"]])[:200], "list_file_broken"),
        (b"a" * (files.LARGEST + 1), "list_file_large"),
        (b"", "list_empty"),
        ("工号,周一\n".encode(), "list_empty"),
        ("姓名,周一\n张三,A\n".encode(), "list_heading"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused_by_its_own_name(raw: bytes, code: str) -> None:
    with pytest.raises(HotlineError) as caught:
        steps(files.text_of(raw))
    assert caught.value.code == code


def _tampered(part: str, text: str) -> bytes:
    out, whole = io.BytesIO(), io.BytesIO(book([["工号", "周一"], ["agent01", "A"]]))
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, text if name == part else source.read(name))
    return out.getvalue()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = f'<worksheet xmlns="{MAIN}"><sheetData>{{}}</sheetData></worksheet>'


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>',
        "<worksheet",
        SHEET.format('<row r="1"/><row r="99999999"/>'),
        SHEET.format('<row r="x"><c r="A1"/></row>'),
        SHEET.format('<row r="1"><c r="1A"/></row>'),
        SHEET.format(" " * (files.MAX_PART + 1)),
    ],
    ids=["entities", "unclosed", "endless rows", "a row without number", "a cell nowhere", "a bomb"],
)
def test_a_sheet_made_to_hurt_is_refused(text: str) -> None:
    with pytest.raises(HotlineError, match="list_file"):
        files.text_of(_tampered("xl/worksheets/sheet1.xml", text))
