"""A report is kept as data and made into the same files again."""

import io
import json
import zipfile
from datetime import date
from xml.etree import ElementTree

import pytest
from docx import Document

from sla.reports.document import (
    Chart,
    ChartKind,
    Column,
    Format,
    Heading,
    Paragraph,
    Report,
    Table,
    report_of,
    written,
)
from sla.reports.excel import excel
from sla.reports.word import word

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
TABLE = Table(
    "按类型",
    (
        Column("类型"),
        Column("件数", Format.COUNT),
        Column("直办率", Format.RATE),
        Column("较上日", Format.CHANGE),
    ),
    (("咨询", 1200, 0.8349, 0.012), ("=1+1", 3, None, -0.2), ("<投诉> & 举报", 0, 0.0, None)),
    note="n 小于 30 不排名",
)
BARS = Chart("件数 <图>", ChartKind.BARS, ("咨询", "投诉 & 举报"), (("件数", (1200, 3)),))
LINES = Chart(
    "三率",
    ChartKind.LINES,
    ("第1周", "第2周"),
    (("解决率", (0.9, None)), ("满意率", (0.95, 0.96))),
    Format.RATE,
)
REPORT = Report(
    "运行日报",
    "桂林市12345热线",
    date(2026, 9, 28),
    date(2026, 9, 28),
    (Heading("一、总体"), Paragraph("受理1,203件。"), TABLE, BARS, Heading("二、三率", 2), TABLE, LINES),
    {"计分规则": "桂林"},
    "2026-09-29 00:00",
)


def _parts(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_report_that_was_kept_is_the_report_that_was_made() -> None:
    assert report_of(json.loads(json.dumps(REPORT.as_json()))) == REPORT


@pytest.mark.parametrize("render", [word, excel])
def test_the_same_report_is_the_same_file_to_the_byte(render: object) -> None:
    assert callable(render)
    assert render(REPORT) == render(report_of(REPORT.as_json()))


def test_word_has_the_figures_in_real_tables() -> None:
    document = Document(io.BytesIO(word(REPORT)))
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert cells == [
        ["类型", "件数", "直办率", "较上日"],
        ["咨询", "1,200", "83.5%", "+1.2"],
        ["=1+1", "3", "—", "-20.0"],
        ["<投诉> & 举报", "0", "0.0%", "—"],
    ]
    assert [one.text for one in document.paragraphs][:3] == ["运行日报", "桂林市12345热线", "2026年9月28日"]


def test_charts_in_word_are_drawn_from_their_figures_and_can_be_edited() -> None:
    parts = _parts(word(REPORT))
    for number, chart in enumerate((BARS, LINES), start=1):
        root = ElementTree.fromstring(parts[f"word/charts/chart{number}.xml"])
        drawn = [
            [point.findtext(f"{CHART}v") for point in cache.iter(f"{CHART}pt")]
            for cache in root.iter(f"{CHART}numCache")
        ]
        assert drawn == [[repr(value) for value in values if value is not None] for _, values in chart.series]
        book = _parts(parts[f"word/embeddings/chart{number}.xlsx"])
        sheet = ElementTree.fromstring(book["xl/worksheets/sheet1.xml"])
        kept = [
            float(cell.findtext(f"{MAIN}v") or "") for cell in sheet.iter(f"{MAIN}c") if cell.get("t") is None
        ]
        assert sorted(kept) == sorted(
            value for _, values in chart.series for value in values if value is not None
        )
        assert f'r:id="{_relation(parts, number)}"'.encode() in parts[f"word/charts/chart{number}.xml"]


def _relation(parts: dict[str, bytes], number: int) -> str:
    root = ElementTree.fromstring(parts[f"word/charts/_rels/chart{number}.xml.rels"])
    return str(root[0].get("Id"))


def test_excel_has_numbers_as_numbers_charts_and_no_formula() -> None:
    parts = _parts(excel(REPORT))
    assert sum(name.startswith("xl/charts/") for name in parts) == 2
    sheets = [body for name, body in parts.items() if name.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in body for body in sheets)
    numbers = [
        cell.findtext(f"{MAIN}v")
        for body in sheets
        for cell in ElementTree.fromstring(body).iter(f"{MAIN}c")
        if cell.get("t") is None and cell.findtext(f"{MAIN}v")
    ]
    assert {"1200", "0.8349", "1.2", "-20"} <= set(numbers)


def test_two_tables_of_one_title_have_a_sheet_each() -> None:
    book = ElementTree.fromstring(_parts(excel(REPORT))["xl/workbook.xml"])
    names = [str(sheet.get("name")) for sheet in book.iter(f"{MAIN}sheet")]
    assert names[:2] == ["说明", "按类型"]
    assert "按类型2" in names
    assert len({name.lower() for name in names}) == len(names)


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="another length"):
        Table("坏表", (Column("一"), Column("二")), (("只有一格",),))
    with pytest.raises(ValueError, match="another length"):
        Chart("坏图", ChartKind.BARS, ("一", "二"), (("列", (1.0,)),))


def test_what_there_is_none_of_is_a_dash() -> None:
    assert [written(None, how) for how in Format] == ["—"] * len(Format)
