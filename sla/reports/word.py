"""A report as a Word document, as offices write them: real tables, and charts that can be edited."""

import io
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
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
WIDTH, LYING = 15.6, 24.3  # centimetres between the margins of the page: upright, and lying
MOST_COLUMNS = 10  # of a table on an upright page
GREY = RGBColor(0x5C, 0x66, 0x70)


def word(report: Report) -> bytes:
    """The document. The same report gives the same bytes."""
    document = Document()
    wide = any(isinstance(block, Table) and len(block.columns) > MOST_COLUMNS for block in report.blocks)
    width = LYING if wide else WIDTH
    _prepare(document, report, lying=wide)
    _line(document, report.title, 22, bold=True, centre=True, font=SONG)
    _line(document, report.office, 14, centre=True)
    _line(document, report.period, 14, centre=True)
    numbers = iter(range(1, 1_000))
    for block in report.blocks:
        _add(document, block, numbers, width)
    for name, text in report.told.items():
        _small(document, f"{name}：{text}")
    made = io.BytesIO()
    document.save(made)
    return stable(made.getvalue())


def _prepare(document: Any, report: Report, *, lying: bool) -> None:
    """Paper, fonts and the page number; the properties name no person and no hour."""
    section = document.sections[0]
    section.page_width, section.page_height = (Cm(29.7), Cm(21)) if lying else (Cm(21), Cm(29.7))
    section.orientation = WD_ORIENT.LANDSCAPE if lying else WD_ORIENT.PORTRAIT
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


def _add(document: Any, block: Block, numbers: Any, width: float) -> None:
    match block:
        case Heading(text, level):
            document.add_heading(text, level)
        case Paragraph(text, True):
            _small(document, text)
        case Paragraph(text):
            _line(document, text, 14, indent=True)
        case Table():
            _table(document, block, width)
        case Chart():
            _chart(document, block, next(numbers), width)


def _small(document: Any, text: str) -> None:
    line = _line(document, text, 9, colour=GREY).paragraph_format
    line.space_before, line.space_after = Pt(4), Pt(2)


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


def _table(document: Any, table: Table, width: float) -> None:
    caption = _line(document, table.title, 10.5, bold=True, centre=True, font=SONG)
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_after = Pt(4)
    size = 10.0 if len(table.columns) <= 7 else 8.5
    made = document.add_table(rows=1, cols=len(table.columns))
    made.style, made.alignment, made.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    for place, column in enumerate(table.columns):
        _cell(made.rows[0].cells[place], column.title, size, bold=True, right=numeric(table.columns, place))
    _repeat(made.rows[0])
    for row in table.rows:
        cells = made.add_row().cells
        for place, value in enumerate(row):
            text = written(value, table.columns[place].format)
            _cell(cells[place], text, size, bold=False, right=numeric(table.columns, place))
    for place, share in enumerate(_widths(table)):
        made.columns[place].width = Cm(width * share)
        for cell in made.columns[place].cells:
            cell.width = Cm(width * share)
    for line in made.rows:
        _whole(line)
    _small(document, table.note)


def _widths(table: Table) -> list[float]:
    """The share of the page each column takes, by the longest of its words; figures do not break."""
    wants = []
    for place, column in enumerate(table.columns):
        texts = [written(row[place], column.format) for row in table.rows]
        longest = max((_wide(text) for text in texts), default=0)
        wants.append(max(longest, min(_wide(column.title), 8)) + 3)
    return [want / sum(wants) for want in wants]


def _wide(text: str) -> int:
    """Chinese characters are two wide."""
    return sum(2 if ord(mark) > 0xFF else 1 for mark in text)


def _cell(cell: Any, text: str, size: float, *, bold: bool, right: bool) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    look = paragraph.paragraph_format
    look.space_before = look.space_after = Pt(1)
    look.line_spacing = 1.0
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _run(paragraph, text, size, bold=bold, font=SONG)


def _whole(row: Any) -> None:
    """A row is not torn by the end of a page."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _repeat(row: Any) -> None:
    """The heading of a table stands again on its next page."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _chart(document: Any, chart: Chart, number: int, width: float) -> None:
    package = document.part.package
    book = Part(PackURI(f"/word/embeddings/chart{number}.xlsx"), BOOK_TYPE, data_book(chart), package)
    part = Part(PackURI(f"/word/charts/chart{number}.xml"), CHART_TYPE, b"", package)
    part._blob = chart_xml(chart, part.relate_to(book, RELATIONSHIP_TYPE.PACKAGE))
    relation = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    bars = len(chart.categories) * len(chart.series) if chart.kind is ChartKind.BARS else 0
    height = min(13.0, max(6.5, 0.58 * bars + 2.2))
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run()._r.append(parse_xml(_drawing(chart.title, relation, number, (width, height))))


def _drawing(title: str, relation: str, number: int, size: tuple[float, float]) -> str:
    """The frame of a chart in the text; `title` also says to a screen reader what it is."""
    said = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    text = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return (
        f'<w:drawing xmlns:w="{text}" xmlns:wp="{drawing}/wordprocessingDrawing" xmlns:a="{drawing}/main">'
        f'<wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{int(size[0] * EMU)}" cy="{int(size[1] * EMU)}"/>'
        f'<wp:docPr id="{number}" name="chart{number}" descr="{said}"/><wp:cNvGraphicFramePr/>'
        f'<a:graphic><a:graphicData uri="{drawing}/chart">'
        f'<c:chart xmlns:c="{drawing}/chart" xmlns:r="{office}" r:id="{relation}"/>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
