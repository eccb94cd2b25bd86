"""The default pack by the calendar of the city, and the countdown of the screens by the same."""

from datetime import timedelta

import pytest

from sla.plain import CityLimits
from tests.sla.rig import GUILIN, NATIONAL, at, shown
from tickets.limits import Matter
from tickets.states import Stage
from tickets.terms import TicketType, Urgency
from web.reads.left import Running, span

GUILINS, NATIONALS = CityLimits(GUILIN), CityLimits(NATIONAL)
S = Stage


def matter(kind: str = "complaint", urgency: Urgency = Urgency.NORMAL) -> Matter:
    return Matter(TicketType(kind).value, urgency.value, 1)


@pytest.mark.parametrize(
    ("stage", "about", "due"),
    [
        (S.TOTAL, matter(), "2026-10-16 18:00"),
        (S.TOTAL, matter("consult"), "2026-09-30 18:00"),
        (S.TOTAL, matter("help"), "2026-10-08 18:00"),
        (S.TOTAL, matter("report"), "2026-10-23 18:00"),
        (S.TOTAL, matter(urgency=Urgency.URGENT), "2026-09-29 10:00"),
        (S.SIGN, matter(), "2026-09-29 18:00"),
        (S.SIGN, matter(urgency=Urgency.CRITICAL), "2026-09-28 10:15"),
        (S.CONTACT, matter(urgency=Urgency.CRITICAL), "2026-09-28 10:30"),
        (S.DISPATCH, matter(), "2026-09-29 10:00"),
        (S.RETURN_RULING, matter(), "2026-09-28 15:00"),
        (S.CO_OPINION, matter(), "2026-10-10 18:00"),
        (S.CO_OPINION, matter(urgency=Urgency.URGENT), "2026-09-28 22:00"),
        (S.REDO, matter(), "2026-10-08 18:00"),
        (S.SUSPENSION, matter(), "2026-10-28 10:00"),
        (S.HANDLE, matter(), None),
    ],
)
def test_the_default_pack_before_the_national_holiday(stage: Stage, about: Matter, due: str | None) -> None:
    found = NATIONALS.due(stage, about, at("2026-09-28 10:00"))
    assert (shown(found) if found else None) == due


def test_guilins_own_days_move_a_deadline() -> None:
    start = at("2025-03-28 10:00")
    due = [limits.due(S.TOTAL, matter("consult"), start) for limits in (NATIONALS, GUILINS)]
    assert [shown(one) for one in due if one] == ["2025-04-01 18:00", "2025-04-03 18:00"]


def test_an_extension_moves_over_the_holiday() -> None:
    assert shown(NATIONALS.later(at("2026-09-30 18:00"), 2)) == "2026-10-09 18:00"
    assert NATIONALS.later(at("2026-09-30 18:00"), 0) == at("2026-09-30 18:00")


def test_the_countdown_counts_what_the_limits_count() -> None:
    now, due = at("2026-09-28 10:00"), at("2026-10-16 18:00")
    assert span(due, now, NATIONALS) == ("剩 10 个工作日", "quiet")
    assert span(at("2025-04-03 18:00"), at("2025-03-28 10:00"), GUILINS)[0] == "剩 2 个工作日"
    assert span(at("2026-10-08 18:00"), at("2026-09-30 19:00"), NATIONALS)[0] == "剩 1 个工作日"


def test_within_the_last_day_the_countdown_says_hours() -> None:
    due = at("2026-10-16 18:00")
    assert span(due, at("2026-10-16 10:00"), NATIONALS) == ("剩 8 小时", "quiet")
    assert span(due, due + timedelta(minutes=5), NATIONALS) == ("超期 5 分钟", "bad")


@pytest.mark.parametrize(
    ("limit", "start", "due", "steps"),
    [
        (
            *("10wd", "2026-11-23 10:00", "2026-12-07 18:00"),
            (
                ("11-30 08:59", "quiet"),
                ("11-30 09:00", "info"),
                ("12-04 08:59", "info"),
                ("12-04 09:00", "warn"),
            ),
        ),
        # Two working days are left on the Tuesday, and it warns by then: three are the limit.
        (
            *("3wd", "2026-11-23 10:00", "2026-11-26 18:00"),
            (("11-24 18:00", "quiet"), ("11-25 09:00", "warn")),
        ),
        (
            *("24h", "2026-11-23 10:00", "2026-11-24 10:00"),
            (
                ("11-23 21:59", "quiet"),
                ("11-23 22:00", "info"),
                ("11-24 05:12", "warn"),
                ("11-24 10:01", "bad"),
            ),
        ),
        (None, "2026-11-23 10:00", "2026-11-23 18:00", (("11-23 17:59", "quiet"), ("11-23 18:01", "bad"))),
    ],
)
def test_the_colour_of_the_time_left_follows_the_ladder_with_the_word_beside_it(
    limit: str | None, start: str, due: str, steps: tuple[tuple[str, str], ...]
) -> None:
    words = {"quiet": "", "info": "预警", "warn": "临期", "bad": "超期"}
    for when, tone in steps:
        told, found = span(at(due), at(f"2026-{when}"), GUILINS, Running(limit, at(start)))
        assert found == tone, (when, told)
        assert words[tone] in told
        assert tone != "quiet" or "·" not in told


def test_what_runs_day_and_night_is_told_in_hours() -> None:
    start, now, due = at("2026-11-26 10:00"), at("2026-11-26 12:00"), at("2026-11-27 10:00")
    assert span(due, now, GUILINS, Running("24h", start))[0] == "剩 22 小时"
    assert span(due, now, GUILINS, Running("1wd", start))[0].startswith("剩 1 个工作日")
