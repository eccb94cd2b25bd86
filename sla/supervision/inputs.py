"""What people give a document of supervision: cleaned, measured, and days as moments. Without SQL."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from core.clock import CITY_ZONE
from core.errors import HotlineError
from sla.supervision.terms import KEPT_FROM_UNITS, Ground, Kind
from tickets.forms import clean

MAX_TEXT = 1500
MOST_COPIES = 20
MOST_DAYS = 60
END_OF_WORK = time(18)
MORNING = time(9)


@dataclass(frozen=True)
class NewOrder:
    """What is to be issued. `version` is the ticket's as it was seen; `key` belongs to the form."""

    kind: Kind
    unit_id: int
    subject: str
    requirement: str
    ground: Ground = Ground.OTHER
    ticket_id: int | None = None
    version: int | None = None
    copies: tuple[int, ...] = ()
    days: int | None = None
    report_on: date | None = None
    recipient: str = ""
    parent_id: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class Interview:
    """The record of a 约谈."""

    held_at: datetime
    place: str
    attendees: str
    minutes: str
    measures: str
    next_look: date | None = None


def checked(asked: NewOrder) -> NewOrder:
    """The texts cleaned and measured. Raises `form_invalid`."""
    subject, text = " ".join(asked.subject.split()), clean(asked.requirement, lines=True)
    wrong: dict[str, str] = {}
    for name, value, most in (("subject", subject, 120), ("requirement", text, MAX_TEXT)):
        if len(value) < 2:
            wrong[name] = "required"
        elif len(value) > most:
            wrong[name] = "too_long"
    if asked.kind is Kind.HANDOVER and not asked.recipient.strip():
        wrong["recipient"] = "required"
    if asked.days is not None and not 1 <= asked.days <= MOST_DAYS:
        wrong["days"] = "bad_value"
    if len(asked.copies) > MOST_COPIES:
        wrong["copies"] = "too_long"
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    copies = tuple(unit for unit in dict.fromkeys(asked.copies) if unit != asked.unit_id)
    if asked.kind in KEPT_FROM_UNITS:
        copies = ()
    given = vars(asked) | {"subject": subject, "requirement": text, "copies": copies}
    return NewOrder(**given)


def report_by(day: date, now: datetime) -> datetime:
    """The end of work of a day. Raises `form_invalid`."""
    return _moment("report_on", day, END_OF_WORK, now)


def next_look(day: date | None, now: datetime) -> dict[str, Any]:
    """The morning of the day of the next look, for the document and for its course."""
    if day is None:
        return {"detail": {"next_look_at": None}, "next_look_at": None}
    at = _moment("next_look", day, MORNING, now)
    return {"detail": {"next_look_at": at.isoformat()}, "next_look_at": at}


def _moment(name: str, day: date, of_day: time, now: datetime) -> datetime:
    at = datetime.combine(day, of_day, CITY_ZONE).astimezone(UTC)
    if at <= now:
        raise HotlineError("form_invalid", fields={name: "in_past"})
    return at
