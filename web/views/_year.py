"""A year of the calendar for the page: twelve months of weeks, every day with its colour and its word."""

from __future__ import annotations

import calendar as weeks
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sla.calendar import Calendar, Day, DayKind, shown
from sla.explain import WEEK

# kind → (tone of the cell, the word in it, what it is called)
KINDS: dict[DayKind, tuple[str, str, str]] = {
    DayKind.USUAL: ("usual", "", "工作日"),
    DayKind.WEEKEND: ("weekend", "", "周末休息"),
    DayKind.HOLIDAY: ("holiday", "休", "国家节假日"),
    DayKind.MAKE_UP: ("makeup", "班", "调休上班"),
    DayKind.CITY_REST: ("cityrest", "市休", "本市休息"),
    DayKind.CITY_WORK: ("citywork", "市班", "本市上班"),
}
WEEKDAYS = tuple(WEEK)


@dataclass(frozen=True)
class Cell:
    """One day of the page."""

    date: date
    tone: str
    word: str
    title: str
    changed: bool


@dataclass(frozen=True)
class Month:
    """A month with its weeks, Monday first; None outside the month."""

    number: int
    weeks: list[list[Cell | None]]
    working: int


def year_of(calendar: Calendar, year: int, changed: Collection[date] = ()) -> list[Month]:
    """The twelve months; days in `changed` are marked."""
    return [_month(calendar, year, month, changed) for month in range(1, 13)]


def _month(calendar: Calendar, year: int, number: int, changed: Collection[date]) -> Month:
    rows = weeks.Calendar(firstweekday=0).monthdatescalendar(year, number)
    cells = [
        [_cell(calendar.day(day), day in changed) if day.month == number else None for day in row]
        for row in rows
    ]
    working = sum(bool(calendar.day(day).spans) for row in rows for day in row if day.month == number)
    return Month(number, cells, working)


def _cell(day: Day, changed: bool) -> Cell:
    tone, word, _ = KINDS[day.kind]
    return Cell(day.date, tone, word, in_words(day), changed)


def in_words(day: Day) -> str:
    """`4 月 20 日 周一 本市休息：壮族三月三`."""
    _, _, name = KINDS[day.kind]
    text = f"{day.date.month} 月 {day.date.day} 日 周{WEEK[day.date.weekday()]} {name}"
    if day.reason and day.reason != name:
        text += f"：{day.reason}"
    if day.own_hours:
        text += f"，{shown(day.spans)}"
    return text


def short(day: Day) -> str:
    """What a day is, for a line of a table: `本市休息：壮族三月三`."""
    _, _, name = KINDS[day.kind]
    parts = [
        part
        for part in (day.reason if day.reason != name else "", shown(day.spans) if day.own_hours else "")
        if part
    ]
    return f"{name}：{'，'.join(parts)}" if parts else name
