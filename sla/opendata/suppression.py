"""Which numbers of a table may be published, so that a small one follows from nothing that is; pure.

A *table* counts matters by a row (the hub, e.g. the area) and a column (e.g. the type). The sum of every
row is published; cells and sums of columns below K are not, nor any other number from which one of them
would follow within K. How far it follows is computed exactly: the numbers that are not published are a
flow between rows and columns, and what a number could be as well is how much can be sent around it.

*Rows first* (`merged`): rows whose sums are small become one row with others, until every sum is none or
at least K. As all sums of rows are published, tables of the same rows tell nothing about each other.

*Versions*: a correction stands beside the version before it. A number that changed by less than K counts
as small, and what was not published once is never published for that month.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

K = 5
_END = "|"  # where the sums of columns flow to; no code of a row or column
Row = tuple[str, ...]  # codes that are shown as one
Cell = tuple[str, str]  # (row, column); row TOTAL: the sum of the column
TOTAL = "total"
Counts = Mapping[Cell, int]


@dataclass(frozen=True)
class Table:
    """A table as it is published: None stands where a number is kept back."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    sums: Mapping[str, int]  # of rows
    cells: Mapping[Cell, int | None]  # with row TOTAL: sums of columns

    @property
    def kept_back(self) -> frozenset[Cell]:
        """The cells that are not published."""
        return frozenset(cell for cell, n in self.cells.items() if n is None)


def small(n: int, before: Sequence[int] = ()) -> bool:
    """Whether a count, or what it changed by since an earlier version, tells of fewer than K."""
    return 0 < n < K or any(0 < abs(n - old) < K for old in before)


def merged(
    sums: Mapping[str, int], before: Sequence[Mapping[str, int]] = (), groups: Sequence[Row] = ()
) -> list[Row] | None:
    """The rows, each of one code or of several that are shown together; None: nothing can be published.

    `before`: the sums of earlier versions; `groups`: the last one's rows, only ever put together further.
    """
    taken = {code for group in groups for code in group}
    rows = [tuple(group) for group in groups] + [(code,) for code in sorted(sums) if code not in taken]

    def n(row: Row) -> int:
        return _sum(sums, row)

    def bad(row: Row) -> bool:
        return small(n(row), [_sum(old, row) for old in before])

    while any(map(bad, rows)):
        if len(rows) == 1:
            return None
        first = min((row for row in rows if bad(row)), key=lambda row: (n(row), row))
        # Into others that are small too where there are any, else into the smallest that says something.
        others = (row for row in rows if row != first)
        other = min(others, key=lambda row: (n(row) == 0, not bad(row), n(row), row))
        rows = [row for row in rows if row not in (first, other)] + [tuple(sorted(first + other))]
    return sorted(rows)


def _sum(sums: Mapping[str, int], row: Row) -> int:
    return sum(sums.get(code, 0) for code in row)


def protected(
    counts: Counts,
    rows: Sequence[str],
    columns: Sequence[str],
    before: Sequence[Counts] = (),
    hidden: frozenset[Cell] = frozenset(),
) -> Table | None:
    """The table with everything kept back that must be; None when nothing but the sums of rows is left.

    `before`: the true counts of earlier versions; `hidden`: what one of them kept back.
    The sums of `rows` are published whatever happens: see `merged`.
    """
    full = with_sums(counts, rows, columns)
    past = [with_sums(old, rows, columns) for old in before]
    secret = {cell for cell, n in full.items() if small(n, [old[cell] for old in past])}
    kept = secret | {cell for cell in hidden if cell in full}
    if len(rows) == 1:  # the sums of columns are its numbers once more: kept back with them
        secret, kept = ({(rows[0], column) for _row, column in some} for some in (secret, kept))
    if not _complete(full, kept, secret):
        return None
    if len(rows) == 1:
        kept |= {(TOTAL, column) for _row, column in kept}
    if all(cell in kept for cell in full if cell[0] != TOTAL):
        return None
    sums = {row: sum(full[row, column] for column in columns) for row in rows}
    shown = {cell: None if cell in kept else n for cell, n in full.items()}
    return Table(tuple(rows), tuple(columns), sums, shown)


def _complete(full: Counts, kept: set[Cell], secret: set[Cell]) -> bool:
    """Keep back more until nothing secret follows; False when all of it would not be enough."""
    single = len({row for row, _column in full}) == 2  # one row, and the sums
    # What is kept back later can only make an earlier one safer: one walk is enough.
    for cell in sorted(secret, key=lambda one: (full[one], one)):
        while spread(full, kept | _sums_of(kept) if single else kept, cell, K) < K:
            more = _cheapest({one: n for one, n in full.items() if not single or one[0] != TOTAL}, kept, cell)
            if more is None:
                return False
            kept.add(more)
    return True


def _sums_of(kept: set[Cell]) -> set[Cell]:
    return {(TOTAL, column) for _row, column in kept}


def with_sums(counts: Counts, rows: Sequence[str], columns: Sequence[str]) -> dict[Cell, int]:
    """Every cell of the table, and the sums of its columns under the row TOTAL."""
    full = {(row, column): counts.get((row, column), 0) for row in rows for column in columns}
    for column in columns:
        full[TOTAL, column] = sum(full[row, column] for row in rows)
    return full


def spread(full: Counts, kept: set[Cell] | frozenset[Cell], cell: Cell, enough: int) -> int:
    """How many other values a cell that is kept back could have for who sees the rest; at most `enough`
    above it and `enough` below it are counted."""
    start, end = _edge(cell)
    above = _sent(full, kept, cell, end, start, enough)
    below = _sent(full, kept, cell, start, end, min(enough, full[cell]))
    return above + below


def _edge(cell: Cell) -> tuple[str, str]:
    row, column = cell
    return ("c" + column, _END) if row == TOTAL else ("r" + row, "c" + column)


def _sent(full: Counts, kept: set[Cell] | frozenset[Cell], but: Cell, start: str, end: str, most: int) -> int:
    """How much can be moved from `start` to `end` through the numbers that are kept back, one unit of
    change at a time: along an edge it grows, against it shrinks, and none falls below nothing."""
    held = {_edge(cell): full[cell] for cell in kept if cell != but}
    around: dict[str, list[str]] = {}
    for one, other in held:
        around.setdefault(one, []).append(other)
        around.setdefault(other, []).append(one)
    found = 0
    while found < most:
        way = _way(around, held, start, end)
        if way is None:
            break
        room = min([most - found, *(held[b, a] for a, b in way if (b, a) in held)])
        for a, b in way:
            if (b, a) in held:
                held[b, a] -= room
            else:
                held[a, b] += room
        found += room
    return found


def _way(
    around: Mapping[str, list[str]], held: Mapping[tuple[str, str], int], start: str, end: str
) -> list[tuple[str, str]] | None:
    """The shortest way along which something can still be moved."""
    came: dict[str, str] = {start: start}
    line = deque([start])
    while line:
        at = line.popleft()
        if at == end:
            break
        for to in around.get(at, ()):
            if to not in came and ((at, to) in held or held[to, at] > 0):
                came[to] = at
                line.append(to)
    if end not in came:
        return None
    steps = []
    while end != start:
        steps.append((came[end], end))
        end = came[end]
    return steps[::-1]


def _cheapest(full: Counts, kept: set[Cell], cell: Cell) -> Cell | None:
    """What to keep back besides: in the same row (of a sum: another sum) before the same column before
    anywhere, the smallest number that says something."""
    row, column = cell
    near: tuple[Callable[[Cell], bool], ...] = (
        lambda one: one[0] == row,
        lambda one: one[1] == column,
        lambda _one: True,
    )
    free = [one for one in full if one not in kept]
    for fits in near:
        some = [one for one in free if fits(one)]
        if some:
            return min(some, key=lambda one: (full[one] == 0, full[one], one))
    return None
