"""Rows of a table as texts: which columns are the title, the detail, the labels and the group."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.csv_files import Row, Sheet
from core.errors import HotlineError


@dataclass(frozen=True)
class Example:
    """One text; `labels`: one for each label column. `group` None: near-duplicates are looked for.

    `hard`: people took it for something else at first.
    """

    title: str
    detail: str
    labels: tuple[str, ...]
    group: str | None = None
    hard: bool = False


@dataclass(frozen=True)
class Problem:
    """A row that cannot be used, by its first line in the file."""

    line: int
    what: str


@dataclass(frozen=True)
class Text:
    """Title and detail of one row; with one text column the detail is empty."""

    title: str
    detail: str


@dataclass(frozen=True)
class Labelled:
    """What can be learnt from a file, the line of each, and the rows that were passed over."""

    examples: tuple[Example, ...]
    lines: tuple[int, ...]
    problems: tuple[Problem, ...]


def text_columns(given: str) -> tuple[str, ...]:
    """`title,detail` as one or two names. Raises text_columns."""
    names = tuple(name.strip() for name in given.split(",") if name.strip())
    if not 1 <= len(names) <= 2:
        raise HotlineError("text_columns", given=given[:60])
    return names


def texts(sheet: Sheet, file: Path, columns: Sequence[str]) -> list[tuple[Row, Text, str]]:
    """Of each row its text and what is wrong with it ("" for nothing). Raises table_column."""
    places = [sheet.place(column, file) for column in columns]
    found = []
    for row in sheet.rows:
        cells = [row.cells[place] for place in places]
        text = Text(cells[0], cells[1] if len(cells) > 1 else "")
        empty = not (text.title.strip() or text.detail.strip())
        found.append((row, text, row.problem or ("there is no text" if empty else "")))
    return found


def labelled(
    sheet: Sheet, file: Path, columns: Sequence[str], labels: Sequence[str], group: str | None
) -> Labelled:
    """The rows with a text and all labels. Raises table_column for one that is not there."""
    places = [sheet.place(label, file) for label in labels]
    of_group = sheet.place(group, file) if group else None
    examples, lines, problems = [], [], []
    for row, text, problem in texts(sheet, file, columns):
        values = tuple(row.cells[place].strip() for place in places)
        missing = [name for name, value in zip(labels, values, strict=True) if not value]
        if problem or missing:
            problems.append(Problem(row.line, problem or f"{', '.join(missing)} is empty"))
            continue
        name = row.cells[of_group].strip() or None if of_group is not None else None
        examples.append(Example(text.title, text.detail, values, name))
        lines.append(row.line)
    return Labelled(tuple(examples), tuple(lines), tuple(problems))
