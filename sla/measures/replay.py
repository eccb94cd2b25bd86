"""The facts of a ticket from its history, by the same function as its steps. Pure.

What the history does not say itself lies in the rows of `ticket_stage`, which are never deleted: when the
present stage began, and what a contact answered to.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sla.measures.steps import LEAVE_OUT, MAY_SEND, Step, steps
from tickets.measures import Move, Seen, Span
from tickets.states import State

Key = tuple[str, int]
_BESIDE = frozenset({"contact", "total", "co_opinion", "exclusion"})  # stages that run beside the main one
_SEEN = frozenset(Seen._fields) - {"state", "district_id", "stage_since"}
_TIMES = frozenset({"due_at", "stage_due_at"})
_ANSWERS = ("contact", "close")


class Fact(NamedTuple):
    """What is kept of a fact; its key is not part of it."""

    day: date
    unit_id: int
    category_id: int
    district_id: int
    type: str
    left_out: bool


def apply(facts: dict[Key, Fact], found: Iterable[Step], *, left_out: bool) -> None:
    """Put down and take back."""
    for step in found:
        if step.code == LEAVE_OUT:
            for key, fact in facts.items():
                facts[key] = fact._replace(left_out=True)
        elif step.n < 0:
            facts.pop((step.code, step.seq), None)
        elif step.day is not None:
            where = (step.day, step.unit_id, step.category_id, step.district_id, step.type)
            facts[step.code, step.seq] = Fact(*where, left_out)


def facts_of(district_id: int | None, rows: Sequence[Any], stages: Sequence[Any]) -> dict[Key, Fact]:
    """Every fact of a ticket: of its history `rows` and its `stages`, both in the order of their ids."""
    facts: dict[Key, Fact] = {}
    for move in moves(district_id, rows, stages):
        apply(facts, steps(move), left_out=move.after.excluded)
    return facts


def moves(district_id: int | None, rows: Sequence[Any], stages: Sequence[Any]) -> Iterable[Move]:
    """The steps of a ticket as its writers saw them."""
    main = iter([stage for stage in stages if stage.stage not in _BESIDE])
    contacts = [stage for stage in stages if stage.stage == "contact" and stage.ended_by in _ANSWERS]
    before: Seen | None = None
    for row in rows:
        after = _after(before, row, district_id)
        if _moved(before, row):
            after = after._replace(stage_since=_since(main, after.stage, row.at))
        told: Mapping[str, Any] = row.changes.get("told") or {}
        span = _contact(contacts, row)
        automatic = row.actor_id is None and row.role != "machine"
        yield Move(
            row.ticket_id, row.version, row.at, row.action, automatic, before, after, span, told.get("result")
        )
        before = after


def _after(before: Seen | None, row: Any, district_id: int | None) -> Seen:
    if before is None:
        values = {name: row.changes[name] for name in _SEEN if name in row.changes}
        return Seen(state=row.to_state, district_id=district_id, **_with_times(values))
    values = {name: row.changes[name][1] for name in _SEEN if name in row.changes}
    return before._replace(state=row.to_state, **_with_times(values))


def _with_times(values: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES & values.keys():
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    return values


def _moved(before: Seen | None, row: Any) -> bool:
    """Whether a stage began or ended with this step."""
    if before is None or before.state != row.to_state:
        return True
    return row.action in MAY_SEND and row.to_state == State.WAITING_SIGN


def _since(main: Any, stage: str | None, at: datetime) -> datetime | None:
    """When the stage of the new state began: the next row of the table says it."""
    if stage is None:
        return None
    row = next((found for found in main if found.stage == stage), None)
    return at if row is None else row.started_at


def _contact(contacts: list[Any], row: Any) -> Span | None:
    """The contact stage this row ended; each was ended once."""
    for place, stage in enumerate(contacts):
        if stage.ended_at == row.at and stage.ended_by == row.action:
            del contacts[place]
            return Span(stage.started_at, stage.due_at)
    return None
