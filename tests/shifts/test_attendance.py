"""Attendance and adherence: who came, over midnight, at clock edges, with open ends and odd clocks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.shifts.attendance import (
    Attendance,
    Presence,
    Rostered,
    Rules,
    attended,
    is_wanted,
    measure,
    merged,
    minutes,
    outside,
    summary,
)
from telephony.shifts.hours import Span

RULES = Rules(timedelta(minutes=5), timedelta(minutes=15))
ZERO = timedelta()


def at(hour: int, minute: int = 0, second: int = 0, day: int = 30) -> datetime:
    """An instant of 30 November 2026 (hours past 24: the next day)."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour, minutes=minute, seconds=second)


DAY = Rostered(Span(at(8), at(16)), (Span(at(12), at(12, 30)),))
NIGHT = Rostered(Span(at(22), at(30)), (Span(at(26), at(26, 30)),))
OVER = at(40)


def of(shift: Rostered, *spans: tuple[datetime, datetime | None], now: datetime = OVER) -> Attendance:
    """Signed in over these spans, and in a wanted state all the while."""
    return attended(shift, spans, spans, now, RULES)


def test_a_whole_shift_is_present_and_kept_to() -> None:
    found = of(DAY, (at(7, 50), at(16, 5)))
    assert found.presence is Presence.PRESENT
    assert (found.late, found.early, found.overtime) == (ZERO, ZERO, ZERO)
    assert found.due == found.present == found.wanted == timedelta(hours=7, minutes=30)
    assert found.adherence == 1


@pytest.mark.parametrize(
    ("came", "late"),
    [(at(8, 0), 0), (at(8, 5), 0), (at(8, 5, 1), 5), (at(8, 6), 6), (at(9), 60)],
)
def test_late_is_counted_from_the_begin_once_the_grace_is_over(came: datetime, late: int) -> None:
    assert minutes(of(DAY, (came, at(16))).late) == late


@pytest.mark.parametrize(("went", "early"), [(at(16), 0), (at(15, 55), 0), (at(15, 54), 6), (at(14), 120)])
def test_early_is_the_last_sign_out_before_the_end(went: datetime, early: int) -> None:
    assert minutes(of(DAY, (at(8), went)).early) == early


def test_a_seat_changed_in_between_is_neither_late_nor_early() -> None:
    found = of(DAY, (at(8), at(10)), (at(10, 20), at(16)))
    assert (found.late, found.early) == (ZERO, ZERO)
    assert found.present == timedelta(hours=7, minutes=10)


def test_who_never_came_is_absent_and_not_late() -> None:
    found = of(DAY)
    assert (found.presence, found.late, found.present) == (Presence.ABSENT, ZERO, ZERO)
    assert found.adherence == 0


def test_who_signed_in_only_outside_the_shift_is_absent() -> None:
    assert of(DAY, (at(6), at(7))).presence is Presence.ABSENT
    assert of(DAY, (at(7), at(8))).presence is Presence.ABSENT  # out at the very begin
    assert of(DAY, (at(16), at(17))).presence is Presence.ABSENT  # in at the very end


def test_before_it_begins_nothing_is_due() -> None:
    found = of(DAY, now=at(7, 59))
    assert (found.presence, found.due, found.adherence) == (Presence.PLANNED, ZERO, None)


def test_while_it_runs_only_what_has_passed_is_due() -> None:
    found = of(DAY, (at(8), None), now=at(10))
    assert (found.presence, found.due, found.present) == (
        Presence.RUNNING,
        timedelta(hours=2),
        timedelta(hours=2),
    )
    assert found.early == ZERO
    awaited = of(DAY, now=at(8, 20))
    assert (awaited.presence, minutes(awaited.late)) == (Presence.AWAITED, 20)
    assert of(DAY, now=at(8, 5)).late == ZERO


def test_a_night_over_midnight_counts_like_a_day() -> None:
    found = of(NIGHT, (at(22, 10), at(29)))
    assert (minutes(found.late), minutes(found.early)) == (10, 60)
    assert found.due == timedelta(hours=7, minutes=30)
    assert found.present == timedelta(hours=6, minutes=20)


def test_breaks_count_neither_for_nor_against() -> None:
    stayed = of(DAY, (at(8), at(16)))
    went = of(DAY, (at(8), at(12)), (at(12, 30), at(16)))
    assert stayed == went


def test_overtime_begins_at_the_end_and_from_the_least_on() -> None:
    assert of(DAY, (at(8), at(16, 14))).overtime == ZERO
    assert minutes(of(DAY, (at(8), at(16, 15))).overtime) == 15
    assert of(DAY, (at(6), at(16))).overtime == ZERO  # early is no overtime


def test_overtime_ends_half_way_to_the_next_shift_and_after_four_hours() -> None:
    assert minutes(of(DAY, (at(8), at(30))).overtime) == 240
    tight = Rostered(DAY.span, DAY.breaks, after=at(18))
    assert minutes(of(tight, (at(8), at(30))).overtime) == 60


def test_adherence_is_the_share_in_a_wanted_state() -> None:
    signed_in = [(at(8), at(16))]
    wanted = [(at(8), at(11)), (at(12), at(13)), (at(14), at(16))]  # of which half an hour in the break
    found = attended(DAY, signed_in, wanted, OVER, RULES)
    assert found.wanted == timedelta(hours=5, minutes=30)
    assert found.adherence == pytest.approx(5.5 / 7.5)


def test_overlapping_and_reversed_spans_do_no_harm() -> None:
    """Two seats at once, a clock that ran back: nothing is counted twice and nothing is negative."""
    found = of(DAY, (at(8), at(12)), (at(10), at(16)), (at(15), at(14)), (at(9), at(9)))
    assert found.present == timedelta(hours=7, minutes=30)


def test_a_clock_that_runs_ahead_does_not_make_time_that_has_not_passed() -> None:
    found = of(DAY, (at(8), at(10, 2)), now=at(10))
    assert found.present == timedelta(hours=2)
    assert found.adherence == 1
    assert of(DAY, (at(8), at(20)), now=at(16)).overtime == ZERO


@pytest.mark.parametrize(
    ("state", "reason", "wanted"),
    [
        ("ready", None, True), ("talking", None, True), ("hold", None, True), ("wrap_up", None, True),
        ("call_back", None, True), ("not_ready", "break", False), ("not_ready", "training", True),
        ("not_ready", "meeting", True), ("not_ready", None, False), ("unreachable", None, False),
        ("signed_out", None, False),
    ],
)  # fmt: skip
def test_which_states_are_wanted(state: str, reason: str | None, wanted: bool) -> None:
    assert is_wanted(state, reason) is wanted


def test_a_summary_divides_once_and_leaves_planned_shifts_apart() -> None:
    whole = of(DAY, (at(8), at(16)))
    absent, planned = of(DAY), of(DAY, now=at(1))
    found = summary([whole, absent, planned, of(DAY, (at(8, 30), at(15)))])
    assert (found.shifts, found.planned, found.absent, found.late, found.early) == (3, 1, 1, 1, 1)
    assert (minutes(found.late_time), minutes(found.early_time)) == (30, 60)
    assert found.adherence == pytest.approx((7.5 + 0 + 6) / 22.5)
    assert summary([planned]).adherence is None


_minutes = st.integers(-300, 1200)
_spans = st.lists(st.tuples(_minutes, _minutes), max_size=8)


@given(_spans, _spans, st.integers(-60, 900))
def test_whatever_the_spans_the_parts_fit_into_the_whole(
    signed: list[tuple[int, int]], wanted: list[tuple[int, int]], now: int
) -> None:
    def spans(raw: list[tuple[int, int]]) -> list[tuple[datetime, datetime | None]]:
        return [(at(8, begin), at(8, end)) for begin, end in raw]

    found = attended(DAY, spans(signed), spans(wanted), at(8, now), RULES)
    assert ZERO <= found.present <= found.due <= timedelta(hours=7, minutes=30)
    assert ZERO <= found.wanted <= found.due
    assert min(found.late, found.early, found.overtime) >= ZERO
    assert found.adherence is None or 0 <= found.adherence <= 1


@given(_spans)
def test_merged_spans_are_the_minutes_that_some_span_covers(raw: list[tuple[int, int]]) -> None:
    found = merged([(at(8, begin), at(8, end)) for begin, end in raw], OVER)
    covered = {minute for begin, end in raw for minute in range(begin, end)}
    assert measure(found) == timedelta(minutes=len(covered))
    hole = [Span(at(8), at(9))]
    assert measure(outside(found, hole)) == timedelta(minutes=len(covered - set(range(60))))
