"""CSV files of texts as people save them: UTF-8 with or without a mark, UTF-16, GB18030; every bad row told.

What is wrong with a row never ends the file: the row is told by its line and the rest goes on.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import HotlineError

LARGEST_CELL = 1 << 26  # characters
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Row:
    """A row by its first line in the file (from 1); `problem`: what is wrong with it, "" for nothing.

    `beyond`: cells for which there is no head.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Heads and rows of a file; every row has as many cells as there are heads."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str

    def place(self, column: str, file: Path) -> int:
        """Where a column is. Raises table_column."""
        if column not in self.heads:
            known = ", ".join(head[:40] for head in self.heads[:20])
            raise HotlineError("table_column", file=str(file), column=column[:60], known=known)
        return self.heads.index(column)


def read(file: Path) -> Sheet:
    """The rows of a CSV file with a line of heads, separated by commas, semicolons or tabs.

    Errors: table_unreadable, table_encoding, table_empty.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise HotlineError("table_unreadable", file=str(file), why=error.strerror or "?") from None
    return parsed(*_decoded(raw, file), file)


def parsed(text: str, encoding: str = "utf-8", file: Path = Path()) -> Sheet:
    """The rows of a text that was decoded as `encoding`, as those of a file. Raises table_empty."""
    before = csv.field_size_limit(LARGEST_CELL)  # of the whole process
    try:
        lines = iter(_rows(text))
        first = next((row for row in lines if any(cell.strip() for cell in row.cells)), None)
        if first is None:
            raise HotlineError("table_empty", file=str(file))
        heads = tuple(cell.strip() for cell in first.cells)
        rows = tuple(_fitted(row, len(heads)) for row in lines if row.problem or row.cells)
    finally:
        csv.field_size_limit(before)
    return Sheet(heads, rows, encoding)


def _decoded(raw: bytes, file: Path) -> tuple[str, str]:
    marked = [name for mark, name in _MARKS if raw.startswith(mark)]
    for encoding in (*marked, "utf-8", "gb18030"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise HotlineError("table_encoding", file=str(file))


def _rows(text: str) -> Iterator[Row]:
    """Every record with the line it begins on."""
    head = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            yield Row(line, tuple(next(reader)))
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, (), f"it is no CSV ({error})")


def _fitted(row: Row, number: int) -> Row:
    """With as many cells as there are heads; when there were more or fewer, that is its problem."""
    if len(row.cells) == number:
        return row
    problem = row.problem or f"{len(row.cells)} cells instead of {number}"
    cells = (*row.cells[:number], *[""] * (number - len(row.cells)))
    return Row(row.line, cells, problem, row.cells[number:])


def write(
    file: Path, heads: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8-sig"
) -> None:
    """CSV, by default in UTF-8 with the mark by which Excel knows it; complete or not at all.

    Raises table_unwritable.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("w", encoding=encoding, newline="") as target:
            writer = csv.writer(target)
            writer.writerow(heads)
            writer.writerows(rows)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise HotlineError("table_unwritable", file=str(file), why=error.strerror or "?") from None
