"""Times of the city in short, and the calendars the tests count by."""

from datetime import UTC, datetime

from core.clock import CITY_ZONE, to_city
from core.settings import City
from sla.calendar import Calendar, office_week, parse_spans
from sla.sources import city_calendar, national_calendar

NATIONAL: Calendar = national_calendar(City())
GUILIN: Calendar = city_calendar(City())
HOURS = parse_spans(("09:00-12:00", "13:00-18:00"), where="test")
PLAIN = Calendar(office_week(HOURS), {}, first=2020, last=2030)


def at(text: str) -> datetime:
    """`2026-09-28 10:00` in the city, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=CITY_ZONE).astimezone(UTC)


def shown(instant: datetime) -> str:
    return f"{to_city(instant):%Y-%m-%d %H:%M}"
