"""The default pack by the calendar of the city, and the countdown of the screens by the same."""

from datetime import timedelta

import pytest

from sla.plain import CityLimits
from tests.sla.rig import GUILIN, NATIONAL, at, shown
from tickets.limits import Matter
from tickets.states import Stage
from tickets.terms import TicketType, Urgency
from web.reads.left import span

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
    assert span(due, now, NATIONALS) == ("剩 10 个工作日", "info")
    assert span(at("2025-04-03 18:00"), at("2025-03-28 10:00"), GUILINS)[0] == "剩 2 个工作日"
    assert span(at("2026-10-08 18:00"), at("2026-09-30 19:00"), NATIONALS)[0] == "剩 1 个工作日"


def test_within_the_last_day_the_countdown_says_hours() -> None:
    due = at("2026-10-16 18:00")
    assert span(due, at("2026-10-16 10:00"), NATIONALS) == ("剩 8 小时", "warn")
    assert span(due, due + timedelta(minutes=5), NATIONALS) == ("超期 5 分钟", "bad")
