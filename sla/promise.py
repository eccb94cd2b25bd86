"""A promise as it stands: what was promised, what moved it since, and the sentence that says so; pure.

A limit, the times the clock stood, the extensions that were granted and the corrections of the matter
come to a due time; when that is not the one that stands, nothing is explained rather than something
wrong: the calendar or the rules changed after the promise, and the promise holds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import to_city
from sla.calendar import Calendar
from sla.clocks import LENGTH, NATURAL, Limit, Unit, add, used_up
from sla.explain import Explanation, explain, in_chinese
from sla.pauses import Standstill


@dataclass(frozen=True)
class Granted:
    """An extension: when it was granted, and the working days it gave."""

    at: datetime
    days: int


@dataclass(frozen=True)
class Promise:
    """A clock: `limit` from `start`; `corrected`: when the matter was corrected last, and of what."""

    start: datetime
    limit: Limit
    stood: tuple[Standstill, ...] = ()
    granted: tuple[Granted, ...] = ()
    corrected: tuple[datetime, str] | None = None


@dataclass(frozen=True)
class Told:
    """When a promise is due, and why."""

    due: datetime
    sentence: str


def told(calendar: Calendar, promise: Promise) -> Told:
    """The due time and its sentence; a standstill that goes on moved nothing yet. Errors: calendar_range."""
    if promise.limit.unit is Unit.WORKING_DAY:
        found = _explain(calendar, promise, Limit(_days(promise), Unit.WORKING_DAY))
        return Told(
            found.due, _corrected(promise) + _with_extensions(in_chinese(found), promise) + _now(promise)
        )
    found = _explain(calendar, promise, promise.limit)
    due, sentence = found.due, in_chinese(found)
    for one in promise.granted:
        due = add(calendar, due - timedelta(seconds=1), Limit(one.days, Unit.WORKING_DAY))
        sentence += f"{_day(one.at)}同意延期 {one.days} 个工作日，至 {to_city(due):%Y-%m-%d %H:%M}。"
    return Told(due, _corrected(promise) + sentence + _now(promise))


def _explain(calendar: Calendar, promise: Promise, limit: Limit) -> Explanation:
    pauses = [one.pause(one.end) for one in promise.stood if one.end is not None]
    return explain(calendar, promise.start, limit, pauses)


def _days(promise: Promise) -> int:
    return promise.limit.amount + sum(one.days for one in promise.granted)


def _with_extensions(sentence: str, promise: Promise) -> str:
    """What was promised first and what was added, where the sum stands."""
    if not promise.granted:
        return sentence
    added = "、".join(f"{_day(one.at)}同意延期 {one.days} 个工作日" for one in promise.granted)
    whole = f"{_days(promise)} 个工作日"
    return sentence.replace(f"起 {whole}", f"起 {promise.limit.amount} 个工作日，{added}，共 {whole}", 1)


def _corrected(promise: Promise) -> str:
    if promise.corrected is None:
        return ""
    at, what = promise.corrected
    return f"{_day(at)}更正{what}，时限按更正后的事项从原起点计算。"


def _now(promise: Promise) -> str:
    going_on = next((one for one in promise.stood if one.end is None), None)
    return "" if going_on is None else f"{_day(going_on.begin)}起{going_on.word}，恢复后顺延。"


def _day(at: datetime) -> str:
    local = to_city(at)
    return f"{local.month} 月 {local.day} 日"


@dataclass(frozen=True)
class Used:
    """What a clock has used: of its own unit without standstills, and of everybody's time."""

    amount: int  # whole working days, else minutes: working ones where `working`
    days: bool
    working: bool
    natural: timedelta


def used(calendar: Calendar, promise: Promise, end: datetime) -> Used:
    """How much is used up at `end`, which is when the clock ended, or now. Errors: calendar_range."""
    unit, natural = promise.limit.unit, max(end - promise.start, timedelta())
    pauses = [one.pause(end) for one in promise.stood if one.begin < end]
    if unit is Unit.WORKING_DAY:
        ends = used_up(calendar, promise.start, end, unit, pauses)
        return Used(max(0, ends - 1), days=True, working=True, natural=natural)
    measure = Unit.MINUTE if unit in NATURAL else Unit.WORKING_MINUTE
    amount = used_up(calendar, promise.start, end, measure, pauses) // LENGTH[measure]
    return Used(amount, days=False, working=unit not in NATURAL, natural=natural)
