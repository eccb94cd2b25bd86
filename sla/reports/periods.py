"""Which days a report is about, and when the schedule makes it; pure."""

from datetime import date, timedelta
from enum import StrEnum

from core.errors import HotlineError
from sla.measures.periods import ONE, Period

LONGEST = 366  # days


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


def scheduled(today: date) -> list[tuple[Kind, Period]]:
    """The reports that are over by `today` and should have been made: the last of each kind."""
    yesterday = today - ONE
    last_month = month_of(today.replace(day=1) - ONE)
    return [
        (Kind.DAILY, Period(yesterday, yesterday)),
        (Kind.WEEKLY, week_of(today - timedelta(days=7))),
        (Kind.MONTHLY, last_month),
        (Kind.LEAGUE, last_month),
    ]
