"""The calendar: intervals and exceptions in both directions, and what it refuses."""

from datetime import date, datetime, timedelta, timezone

import pytest

from core.errors import HotlineError
from sla.calendar import Calendar, DayKind, Exceptional, Spans, office_week, parse_spans
from sla.sources import year_to_come
from tests.sla.rig import GUILIN, HOURS, NATIONAL, PLAIN, at, shown

REST = Exceptional(DayKind.CITY_REST, "停水", "no water")


def calendar(week: tuple[Spans, ...] = office_week(HOURS), **days: Exceptional) -> Calendar:
    """The week, with exceptions named like d2026_11_24."""
    told = {date.fromisoformat(name[1:].replace("_", "-")): one for name, one in days.items()}
    return Calendar(week, told, first=2026, last=2027)


def test_a_weekday_works_and_a_weekend_does_not() -> None:
    assert PLAIN.works(date(2026, 11, 27))
    assert not PLAIN.works(date(2026, 11, 28))


def test_an_exception_makes_a_weekday_rest_and_a_weekend_work() -> None:
    worked = Exceptional(DayKind.MAKE_UP, "补班", "make-up day")
    made = calendar(d2026_11_27=REST, d2026_11_28=worked)
    assert not made.works(date(2026, 11, 27))
    assert made.day(date(2026, 11, 28)).spans == HOURS


def test_a_city_has_half_days_of_its_own() -> None:
    half = Exceptional(DayKind.CITY_WORK, "半天", "half a day", spans=((540, 720),))
    made = calendar(d2026_11_27=half)
    day = made.day(date(2026, 11, 27))
    assert (day.spans, day.own_hours) == (((540, 720),), True)
    assert made.counted_for(at("2026-11-27 12:00")) == date(2026, 11, 30)


def test_the_usual_hours_told_again_are_not_hours_of_its_own() -> None:
    told = Exceptional(DayKind.CITY_WORK, "上班", "open", spans=HOURS)
    assert not calendar(d2026_11_27=told).day(date(2026, 11, 27)).own_hours


def test_intervals_are_half_open() -> None:
    assert PLAIN.counted_for(at("2026-11-27 17:59")) == date(2026, 11, 27)
    assert PLAIN.counted_for(at("2026-11-27 18:00")) == date(2026, 11, 30)


def test_a_day_may_end_at_24_00() -> None:
    spans = parse_spans(["00:00-24:00"], where="x")
    made = calendar(week=(spans,) * 7)
    assert shown(made.instant(made.close(0))) == "2026-01-02 00:00"
    assert made.counted_for(at("2026-11-27 23:59")) == date(2026, 11, 27)
    assert made.worked(made.position(at("2026-01-03 00:00"))) == 48 * 3600 * 1_000_000


def test_intervals_that_touch_are_allowed() -> None:
    assert parse_spans(["13:00-18:00", "09:00-13:00"], where="x") == ((540, 780), (780, 1080))


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["12:00-09:00"], "spans_reversed"),
        (["09:00-09:00"], "spans_reversed"),
        (["22:00-06:00"], "spans_reversed"),
        (["09:00-12:00", "11:59-18:00"], "spans_overlap"),
        (["09:00-12:00", "09:00-12:00"], "spans_overlap"),
        (["09:00-24:01"], "span_unreadable"),
        (["25:00-26:00"], "span_unreadable"),
        (["9-12"], "span_unreadable"),
        (["09:60-12:00"], "span_unreadable"),
        ([""], "span_unreadable"),
        (["０９:00-12:00"], "span_unreadable"),
    ],
)
def test_a_bad_interval_is_refused_and_says_where(texts: list[str], code: str) -> None:
    with pytest.raises(HotlineError) as caught:
        parse_spans(texts, where="line 7")
    assert (caught.value.code, caught.value.params["where"]) == (code, "line 7")


def test_a_calendar_without_working_time_is_refused() -> None:
    with pytest.raises(HotlineError) as caught:
        calendar(week=((),) * 7)
    assert caught.value.code == "calendar_without_work"


def test_a_week_of_six_days_is_refused() -> None:
    with pytest.raises(HotlineError) as caught:
        calendar(week=(HOURS,) * 6)
    assert caught.value.code == "calendar_without_work"


def test_overlapping_hours_of_one_day_are_refused_with_the_day() -> None:
    bad = Exceptional(DayKind.CITY_WORK, "", "", spans=((540, 720), (600, 660)))
    with pytest.raises(HotlineError) as caught:
        calendar(d2026_11_27=bad)
    assert (caught.value.code, caught.value.params["where"]) == ("spans_overlap", "2026-11-27")


@pytest.mark.parametrize(("first", "last"), [(1991, 2000), (2027, 2026), (2000, 9999)])
def test_years_the_calendar_cannot_count_are_refused(first: int, last: int) -> None:
    with pytest.raises(HotlineError) as caught:
        Calendar(office_week(HOURS), {}, first=first, last=last)
    assert caught.value.code == "calendar_years"


@pytest.mark.parametrize("text", ["2019-12-31 23:59", "2031-01-01 00:00"])
def test_an_instant_outside_its_years_is_refused(text: str) -> None:
    with pytest.raises(HotlineError) as caught:
        PLAIN.position(at(text))
    assert (caught.value.code, caught.value.params) == ("calendar_range", {"first": 2020, "last": 2030})


def test_an_instant_is_the_same_in_every_zone() -> None:
    instant = at("2026-11-27 10:00")
    for hours in (-11, 0, 8, 14):
        assert PLAIN.position(instant.astimezone(timezone(timedelta(hours=hours)))) == PLAIN.position(instant)


def test_a_time_without_a_zone_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(TypeError):
        PLAIN.position(datetime(2026, 11, 27, 10))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-11-27", "2026-11-27", 0),
        ("2026-11-27", "2026-11-30", 1),
        ("2026-11-30", "2026-11-27", 0),
        ("2026-09-28", "2026-10-16", 10),
        ("2026-09-30", "2026-10-07", 0),
    ],
)
def test_working_days_between_two_dates(first: str, last: str, days: int) -> None:
    assert NATIONAL.days_between(date.fromisoformat(first), date.fromisoformat(last)) == days


# ---- sources ------------------------------------------------------------------------------------


def test_the_national_calendar_knows_which_notices_are_out() -> None:
    assert set(range(2006, 2027)) <= NATIONAL.known
    assert max(NATIONAL.known) < 2050


def test_a_year_without_a_notice_has_its_statutory_dates_and_no_make_up_day() -> None:
    unknown = max(NATIONAL.known) + 1
    days = list(NATIONAL.walk(date(unknown, 1, 1), date(unknown, 12, 31)))
    assert NATIONAL.day(date(unknown, 10, 1)).kind is DayKind.HOLIDAY
    assert NATIONAL.day(date(unknown, 1, 1)).kind is DayKind.HOLIDAY
    assert not any(day.kind is DayKind.MAKE_UP for day in days)


def test_the_december_before_a_year_is_moved_by_that_years_notice() -> None:
    assert NATIONAL.day(date(2018, 12, 29)).kind is DayKind.MAKE_UP
    assert NATIONAL.day(date(2018, 12, 31)).kind is DayKind.HOLIDAY


def test_a_moved_day_says_which_day_is_worked_for_it() -> None:
    day = NATIONAL.day(date(2026, 10, 7))
    assert (day.reason, day.reason_en) == ("调休（10-10 补班）", "day off (2026-10-10 is worked instead)")


@pytest.mark.parametrize(
    ("rest", "work"),
    [
        (["2015-04-20", "2015-04-21"], []),
        (["2016-04-08", "2016-04-11"], []),
        (["2017-03-30", "2017-03-31", "2017-04-01"], ["2017-04-08"]),
        (["2018-04-18", "2018-04-19", "2018-04-20"], ["2018-04-15"]),
        (["2019-04-04", "2019-04-08"], []),
        ([], ["2020-03-26", "2020-03-27"]),
        (["2021-04-14", "2021-04-15", "2021-04-16"], ["2021-04-18"]),
        (["2022-04-02", "2022-04-06"], []),
        (["2023-04-21", "2023-04-23"], []),
        (["2024-04-11", "2024-04-12"], []),
        (["2025-03-31", "2025-04-01"], []),
    ],
    ids=lambda days: days[0][:4] if days else "none",
)
def test_sanyuesan_is_as_the_regions_notice_of_the_year_had_it(rest: list[str], work: list[str]) -> None:
    assert not any(GUILIN.works(date.fromisoformat(day)) for day in rest)
    assert all(GUILIN.works(date.fromisoformat(day)) for day in work)


@pytest.mark.parametrize("year", [year for year in range(2014, 2027) if year != 2020])
def test_sanyuesan_takes_two_working_days_a_year(year: int) -> None:
    def worked(calendar: Calendar) -> int:
        return sum(bool(day.spans) for day in calendar.walk(date(year, 3, 20), date(year, 4, 30)))

    assert worked(NATIONAL) - worked(GUILIN) == 2


def test_outside_sanyuesan_guilin_is_as_the_country() -> None:
    days = (
        day for day in NATIONAL.walk(date(2001, 1, 1), date(2050, 12, 31)) if day.date.month not in (3, 4)
    )
    assert all(GUILIN.day(day.date) == day for day in days)


def test_a_year_without_its_notice_is_a_warning_from_october_on() -> None:
    last = max(NATIONAL.known)
    assert year_to_come(NATIONAL, date(last, 9, 30)) is None
    assert year_to_come(NATIONAL, date(last, 10, 1)) == last + 1
    assert year_to_come(NATIONAL, date(last + 1, 2, 1)) == last + 1
    assert year_to_come(NATIONAL, date(last - 1, 12, 31)) is None
