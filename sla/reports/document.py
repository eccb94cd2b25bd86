"""A report as blocks, before it is a file; pure. Kept as JSON, so that it can be made again as it was.

Numbers in cells stay numbers (a spreadsheet counts with them); `None` is a figure there is none of, shown
as a dash. Rates are shares from 0 to 1. A cell may say what it counted (`Behind`), so that a page can lead
there; files do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

Cell = str | int | float | None
NOTHING = "—"


class Format(StrEnum):
    """How the figures of a column are written."""

    TEXT = "text"
    COUNT = "count"
    RATE = "rate"
    CHANGE = "change"  # of a rate, in percentage points
    SECONDS = "seconds"
    SCORE = "score"
    SPAN = "span"  # seconds, written as hours, minutes and seconds


class ChartKind(StrEnum):
    """The charts a report has; no pies, nothing in three dimensions."""

    BARS = "bars"
    LINES = "lines"


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    format: Format = Format.TEXT


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `small` for notes and definitions."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Behind:
    """What a cell counted: facts of a counter, in days, of one key of a scope, counted or shown apart."""

    counter: str
    first: str
    last: str
    scope: str = "all"
    key: str = ""
    apart: str = "no"


@dataclass(frozen=True)
class Table:
    """Figures in rows; every row has a cell for each column; `behind`: what each counted, if it is said."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    behind: tuple[tuple[Behind | None, ...], ...] = ()

    def __post_init__(self) -> None:
        for row in (*self.rows, *self.behind):
            if len(row) != len(self.columns):
                raise ValueError(f"a row of another length than the heading in {self.title}")
        if self.behind and len(self.behind) != len(self.rows):
            raise ValueError(f"rows without what is behind them in {self.title}")


@dataclass(frozen=True)
class Chart:
    """A chart of figures that a table of the same report shows as well."""

    title: str
    kind: ChartKind
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    format: Format = Format.COUNT

    def __post_init__(self) -> None:
        for name, values in self.series:
            if len(values) != len(self.categories):
                raise ValueError(f"{name} has another length than the categories of {self.title}")


Block = Heading | Paragraph | Table | Chart
_KINDS: dict[str, type[Heading | Paragraph | Table | Chart]] = {
    "heading": Heading,
    "paragraph": Paragraph,
    "table": Table,
    "chart": Chart,
}


@dataclass(frozen=True)
class Report:
    """A report of the days `first` to `last`, both with, as the city's time has them."""

    title: str
    office: str
    first: date
    last: date
    blocks: tuple[Block, ...]
    lines: Mapping[str, str] = field(default_factory=dict)  # how it came about: policy, definitions
    as_of: str = ""  # when it was counted; of what it says no part, see `service.digest`

    @property
    def period(self) -> str:
        """The days it is about, for people."""
        if self.first == self.last:
            return _day(self.first)
        return f"{_day(self.first)}至{_day(self.last)}"

    @property
    def told(self) -> Mapping[str, str]:
        """The lines at its end."""
        return {**self.lines, "数据截至": self.as_of} if self.as_of else self.lines

    def as_json(self) -> dict[str, Any]:
        """What is kept of it; `report_of` reads it."""
        names = {kind: name for name, kind in _KINDS.items()}
        return {
            "title": self.title,
            "office": self.office,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "lines": dict(self.lines),
            "as_of": self.as_of,
            "blocks": [{"block": names[type(block)], **asdict(block)} for block in self.blocks],
        }


def report_of(kept: Mapping[str, Any]) -> Report:
    """The report that `Report.as_json` kept."""
    return Report(
        kept["title"],
        kept["office"],
        date.fromisoformat(kept["first"]),
        date.fromisoformat(kept["last"]),
        tuple(_block(dict(block)) for block in kept["blocks"]),
        dict(kept["lines"]),
        kept.get("as_of", ""),
    )


def _block(kept: dict[str, Any]) -> Block:
    kind = _KINDS[kept.pop("block")]
    if kind is Table:
        kept["columns"] = tuple(Column(one["title"], Format(one["format"])) for one in kept["columns"])
        kept["rows"] = tuple(tuple(row) for row in kept["rows"])
        kept["behind"] = tuple(
            tuple(None if one is None else Behind(**one) for one in row) for row in kept.get("behind", ())
        )
    elif kind is Chart:
        kept["kind"], kept["format"] = ChartKind(kept["kind"]), Format(kept["format"])
        kept["categories"] = tuple(kept["categories"])
        kept["series"] = tuple((name, tuple(values)) for name, values in kept["series"])
    return kind(**kept)


def written(cell: Cell, how: Format) -> str:
    """A cell as people read it."""
    if cell is None:
        return NOTHING
    if isinstance(cell, str):
        return cell
    match how:
        case Format.RATE:
            return f"{cell * 100:.1f}%"
        case Format.CHANGE:
            return f"{cell * 100:+.1f}"
        case Format.SCORE:
            return f"{cell:.2f}"
        case Format.SECONDS:
            return f"{cell:.0f}秒"
        case Format.SPAN:
            minutes, seconds = divmod(round(cell), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            return f"{cell:,}"


def numeric(columns: Sequence[Column], place: int) -> bool:
    """Whether a column holds figures, which stand to the right."""
    return columns[place].format is not Format.TEXT


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
