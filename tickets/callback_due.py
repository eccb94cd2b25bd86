"""When a missed caller is to be called back. Pure.

Within `minutes` when the call was missed in the hours in which the floor is staffed, by a fixed time
of the morning when it was missed at night (漏接回拨, 国办函〔2025〕66号 asks for the call-back; the
limits are settings). The calendar of working days plays no part: the telephone is answered every day,
and who called on the first evening of a holiday is not to wait for its end.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.clock import CITY_ZONE, to_city
from core.settings import Settings


@dataclass(frozen=True)
class CallbackHours:
    """The floor's day in city time; `ends` None is midnight. The lunch break is part of it."""

    starts: time
    ends: time | None
    minutes: int
    morning: time


def hours_of(settings: Settings) -> CallbackHours:
    """From the first span of the office hours to the end of the last."""
    spans = sorted(span.split("-") for span in settings.city.office_hours)
    last = max(span[1] for span in spans)
    return CallbackHours(
        starts=time.fromisoformat(spans[0][0]),
        ends=None if last == "24:00" else time.fromisoformat(last),
        minutes=settings.telephony.callback_minutes,
        morning=time.fromisoformat(settings.telephony.night_callback_by),
    )


def callback_due(missed_at: datetime, hours: CallbackHours) -> datetime:
    """The instant (UTC) by which a caller missed at `missed_at` must have been called.

    The first minute of the day counts as day, the minute the day ends as night. A call missed
    after midnight is due the same morning, one missed in the evening the next.
    """
    if not is_night(missed_at, hours):
        return missed_at + timedelta(minutes=hours.minutes)
    local = to_city(missed_at)
    day = local.date() if local.time() < hours.starts else local.date() + timedelta(days=1)
    due = datetime.combine(day, hours.morning, CITY_ZONE).astimezone(missed_at.tzinfo)
    return max(due, missed_at)


def next_try(now: datetime, pause: timedelta, quiet: str) -> datetime:
    """Before when a citizen who was just called in vain is not called again (UTC).

    After the pause; what falls into the quiet hours (`22:00-07:30`, city time; empty: none) waits for
    their end, since nobody is called out of bed for a second time.
    """
    then = now + pause
    if not quiet:
        return then
    begin, end = (time.fromisoformat(part) for part in quiet.split("-"))
    here = to_city(then)
    clock = here.time()
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not inside:
        return then
    day = here.date() + timedelta(days=1 if clock >= end else 0)
    return datetime.combine(day, end, CITY_ZONE).astimezone(now.tzinfo)


def is_night(at: datetime, hours: CallbackHours) -> bool:
    """Whether an instant lies outside the floor's day."""
    clock = to_city(at).time()
    return clock < hours.starts or (hours.ends is not None and clock >= hours.ends)


def night_ends(day: date, settings: Settings) -> datetime:
    """When the calls missed in the night before `day` must have been made (UTC)."""
    morning = time.fromisoformat(settings.telephony.night_callback_by)
    return datetime.combine(day, morning, CITY_ZONE).astimezone(UTC)
