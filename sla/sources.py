"""Where calendars come from: office hours, the national days, and the city's own on top of them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from core.settings import ROOT, City
from sla.calendar import Calendar, Exceptional, office_week, parse_spans
from sla.city_days import read_days
from sla.national import FIRST, LAST, NOTICES, national_days

NOTICE_MONTH = 10


def national_calendar(city: City) -> Calendar:
    """The city's office hours on the days of the whole country."""
    return _calendar(city, {})


def city_calendar(city: City) -> Calendar:
    """The calendar the city lives by. Errors: those of `read_days`."""
    return file_calendar(city, ROOT / city.calendar) if city.calendar else national_calendar(city)


def city_file_days(city: City) -> dict[date, Exceptional]:
    """The days of the file the settings name; none without a file. Errors: those of `read_days`."""
    return read_days(ROOT / city.calendar, first=FIRST, last=LAST) if city.calendar else {}


def file_calendar(city: City, file: Path) -> Calendar:
    """The national days, and over them those of a file. Errors: those of `read_days`."""
    return _calendar(city, read_days(file, first=FIRST, last=LAST))


def days_calendar(city: City, own: Mapping[date, Exceptional], confirmed: Iterable[int] = ()) -> Calendar:
    """The national days, and over them those given; `confirmed`: years known besides the product's."""
    return _calendar(city, own, frozenset(confirmed))


def named_calendar(city: City, name: str) -> Calendar:
    """`city` as configured, `national` without any day of the city, else a file of days."""
    if name == "city":
        return city_calendar(city)
    return national_calendar(city) if name == "national" else file_calendar(city, Path(name))


def year_to_come(calendar: Calendar, today: date) -> int | None:
    """A year deadlines run into soon, or already, without its notice; None when all is known.

    From 1 October on the next year is looked at: limits reach into it, and the notice is due.
    """
    return missing_year(calendar.known, today)


def missing_year(known: Collection[int], today: date) -> int | None:
    """The same of the years that are known."""
    last = today.year + (today.month >= NOTICE_MONTH)
    return next((year for year in range(today.year, last + 1) if year not in known), None)


@lru_cache(maxsize=1)
def shipped_calendar() -> Calendar:
    """The calendar of the settings as they are shipped."""
    return city_calendar(City())


@lru_cache(maxsize=1)
def _national() -> dict[date, Exceptional]:
    return national_days()


def _calendar(
    city: City, own: Mapping[date, Exceptional], confirmed: frozenset[int] = frozenset()
) -> Calendar:
    week = office_week(parse_spans(city.office_hours, where="city.office_hours"))
    days = {**_national(), **own}
    return Calendar(week, days, first=FIRST, last=LAST, known=NOTICES | confirmed)
