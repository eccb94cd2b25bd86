"""A report as an Excel workbook: a sheet with its words, and a sheet for each table with its charts."""

import io
import re
from typing import Any

import xlsxwriter

from sla.reports.charts import CODES, COLOURS, SHEET
from sla.reports.document import NOTHING, Chart, ChartKind, Format, Heading, Paragraph, Report, Table, numeric
from sla.reports.stable import CREATED, stable

_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
WIDEST = 46  # characters
_POINTS = "+0.0;-0.0;0.0"
_SCALES = {Format.CHANGE: 100, Format.SPAN: 1 / 86_400}  # percentage points, as in the text; parts of a day


def excel(report: Report) -> bytes:
    """The workbook. The same report gives the same bytes."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(
        made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": report.title, "author": report.office, "created": CREATED})
    looks = _Looks(book)
    _words(book, looks, report)
    names: set[str] = set()
    charts: list[Chart] = []
    sheet, below = None, 0
    for block in report.blocks:
        if isinstance(block, Table):
            sheet = _table(book, looks, block, names)
            charts, below = [], len(block.rows) + (5 if block.note else 3)
        elif isinstance(block, Chart) and sheet is not None:
            charts.append(block)
            _chart(book, sheet, block, (below, len(charts)), names)
    book.close()
    return stable(made.getvalue())


class _Looks:
    """The formats of a workbook."""

    def __init__(self, book: Any) -> None:
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.bold = book.add_format({"bold": True, "font_size": 12})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.note = book.add_format({"font_color": "#5C6670"})
        self.small = book.add_format({"font_color": "#5C6670", "text_wrap": True, "valign": "top"})
        edge = {"border": 1, "border_color": "#BFC5CC"}
        self.head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "text_wrap": True, **edge})
        self.cell = {
            how: book.add_format(
                {"num_format": _POINTS if how is Format.CHANGE else CODES.get(how, "@"), **edge}
            )
            for how in Format
        }


def _words(book: Any, looks: _Looks, report: Report) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 88)
    sheet.write_string(0, 0, report.title, looks.title)
    sheet.write_string(1, 0, f"{report.office}　{report.period}", looks.note)
    row = 3
    for block in report.blocks:
        if isinstance(block, Heading):
            sheet.write_string(row, 0, block.text, looks.bold)
        elif isinstance(block, Paragraph):
            sheet.write_string(row, 0, block.text, looks.small if block.small else looks.text)
        else:
            continue
        row += 1
    for name, text in report.told.items():
        row += 1
        sheet.write_string(row, 0, f"{name}：{text}", looks.small)


def _table(book: Any, looks: _Looks, table: Table, names: set[str]) -> Any:
    sheet = book.add_worksheet(_name(table.title, names))
    sheet.write_string(0, 0, table.title, looks.bold)
    for place, column in enumerate(table.columns):
        sheet.write_string(1, place, column.title, looks.head)
        sheet.set_column(place, place, _width(table, place))
        for line, cells in enumerate(table.rows, start=2):
            value, look = cells[place], looks.cell[column.format]
            if isinstance(value, int | float):
                sheet.write_number(line, place, value * _SCALES.get(column.format, 1), look)
            else:
                sheet.write_string(line, place, NOTHING if value is None else value, look)
    if table.rows:
        sheet.autofilter(1, 0, 1 + len(table.rows), len(table.columns) - 1)
    sheet.freeze_panes(2, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(1)
    if table.note:
        sheet.write_string(3 + len(table.rows), 0, table.note, looks.note)
    return sheet


def _width(table: Table, place: int) -> float:
    """Chinese characters are two wide; figures need less than their heading."""
    texts = [table.columns[place].title]
    if not numeric(table.columns, place):
        texts += [str(row[place] or "") for row in table.rows]
    return min(WIDEST, max(10, *(sum(2 if ord(mark) > 0xFF else 1 for mark in text) + 2 for text in texts)))


def _name(title: str, names: set[str]) -> str:
    """A name of a sheet: at most 31 characters, none of those that are forbidden, used once."""
    base = _FORBIDDEN.sub("", title).strip()[:28] or SHEET
    name, number = base, 2
    while name.lower() in names:
        name, number = f"{base}{number}", number + 1
    names.add(name.lower())
    return name


def _chart(book: Any, under: Any, chart: Chart, place: tuple[int, int], names: set[str]) -> None:
    """A chart below its table; its figures on a sheet of their own, hidden until asked for.

    `place`: the first row below the table, and the how-manieth chart this is.
    """
    name = _name(f"{chart.title}·数", names)
    data = book.add_worksheet(name)
    fill_data(data, chart)
    data.hide()
    drawn = book.add_chart({"type": "line" if chart.kind is ChartKind.LINES else "bar"})
    rows = len(chart.categories)
    bars = len(chart.series) if chart.kind is ChartKind.BARS else 0
    for column, (title, _) in enumerate(chart.series, start=1):
        colour = f"#{COLOURS[(column - 1) % len(COLOURS)]}"
        look: dict[str, Any] = {"fill": {"color": colour}}
        if chart.kind is ChartKind.LINES:
            look = {"line": {"color": colour, "width": 2}, "marker": {"type": "automatic"}}
        drawn.add_series(
            {
                "name": title,
                "categories": [name, 1, 0, rows, 0],
                "values": [name, 1, column, rows, column],
                **look,
            }
        )
    drawn.set_title({"name": chart.title, "name_font": {"size": 12}})
    drawn.show_hidden_data()
    lines = {"visible": True, "line": {"color": "#D9D9D9", "width": 0.5}}
    code = {"num_format": CODES.get(chart.format, "General"), "major_gridlines": lines}
    if chart.kind is ChartKind.BARS:
        drawn.set_y_axis({"reverse": True, "crossing": "max", "interval_unit": 1})
        drawn.set_x_axis(code)
    else:
        drawn.set_y_axis(code)
    drawn.set_legend({"none": True} if len(chart.series) == 1 else {"position": "bottom"})
    drawn.set_size({"width": 640, "height": max(300, 22 * rows * bars + 100)})
    below, number = place
    under.insert_chart(below, 0, drawn, {"y_offset": (number - 1) * 420})


def fill_data(sheet: Any, chart: Chart) -> None:
    """The figures of a chart: categories down, series across."""
    for row, text in enumerate(chart.categories, start=1):
        sheet.write_string(row, 0, text)
    for place, (name, values) in enumerate(chart.series, start=1):
        sheet.write_string(0, place, name)
        for row, value in enumerate(values, start=1):
            if value is not None:
                sheet.write_number(row, place, value)


def data_book(chart: Chart) -> bytes:
    """The workbook that stands behind a chart in a Word file."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(
        made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": CREATED})
    fill_data(book.add_worksheet(SHEET), chart)
    book.close()
    return stable(made.getvalue())
