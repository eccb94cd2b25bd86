"""What the ticket room tells whoever counts (`tickets.counting`): each step of a ticket's life. Pure.

A `Move` says where a ticket stood, what was done and where it stands: enough to say which figures the
step moves, and nothing that the history cannot tell again later.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple


class Seen(NamedTuple):
    """A ticket as figures see it; the names are those of its columns."""

    state: str
    type: str
    category_id: int
    district_id: int | None = None
    lead_unit_id: int | None = None
    desk_unit_id: int | None = None
    stage: str | None = None
    stage_since: datetime | None = None
    stage_due_at: datetime | None = None
    due_at: datetime | None = None
    round: int = 1
    excluded: bool = False
    responded: bool | None = None
    solved: bool | None = None
    satisfied: int | None = None


class Span(NamedTuple):
    """A stage that ended: when it began and when it was due."""

    started_at: datetime
    due_at: datetime | None


class Move(NamedTuple):
    """One step of a ticket's life; `before` is None for the first one."""

    ticket_id: int
    version: int
    at: datetime
    action: str
    automatic: bool  # done by the clock, by nobody; a machine client is somebody
    before: Seen | None
    after: Seen
    contact: Span | None = None  # the contact stage, if this step ended it with a contact
    result: str | None = None  # of a call-back


class Noted(NamedTuple):
    """A numbered record of a contact that became no ticket."""

    id: int
    at: datetime
    code: str
    type: str | None
    category_id: int | None


_of_row = attrgetter(*Seen._fields)


def seen(row: Any) -> Seen:
    """A row of `ticket` as figures see it."""
    return Seen._make(_of_row(row))


def seen_of(row: Mapping[str, Any]) -> Seen:
    """The same of a row of the driver, which has its columns by name."""
    return Seen._make(row[name] for name in Seen._fields)


def seen_with(before: Seen, values: Mapping[str, Any]) -> Seen:
    """The same after `values` were written into it."""
    return before._replace(**{name: values[name] for name in Seen._fields if name in values})
