"""Why a limit is due when it is: every skipped day, every added day, every pause."""

from datetime import date, datetime

import pytest
from hypothesis import given

from sla.calendar import Calendar, DayKind, Exceptional, office_week
from sla.clocks import NATURAL, Limit, Pause, Unit, add, parse_limit
from sla.explain import Explanation, as_data, explain, in_chinese, in_english
from tests.sla.rig import GUILIN, HOURS, NATIONAL, PLAIN, at
from tests.sla.test_clocks import CALENDARS, LIMITS, STARTS


def told(calendar: Calendar, start: str, limit: str, *pauses: Pause) -> Explanation:
    return explain(calendar, at(start), parse_limit(limit), pauses)


SUSPENDED = Pause(at("2026-10-13 09:00"), at("2026-10-15 09:00"), "待市民补充材料", "waiting for papers")
WEEK = told(NATIONAL, "2026-09-28 10:00", "10wd", SUSPENDED)


def test_the_holiday_week_is_told_in_chinese() -> None:
    assert in_chinese(WEEK) == (
        "自 2026 年 9 月 28 日（周一）10:00 起 10 个工作日；按 9 月 28 日（周一）提出计算，当日不计入；"
        "跳过 10-01 至 10-07（国庆节、调休）、10-11（周末）、10-17 至 10-18（周末）；"
        "计入 10 月 10 日（周六）（调休补班）；待市民补充材料，不计 2 个工作日；"
        "至 2026 年 10 月 20 日（周二）18:00 到期。"
    )


def test_and_in_english() -> None:
    assert in_english(WEEK) == (
        "10 working days from Mon 28 Sep 2026 10:00; counted as made on Mon 28 Sep, which is not counted "
        "itself; skipped 1–7 Oct (National Day, day off), 11 Oct (weekend), 17–18 Oct (weekend); "
        "counted Sat 10 Oct (make-up day); 2 working days not counted: waiting for papers "
        "→ due Tue 20 Oct 2026 18:00."
    )


def test_the_data_has_every_day_one_by_one() -> None:
    data = as_data(WEEK)
    assert data["due"] == "2026-10-20T18:00:00+08:00"
    skipped = data["skipped"]
    assert isinstance(skipped, list)
    october = [1, 2, 3, 4, 5, 6, 7, 11, 17, 18]
    assert [day["date"] for day in skipped] == [f"2026-10-{number:02}" for number in october]
    assert data["added"] == [
        {"date": "2026-10-10", "kind": "make_up", "reason": "调休补班", "reason_en": "make-up day"}
    ]
    assert data["pauses"] == [
        {
            "begin": "2026-10-13T09:00:00+08:00",
            "end": "2026-10-15T09:00:00+08:00",
            "not_counted": "2wd",
            "reason": "待市民补充材料",
        }
    ]


@pytest.mark.parametrize(
    ("start", "words", "english"),
    [
        ("2026-11-27 18:30", "已过下班时间，按 11 月 30 日", "after hours, so counted as made on Mon 30 Nov"),
        ("2026-11-28 10:00", "当日不上班，按 11 月 30 日", "a rest day, so counted as made on Mon 30 Nov"),
        ("2026-11-27 07:00", "；按 11 月 27 日", "; counted as made on Fri 27 Nov"),
    ],
)
def test_it_says_for_which_day_the_start_counts(start: str, words: str, english: str) -> None:
    found = told(PLAIN, start, "1wd")
    assert words in in_chinese(found)
    assert english in in_english(found)


def test_sanyuesan_is_named() -> None:
    assert "03-29 至 04-01（壮族三月三）" in in_chinese(told(GUILIN, "2025-03-28 10:00", "3wd"))


def test_natural_hours_skip_nothing() -> None:
    found = told(NATIONAL, "2026-09-30 17:00", "24h")
    assert (found.skipped, found.added) == ((), ())
    assert "24 小时（日夜连续计算）" in in_chinese(found)


def test_a_year_whose_notice_is_not_out_is_said() -> None:
    later = max(NATIONAL.known) + 1
    found = told(NATIONAL, f"{later - 1}-12-30 10:00", "3wd")
    assert found.unknown == (later,)
    assert f"{later} 年节假日安排未公布，暂按法定节日推算" in in_chinese(found)
    assert told(NATIONAL, f"{later - 1}-12-01 10:00", "3wd").unknown == ()


def test_a_half_day_of_the_city_is_said() -> None:
    half = {date(2026, 11, 27): Exceptional(DayKind.CITY_WORK, "上午办公", "mornings only", ((540, 720),))}
    made = Calendar(office_week(HOURS), half, first=2026, last=2027)
    found = told(made, "2026-11-26 17:00", "5wh")
    assert found.due == at("2026-11-30 10:00")
    assert "按当日作息 11 月 27 日（周五）（上午办公）" in in_chinese(found)


def test_a_pause_that_cost_nothing_is_not_told() -> None:
    night = Pause(at("2026-11-24 18:00"), at("2026-11-25 09:00"), "夜间")
    assert told(PLAIN, "2026-11-24 10:00", "4wd", night).pauses == ()


def test_of_two_pauses_that_overlap_each_hour_is_told_once() -> None:
    one = Pause(at("2026-11-24 09:00"), at("2026-11-24 11:00"), "甲")
    two = Pause(at("2026-11-24 10:00"), at("2026-11-24 12:00"), "乙")
    found = told(PLAIN, "2026-11-24 09:00", "4wh", two, one)
    assert [(stood.amount, stood.unit) for stood in found.pauses] == [
        (120, Unit.WORKING_MINUTE),
        (60, Unit.WORKING_MINUTE),
    ]
    assert found.due == at("2026-11-24 17:00")


@given(CALENDARS, STARTS, LIMITS)
def test_days_counted_and_days_skipped_are_all_there_are(
    calendar: Calendar, start: datetime, limit: Limit
) -> None:
    found = explain(calendar, start, limit)
    assert found.due == add(calendar, found.start, limit)
    if limit.unit in NATURAL:
        return
    last = calendar.date_of(calendar.position(found.due) - 1)
    days = list(calendar.walk(found.first, last))
    if limit.unit is Unit.WORKING_DAY:
        assert sum(bool(day.spans) for day in days) == limit.amount + 1
    skipped = {day.date for day in found.skipped}
    assert all((day.date in skipped) != bool(day.spans) for day in days)
    assert {day.date for day in days if day.kind is DayKind.MAKE_UP} <= {day.date for day in found.added}
    assert in_chinese(found).endswith("到期。")
