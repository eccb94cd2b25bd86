"""What a phone report is made of: its lines, its columns and what each cell counted; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sla.measures.periods import Period
from sla.reports.document import Cell, Format
from telephony.measures import FORMULAS

MOST_BARS = 15
AGENT = "坐席"  # heads lines that are people
SPAN_HEAD = "时段"  # heads lines that follow one another in time
COUNT, RATE, SECONDS, SPAN = Format.COUNT, Format.RATE, Format.SECONDS, Format.SPAN


class By(StrEnum):
    """What the lines of a report are."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUEUE = "queue"
    AGENT = "agent"


BY_LABELS: dict[By, str] = {
    By.QUARTER: "15 分钟",
    By.HOUR: "小时",
    By.DAY: "日",
    By.WEEK: "周",
    By.MONTH: "月",
    By.QUEUE: "队列",
    By.AGENT: "坐席",
}


@dataclass(frozen=True)
class Asked:
    """Which report: its lines, its days (both counted), calls of one queue or of all (None)."""

    by: By
    period: Period
    queue: str | None = None


@dataclass(frozen=True)
class Measure:
    """A column: how it is written, and which list of calls is behind its numbers (`telephony.behind`)."""

    code: str
    format: Format
    counted: str | None = None
    title: str = ""  # for what no formula is needed

    @property
    def name(self) -> str:
        """The heading."""
        return self.title or FORMULAS[self.code][0]

    @property
    def formula(self) -> str:
        """How it is reckoned."""
        return "" if self.title else FORMULAS[self.code][1]


@dataclass(frozen=True)
class Line:
    """A line and what it is about; `user_id` None and no `extension`: of all agents."""

    label: str
    since: datetime
    until: datetime
    cells: tuple[Cell, ...]
    queue: str | None = None
    user_id: int | None = None
    extension: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table with its total, and the columns that charts are drawn of: title, codes, a share or a number."""

    title: str
    head: str
    measures: tuple[Measure, ...]
    lines: tuple[Line, ...]
    total: Line
    charts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""

    def measure(self, code: str) -> Measure:
        """The column of this code."""
        return self.measures[self.place(code)]

    def place(self, code: str) -> int:
        """Which cell of a line it is."""
        return [one.code for one in self.measures].index(code)

    def charted(self, codes: tuple[str, ...]) -> tuple[Line, ...]:
        """The lines a chart has: all, or of people those with most."""
        if self.head != AGENT:
            return self.lines
        place = self.place(codes[0])
        return tuple(sorted(self.lines, key=lambda line: -float(line.cells[place] or 0))[:MOST_BARS])


@dataclass(frozen=True)
class PhoneReport:
    """A report as it was read at `now`."""

    asked: Asked
    sheets: tuple[Sheet, ...]
    now: datetime


CALLS = (
    Measure("offered", COUNT, "offered"),
    Measure("answered", COUNT, "answered"),
    Measure("answered_in_15", COUNT, "prompt"),
    Measure("abandoned", COUNT, "abandoned"),
    Measure("short_abandoned", COUNT, "short"),
    Measure("timeout", COUNT, "timeout"),
    Measure("withdrawn", COUNT, "withdrawn"),
    Measure("empty", COUNT, "empty"),
    Measure("others", COUNT, "others"),
    Measure("answer_rate", RATE),
    Measure("prompt_rate", RATE),
    Measure("abandon_rate", RATE),
    Measure("asa_seconds", SECONDS),
    Measure("talk_seconds", SECONDS),
    Measure("hold_seconds", SECONDS),
    Measure("wrap_seconds", SECONDS),
    Measure("aht_seconds", SECONDS),
    Measure("missed", COUNT, "missed"),
    Measure("transferred", COUNT, "transferred"),
    Measure("surveyed", COUNT, "surveyed"),
    Measure("scored", COUNT, "scored"),
    Measure("satisfied_rate", RATE),
    Measure("phone_solved_rate", RATE),
)
TAKEN = (
    Measure("rung", COUNT, "rung"),
    Measure("taken", COUNT, "taken"),
    Measure("missed", COUNT, "missed"),
    Measure("passed_on", COUNT, "passed_on"),
    Measure("talk_seconds", SECONDS),
    Measure("hold_seconds", SECONDS),
    Measure("wrap_seconds", SECONDS),
    Measure("aht_seconds", SECONDS),
)
OUTGOING = (
    Measure("out_calls", COUNT, "out"),
    Measure("out_reached", COUNT, "reached"),
    Measure("out_talk_ms", SPAN, "reached"),
)
WORKED = (
    Measure("signed_ms", SPAN),
    Measure("ready_ms", SPAN),
    Measure("ringing_ms", SPAN),
    Measure("busy_talk_ms", SPAN),
    Measure("busy_hold_ms", SPAN),
    Measure("busy_back_ms", SPAN),
    Measure("busy_wrap_ms", SPAN),
    Measure("unreachable_ms", SPAN),
    Measure("not_ready_ms", SPAN),
)
OCCUPANCY = Measure("occupancy", RATE)
