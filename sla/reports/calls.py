"""The telephone in a report: figures by day, or by hour when it is about one day."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from sla.measures.periods import Period
from sla.reports.document import Block, Cell, Chart, ChartKind, Column, Format, Paragraph, Table
from telephony.figures import Figures, Span, day_figures
from telephony.measures import FORMULAS

COUNT, RATE, SECONDS = Format.COUNT, Format.RATE, Format.SECONDS
COLUMNS = (
    Column("时段"),
    Column("呼入", COUNT),
    Column("接通", COUNT),
    Column("接通率", RATE),
    Column("15秒应答率", RATE),
    Column("放弃率", RATE),
    Column("平均等待", SECONDS),
    Column("平均通话", SECONDS),
    Column("平均处理", SECONDS),
    Column("利用率", RATE),
)
NOTE = (
    "接通率＝接通÷（接通＋放弃＋超时＋退出＋空队）；15秒应答率、放弃率同一分母；"
    "不足5秒的短放弃另计，不入各率；通话计入其进入队列的时段。"
    f"平均处理＝{FORMULAS['aht_seconds'][1]}；利用率＝{FORMULAS['occupancy'][1]}。"
)


async def blocks(session: AsyncSession, period: Period, now: datetime) -> Sequence[Block]:
    """A sentence, a table and a chart; only a sentence when nobody called. As it stands at `now`."""
    found = await day_figures(session, period.first, period.last, now=now)
    total = found.total
    if not total.offered:
        return [Paragraph("本期没有进入人工队列的来电。")]
    text = f"进入人工队列的来电 {total.offered:,} 个，接通 {total.answered:,} 个"
    if total.answer_rate is not None:
        text += f"，接通率 {total.answer_rate * 100:.1f}%"
    if total.prompt_rate is not None:
        text += f"，15秒应答率 {total.prompt_rate * 100:.1f}%"
    if total.short_abandoned:
        text += f"；另有短放弃 {total.short_abandoned:,} 个"
    one_day = period.first == period.last
    spans = [span for span in (found.hours if one_day else found.days) if span.figures.offered]
    labels = [_label(span, one_day) for span in spans]
    rows = [_row(label, span.figures) for label, span in zip(labels, spans, strict=True)]
    table = Table("话务情况", COLUMNS, (*rows, _row("合计", total)), note=NOTE)
    series = (
        ("呼入", tuple(float(span.figures.offered) for span in spans)),
        ("接通", tuple(float(span.figures.answered) for span in spans)),
    )
    chart = Chart("呼入与接通（个）", ChartKind.LINES, tuple(labels), series)
    return [Paragraph(text + "。"), table, chart] if len(spans) > 1 else [Paragraph(text + "。"), table]


def _label(span: Span, one_day: bool) -> str:
    here = to_city(span.starts_at)
    return f"{here:%H}时" if one_day else f"{here.month}月{here.day}日"


def _row(label: str, figures: Figures) -> tuple[Cell, ...]:
    return (
        label,
        figures.offered,
        figures.answered,
        figures.answer_rate,
        figures.prompt_rate,
        figures.abandon_rate,
        figures.asa_seconds,
        figures.talk_seconds,
        figures.aht_seconds,
        figures.occupancy,
    )
