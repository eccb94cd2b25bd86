"""Messages out of a CSV file and back into it with their cluster. Pure, but for the files themselves.

Written in the encoding it was read in. A row that cannot be used is told by its line and goes on into the
output as it stands, without a cluster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core import csv_files
from core.errors import HotlineError

COLUMN = "cluster"
USUAL: dict[str, tuple[str, ...]] = {
    "title": ("title", "标题", "主题", "留言主题"),
    "detail": ("detail", "content", "text", "内容", "详情", "留言详情", "诉求内容"),
    "user": ("user", "caller", "用户", "留言用户", "来电人", "来电号码"),
    "time": ("time", "created_at", "时间", "留言时间", "来电时间", "创建时间"),
    "up": ("up", "点赞数", "支持", "支持数"),
    "down": ("down", "反对数", "反对"),
}
_TIMES = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日")


@dataclass(frozen=True)
class Message:
    """One usable row: where it stands in the file, and what is read of it."""

    row: int
    title: str
    detail: str
    user: str
    at: datetime | None
    up: int
    down: int


@dataclass(frozen=True)
class Problem:
    """A row that cannot be used, or not wholly, by the line it begins on."""

    line: int
    code: str


@dataclass(frozen=True)
class Sheet:
    """A file as it was read. `found` maps what is looked for to the column that has it."""

    given: csv_files.Sheet
    messages: list[Message]
    problems: list[Problem]
    found: Mapping[str, int]


def read(path: Path, columns: Mapping[str, str] | None = None) -> Sheet:
    """Read a file; `columns` says which column has what (`USUAL`) where it has an unusual name.

    Raises what `core.csv_files.read` raises, and `table_column_missing` (column, known).
    """
    given = csv_files.read(path)
    found = _columns(given.heads, columns or {})
    messages: list[Message] = []
    problems: list[Problem] = []
    for number, row in enumerate(given.rows):
        message, problem = _message(number, row, found)
        if problem:
            problems.append(Problem(row.line, problem))
        if message is not None:
            messages.append(message)
    return Sheet(given, messages, problems, found)


def write(path: Path, sheet: Sheet, clusters: Mapping[int, int]) -> None:
    """Write the sheet with the cluster of each row (row → number); raises `table_unwritable`."""
    heads = list(sheet.given.heads)
    at = heads.index(COLUMN) if COLUMN in heads else len(heads)
    rows = (
        [*row.cells[:at], clusters.get(number, ""), *row.cells[at + 1 :], *row.beyond]
        for number, row in enumerate(sheet.given.rows)
    )
    csv_files.write(path, [*heads[:at], COLUMN, *heads[at + 1 :]], rows, sheet.given.encoding)


def _columns(header: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int]:
    places = {name.strip().lower(): place for place, name in reversed(list(enumerate(header)))}
    unknown = [what for what in wanted if what not in USUAL]
    if unknown:
        raise HotlineError("table_column_missing", column=unknown[0], known=", ".join(USUAL))
    found: dict[str, int] = {}
    for what, usual in USUAL.items():
        names = (wanted[what],) if what in wanted else usual
        place = next((places[name.lower()] for name in names if name.lower() in places), None)
        if place is not None:
            found[what] = place
        elif what in wanted:
            raise HotlineError("table_column_missing", column=wanted[what], known=", ".join(header))
    if not {"title", "detail"} & found.keys():
        raise HotlineError("table_column_missing", column="title", known=", ".join(header))
    return found


def _message(number: int, row: csv_files.Row, found: Mapping[str, int]) -> tuple[Message | None, str]:
    """The message of a row, None for one that has none; and what is wrong with it, "" for nothing."""
    if row.beyond:
        return None, "too_many_fields"
    cells = {what: row.cells[place].strip() for what, place in found.items()}
    title, detail = cells.get("title", ""), cells.get("detail", "")
    if not any(char.isalnum() for char in title + detail):
        return None, "no_text"
    at, problem = None, ""
    if cells.get("time"):
        at = _time(cells["time"])
        problem = "" if at else "time_unreadable"
    user = cells.get("user") or f"\x00{number}"  # who is not known is nobody else
    counts = [_count(cells.get(name, "")) for name in ("up", "down")]
    return Message(number, title, detail, user, at, counts[0], counts[1]), problem


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    for form in _TIMES:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - times of one file are compared with each other only
        except ValueError:
            continue
    return None


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
