"""A city's own days, from a CSV or JSON file: checked as a whole, taken as a whole or not at all.

CSV: the header `date,kind,hours,reason`, lines starting with # are comments, one of which may say which
years the file is about (`# years: 2014-2027`). JSON: a list of objects with these keys, or an object
with `years` and `days`. Every year between the first and the last must have a line: a year that was
forgotten is the commonest fault of such a file, so a year without such days says so (`2020,none,,why`).
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from core.errors import HotlineError
from sla.calendar import DayKind, Exceptional, parse_spans, shown

COLUMNS = ("date", "kind", "hours", "reason")
KINDS = {"rest": DayKind.CITY_REST, "work": DayKind.CITY_WORK}
NONE = "none"
LONGEST_FILE = 1_000_000  # bytes; fifty years need some ten thousand
_YEARS = re.compile(r"#\s*years:\s*(\d{4})\s*-\s*(\d{4})\s*")


@dataclass(frozen=True)
class CityDays:
    """What a file says: the exceptions, and which years it is about."""

    days: dict[date, Exceptional]
    years: frozenset[int]


@dataclass(frozen=True)
class _Row:
    where: str  # "line 7", or "entry 3" of a JSON list
    date: str
    kind: str
    hours: str
    reason: str


def read_days(file: Path, *, first: int, last: int) -> dict[date, Exceptional]:
    """The exceptions of the file, all within the years `first` to `last`. Errors: those of `parse_days`."""
    json_file = file.suffix.lower() == ".json"
    return parse_days(str(file), _text(file), as_json=json_file, first=first, last=last).days


def parse_days(file: str, text: str, *, as_json: bool, first: int, last: int) -> CityDays:
    """What a text says, all of it within the years `first` to `last`; `file` is how refusals call it.

    Errors: calendar_file_unreadable, calendar_file_columns, calendar_file_years, calendar_line_date,
    calendar_line_year, calendar_line_kind, calendar_line_hours, calendar_line_twice, calendar_file_gap,
    and those of `parse_spans`; each names the file and the line.
    """
    rows, years = (_of_json if as_json else _of_csv)(file, text)
    low, high = years or (first, last)
    if not first <= low <= high <= last:
        raise HotlineError("calendar_file_years", file=file, years=f"{low}-{high}", first=first, last=last)
    found: dict[date, Exceptional] = {}
    seen: dict[str, str] = {}
    about: set[int] = set()
    for row in rows:
        day = _date(file, row, low, high)
        if row.date in seen:
            raise HotlineError(
                "calendar_line_twice", file=file, where=row.where, date=row.date, other=seen[row.date]
            )
        seen[row.date] = row.where
        about.add(int(row.date[:4]))
        if day is not None:
            found[day] = exception(row.kind, row.hours, row.reason, file=file, where=row.where)
    _no_gaps(file, about, years)
    return CityDays(found, frozenset(about))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LONGEST_FILE:
            raise HotlineError("calendar_file_unreadable", file=str(file), why="it is too long")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HotlineError("calendar_file_unreadable", file=str(file), why=error.strerror) from None
    except UnicodeDecodeError:
        raise HotlineError("calendar_file_unreadable", file=str(file), why="it is not UTF-8") from None


Years = tuple[int, int] | None
LONGEST_LINE = 2_000  # characters


def _of_csv(file: str, text: str) -> tuple[list[_Row], Years]:
    lines = text.splitlines()
    years = next(((int(m[1]), int(m[2])) for line in lines if (m := _YEARS.fullmatch(line.strip()))), None)
    told = [
        (number, line) for number, line in enumerate(lines, 1) if line.strip() and line.lstrip()[0] != "#"
    ]
    if not told or tuple(_cells(told[0][1])) != COLUMNS:
        raise HotlineError("calendar_file_columns", file=file, columns=",".join(COLUMNS))
    rows = []
    for number, line in told[1:]:
        cells = _cells(line)
        if len(cells) != len(COLUMNS):
            raise HotlineError(
                "calendar_line_cells",
                file=file,
                where=f"line {number}",
                found=len(cells),
                wanted=len(COLUMNS),
            )
        rows.append(_Row(f"line {number}", *cells))
    return rows, years


def _cells(line: str) -> list[str]:
    if len(line) > LONGEST_LINE:  # a cell as long as a book
        return []
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error:
        return []


def _of_json(file: str, text: str) -> tuple[list[_Row], Years]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HotlineError("calendar_file_unreadable", file=file, why=f"it is no JSON: {error}") from None
    years = None
    if isinstance(told, Mapping):
        years, told = _json_years(file, told), told.get("days")
    if not isinstance(told, list):
        raise HotlineError("calendar_file_columns", file=file, columns=",".join(COLUMNS))
    return [_json_row(file, f"entry {number}", entry) for number, entry in enumerate(told, 1)], years


def _json_years(file: str, told: Mapping[str, Any]) -> Years:
    if "years" not in told:
        return None
    years = told["years"]
    if not (isinstance(years, list) and len(years) == 2 and all(type(year) is int for year in years)):
        raise HotlineError("calendar_file_unreadable", file=file, why='"years" is not like [2014, 2027]')
    return years[0], years[1]


def _json_row(file: str, where: str, entry: object) -> _Row:
    if not isinstance(entry, Mapping) or not set(entry) <= set(COLUMNS):
        raise HotlineError("calendar_file_columns", file=file, columns=",".join(COLUMNS))
    hours = entry.get("hours", "")
    if isinstance(hours, list):
        hours = " ".join(str(span) for span in hours)
    day, kind, reason = (str(entry.get(name, "")).strip() for name in ("date", "kind", "reason"))
    return _Row(where, day, kind, str(hours).strip(), reason)


def _date(file: str, row: _Row, first: int, last: int) -> date | None:
    """The day; None for a line that says a whole year has none."""
    whole_year = row.kind == NONE
    text = f"{row.date}-01-01" if whole_year and re.fullmatch(r"[0-9]{4}", row.date) else row.date
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or (whole_year and text == row.date):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise HotlineError("calendar_line_date", file=file, where=row.where, date=row.date) from None
    if not first <= day.year <= last:
        raise HotlineError(
            "calendar_line_year", file=file, where=row.where, date=row.date, first=first, last=last
        )
    return None if whole_year else day


def exception(kind: str, hours: str, reason: str, *, file: str, where: str) -> Exceptional:
    """One day of a city by the words of a file. Errors: those of a line of `parse_days`."""
    known = KINDS.get(kind)
    if known is None:
        words = ", ".join([*KINDS, NONE])
        raise HotlineError("calendar_line_kind", file=file, where=where, kind=kind, known=words)
    if hours and known is DayKind.CITY_REST:
        raise HotlineError("calendar_line_hours", file=file, where=where, hours=hours)
    place = ", ".join(filter(None, (file, where)))
    spans = parse_spans(re.split(r"[\s;、]+", hours), where=place) if hours else None
    usual = "本市休息" if known is DayKind.CITY_REST else "本市上班"
    english = "day off of the city" if known is DayKind.CITY_REST else "working day of the city"
    return Exceptional(known, reason or usual, reason or english, spans)


def write_days(days: Mapping[date, Exceptional], years: Iterable[int]) -> str:
    """The days as a CSV text that `parse_days` reads back; a year without any has its line."""
    about = sorted(set(years) | {day.year for day in days})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if about:
        out.write(f"# years: {about[0]}-{about[-1]}\n")
    writer.writerow(COLUMNS)
    for year in range(about[0], about[-1] + 1) if about else ():
        own = sorted(day for day in days if day.year == year)
        writer.writerows((day.isoformat(), *words(days[day])) for day in own)
        if not own:
            writer.writerow((year, NONE, "", ""))
    return out.getvalue()


def words(told: Exceptional) -> tuple[str, str, str]:
    """Kind, hours and reason as a file writes them."""
    kind = next(word for word, known in KINDS.items() if known is told.kind)
    return kind, shown(told.spans or ()), told.reason


def _no_gaps(file: str, about: Iterable[int], years: Years) -> None:
    told = set(about)
    low, high = years or (min(told, default=0), max(told, default=0))
    missing = next(_missing(told, low, high), None)
    if missing is not None and (told or years):
        raise HotlineError("calendar_file_gap", file=file, year=missing)


def _missing(told: set[int], low: int, high: int) -> Iterator[int]:
    return (year for year in range(low, high + 1) if year not in told)
