"""A phone report as a workbook or a CSV file, with its period, its filters and its definitions. Pure."""

import csv
import io

from core.clock import to_city
from sla.reports.document import (
    Block,
    Cell,
    Chart,
    ChartKind,
    Column,
    Format,
    Paragraph,
    Report,
    Table,
    written,
)
from sla.reports.phone_sheets import BY_LABELS, SPAN_HEAD, Line, PhoneReport, Sheet
from telephony.measures import FORMULAS
from tickets.export.cells import guarded

TITLE = "话务报表"


def document(found: PhoneReport, office: str, queue: str) -> Report:
    """The report as blocks; `queue` in words, "" for all of them."""
    blocks: list[Block] = [Paragraph(text) for text in told(found, queue)]
    blocks += [Paragraph(f"{name}：{formula}", small=True) for name, formula in formulas(found)]
    for sheet in found.sheets:
        blocks.append(_table(sheet))
        blocks += [_chart(sheet, title, codes) for title, codes in sheet.charts if len(sheet.lines) > 1]
    period = found.asked.period
    as_of = f"{to_city(found.now):%Y-%m-%d %H:%M}"
    title = f"12345热线{TITLE}（按{BY_LABELS[found.asked.by]}）"
    return Report(title, office, period.first, period.last, tuple(blocks), {}, as_of)


def told(found: PhoneReport, queue: str) -> list[str]:
    """What the figures are of, in sentences."""
    period = found.asked.period
    days = str(period.first) if period.first == period.last else f"{period.first} 至 {period.last}"
    return [f"时段：{days}；按{BY_LABELS[found.asked.by]}；队列：{queue or '全部'}。"]


def formulas(found: PhoneReport) -> list[tuple[str, str]]:
    """The columns it has and how each is reckoned."""
    codes = dict.fromkeys(one.code for sheet in found.sheets for one in sheet.measures if one.formula)
    return [FORMULAS[code] for code in codes]


def _table(sheet: Sheet) -> Table:
    columns = (Column(sheet.head), *(Column(one.name, one.format) for one in sheet.measures))
    lines = (*sheet.lines, sheet.total)
    return Table(sheet.title, columns, tuple((line.label, *line.cells) for line in lines), note=sheet.note)


def _chart(sheet: Sheet, title: str, codes: tuple[str, ...]) -> Chart:
    lines = sheet.charted(codes)
    series = tuple(
        (sheet.measure(code).name, tuple(_number(line.cells[sheet.place(code)]) for line in lines))
        for code in codes
    )
    kind = ChartKind.LINES if sheet.head == SPAN_HEAD else ChartKind.BARS
    how = Format.RATE if sheet.measure(codes[0]).format is Format.RATE else Format.COUNT
    return Chart(title, kind, tuple(line.label for line in lines), series, how)


def _number(value: Cell) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def csv_text(found: PhoneReport, office: str, queue: str) -> str:
    """All tables one below the other, with the mark that makes spreadsheet programs read UTF-8."""
    made = io.StringIO()
    out = csv.writer(made, quoting=csv.QUOTE_ALL)
    out.writerow([f"12345热线{TITLE}", guarded(office), f"数据截至 {to_city(found.now):%Y-%m-%d %H:%M}"])
    out.writerows([text] for text in told(found, queue))
    for sheet in found.sheets:
        out.writerow([])
        out.writerow([sheet.title])
        out.writerow([sheet.head, *(guarded(_heading(one.name, one.format)) for one in sheet.measures)])
        out.writerows(_row(sheet, line) for line in (*sheet.lines, sheet.total))
        if sheet.note:
            out.writerow([sheet.note])
    out.writerow([])
    out.writerows([name, formula] for name, formula in formulas(found))
    return "\ufeff" + made.getvalue()


def _heading(name: str, how: Format) -> str:
    return f"{name}（秒）" if how in (Format.SECONDS, Format.SPAN) else name


def _row(sheet: Sheet, line: Line) -> list[str]:
    """Plain numbers: seconds without a unit, shares as percentages."""
    cells = [guarded(line.label)]
    for one, value in zip(sheet.measures, line.cells, strict=True):
        if isinstance(value, int | float) and one.format in (Format.SECONDS, Format.SPAN):
            cells.append(f"{value:.0f}")
        elif isinstance(value, int | float) and one.format is Format.COUNT:
            cells.append(str(value))
        else:
            cells.append("" if value is None else written(value, one.format))
    return cells
