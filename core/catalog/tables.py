"""Lists as CSV, in and out: for the tree of units, the categories, the codes and words of a city.

Spreadsheet programs write UTF-8 with a mark, commas, semicolons or tabs; a cell that begins like a
formula is written with an apostrophe in front, and read back without it.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import HotlineError

MAX_ROWS = 5000
MAX_CELL = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Line:
    """One line of a list with its number in the file, counted from 1 with the heading.

    `absent` are the columns the list does not have: what they hold stays as it is. `odd` is true for a
    line with more cells than the heading, whose cells may stand in the wrong columns.
    """

    number: int
    cells: Mapping[str, str]
    absent: frozenset[str] = frozenset()
    odd: bool = False

    def __getitem__(self, name: str) -> str:
        return self.cells[name]


def read(
    text: str,
    columns: Mapping[str, str],
    *,
    needed: Sequence[str] | None = None,
    longest: int = MAX_CELL,
) -> list[Line]:
    """The lines of a CSV text whose heading names `columns` (name → heading in words; both are understood).

    Of a cell the first `longest` characters are read.

    Raises `list_empty`, `list_too_long` (5,000 lines), `list_heading` (missing: headings in words).
    """
    lines = text.lstrip("\ufeff").splitlines()
    if not any(line.strip() for line in lines):
        raise HotlineError("list_empty")
    if len(lines) > MAX_ROWS + 1:
        raise HotlineError("list_too_long", most=MAX_ROWS)
    heading = next(line for line in lines if line.strip())
    delimiter = max(",\t;", key=heading.count)
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
    names: list[str] | None = None
    found: list[Line] = []
    for cells in _rows(reader):
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = _names(cells, columns, needed)
            continue
        given = dict(zip(names, (plain(cell, longest) for cell in cells), strict=False))
        values = {name: given.get(name, "") for name in columns}
        odd = any(cell.strip() for cell in cells[len(names) :])
        found.append(Line(reader.line_num, values, frozenset(columns) - set(names), odd))
    if not found:
        raise HotlineError("list_empty")
    return found


def _rows(reader: Iterable[list[str]]) -> Iterable[list[str]]:
    try:
        yield from reader
    except csv.Error:
        raise HotlineError("list_unreadable") from None


def _names(cells: list[str], columns: Mapping[str, str], needed: Sequence[str] | None) -> list[str]:
    by_word = {word: name for name, word in columns.items()}
    names = [by_word.get(cell.strip(), cell.strip().lower()) for cell in cells]
    missing = [columns[name] for name in (columns if needed is None else needed) if name not in names]
    if missing:
        raise HotlineError("list_heading", missing="、".join(missing))
    return names


def plain(cell: str, longest: int = MAX_CELL) -> str:
    """A cell without blanks at its ends and without the apostrophe that made it harmless."""
    cell = cell.strip()[:longest]
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


def harmless(cell: str) -> str:
    """A cell no spreadsheet program takes for a formula."""
    return "'" + cell if cell.startswith(FORMULA) else cell


def write(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The list as CSV with the mark by which spreadsheet programs know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heading)
    for row in rows:
        writer.writerow([harmless("" if cell is None else str(cell)) for cell in row])
    return "\ufeff" + out.getvalue()
