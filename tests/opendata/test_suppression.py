"""No small number follows from what is published: by subtraction, by programming, over versions."""

import random
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from sla.opendata.release import Earlier, made
from sla.opendata.suppression import TOTAL, K, Table, merged, protected, small, with_sums
from sla.opendata.terms import NO, POPULATIONS, YES

ROWS, COLUMNS = ("a", "b", "c", "d"), ("p", "q", "r", "s", "t")


def drawn(seed: int, rows: tuple[str, ...] = ROWS, columns: tuple[str, ...] = COLUMNS, most: int = 14) -> Any:
    draw = random.Random(seed)
    return {
        (row, column): draw.choice((0, 0, draw.randrange(1, 5), draw.randrange(most), draw.randrange(30)))
        for row in rows
        for column in columns
    }


def with_large_rows(counts: dict[Any, int], rows: tuple[str, ...] = ROWS) -> dict[Any, int]:
    """Rows that may be published: what `merged` would see to."""
    for row in rows:
        if small(sum(n for (one, _column), n in counts.items() if one == row)):
            counts[row, COLUMNS[0]] = counts.get((row, COLUMNS[0]), 0) + K
    return counts


def bounds(table: Table) -> Iterator[tuple[tuple[str, str], float, float]]:
    """What an attacker with a linear programme finds out about each cell that is kept back."""
    cells = [(row, column) for row in table.rows for column in table.columns]
    equations, values = [], []

    def tell(wanted: list[tuple[str, str]], n: int) -> None:
        equations.append([1.0 if cell in wanted else 0.0 for cell in cells])
        values.append(float(n))

    for row in table.rows:
        tell([cell for cell in cells if cell[0] == row], table.sums[row])
    for cell, n in table.cells.items():
        if n is not None:
            tell([one for one in cells if one[1] == cell[1]] if cell[0] == TOTAL else [cell], n)
    for cell in table.kept_back:
        wanted = np.array(
            [float(one[1] == cell[1]) if cell[0] == TOTAL else float(one == cell) for one in cells]
        )
        low = linprog(wanted, A_eq=equations, b_eq=values, bounds=(0, None))
        high = linprog(-wanted, A_eq=equations, b_eq=values, bounds=(0, None))
        assert low.status in (0, 3), low
        yield cell, low.fun, np.inf if high.status == 3 else -high.fun


@pytest.mark.parametrize("rows", [ROWS, ROWS[:2], ROWS[:1]], ids=len)
@pytest.mark.parametrize("seed", range(40))
def test_a_small_number_is_never_known_within_five(seed: int, rows: tuple[str, ...]) -> None:
    counts = with_large_rows(drawn(seed, rows), rows)
    table = protected(counts, rows, COLUMNS)
    if table is None:
        return
    full = with_sums(counts, rows, COLUMNS)
    assert all(n is None or not small(n) for n in table.cells.values())
    assert {cell: n for cell, n in table.cells.items() if n is not None}.items() <= full.items()
    for cell, low, high in bounds(table):
        if small(full[cell]):
            assert high - low >= K - 1e-6, (cell, full[cell], low, high)


@pytest.mark.parametrize("seed", range(40))
def test_every_table_that_fits_is_tried_and_a_small_number_could_be_another(seed: int) -> None:
    rows, columns = ("a", "b"), ("p", "q", "r")
    draw = random.Random(seed)
    counts = {(row, column): draw.choice((0, 1, 2, 3, 4, 6, 7)) for row in rows for column in columns}
    counts["a", "p"] += K
    counts["b", "r"] += K
    table = protected(counts, rows, columns)
    if table is None:
        return
    full = with_sums(counts, rows, columns)
    seen: dict[Any, set[int]] = {cell: set() for cell in table.kept_back}
    for guess in _tables(table):
        for cell in seen:
            seen[cell].add(guess[cell])
    for cell, values in seen.items():
        assert full[cell] in values
        if small(full[cell]):
            assert max(values) - min(values) >= K


def _tables(table: Table) -> Iterator[Mapping[Any, int]]:
    """Every table of whole numbers that agrees with what is published."""
    lines = [list(_line(table, row)) for row in table.rows]
    for chosen in product(*lines):
        guess = {
            (row, column): n
            for row, line in zip(table.rows, chosen, strict=True)
            for column, n in zip(table.columns, line, strict=True)
        }
        full = with_sums(guess, table.rows, table.columns)
        if all(n is None or full[cell] == n for cell, n in table.cells.items()):
            yield full


def _line(table: Table, row: str) -> Iterator[tuple[int, ...]]:
    places = [table.cells[row, column] for column in table.columns]
    top = table.sums[row]
    options = [range(top + 1) if n is None else (n,) for n in places]
    return (line for line in product(*options) if sum(line) == top)


@pytest.mark.parametrize("seed", range(80))
def test_no_row_is_small_and_none_differs_a_little_from_an_earlier_version(seed: int) -> None:
    draw = random.Random(seed)
    before = {code: draw.choice((0, 1, 3, 4, 5, 9, 40)) for code in "abcdef"}
    first = merged(before)
    now = {code: max(0, n + draw.choice((0, 0, 0, 1, -1, 3, 8))) for code, n in before.items()}
    rows = merged(now, [before], first or ())
    if first is None or rows is None:
        assert small(sum(before.values())) or small(sum(now.values()), [sum(before.values())])
        return
    for row in rows:
        n, old = sum(now[code] for code in row), sum(before[code] for code in row)
        assert not small(n, [old])
    # A row that was put together is never taken apart again: no row of before is spread over two of now.
    assert all(sum(set(old) <= set(row) for row in rows) == 1 for old in first)


# ---- whole releases ---------------------------------------------------------------------------


def month(seed: int, size: int = 260) -> dict[str, Any]:
    """A month of invented matters, counted the way releases are: every table of the same matters."""
    return tallied(matters(seed, size))


def matters(seed: int, size: int) -> list[dict[str, dict[str, str]]]:
    draw = random.Random(seed)
    words = {
        "area": [f"A{n}" for n in range(6)],
        "category": [f"C{n}" for n in range(5)],
        "type": ["consult", "help", "complaint", "praise"],
        "channel": ["phone", "web", "wechat"],
        "days": ["d1", "d3", "open"],
        "outcome": [YES, YES, YES, NO],
    }
    found = []
    for _ in range(size):
        of_each = {}
        for population in POPULATIONS:
            names = (population.hub, *population.others)
            of_each[population.code] = {
                name: words[name][min(int(draw.expovariate(0.8)), len(words[name]) - 1)] for name in names
            }
        found.append(of_each)
    return found


def tallied(rows: list[dict[str, dict[str, str]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for population in POPULATIONS:
        tables: dict[str, dict[str, dict[str, int]]] = {other: {} for other in population.others}
        for row in rows:
            one = row[population.code]
            for other in population.others:
                line = tables[other].setdefault(one[population.hub], {})
                line[one[other]] = line.get(one[other], 0) + 1
        found[population.code] = tables
    return found


def published(content: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    """Every number of a release: (table, row, column) → n, sums included."""
    found = {}
    for table in content["tables"]:
        for row in (*table["rows"], {"code": TOTAL, "total": table["total"], "cells": table["totals"]}):
            found[table["code"], row["code"], TOTAL] = row["total"]
            for column, n in row["cells"].items():
                if n is not None:
                    found[table["code"], row["code"], column] = n
    return found


@pytest.mark.parametrize("seed", range(12))
def test_subtracting_what_is_published_never_leaves_a_small_number(seed: int) -> None:
    """Brute force: a sum less any of the numbers that make it up; a row, a column, another table's sum."""
    content = made(month(seed), {})
    assert content["tables"]
    numbers = published(content)
    assert not [key for key, n in numbers.items() if small(n)]
    for table in content["tables"]:
        lines = [[(row["code"], code) for code in row["cells"]] for row in table["rows"]]
        lines += [[(row["code"], column["code"]) for row in table["rows"]] for column in table["columns"]]
        lines.append([(TOTAL, column["code"]) for column in table["columns"]])
        for line in lines:
            whole = _whole(table["code"], line, numbers)
            shown = [numbers[table["code"], *cell] for cell in line if (table["code"], *cell) in numbers]
            if whole is not None and len(shown) < len(line):
                assert not small(whole - sum(shown)), (table["code"], line)
    # Tables of one population have the same rows with the same sums: nothing is left between them.
    for one, other in combinations(content["tables"], 2):
        if one["population"] == other["population"]:
            sums = [{row["code"]: row["total"] for row in table["rows"]} for table in (one, other)]
            assert sums[0] == sums[1]


def _whole(table: str, line: list[tuple[str, str]], numbers: dict[tuple[str, str, str], int]) -> int | None:
    rows, columns = {row for row, _ in line}, {column for _, column in line}
    key = (table, next(iter(rows)), TOTAL) if len(rows) == 1 else (table, TOTAL, next(iter(columns)))
    return numbers.get(key)


@pytest.mark.parametrize("seed", range(12))
def test_no_small_change_shows_between_two_versions(seed: int) -> None:
    """A correction of a few matters: what both versions show is the same, or differs by five and more."""
    rows = matters(seed, 260)
    first = made(tallied(rows), {})
    draw = random.Random(seed + 1000)
    for row in draw.sample(rows, 9):
        row["accepted"]["area"] = draw.choice(["A0", "A3"])
        row["accepted"]["type"] = "help"
        row["on_time"]["outcome"] = NO
    counts = tallied(rows)
    second = made(counts, {}, [Earlier(month(seed), first)])
    before, after = published(first), published(second)
    assert {key for key in before.keys() & after.keys() if 0 < abs(before[key] - after[key]) < K} == set()
    # What was kept back in the first is shown in no later one.
    old = {table["code"]: table for table in first["tables"]}
    for table in second["tables"]:
        hidden = {
            (row["code"], column)
            for row in old[table["code"]]["rows"]
            for column, n in row["cells"].items()
            if n is None
        }
        shown = {
            (row["code"], column)
            for row in table["rows"]
            for column, n in row["cells"].items()
            if n is not None
        }
        assert hidden & shown == set()
    assert {table["code"] for table in second["tables"]} <= old.keys()


@pytest.mark.parametrize("seed", range(6))
def test_a_small_change_of_a_cell_is_not_known_from_both_versions_together(seed: int) -> None:
    """Every number of the second version that changed by less than five is open by five at least."""
    rows = matters(seed, 260)
    first_counts = tallied(rows)
    first = made(first_counts, {})
    for row in random.Random(seed).sample(rows, 9):
        row["accepted"]["channel"] = "web"
    second = made(tallied(rows), {}, [Earlier(first_counts, first)])
    for table in second["tables"]:
        if table["code"] != "accepted-by-channel":
            continue
        cells: dict[tuple[str, str], int | None] = {
            (row["code"], column): n for row in table["rows"] for column, n in row["cells"].items()
        }
        cells |= {(TOTAL, column): n for column, n in table["totals"].items()}
        names = tuple(column["code"] for column in table["columns"])
        shown = Table(
            tuple(row["code"] for row in table["rows"]),
            names,
            {row["code"]: row["total"] for row in table["rows"]},
            cells,
        )
        known = {cell: (low, high) for cell, low, high in bounds(shown)}
        now, old = (_by_rows(counts, shown) for counts in (tallied(rows), first_counts))
        for cell, (low, high) in known.items():
            if 0 < abs(now[cell] - old[cell]) < K:
                assert high - low >= K - 1e-6


def _by_rows(counts: dict[str, Any], table: Table) -> dict[Any, int]:
    folded = {
        (row, column): sum(
            counts["accepted"]["channel"].get(code, {}).get(column, 0) for code in row.split("+")
        )
        for row in table.rows
        for column in table.columns
    }
    return with_sums(folded, table.rows, table.columns)


def test_a_release_of_almost_nothing_says_nothing() -> None:
    assert made(tallied(matters(1, 3)), {})["tables"] == []
