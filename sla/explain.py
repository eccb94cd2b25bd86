"""Why a limit is due when it is: as data, and as one sentence in Chinese or English; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.clock import to_city
from sla.calendar import Calendar, Day, DayKind
from sla.clocks import LENGTH, NATURAL, Limit, Pause, Unit, add, used_up


@dataclass(frozen=True)
class Stood:
    """A pause that touched the clock, and how much of the unit was not counted because of it."""

    pause: Pause
    amount: int
    unit: Unit  # working days, working minutes or minutes


@dataclass(frozen=True)
class Explanation:
    """Everything that made `due`; days are those of the city.

    `first`: the day the start counts for. `skipped`: every day on the way on which nobody works.
    `added`: every day worked although it is a rest day of the week. `short`: days with hours of their own.
    `unknown`: years on the way whose notice of days off is not out.
    """

    start: datetime
    limit: Limit
    due: datetime
    first: date
    late: bool  # the start came at or after the end of its working day
    skipped: tuple[Day, ...]
    added: tuple[Day, ...]
    short: tuple[Day, ...]
    pauses: tuple[Stood, ...]
    unknown: tuple[int, ...]


def explain(calendar: Calendar, start: datetime, limit: Limit, pauses: Iterable[Pause] = ()) -> Explanation:
    """`add` with its reasons. Errors: those of `add`."""
    stood = tuple(pauses)
    due = add(calendar, start, limit, stood)
    begin, end = to_city(start).date(), calendar.date_of(calendar.position(due) - 1)
    first = calendar.counted_for(start)
    days = [] if limit.unit in NATURAL else list(calendar.walk(begin, end))
    worked = [day for day in days if day.spans]
    years = range(begin.year, end.year + 1)
    return Explanation(
        start,
        limit,
        due,
        first,
        late=calendar.works(begin) and first > begin,
        skipped=tuple(day for day in days if not day.spans),
        added=tuple(day for day in worked if not calendar.week[day.date.weekday()]),
        short=tuple(day for day in worked if day.own_hours),
        pauses=tuple(_stood(calendar, start, due, limit, stood)),
        unknown=() if limit.unit in NATURAL else tuple(year for year in years if year not in calendar.known),
    )


def _stood(
    calendar: Calendar, start: datetime, due: datetime, limit: Limit, pauses: Sequence[Pause]
) -> Iterable[Stood]:
    """What each pause cost; of two that overlap, the later pays for what the earlier did not."""
    unit = Unit.WORKING_DAY
    if limit.unit is not Unit.WORKING_DAY:
        unit = Unit.MINUTE if limit.unit in NATURAL else Unit.WORKING_MINUTE
    before = used_up(calendar, start, due, unit)
    earlier: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: one.begin):
        earlier.append(pause)
        after = used_up(calendar, start, due, unit, earlier)
        if after < before:
            yield Stood(pause, (before - after) // LENGTH.get(unit, 1), unit)
        before = after


# ---- as data --------------------------------------------------------------------------------


def as_data(told: Explanation) -> dict[str, object]:
    """For JSON: instants as the city reads them, with its offset."""
    return {
        "start": to_city(told.start).isoformat(),
        "limit": str(told.limit),
        "due": to_city(told.due).isoformat(),
        "counted_from": told.first.isoformat(),
        "after_hours": told.late,
        "skipped": [_day_data(day) for day in told.skipped],
        "added": [_day_data(day) for day in told.added],
        "own_hours": [_day_data(day) for day in told.short],
        "pauses": [
            {
                "begin": to_city(one.pause.begin).isoformat(),
                "end": to_city(one.pause.end).isoformat(),
                "not_counted": f"{one.amount}{one.unit}",
                "reason": one.pause.reason,
            }
            for one in told.pauses
        ],
        "notice_unknown": list(told.unknown),
        "explanation": in_chinese(told),
        "explanation_en": in_english(told),
    }


def _day_data(day: Day) -> dict[str, str]:
    reason, reason_en = _reasons(day)
    return {"date": day.date.isoformat(), "kind": day.kind.value, "reason": reason, "reason_en": reason_en}


def _reasons(day: Day) -> tuple[str, str]:
    return ("周末", "weekend") if day.kind is DayKind.WEEKEND else (day.reason, day.reason_en)


# ---- as a sentence --------------------------------------------------------------------------

UNITS = {
    Unit.WORKING_DAY: ("个工作日", "working day"),
    Unit.WORKING_HOUR: ("个工作小时", "working hour"),
    Unit.WORKING_MINUTE: ("个工作分钟", "working minute"),
    Unit.HOUR: ("小时", "hour"),
    Unit.MINUTE: ("分钟", "minute"),
}
WEEK = "一二三四五六日"


def in_chinese(told: Explanation) -> str:
    """One sentence for a person in the city."""
    natural = "（日夜连续计算）" if told.limit.unit in NATURAL else ""
    parts = [f"自 {_zh_time(told.start)} 起 {told.limit.amount} {UNITS[told.limit.unit][0]}{natural}"]
    if told.limit.unit is Unit.WORKING_DAY:
        why = (
            "已过下班时间，"
            if told.late
            else "当日不上班，"
            if told.first > to_city(told.start).date()
            else ""
        )
        parts.append(f"{why}按 {_zh_day(told.first)}提出计算，当日不计入")
    parts += days_in_chinese(told)
    parts += [f"{one.pause.reason or '暂停'}，不计 {one.amount} {UNITS[one.unit][0]}" for one in told.pauses]
    if told.unknown:
        years = "、".join(f"{year} 年" for year in told.unknown)
        parts.append(f"{years}节假日安排未公布，暂按法定节日推算")
    return "；".join(parts) + f"；至 {_zh_time(told.due)} 到期。"


def days_in_chinese(told: Explanation) -> list[str]:
    """Which days on the way were not as their weekday is."""
    parts = []
    if told.skipped:
        parts.append("跳过 " + "、".join(_zh_run(run) for run in _runs(told.skipped)))
    if told.added:
        parts.append("计入 " + "、".join(f"{_zh_day(day.date)}（{_reasons(day)[0]}）" for day in told.added))
    if told.short:
        parts.append("按当日作息 " + "、".join(f"{_zh_day(day.date)}（{day.reason}）" for day in told.short))
    return parts


def in_english(told: Explanation) -> str:
    """One sentence for an engineer."""
    natural = " (day and night)" if told.limit.unit in NATURAL else ""
    parts = [f"{_en_amount(told.limit.amount, told.limit.unit)}{natural} from {_en_time(told.start)}"]
    if told.limit.unit is Unit.WORKING_DAY:
        why = (
            "after hours, so "
            if told.late
            else "a rest day, so "
            if told.first > to_city(told.start).date()
            else ""
        )
        parts.append(f"{why}counted as made on {_en_day(told.first)}, which is not counted itself")
    if told.skipped:
        parts.append("skipped " + ", ".join(_en_run(run) for run in _runs(told.skipped)))
    if told.added:
        parts.append(
            "counted " + ", ".join(f"{_en_day(day.date)} ({_reasons(day)[1]})" for day in told.added)
        )
    if told.short:
        parts.append("hours of their own: " + ", ".join(_en_day(day.date) for day in told.short))
    parts += [f"{_en_amount(one.amount, one.unit)} not counted: {_why(one.pause)}" for one in told.pauses]
    if told.unknown:
        years = ", ".join(map(str, told.unknown))
        parts.append(f"the notice for {years} is not out, only statutory dates are known")
    return "; ".join(parts) + f" → due {_en_time(told.due)}."


def _runs(days: Sequence[Day]) -> list[list[Day]]:
    """Days that follow each other, together; a weekend inside a holiday belongs to it."""
    runs: list[list[Day]] = []
    for day in days:
        if runs and day.date - runs[-1][-1].date == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _names(run: Sequence[Day], tongue: int) -> list[str]:
    """The reasons of a run, each once, the weekend only where it is the only one.

    A national day's own particulars (which day is worked for it) stay with the data.
    """
    cut = re.compile(r"\s?[（(]")
    names = dict.fromkeys(
        cut.split(name)[0] if day.kind is DayKind.HOLIDAY else name
        for day in run
        if day.kind is not DayKind.WEEKEND
        for name in _reasons(day)[tongue : tongue + 1]
    )
    return list(names) or [_reasons(run[0])[tongue]]


def _zh_run(run: Sequence[Day]) -> str:
    span = f"{run[0].date:%m-%d}" + (f" 至 {run[-1].date:%m-%d}" if len(run) > 1 else "")
    return f"{span}（{'、'.join(_names(run, 0))}）"


def _en_run(run: Sequence[Day]) -> str:
    first, last = run[0].date, run[-1].date
    span = _en_short(first)
    if len(run) > 1:
        span = (
            f"{first.day}–{_en_short(last)}" if first.month == last.month else f"{span} – {_en_short(last)}"
        )
    return f"{span} ({', '.join(_names(run, 1))})"


def _en_short(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


# Not strftime: its names follow the locale of the machine.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _zh_day(day: date) -> str:
    return f"{day.month} 月 {day.day} 日（周{WEEK[day.weekday()]}）"


def _en_day(day: date) -> str:
    return f"{DAYS[day.weekday()]} {_en_short(day)}"


def _zh_time(instant: datetime) -> str:
    local = to_city(instant)
    return f"{local.year} 年 {_zh_day(local.date())}{local:%H:%M}"


def _en_time(instant: datetime) -> str:
    local = to_city(instant)
    return f"{_en_day(local.date())} {local.year} {local:%H:%M}"


def _en_amount(amount: int, unit: Unit) -> str:
    return f"{amount} {UNITS[unit][1]}{'' if amount == 1 else 's'}"


def _why(pause: Pause) -> str:
    return pause.reason_en or pause.reason or "suspended"
