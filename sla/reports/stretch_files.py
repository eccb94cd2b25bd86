"""The stretches behind a figure of agents' time as a workbook or a CSV file. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clock import to_city
from sla.reports.document import Block, Cell, Column, Format, Paragraph, Report, Table
from telephony.stretches import StretchRow
from tickets.export.cells import guarded

HEADINGS = ("坐席", "工号", "话机", "状态", "示忙原因", "开始", "结束", "计入时长")


@dataclass(frozen=True)
class Behind:
    """What the list is of: the measure, its formula, the span, the person or "" for all, when it was read."""

    name: str
    formula: str
    since: datetime
    until: datetime
    person: str
    at: datetime

    @property
    def period(self) -> str:
        """The span in words."""
        return f"{to_city(self.since):%Y-%m-%d %H:%M} 至 {to_city(self.until):%Y-%m-%d %H:%M}"

    def told(self) -> list[str]:
        """What the stretches are of, in sentences."""
        who = self.person or "全部坐席"
        return [
            f"{self.name}：{self.formula}",
            f"时段：{self.period}；{who}。各段计入时长之和即报表中的数字。",
        ]


def document(
    of: Behind, rows: Sequence[StretchRow], states: Mapping[str, str], reasons: Mapping[str, str], office: str
) -> Report:
    """The stretches as blocks of a report, and their sum."""
    columns = tuple(Column(name, Format.SPAN if name == HEADINGS[-1] else Format.TEXT) for name in HEADINGS)
    lines = [_line(row, states, reasons) for row in rows]
    total: tuple[Cell, ...] = ("合计", *[""] * (len(HEADINGS) - 2), sum(row.ms for row in rows) / 1000)
    table = Table(of.name, columns, (*lines, total))
    blocks: tuple[Block, ...] = (*(Paragraph(text) for text in of.told()), table)
    first, last = to_city(of.since).date(), to_city(of.until).date()
    title = f"12345热线坐席工时明细（{of.name}）"
    return Report(title, office, first, last, blocks, {}, f"{to_city(of.at):%Y-%m-%d %H:%M:%S}")


def csv_text(
    of: Behind, rows: Sequence[StretchRow], states: Mapping[str, str], reasons: Mapping[str, str]
) -> str:
    """The same as lines; seconds with their milliseconds, so that they add up."""
    made = io.StringIO()
    out = csv.writer(made, quoting=csv.QUOTE_ALL)
    out.writerows([text] for text in of.told())
    out.writerow([f"数据截至 {to_city(of.at):%Y-%m-%d %H:%M:%S}"])
    out.writerow([*HEADINGS[:-1], f"{HEADINGS[-1]}（秒）"])
    for row in rows:
        *words, seconds = _line(row, states, reasons)
        out.writerow([*(guarded(str(word)) for word in words), f"{seconds:.3f}"])
    out.writerow(["合计", *[""] * (len(HEADINGS) - 2), f"{sum(row.ms for row in rows) / 1000:.3f}"])
    return "\ufeff" + made.getvalue()


def _line(row: StretchRow, states: Mapping[str, str], reasons: Mapping[str, str]) -> tuple[Cell, ...]:
    return (
        row.name,
        row.login,
        row.extension,
        states.get(row.state, row.state),
        reasons.get(row.reason, row.reason),
        _moment(row.started_at),
        "" if row.ended_at is None else _moment(row.ended_at),
        row.ms / 1000,
    )


def _moment(at: datetime) -> str:
    return f"{to_city(at):%Y-%m-%d %H:%M:%S}"
