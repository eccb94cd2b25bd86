"""Messages out of a CSV file and back into it with their cluster. Pure, but for the files themselves.

Read as UTF-8, with or without a mark at its beginning, or as GB18030; written as it was read. A row that
cannot be used is told by its line and goes on into the output as it stands, without a cluster.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

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
_LONGEST = 16 * 2**20  # characters of one field


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

    encoding: str
    header: list[str]
    rows: list[list[str]]
    messages: list[Message]
    problems: list[Problem]
    found: Mapping[str, int]


def read(path: Path, columns: Mapping[str, str] | None = None) -> Sheet:
    """Read a file; `columns` says which column has what (`USUAL`) where it has an unusual name.

    Raises HotlineError `table_unreadable` (file, why), `table_column_missing` (column, known).
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise HotlineError("table_unreadable", file=str(path), why=error.strerror or "unreadable") from None
    encoding, text = _decoded(raw, path)
    lines = _lines(text, path)
    if not lines:
        raise HotlineError("table_unreadable", file=str(path), why="it is empty")
    (_, header), *rest = lines
    found = _columns(header, columns or {})
    messages: list[Message] = []
    problems: list[Problem] = []
    for number, (line, row) in enumerate(rest):
        message, problem = _message(number, row, len(header), found)
        if problem:
            problems.append(Problem(line, problem))
        if message is not None:
            messages.append(message)
    rows = [row for _, row in rest]
    return Sheet(encoding, header, rows, messages, problems, found)


def write(path: Path, sheet: Sheet, clusters: Mapping[int, int]) -> None:
    """Write the sheet with the cluster of each row (row → number); raises `table_unwritable`."""
    width = len(sheet.header)
    at = sheet.header.index(COLUMN) if COLUMN in sheet.header else width
    header = sheet.header if at < width else [*sheet.header, COLUMN]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    for number, row in enumerate(sheet.rows):
        filled = [*row[:width], *[""] * (width - len(row))]
        value = str(clusters[number]) if number in clusters else ""
        filled[at : at + 1] = [value]
        writer.writerow([*filled, *row[width:]])
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(buffer.getvalue().encode(sheet.encoding))
        part.replace(path)
    except OSError as error:
        raise HotlineError("table_unwritable", file=str(path), why=error.strerror or "not writable") from None


def _decoded(raw: bytes, path: Path) -> tuple[str, str]:
    marked = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8"
    for encoding in (marked, "gb18030"):
        try:
            return encoding, raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise HotlineError("table_unreadable", file=str(path), why="it is neither UTF-8 nor GB18030")


def _lines(text: str, path: Path) -> list[tuple[int, list[str]]]:
    """Every record with the line it begins on; blank lines are no records."""
    before = csv.field_size_limit(_LONGEST)
    found: list[tuple[int, list[str]]] = []
    try:
        reader, line = csv.reader(io.StringIO(text, newline="")), 1
        for row in reader:
            if row:
                found.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise HotlineError("table_unreadable", file=str(path), why=f"line {line}: {error}") from None
    finally:
        csv.field_size_limit(before)
    return found


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


def _message(number: int, row: list[str], width: int, found: Mapping[str, int]) -> tuple[Message | None, str]:
    """The message of a row, None for one that has none; and what is wrong with it, "" for nothing."""
    if len(row) > width:
        return None, "too_many_fields"
    cells = {what: row[place].strip() if place < len(row) else "" for what, place in found.items()}
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
