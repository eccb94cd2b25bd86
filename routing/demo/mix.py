"""How much of what, and when: the mixes of a real hotline, drawn for ninety days.

Sources: consultations are about half of all contacts and most of them are answered on the line,
help about 30 %, the rest complaints, suggestions, few reports; calls peak at ten and at four,
Mondays are the busiest, nights thin.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import to_city

DAYS = 90
TYPES = {
    "consult": 20,
    "help": 45,
    "complaint": 26,
    "suggestion": 5,
    "report": 1.2,
    "praise": 1.6,
    "appeal": 0.6,
    "other": 0.6,
}
CHANNELS = {
    "phone": 62,
    "wechat": 12,
    "web": 10,
    "platform": 8,
    "kiosk": 3,
    "voicemail": 2,
    "email": 2,
    "weibo": 1,
}
DISPOSITIONS = {
    "direct_answer": 84,
    "informed": 4,
    "explained": 3,
    "wrong_number": 4,
    "silent": 3,
    "harassment": 1,
    "emergency": 1,
}
ANSWERED_ON_THE_LINE = 0.47  # of the calls in which a matter was told
HOURS = (3, 2, 1, 1, 1, 2, 6, 18, 55, 90, 98, 82, 48, 56, 72, 86, 90, 74, 48, 38, 32, 24, 14, 7)
WEEKDAYS = (118, 108, 104, 102, 104, 72, 64)
# Days a unit takes from signing to closing, shortest and longest.
HANDLING_DAYS = {
    "consult": (0.3, 1.6),
    "help": (0.6, 3.2),
    "complaint": (2.5, 9.5),
    "report": (6.0, 14.0),
    "appeal": (3.0, 9.0),
    "suggestion": (1.5, 4.8),
}
USUAL_DAYS = (1.0, 4.5)


@dataclass(frozen=True)
class Shares:
    """A weighted choice, prepared once."""

    names: tuple[str, ...]
    weights: tuple[float, ...]

    @staticmethod
    def of(table: dict[str, float] | dict[str, int]) -> "Shares":
        return Shares(tuple(table), tuple(table.values()))

    def draw(self, source: random.Random) -> str:
        return source.choices(self.names, self.weights)[0]


def draw_instants(source: random.Random, now: datetime, count: int) -> list[datetime]:
    """`count` moments of the last ninety days, in order, none within the last two minutes."""
    today = to_city(now).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(DAYS)]
    weights = [WEEKDAYS[day.weekday()] for day in days]
    latest = now - timedelta(minutes=2)
    found: list[datetime] = []
    while len(found) < count:
        day = source.choices(days, weights)[0]
        hour = source.choices(range(24), HOURS)[0]
        at = day + timedelta(hours=hour, seconds=source.randrange(3600))
        if at <= latest:
            found.append(at.astimezone(now.tzinfo))
    return sorted(found)


def in_office(source: random.Random, at: datetime) -> datetime:
    """`at` itself in office hours of a weekday, else some minutes after the next morning begins."""
    local = to_city(at)
    while local.weekday() >= 5 or not 9 <= local.hour < 18:
        next_day = local.hour >= 18 or local.weekday() >= 5
        local = (local + timedelta(days=int(next_day))).replace(hour=9, minute=0)
        local += timedelta(minutes=source.randrange(2, 55))
    return local.astimezone(at.tzinfo)


def handling_time(source: random.Random, kind: str) -> timedelta:
    """How long the unit works on it; one in thirty drags on."""
    shortest, longest = HANDLING_DAYS.get(kind, USUAL_DAYS)
    days = source.uniform(shortest, longest) * (3.0 if source.random() < 0.03 else 1.0)
    return timedelta(days=days)
