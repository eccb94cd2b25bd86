"""Limits added and counted: the table of the rules, the law of the pair, pauses."""

import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HotlineError
from core.settings import ROOT
from sla.calendar import Calendar, parse_spans
from sla.clocks import LONGEST, Limit, Pause, Unit, add, between, parse_limit, parse_start, used_up
from tests.sla.rig import GUILIN, NATIONAL, PLAIN, at, shown

# 27 November 2026 is a Friday; no holiday is near.
TABLE = [
    ("2026-11-27 17:59", "1wd", "2026-11-30 18:00"),
    ("2026-11-27 07:00", "1wd", "2026-11-30 18:00"),
    ("2026-11-27 12:30", "1wd", "2026-11-30 18:00"),
    ("2026-11-27 18:00", "1wd", "2026-12-01 18:00"),
    ("2026-11-27 18:30", "1wd", "2026-12-01 18:00"),
    ("2026-11-28 10:00", "1wd", "2026-12-01 18:00"),
    ("2026-11-29 23:59", "1wd", "2026-12-01 18:00"),
    ("2026-11-25 09:00", "3wh", "2026-11-25 12:00"),
    ("2026-11-25 17:00", "1wh", "2026-11-25 18:00"),
    ("2026-11-25 17:00", "2wh", "2026-11-26 10:00"),
    ("2026-11-27 17:00", "24h", "2026-11-28 17:00"),
    # beyond the table: the lunch break, starts outside hours, the night, minutes
    ("2026-11-25 11:30", "1wh", "2026-11-25 13:30"),
    ("2026-11-25 12:15", "1wh", "2026-11-25 14:00"),
    ("2026-11-25 06:00", "8wh", "2026-11-25 18:00"),
    ("2026-11-28 10:00", "4wh", "2026-11-30 14:00"),
    ("2026-11-27 17:45", "30wm", "2026-11-30 09:15"),
    ("2026-11-27 23:50", "15m", "2026-11-28 00:05"),
]


@pytest.mark.parametrize(("start", "limit", "due"), TABLE)
@pytest.mark.parametrize("calendar", [PLAIN, NATIONAL, GUILIN], ids=["plain", "national", "guilin"])
def test_a_limit_is_due_as_the_table_says(calendar: Calendar, start: str, limit: str, due: str) -> None:
    assert shown(add(calendar, at(start), parse_limit(limit))) == due


MOVED = [
    # a holiday week with make-up days on both sides
    (NATIONAL, "2026-09-28 10:00", "10wd", "2026-10-16 18:00"),
    (NATIONAL, "2026-09-30 18:00", "1wd", "2026-10-09 18:00"),
    (NATIONAL, "2026-10-09 10:00", "1wd", "2026-10-10 18:00"),  # Saturday, worked
    (NATIONAL, "2026-10-10 10:00", "1wd", "2026-10-12 18:00"),
    (NATIONAL, "2026-09-30 17:00", "2wh", "2026-10-08 10:00"),
    (NATIONAL, "2026-09-30 17:00", "24h", "2026-10-01 17:00"),  # natural hours know no holiday
    # 三月三
    (NATIONAL, "2025-03-28 10:00", "1wd", "2025-03-31 18:00"),
    (GUILIN, "2025-03-28 10:00", "1wd", "2025-04-02 18:00"),
    (GUILIN, "2024-04-10 17:30", "1wh", "2024-04-15 09:30"),
    (GUILIN, "2023-04-20 10:00", "1wd", "2023-04-24 18:00"),  # the national make-up Sunday is off
    (NATIONAL, "2023-04-20 10:00", "3wd", "2023-04-24 18:00"),
    (GUILIN, "2018-04-13 10:00", "1wd", "2018-04-15 18:00"),  # a Sunday worked for it
    (GUILIN, "2026-04-16 10:00", "1wd", "2026-04-21 18:00"),
]


@pytest.mark.parametrize(("calendar", "start", "limit", "due"), MOVED)
def test_holidays_make_up_days_and_sanyuesan_count(
    calendar: Calendar, start: str, limit: str, due: str
) -> None:
    assert shown(add(calendar, at(start), parse_limit(limit))) == due


def test_the_due_instant_is_the_earliest_at_which_the_time_is_used_up() -> None:
    start, limit = at("2026-11-25 17:00"), parse_limit("1wh")
    due = add(PLAIN, start, limit)
    assert between(PLAIN, start, due, limit.unit) == 1
    assert between(PLAIN, start, due - timedelta(microseconds=1), limit.unit) == 0


# ---- the law ------------------------------------------------------------------------------------

HALF = parse_spans(["00:00-01:30", "08:00-12:00", "12:30-24:00"], where="test")
ODD = Calendar((HALF, (), HALF[:1], HALF, (), HALF[1:2], HALF), {}, first=2020, last=2040)
ROUND_THE_CLOCK = Calendar(((((0, 1440),)) * 1,) * 7, {}, first=2020, last=2040)
CALENDARS = st.sampled_from([PLAIN, NATIONAL, GUILIN, ODD, ROUND_THE_CLOCK])
MOMENTS = st.integers(0, 3 * 365 * 86_400).flatmap(
    lambda second: st.sampled_from([0, 1, 999_999]).map(
        lambda micro: at("2022-01-01 00:00") + timedelta(seconds=second, microseconds=micro)
    )
)
# Ends of work and beginnings, where every rule has its edge.
EDGES = st.builds(
    lambda day, hour: at("2022-01-01 00:00") + timedelta(days=day, hours=hour),
    st.integers(0, 1000),
    st.sampled_from([0, 8, 9, 12, 12.5, 13, 18, 24]),
)
STARTS = MOMENTS | EDGES
LIMITS = st.sampled_from(list(Unit)).flatmap(
    lambda unit: st.integers(1, min(400, LONGEST[unit])).map(lambda amount: Limit(amount, unit))
)


@st.composite
def pauses(draw: st.DrawFn, start: datetime) -> list[Pause]:
    """Up to five, some before the start, some overlapping, some beyond any due time."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        begin = start + timedelta(minutes=draw(st.integers(-3_000, 40_000)))
        found.append(Pause(begin, begin + timedelta(minutes=draw(st.integers(0, 20_000)))))
    return found


@given(CALENDARS, STARTS, LIMITS)
def test_what_was_added_lies_between(calendar: Calendar, start: datetime, limit: Limit) -> None:
    due = add(calendar, start, limit)
    assert due > start
    assert between(calendar, start, due, limit.unit) == limit.amount
    assert between(calendar, start, due - timedelta(microseconds=1), limit.unit) == limit.amount - 1


@given(CALENDARS, STARTS, LIMITS, st.data())
def test_what_was_added_lies_between_with_pauses(
    calendar: Calendar, start: datetime, limit: Limit, data: st.DataObject
) -> None:
    stood = data.draw(pauses(start))
    due = add(calendar, start, limit, stood)
    assert due >= add(calendar, start, limit)
    assert between(calendar, start, due, limit.unit, stood) == limit.amount
    assert between(calendar, start, due - timedelta(microseconds=1), limit.unit, stood) == limit.amount - 1
    assert not any(pause.begin < due <= pause.end for pause in stood if limit.unit is Unit.WORKING_DAY)


@given(CALENDARS, STARTS, LIMITS, st.data())
def test_a_pause_from_the_start_is_a_later_start(
    calendar: Calendar, start: datetime, limit: Limit, data: st.DataObject
) -> None:
    end = start + timedelta(minutes=data.draw(st.integers(0, 20_000)))
    assert add(calendar, start, limit, [Pause(start, end)]) == add(calendar, end, limit)


@given(CALENDARS, STARTS, STARTS, st.sampled_from(list(Unit)), st.data())
def test_pauses_cost_the_same_in_any_order_and_cut(
    calendar: Calendar, start: datetime, end: datetime, unit: Unit, data: st.DataObject
) -> None:
    stood = data.draw(pauses(start))
    whole = used_up(calendar, start, end, unit, stood)
    cut = [
        part
        for one in stood
        for middle in [one.begin + (one.end - one.begin) / 2]
        for part in (Pause(middle, one.end), Pause(one.begin, middle))
    ]
    assert used_up(calendar, start, end, unit, data.draw(st.permutations(cut))) == whole
    assert 0 <= whole <= used_up(calendar, start, end, unit)


@given(CALENDARS, STARTS, st.integers(1, 60), st.integers(1, 60))
def test_two_limits_after_each_other_are_one(calendar: Calendar, start: datetime, one: int, two: int) -> None:
    for unit in (Unit.WORKING_HOUR, Unit.WORKING_MINUTE, Unit.HOUR):
        there = add(calendar, add(calendar, start, Limit(one, unit)), Limit(two, unit))
        assert there == add(calendar, start, Limit(one + two, unit))


# ---- pauses -------------------------------------------------------------------------------------

PAUSED = [
    # suspended over two ends of work: two working days more
    ("2026-11-23 10:00", "5wd", ("2026-11-24 10:00", "2026-11-26 10:00"), "2026-12-02 18:00"),
    # within one day: no end of work was lost
    ("2026-11-23 10:00", "5wd", ("2026-11-24 09:00", "2026-11-24 17:59"), "2026-11-30 18:00"),
    # over the end of the day of the start, which is not counted: as if started when it went on
    ("2026-11-23 10:00", "1wd", ("2026-11-23 11:00", "2026-11-24 11:00"), "2026-11-25 18:00"),
    # over a weekend only
    ("2026-11-27 10:00", "1wd", ("2026-11-27 18:00", "2026-11-30 09:00"), "2026-11-30 18:00"),
    # from the due instant on: too late to matter
    ("2026-11-23 10:00", "1wd", ("2026-11-24 18:00", "2026-11-26 10:00"), "2026-11-24 18:00"),
    ("2026-11-23 10:00", "4wh", ("2026-11-23 11:00", "2026-11-23 14:00"), "2026-11-23 17:00"),
    ("2026-11-23 17:00", "2wh", ("2026-11-23 18:00", "2026-11-24 09:30"), "2026-11-24 10:30"),
    ("2026-11-23 10:00", "24h", ("2026-11-23 12:00", "2026-11-23 13:30"), "2026-11-24 11:30"),
]


@pytest.mark.parametrize(("start", "limit", "pause", "due"), PAUSED)
def test_a_pause_moves_what_is_due(start: str, limit: str, pause: tuple[str, str], due: str) -> None:
    stood = [Pause(at(pause[0]), at(pause[1]))]
    assert shown(add(PLAIN, at(start), parse_limit(limit), stood)) == due


def test_a_pause_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(HotlineError) as caught:
        add(PLAIN, at("2026-11-23 10:00"), Limit(1, Unit.HOUR), [Pause(at("2026-11-24"), at("2026-11-23"))])
    assert caught.value.code == "pause_reversed"


# ---- limits and starts as text ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10wd", Limit(10, Unit.WORKING_DAY)),
        (" 4 WH ", Limit(4, Unit.WORKING_HOUR)),
        ("24h", Limit(24, Unit.HOUR)),
        ("15m", Limit(15, Unit.MINUTE)),
        ("+30wm", Limit(30, Unit.WORKING_MINUTE)),
    ],
)
def test_a_limit_is_read(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0wd", "limit_not_positive"),
        ("-1wd", "limit_not_positive"),
        ("0h", "limit_not_positive"),
        ("10000wd", "limit_too_long"),
        ("100000h", "limit_too_long"),
        ("10", "limit_unreadable"),
        ("wd", "limit_unreadable"),
        ("", "limit_unreadable"),
        ("1.5wd", "limit_unreadable"),
        ("１０wd", "limit_unreadable"),
        ("1wd2h", "limit_unreadable"),
        ("10d", "limit_unit_unknown"),
        ("3weeks", "limit_unit_unknown"),
    ],
)
def test_a_bad_limit_is_refused(text: str, code: str) -> None:
    with pytest.raises(HotlineError) as caught:
        parse_limit(text)
    assert caught.value.code == code


def test_the_longest_limits_stay_within_the_calendar_of_today() -> None:
    for unit, amount in LONGEST.items():
        assert add(GUILIN, at("2027-01-01 10:00"), Limit(amount, unit)) < at("2050-01-01 00:00")


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("2026-09-28T10:00+08:00", "2026-09-28 10:00"),
        ("2026-09-28T02:00Z", "2026-09-28 10:00"),
        ("2026-09-28 10:00", "2026-09-28 10:00"),
        ("2026-09-27T23:00-03:00", "2026-09-28 10:00"),
    ],
)
def test_a_start_without_a_zone_is_the_citys_time(text: str, shows: str) -> None:
    assert shown(parse_start(text)) == shows


@pytest.mark.parametrize(
    "text", ["", "morning", "2026-13-01", "2026-09-31T10:00", "10:00", "0001-01-01T00:00"]
)
def test_a_start_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(HotlineError) as caught:
        parse_start(text)
    assert caught.value.code == "start_unreadable"


PROGRAM = """
from tests.sla.rig import GUILIN, at, shown
from sla.clocks import add, parse_limit, parse_start
from tests.sla.test_clocks import MOVED, TABLE
print([shown(add(GUILIN, at(start), parse_limit(limit))) for start, limit, _ in TABLE])
print(shown(parse_start("2026-09-28T10:00")))
"""


def test_nothing_depends_on_the_zone_of_the_server() -> None:
    def told(zone: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    here = told("Asia/Shanghai")
    assert here.splitlines()[0] == str([due for _, _, due in TABLE])
    assert told("UTC") == told("America/New_York") == told("Pacific/Kiritimati") == here
