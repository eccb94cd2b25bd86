"""When many callers are a warning, and what is said of it. Pure.

Early warning of a hotline: the same matter by five callers within 24 hours or ten within seven days; a
category with far more tickets than on the same weekday before (z > 3); words that must be watched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import to_city

CALLERS_A_DAY = 5
CALLERS_A_WEEK = 10
CALLERS_WITH_WORDS = 2
DAY, WEEK = timedelta(hours=24), timedelta(days=7)
SURGE_Z = 3.0
SURGE_LEAST = 5
WEEKS_BEFORE = 8
WEEKS_NEEDED = 3


@dataclass(frozen=True)
class Told:
    """One ticket of a group: when, by whom (any number that tells callers apart), with which words."""

    ticket_id: int
    at: datetime
    caller: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A group that is a warning: `many` or `words`, with its figures up to its latest ticket."""

    kind: str
    callers: int
    callers_24h: int
    callers_7d: int
    words: tuple[str, ...]
    first_at: datetime
    last_at: datetime


def judge(group: Sequence[Told]) -> Judged | None:
    """Whether a group is a warning now; counted by callers, not by calls."""
    if not group:
        return None
    last = max(one.at for one in group)
    day, week = (_callers(group, last - span) for span in (DAY, WEEK))
    words = tuple(dict.fromkeys(word for one in group for word in one.words))
    many = day >= CALLERS_A_DAY or week >= CALLERS_A_WEEK
    if not many and not (words and week >= CALLERS_WITH_WORDS):
        return None
    first, kind = min(one.at for one in group), "many" if many else "words"
    return Judged(kind, len({one.caller for one in group}), day, week, words, first, last)


def _callers(group: Sequence[Told], since: datetime) -> int:
    return len({one.caller for one in group if one.at > since})


def surge(today: int, before: Sequence[int]) -> float | None:
    """z of today's count against the same weekdays before; None when it is no surge, or too little is known.

    The spread is at least that of chance (the root of the mean), so that a quiet category needs more.
    """
    if today < SURGE_LEAST or len(before) < WEEKS_NEEDED:
        return None
    mean = sum(before) / len(before)
    spread = math.sqrt(sum((count - mean) ** 2 for count in before) / len(before))
    z = (today - mean) / max(spread, math.sqrt(mean), 1.0)
    return z if z > SURGE_Z else None


def brief(judged: Judged, tickets: int, place: str, units: Sequence[str], z: float | None = None) -> str:
    """What a supervisor reads first: how many, since when, where, at whom; no texts of tickets."""
    when = f"{to_city(judged.first_at):%m-%d %H:%M} 至 {to_city(judged.last_at):%m-%d %H:%M}"
    parts = [
        f"{judged.callers} 人反映同一事项，共 {tickets} 件（24 小时内 {judged.callers_24h} 人，"
        f"7 日内 {judged.callers_7d} 人），{when}。"
    ]
    if z is not None:
        parts = [f"今日 {tickets} 件，{judged.callers} 人，明显多于往常同一天（星期）（z = {z:.1f}）。"]
    if place:
        parts.append(f"地点：{place}。")
    if judged.words:
        parts.append(f"敏感词：{'、'.join(judged.words[:6])}。")
    if units:
        parts.append(f"承办：{'、'.join(units[:4])}。")
    return "".join(parts)
