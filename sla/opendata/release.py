"""A release made of true counts: rows put together, small numbers kept back, all of it as plain data; pure.

True counts are `{population: {other dimension: {hub code: {code: n}}}}`. What is published is a list of
tables; a number that is kept back is null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sla.opendata.suppression import TOTAL, Cell, Row, Table, merged, protected
from sla.opendata.terms import NO, POPULATIONS, UNKNOWN, UNKNOWN_WORD, YES, Population, table_code

TrueCounts = Mapping[str, Mapping[str, Mapping[str, Mapping[str, int]]]]
Names = Mapping[str, Mapping[str, str]]  # dimension → code → word
GLUE = "+"  # between the codes of a row that was put together


@dataclass(frozen=True)
class Earlier:
    """A version that was published before: its true counts and what was seen of them."""

    counts: TrueCounts
    content: Mapping[str, Any]


def made(counts: TrueCounts, names: Names, earlier: Sequence[Earlier] = ()) -> dict[str, Any]:
    """The content of a release; `earlier`: every published version of the same month, oldest first."""
    tables, withheld = [], []
    for population in POPULATIONS:
        rows = _rows(population, counts, earlier)
        for other in population.others:
            table = _table(population, other, rows, counts, earlier) if rows else None
            if table is None:
                withheld.append(table_code(population, other))
            else:
                tables.append(_as_data(population, other, table, names))
    return {"tables": tables, "withheld": withheld}


def says_nothing(content: Mapping[str, Any]) -> bool:
    """Whether not one table could be published."""
    return not content["tables"]


def _rows(population: Population, counts: TrueCounts, earlier: Sequence[Earlier]) -> list[Row] | None:
    seen = _seen(population, earlier)
    if earlier and not seen:
        return None  # what was withheld once is withheld for that month
    groups = [tuple(row["code"].split(GLUE)) for row in seen[-1]["rows"]] if seen else []
    rows = merged(_sums(population, counts), [_sums(population, one.counts) for one in earlier], groups)
    # An outcome of one row tells nothing, and a rate of nothing.
    return None if rows and population.answers and len(rows) < len(population.answers) else rows


def _seen(population: Population, earlier: Sequence[Earlier]) -> list[Mapping[str, Any]]:
    """The tables of a population in earlier versions."""
    return [
        table
        for one in earlier
        for table in one.content["tables"]
        if table["population"] == population.code and table["by"] == population.others[0]
    ]


def _sums(population: Population, counts: TrueCounts) -> dict[str, int]:
    # Every table of a population counts the same matters: any of them has the sums.
    first = counts.get(population.code, {}).get(population.others[0], {})
    sums = {code: sum(line.values()) for code, line in first.items()}
    return {YES: 0, NO: 0} | sums if population.answers else sums


def _folded(counts: TrueCounts, population: Population, other: str, rows: Sequence[Row]) -> dict[Cell, int]:
    """The counts of a table by its rows as they are put together."""
    table = counts.get(population.code, {}).get(other, {})
    found: dict[Cell, int] = {}
    for row in rows:
        for code in row:
            for column, n in table.get(code, {}).items():
                cell = (GLUE.join(row), column)
                found[cell] = found.get(cell, 0) + n
    return found


def _table(
    population: Population, other: str, rows: Sequence[Row], counts: TrueCounts, earlier: Sequence[Earlier]
) -> Table | None:
    before = [_folded(one.counts, population, other, rows) for one in earlier]
    now = _folded(counts, population, other, rows)
    columns = sorted({column for table in (now, *before) for _row, column in table})
    hidden: set[Cell] = set()
    for one in earlier:
        old = next((t for t in one.content["tables"] if t["code"] == table_code(population, other)), None)
        if old is None:
            return None
        hidden |= _hidden(old, rows)
    return protected(now, [GLUE.join(row) for row in rows], columns, before, frozenset(hidden))


def _hidden(old: Mapping[str, Any], rows: Sequence[Row]) -> set[Cell]:
    """What an earlier version kept back, by the rows of today."""
    now = {code: GLUE.join(row) for row in rows for code in row}
    found: set[Cell] = set()
    for row in (*old["rows"], {"code": TOTAL, "cells": old["totals"]}):
        for code, n in row["cells"].items():
            if n is None:
                found.add((now.get(row["code"].split(GLUE)[0], TOTAL), code))
    return found


def _as_data(population: Population, other: str, table: Table, names: Names) -> dict[str, Any]:
    def line(row: str) -> dict[str, int | None]:
        return {column: table.cells[row, column] for column in table.columns}

    answers = dict(zip((YES, NO), population.answers or (), strict=False))
    hub = answers or names.get(population.hub, {})
    return {
        "code": table_code(population, other),
        "population": population.code,
        "hub": population.hub,
        "by": other,
        "columns": [{"code": code, "name": name_of(names.get(other, {}), code)} for code in table.columns],
        "rows": [
            {"code": row, "name": name_of(hub, row), "total": table.sums[row], "cells": line(row)}
            for row in table.rows
        ],
        "totals": line(TOTAL),
        "total": sum(table.sums.values()),
    }


def name_of(words: Mapping[str, str], code: str) -> str:
    """The word of a code, of several codes the words of all."""
    parts = [UNKNOWN_WORD if one == UNKNOWN else words.get(one, one) for one in code.split(GLUE)]
    return parts[0] if len(parts) == 1 else "合并：" + "、".join(parts)


def rates(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a table of outcomes: one line per code with yes, no and the percentage; None where kept back."""
    lines = {row["code"]: row["cells"] for row in table["rows"]}
    found = []
    for column in table["columns"]:
        yes, no = (lines.get(code, {}).get(column["code"]) for code in (YES, NO))
        known = yes is not None and no is not None and yes + no > 0
        percent = round(100 * yes / (yes + no), 1) if known else None
        found.append({**column, "yes": yes, "no": no, "percent": percent})
    return found


def whole_rate(table: Mapping[str, Any]) -> float | None:
    """The percentage of the whole city."""
    sums = {row["code"]: row["total"] for row in table["rows"]}
    of = sums.get(YES, 0) + sums.get(NO, 0)
    return round(100 * sums.get(YES, 0) / of, 1) if of else None
