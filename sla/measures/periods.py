"""Days, weeks and months of the city, and how a period is put together of those that are kept. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

ONE = timedelta(days=1)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2200, 12, 31)
AGES = (0, 1, 3, 7, 15)  # in days since a stage began: the upper bounds of the columns, the last one open


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both counted."""

    first: date
    last: date

    @property
    def empty(self) -> bool:
        """Whether there is no day in it."""
        return self.last < self.first

    def until(self, last: date) -> "Period":
        """The part up to and with `last`."""
        return Period(self.first, min(self.last, last))


def weeks_back(today: date, count: int) -> Period:
    """The week of `today` and those before, `count` in all; weeks begin on Monday."""
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(weeks=count - 1), today)


def days_back(today: date, count: int) -> Period:
    """`today` and the days before, `count` in all."""
    return Period(today - timedelta(days=count - 1), today)


def mondays(period: Period) -> list[date]:
    """The first days of the weeks a period touches."""
    monday = period.first - timedelta(days=period.first.weekday())
    return [monday + timedelta(weeks=n) for n in range((period.last - monday).days // 7 + 1)]


def pieces(period: Period) -> list[tuple[str, date]]:
    """Whole months, whole weeks and single days that make up the period: few, whatever its length."""
    found: list[tuple[str, date]] = []
    at = period.first
    while at <= period.last:
        for grain, last in (("m", _month_end(at)), ("w", at + timedelta(days=6))):
            begins = at.day == 1 if grain == "m" else at.weekday() == 0
            if begins and last <= period.last:
                found.append((grain, at))
                at = last + ONE
                break
        else:
            found.append(("d", at))
            at += ONE
    return found


def _month_end(at: date) -> date:
    following = date(at.year + at.month // 12, at.month % 12 + 1, 1)
    return following - ONE


def ages(today: date) -> list[tuple[str, Period]]:
    """The columns of a table by age: a word, and the days on which what is so old began."""
    found, youngest = [], today
    for bound in AGES:
        oldest = today - timedelta(days=bound)
        found.append((_age_word(bound, (today - youngest).days), Period(oldest, youngest)))
        youngest = oldest - ONE
    found[0] = (found[0][0], Period(today, LAST_DAY))  # a clock that was set back is no reason to lose one
    return [*found, (f"{AGES[-1]} 天以上", Period(FIRST_DAY, youngest))]


def _age_word(bound: int, youngest: int) -> str:
    if bound == 0:
        return "今日"
    return f"{bound} 天" if bound == youngest else f"{youngest}–{bound} 天"
