"""A report as a Word document, as offices write them: real tables, and charts that can be edited."""

import io
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from sla.reports.charts import chart_xml
from sla.reports.document import Block, Chart, ChartKind, Heading, Paragraph, Report, Table, numeric, written
from sla.reports.excel import data_book
from sla.reports.stable import CREATED, stable

SERIF, SONG = "仿宋", "宋体"
CHART_TYPE = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
BOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EMU = 360_000  # to the centimetre
WIDTH = 15.6  # centimetres between the margins of the page
GREY = RGBColor(0x5C, 0x66, 0x70)


def word(report: Report) -> bytes:
    """The document. The same report gives the same bytes."""
    document = Document()
    _prepare(document, report)
    _line(document, report.title, 22, bold=True, centre=True, font=SONG)
    _line(document, report.office, 14, centre=True)
    _line(document, report.period, 14, centre=True)
    numbers = iter(range(1, 1_000))
    for block in report.blocks:
        _add(document, block, numbers)
    for name, text in report.told.items():
        _line(document, f"{name}：{text}", 9, colour=GREY)
    made = io.BytesIO()
    document.save(made)
    return stable(made.getvalue())


def _prepare(document: Any, report: Report) -> None:
    """Paper, fonts and the page number; the properties name no person and no hour."""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.7)
    section.top_margin, section.bottom_margin = Cm(3), Cm(2.5)
    normal = document.styles["Normal"]
    _font(normal, SERIF, 14)
    for level, size in ((1, 16), (2, 15), (3, 14)):
        style = document.styles[f"Heading {level}"]
        _font(style, "黑体", size)
        style.font.color.rgb, style.font.bold = RGBColor(0, 0, 0), False
    properties = document.core_properties
    properties.title, properties.author, properties.comments = report.title, report.office, ""
    properties.created = properties.modified = CREATED
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(footer.add_run(), "PAGE")


def _font(style: Any, name: str, size: float) -> None:
    style.font.name, style.font.size = name, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), name)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)


def _field(run: Any, code: str) -> None:
    for kind, text in (("begin", None), (None, code), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)


def _add(document: Any, block: Block, numbers: Any) -> None:
    match block:
        case Heading(text, level):
            document.add_heading(text, level)
        case Paragraph(text, small):
            _line(document, text, 9 if small else 14, indent=not small, colour=GREY if small else None)
        case Table():
            _table(document, block)
        case Chart():
            _chart(document, block, next(numbers))


def _line(
    document: Any,
    text: str,
    size: float,
    *,
    bold: bool = False,
    centre: bool = False,
    indent: bool = False,
    font: str = SERIF,
    colour: Any = None,
) -> Any:
    paragraph = document.add_paragraph()
    if centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(2 * size)
        paragraph.paragraph_format.line_spacing = 1.5
    _run(paragraph, text, size, bold=bold, font=font, colour=colour)
    return paragraph


def _run(paragraph: Any, text: str, size: float, *, bold: bool, font: str, colour: Any = None) -> None:
    run = paragraph.add_run(text)
    run.bold, run.font.size, run.font.name = bold, Pt(size), font
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    if colour is not None:
        run.font.color.rgb = colour


def _table(document: Any, table: Table) -> None:
    caption = _line(document, table.title, 10.5, bold=True, centre=True, font=SONG)
    caption.paragraph_format.keep_with_next = True
    made = document.add_table(rows=1, cols=len(table.columns))
    made.style, made.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    for place, column in enumerate(table.columns):
        _cell(made.rows[0].cells[place], column.title, bold=True, right=numeric(table.columns, place))
    _repeat(made.rows[0])
    for row in table.rows:
        cells = made.add_row().cells
        for place, value in enumerate(row):
            text = written(value, table.columns[place].format)
            _cell(cells[place], text, bold=False, right=numeric(table.columns, place))
    _line(document, table.note, 9, colour=GREY)


def _cell(cell: Any, text: str, *, bold: bool, right: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _run(paragraph, text, 10, bold=bold, font=SONG)


def _repeat(row: Any) -> None:
    """The heading of a table stands again on its next page."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _chart(document: Any, chart: Chart, number: int) -> None:
    package = document.part.package
    book = Part(PackURI(f"/word/embeddings/chart{number}.xlsx"), BOOK_TYPE, data_book(chart), package)
    part = Part(PackURI(f"/word/charts/chart{number}.xml"), CHART_TYPE, b"", package)
    part._blob = chart_xml(chart, part.relate_to(book, RELATIONSHIP_TYPE.PACKAGE))
    relation = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    bars = len(chart.categories) * len(chart.series) if chart.kind is ChartKind.BARS else 0
    height = min(22.0, max(7.5, 0.62 * bars + 2.5))
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run()._r.append(parse_xml(_drawing(chart.title, relation, number, height)))


def _drawing(title: str, relation: str, number: int, height: float) -> str:
    """The frame of a chart in the text; `title` also says to a screen reader what it is."""
    said = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    text = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return (
        f'<w:drawing xmlns:w="{text}" xmlns:wp="{drawing}/wordprocessingDrawing" xmlns:a="{drawing}/main">'
        f'<wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{int(WIDTH * EMU)}" cy="{int(height * EMU)}"/>'
        f'<wp:docPr id="{number}" name="chart{number}" descr="{said}"/><wp:cNvGraphicFramePr/>'
        f'<a:graphic><a:graphicData uri="{drawing}/chart">'
        f'<c:chart xmlns:c="{drawing}/chart" xmlns:r="{office}" r:id="{relation}"/>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
