"""Every working day and every deadline against `chinesecalendar`, which was written by others.

The city's own days are off. Deadlines are walked day by day over what the oracle says, so that nothing
of the way we count is used to check it.
"""

from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar
import pytest

from core.clock import CITY_ZONE, to_city
from sla.clocks import Limit, Unit, add
from tests.sla.rig import NATIONAL

FIRST, LAST = date(2006, 1, 1), date(2026, 12, 31)
DEADLINES_FROM = date(2018, 1, 1)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


WORKED = {day for day in days(FIRST, LAST) if chinese_calendar.is_workday(day)}


def test_every_day_of_2006_to_2026_is_as_the_oracle_says() -> None:
    assert [day for day in days(FIRST, LAST) if NATIONAL.works(day) != (day in WORKED)] == []
    assert len(days(FIRST, LAST)) == 7670


def walked(start: datetime, limit: int) -> date | None:
    """The day a limit is due, walked; None when it is not within the oracle's years."""
    day = start.date()
    while day not in WORKED or (day == start.date() and start.time() >= time(18)):
        day += timedelta(days=1)
        if day > LAST:
            return None
    for _ in range(limit):
        day += timedelta(days=1)
        while day not in WORKED:
            day += timedelta(days=1)
            if day > LAST:
                return None
    return day if day <= LAST else None


@pytest.mark.parametrize("limit", [1, 3, 5, 7, 10, 15])
def test_every_deadline_from_2018_on_is_as_the_oracle_says(limit: int) -> None:
    wrong, compared = [], 0
    for day in days(DEADLINES_FROM, LAST):
        for hour in (time(7), time(10), time(12, 30), time(17, 59), time(18), time(23, 30)):
            start = datetime.combine(day, hour, CITY_ZONE)
            wanted = walked(start, limit)
            if wanted is None:
                continue
            compared += 1
            due = to_city(add(NATIONAL, start.astimezone(UTC), Limit(limit, Unit.WORKING_DAY)))
            if due != datetime.combine(wanted, time(18), CITY_ZONE):
                wrong.append((start, due, wanted))
    assert wrong == []
    assert compared > 19_500
