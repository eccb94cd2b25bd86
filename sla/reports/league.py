"""The league of departments (承办单位考核): scores by the rules of the pack, peers with peers; pure."""

from collections.abc import Sequence
from datetime import date

from sla.measures.definitions import MIN_N, RATES
from sla.measures.periods import Period
from sla.measures.queries import UnitRow
from sla.reports.cells import Where, plain, table, unit_columns
from sla.reports.document import Block, Chart, ChartKind, Column, Format, Table
from sla.scores import Figure, ScoreRule, ranks, scored

SCORE, RATE, COUNT = Format.SCORE, Format.RATE, Format.COUNT
MOST_BARS = 20


def rules_table(rules: Sequence[ScoreRule]) -> Table:
    """The rules as they were applied."""
    columns = (
        Column("指标"),
        Column("满分", SCORE),
        Column("目标", RATE),
        Column("每差一个百分点扣", SCORE),
        Column("最低得分", SCORE),
        Column("最少件数", COUNT),
    )
    rows = [
        (
            RATES[rule.code].name + ("（越低越好）" if rule.lower_is_better else ""),
            rule.points,
            rule.target,
            rule.slope,
            rule.floor,
            rule.least,
        )
        for rule in rules
    ]
    note = "件数不足的指标不计分，满分同时扣除；总分按可得分折算为百分制。"
    return Table("计分规则", columns, tuple(rows), note=note)


def blocks(
    group: str, rules: Sequence[ScoreRule], rows: Sequence[UnitRow], when: tuple[Period, date]
) -> list[Block]:
    """The scores of one group, the best first, those without one last; its chart; and the figures they are
    made of. `when`: of which days, and the day it is made."""
    results = [scored(rules, {code: _figure(row, code) for code in row.shares}) for row in rows]
    totals = [result.total for result in results]
    places = ranks(totals)
    order = sorted(range(len(rows)), key=lambda at: (totals[at] is None, -(totals[at] or 0), rows[at].name))
    least = min((rule.least for rule in rules), default=MIN_N)
    note = f"件数不足 {least} 件的指标不计分，没有可计分指标的单位不排名。"
    names = [RATES[rule.code].name for rule in rules]
    columns = [
        Column("名次"),
        Column("单位"),
        Column("总分", SCORE),
        *(Column(name, SCORE) for name in names),
    ]
    lines, figures = [], []
    for at in order:
        place, where = places[at], Where(*when, "unit", str(rows[at].id))
        parts = [results[at].parts[rule.code] for rule in rules]
        lines.append(plain("—" if place is None else str(place), rows[at].name, totals[at], *parts))
        cells = plain(rows[at].name)
        for rule in rules:
            figure, rate = _figure(rows[at], rule.code), RATES[rule.code]
            cells += [(figure.rate, where.of(rate.part)), (figure.n, where.of(rate.of))]
        figures.append(cells)
    found: list[Block] = [
        table(f"{group}考核得分", columns, lines, note),
        table(f"{group}各项指标", unit_columns([rule.code for rule in rules]), figures),
    ]
    ranked = [at for at in order if totals[at] is not None][:MOST_BARS]
    if ranked:
        labels = tuple(rows[at].name for at in ranked)
        values = tuple(totals[at] for at in ranked)
        found.insert(1, Chart(f"{group}总分", ChartKind.BARS, labels, (("总分", values),), SCORE))
    return found


def _figure(row: UnitRow, code: str) -> Figure:
    share = row.shares.get(code)
    if share is None or not share.of:
        return Figure(None, 0)
    return Figure(share.part / share.of, share.of)
