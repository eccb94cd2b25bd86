"""The national days off and 调休 make-up workdays, from the package `holidays`.

A year whose notice of the State Council is not out yet has its statutory dates, and the next workdays
for those that fall on a weekend (补假); make-up workdays are in no law and come with the notice only.
"""

import re
from datetime import date

import holidays
from holidays.countries.china import ChinaStaticHolidays

from sla.calendar import DayKind, Exceptional

FIRST, LAST = 2001, 2050
# The years the package holds a notice for; checked against a second source by tests/sla/test_oracle.py.
NOTICES = frozenset(ChinaStaticHolidays.special_public_holidays)
_TONGUES = ("zh_CN", "en_US")
_MOVED = re.compile(r"休息日（由 (\d{4}-\d{2}-\d{2}) 调休）")


def national_days(first: int = FIRST, last: int = LAST) -> dict[date, Exceptional]:
    """Every dated exception of the years `first` to `last`."""
    # The package fills a year when asked for it, and a notice reaches into the December before.
    years = range(first, last + 2)
    chinese, english = (holidays.country_holidays("CN", years=years, language=tongue) for tongue in _TONGUES)
    found: dict[date, Exceptional] = {}
    for day, name in chinese.items():
        if first <= day.year <= last and day not in chinese.weekend_workdays:
            found[day] = _rest(name, english.get(day) or "holiday")
    for day in chinese.weekend_workdays:
        if first <= day.year <= last:
            found[day] = Exceptional(DayKind.MAKE_UP, "调休补班", "make-up day")
    return found


def _rest(name: str, name_en: str) -> Exceptional:
    moved = _MOVED.fullmatch(name)
    if moved is None:
        return Exceptional(DayKind.HOLIDAY, name, name_en)
    return Exceptional(
        DayKind.HOLIDAY, f"调休（{moved[1][5:]} 补班）", f"day off ({moved[1]} is worked instead)"
    )
