"""Hours of shifts: what people type, over midnight, and what clashes."""

from datetime import UTC, date, datetime

import pytest

from core.errors import HotlineError
from telephony.shifts.hours import Hours, clashes, instant, monday_of, parse_hours, shown, shown_breaks

DAY = date(2026, 11, 30)


def test_a_night_shift_ends_on_the_next_day() -> None:
    hours = parse_hours("22:00-06:00", "02:00-02:30")
    assert hours == Hours(1320, 1800, ((1560, 1590),))
    span = hours.span(DAY)
    assert span.begin == datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
    assert span.end == datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
    assert hours.pauses(DAY)[0].begin == datetime(2026, 11, 30, 18, 0, tzinfo=UTC)
    assert hours.due == 450


@pytest.mark.parametrize("text", ["08:00-16:00", "8:00—16:00", "08：00～16：00", "08:00至16:00"])
def test_hours_are_read_as_people_type_them(text: str) -> None:
    assert parse_hours(text) == Hours(480, 960)


def test_what_is_read_is_what_was_shown() -> None:
    for hours in (
        parse_hours("16:00-24:00", "18:00-18:30 21:00-21:15"),
        parse_hours("22:00-08:00", "02:00-03:00"),
    ):
        again = parse_hours(shown(hours.starts, hours.ends), shown_breaks(hours.breaks))
        assert again == hours


@pytest.mark.parametrize(
    "text",
    ["", "8-16", "08:00", "08:00-16:00 17:00-18:00", "25:00-26:00", "06:00-23:30", "24:00-08:00", "abc"],
)
def test_hours_that_make_no_shift_are_refused(text: str) -> None:
    with pytest.raises(HotlineError, match="shift_hours"):
        parse_hours(text)


@pytest.mark.parametrize(
    "breaks", ["07:00-07:30", "15:45-16:15", "12:00-13:00 12:30-13:30", "noon", "08:00-16:00"]
)
def test_breaks_that_do_not_lie_in_the_shift_are_refused(breaks: str) -> None:
    with pytest.raises(HotlineError, match="shift_breaks"):
        parse_hours("08:00-16:00", breaks)


def test_a_shift_that_begins_in_another_clashes_and_one_that_begins_at_its_end_does_not() -> None:
    night, early, late = parse_hours("22:00-08:00"), parse_hours("07:30-15:00"), parse_hours("08:00-16:00")
    following = date(2026, 12, 1)
    assert clashes([(1, DAY, night), (1, following, early)]) == [(1, DAY, following)]
    assert clashes([(1, DAY, night), (1, following, late)]) == []
    assert clashes([(1, DAY, night), (2, following, early)]) == []
    assert clashes([(1, DAY, night), (1, following, late)], rest=480) == [(1, DAY, following)]


def test_days_are_those_of_the_city() -> None:
    assert instant(DAY, 0) == datetime(2026, 11, 29, 16, 0, tzinfo=UTC)
    assert instant(DAY, 1500) == instant(date(2026, 12, 1), 60)
    assert monday_of(date(2026, 12, 6)) == DAY
