"""Which days a report is about, and when the schedule makes it; pure."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from core.errors import HotlineError
from sla.measures.periods import ONE, Period

LONGEST = 366  # days
MADE_AT = time(7, 10)  # of the city: the reports of what is over are made from then on
DAYS_BACK = 7  # daily reports that were missed are made up for so many days


class Kind(StrEnum):
    """The reports of a hotline."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    LEAGUE = "league"
    SPECIAL = "special"


KIND_LABELS: dict[Kind, str] = {
    Kind.DAILY: "日报",
    Kind.WEEKLY: "周报",
    Kind.MONTHLY: "月报",
    Kind.LEAGUE: "承办单位考核",
    Kind.SPECIAL: "专报",
}


def length(period: Period) -> int:
    """How many days."""
    return (period.last - period.first).days + 1


def before(period: Period) -> Period:
    """What a period is compared with: the one that ends where it begins; of a month the month before."""
    end = period.first - ONE
    if period == month_of(period.first):
        return month_of(end)
    return Period(end - timedelta(days=length(period) - 1), end)


def week_of(day: date) -> Period:
    """Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=6))


def month_of(day: date) -> Period:
    """The first to the last."""
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def period_of(kind: Kind, day: date, last: date | None = None) -> Period:
    """The period of `kind` that `day` lies in; a special one goes from `day` to `last`."""
    if kind is Kind.DAILY:
        return Period(day, day)
    if kind is Kind.WEEKLY:
        return week_of(day)
    if kind is Kind.SPECIAL:
        return Period(day, last or day)
    return month_of(day)


def check(period: Period, today: date) -> None:
    """Errors: report_days_reversed, report_too_long, report_in_future (a period that has not begun)."""
    if period.last < period.first:
        raise HotlineError("report_days_reversed")
    if length(period) > LONGEST:
        raise HotlineError("report_too_long", longest=LONGEST)
    if period.first > today:
        raise HotlineError("report_in_future")


def scheduled(here: datetime) -> list[tuple[Kind, Period]]:
    """What should have been made by this moment of the city: the last days, the last week and month."""
    today = here.date() if here.time() >= MADE_AT else here.date() - ONE
    days = [today - timedelta(days=back) for back in range(1, DAYS_BACK + 1)]
    last_month = month_of(today.replace(day=1) - ONE)
    return [
        *((Kind.DAILY, Period(day, day)) for day in days),
        (Kind.WEEKLY, week_of(today - timedelta(days=7))),
        (Kind.MONTHLY, last_month),
        (Kind.LEAGUE, last_month),
    ]


def missing(
    wanted: Iterable[tuple[Kind, Period]], there: Collection[tuple[Kind, date]]
) -> list[tuple[Kind, Period]]:
    """What of it is not there. A hotline that has no daily report yet begins with the last day."""
    begun = [first for kind, first in there if kind is Kind.DAILY]
    found, newest = [], True
    for kind, period in wanted:
        made_up = kind is Kind.DAILY and not newest
        newest = newest and kind is not Kind.DAILY
        if (kind, period.first) not in there and not (made_up and not any(d < period.first for d in begun)):
            found.append((kind, period))
    return found
