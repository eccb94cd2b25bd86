"""Why a ticket's promise stands where it does: days, standstills from history, extensions, corrections."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.calendar import Calendar
from sla.clocks import Limit, Pause, Unit, add, between, parse_limit
from sla.pauses import Standstill, standstills
from sla.promise import Granted, Promise, told, used
from tests.sla.rig import GUILIN, NATIONAL, PLAIN, at, shown


@dataclass(frozen=True)
class Row:
    at: datetime
    to_state: str


def rows(*steps: tuple[str, str]) -> list[Row]:
    return [Row(at(when), state) for when, state in steps]


def suspended(begin: str, end: str | None) -> Standstill:
    return Standstill(at(begin), at(end) if end else None, "suspended")


def test_the_holiday_week_with_a_suspension_is_told_as_a_person_would() -> None:
    stood = standstills(
        rows(
            ("2026-09-28 10:00", "waiting_sign"),
            ("2026-09-28 14:00", "handling"),
            ("2026-10-13 08:00", "suspension_review"),
            ("2026-10-13 09:00", "suspended"),
            ("2026-10-15 09:00", "handling"),
        )
    )
    found = told(NATIONAL, Promise(at("2026-09-28 10:00"), parse_limit("10wd"), stood))
    assert shown(found.due) == "2026-10-20 18:00"
    assert found.sentence == (
        "自 2026 年 9 月 28 日（周一）10:00 起 10 个工作日；按 9 月 28 日（周一）提出计算，当日不计入；"
        "跳过 10-01 至 10-07（国庆节、调休）、10-11（周末）、10-17 至 10-18（周末）；"
        "计入 10 月 10 日（周六）（调休补班）；10 月 13 日 09:00 至 10 月 15 日 09:00 挂起，不计 2 个工作日；"
        "至 2026 年 10 月 20 日（周二）18:00 到期。"
    )


# ---- standstills ----------------------------------------------------------------------------------


def test_only_an_approved_suspension_stands_still() -> None:
    steps = rows(("2026-11-23 10:00", "handling"), ("2026-11-23 11:00", "suspension_review"))
    assert standstills([*steps, Row(at("2026-11-23 12:00"), "handling")]) == ()


def test_notes_and_co_handlers_in_between_do_not_cut_it() -> None:
    steps = rows(
        ("2026-11-23 10:00", "suspended"), ("2026-11-24 10:00", "suspended"), ("2026-11-25 10:00", "handling")
    )
    assert standstills(steps) == (suspended("2026-11-23 10:00", "2026-11-25 10:00"),)


def test_waiting_for_the_citizen_stands_still_and_goes_over_into_nothing_else() -> None:
    steps = rows(("2026-11-23 10:00", "waiting_supplement"), ("2026-11-24 10:00", "waiting_accept"))
    (found,) = standstills(steps)
    assert (found.state, found.end) == ("waiting_supplement", at("2026-11-24 10:00"))


def test_one_that_goes_on_has_no_end_and_has_moved_nothing() -> None:
    stood = standstills(rows(("2026-11-23 10:00", "handling"), ("2026-11-24 10:00", "suspended")))
    assert stood == (suspended("2026-11-24 10:00", None),)
    promise = Promise(at("2026-11-23 10:00"), parse_limit("3wd"), stood)
    found = told(PLAIN, promise)
    assert shown(found.due) == "2026-11-26 18:00"
    assert found.sentence.endswith("11 月 24 日起挂起，恢复后顺延。")
    assert used(PLAIN, promise, at("2026-12-30 10:00")).amount == 0


@given(
    st.lists(
        st.tuples(st.integers(1, 500), st.sampled_from(["handling", "suspended", "merged"])),
        min_size=1,
        max_size=30,
    )
)
def test_standstills_follow_each_other_and_cover_what_the_history_says(steps: list[tuple[int, str]]) -> None:
    now, history = at("2026-01-05 09:00"), []
    for minutes, state in steps:
        now += timedelta(minutes=minutes)
        history.append(Row(now, state))
    end = now + timedelta(days=1)
    found = standstills(history)
    total = sum(((one.end or end) - one.begin for one in found), timedelta())
    said = zip(history, [row.at for row in history[1:]] + [end], strict=True)
    assert total == sum((until - row.at for row, until in said if row.to_state == "suspended"), timedelta())
    assert all(one.end is not None and one.end < two.begin for one, two in pairwise(found))


# ---- promises -------------------------------------------------------------------------------------


def test_an_extension_is_said_and_the_days_on_its_way_are_named() -> None:
    promise = Promise(
        at("2026-09-21 10:00"), parse_limit("5wd"), granted=(Granted(at("2026-09-25 09:00"), 5),)
    )
    found = told(NATIONAL, promise)
    assert "起 5 个工作日，9 月 25 日同意延期 5 个工作日，共 10 个工作日；" in found.sentence
    assert "10-01 至 10-07（国庆节、调休）" in found.sentence
    assert found.due == add(NATIONAL, promise.start, parse_limit("10wd"))


def test_an_extension_granted_in_steps_is_the_step_by_step_one() -> None:
    first = add(NATIONAL, at("2026-09-21 10:00"), parse_limit("5wd"))
    second = add(NATIONAL, first - timedelta(seconds=1), parse_limit("5wd"))
    promise = Promise(
        at("2026-09-21 10:00"), parse_limit("5wd"), granted=(Granted(at("2026-09-25 09:00"), 5),)
    )
    assert told(NATIONAL, promise).due == second


def test_a_correction_is_said_first() -> None:
    promise = Promise(
        at("2026-11-23 10:00"), parse_limit("10wd"), corrected=(at("2026-11-24 10:00"), "诉求类型")
    )
    assert told(PLAIN, promise).sentence.startswith(
        "11 月 24 日更正诉求类型，时限按更正后的事项从原起点计算。自 2026"
    )


def test_natural_hours_move_on_by_what_stood_still() -> None:
    stood = (suspended("2026-11-23 12:00", "2026-11-23 15:30"),)
    found = told(PLAIN, Promise(at("2026-11-23 10:00"), parse_limit("24h"), stood))
    assert shown(found.due) == "2026-11-24 13:30"


@pytest.mark.parametrize(
    ("limit", "end", "amount", "days", "working", "hours"),
    [
        ("3wd", "2026-11-25 12:00", 1, True, True, 50),  # Monday does not count, Tuesday is over
        ("3wd", "2026-11-26 18:00", 3, True, True, 80),
        ("4wh", "2026-11-23 14:30", 210, False, True, 4.5),  # the lunch break does not count
        ("24h", "2026-11-24 10:00", 1440, False, False, 24),
    ],
)
def test_what_is_used_is_told_net_and_as_everybody_s_time(
    limit: str, end: str, amount: int, days: bool, working: bool, hours: float
) -> None:
    found = used(PLAIN, Promise(at("2026-11-23 10:00"), parse_limit(limit)), at(end))
    assert (found.amount, found.days, found.working) == (amount, days, working)
    assert found.natural == timedelta(hours=hours)


def test_a_clock_that_has_not_begun_has_used_nothing() -> None:
    found = used(PLAIN, Promise(at("2026-11-23 10:00"), parse_limit("3wd")), at("2026-11-20 10:00"))
    assert (found.amount, found.natural) == (0, timedelta())


# ---- every skipped and every added day ------------------------------------------------------------


def days_named(sentence: str, word: str, year: int) -> set[date]:
    """The days a sentence names after `word`, read back from its text."""
    found: set[date] = set()
    part = next((part for part in sentence.split("；") if part.startswith(word)), "")
    for first, last in re.findall(r"(\d\d-\d\d)(?: 至 (\d\d-\d\d))?", part):
        begin = date.fromisoformat(f"{year}-{first}")
        end = date.fromisoformat(f"{year}-{last}") if last else begin
        end = end.replace(year=year + 1) if end < begin else end
        found |= {begin + timedelta(days=number) for number in range((end - begin).days + 1)}
    for month, day in re.findall(r"(\d+) 月 (\d+) 日", part):
        found.add(date(year, int(month), int(day)))
    return found


STARTS = st.integers(0, 4_000_000).map(lambda minutes: at("2018-01-02 00:00") + timedelta(minutes=minutes))


@given(
    st.sampled_from([NATIONAL, GUILIN]),
    STARTS,
    st.integers(1, 20),
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 12_000)), max_size=3),
    st.integers(0, 10),
)
def test_the_sentence_names_each_skipped_and_each_added_day(
    calendar: Calendar, start: datetime, amount: int, pauses: list[tuple[int, int]], extension: int
) -> None:
    stood, begin = [], start
    for wait, length in pauses:
        begin += timedelta(minutes=wait)
        end = begin + timedelta(minutes=length)
        stood.append(Standstill(begin, end, "suspended"))
        begin = end + timedelta(minutes=1)
    granted = (Granted(start, extension),) if extension else ()
    promise = Promise(start, Limit(amount, Unit.WORKING_DAY), tuple(stood), granted)
    found = told(calendar, promise)
    stretches = [Pause(one.begin, one.end, "") for one in stood if one.end is not None]
    assert between(calendar, start, found.due, Unit.WORKING_DAY, stretches) == amount + extension
    year = calendar.date_of(calendar.position(start)).year
    first, last = (
        calendar.date_of(calendar.position(moment)) for moment in (start, found.due - timedelta(seconds=1))
    )
    if last.year > year:
        return  # the text names months and days; the year is told by the start
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert days_named(found.sentence, "跳过", year) == {day for day in every if not calendar.works(day)}
    added = {day for day in every if calendar.works(day) and day.weekday() >= 5}
    assert days_named(found.sentence, "计入", year) == added
