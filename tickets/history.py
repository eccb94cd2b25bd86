"""Appends to the history of tickets and drafts; nothing here edits a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.db import UnitOfWork
from core.people.actor import Actor
from core.people.permissions import Role
from tickets.models import DraftHistory, TicketHistory, table_of
from tickets.workflow import Action, State

_ticket = table_of(TicketHistory)
_draft = table_of(DraftHistory)
# The version of a row that tells of something beside the ticket's life: it is no version of the ticket.
BESIDE = 0


@dataclass(frozen=True)
class Entry:
    """One row to append; `changes` holds codes and references, never personal values."""

    ticket_id: int
    action: Action
    from_state: State | None
    to_state: State
    version: int
    note: str = ""
    reason_code: str | None = None
    call_session_id: int | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


# What a replay must find again; everything else of a row is derived or never changes.
KEPT: tuple[str, ...] = (
    *("lead_unit_id", "desk_unit_id", "subject_unit_id", "category_id", "type", "urgency"),
    *("confidentiality", "title", "narrative", "expected", "address", "subject_name", "dispatched_at"),
    *("due_at", "stage", "stage_due_at", "round", "returns", "extensions", "urges", "supervised", "ruled"),
    *("excluded", "contacted_at", "reply_id", "closed_as", "closed_at", "archived_at", "responded"),
    *("solved", "satisfied", "merged_into_id", "appeal_of_id", "avoid_unit_id", "avoid_user_id"),
)
# The intake row names only what a reader looks for; the texts of the first version are the ticket's
# own until a correction writes down both.
FIRST: tuple[str, ...] = (
    *("type", "urgency", "category_id", "confidentiality", "subject_unit_id", "appeal_of_id"),
    *("avoid_unit_id", "avoid_user_id", "stage", "stage_due_at"),
)


def plain(value: Any) -> Any:
    """A column's value as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def first_changes(row: Mapping[str, Any]) -> dict[str, Any]:
    """The `changes` of the row a ticket begins with: column → value."""
    return {name: plain(row[name]) for name in FIRST if row.get(name) is not None}


def changes(before: Any, values: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The `changes` of an action: column → [before, after]; what else it did under `told`."""
    found: dict[str, Any] = {}
    for name in KEPT:
        if name in values:
            old, new = plain(getattr(before, name)), plain(values[name])
            if old != new:
                found[name] = [old, new]
    if told:
        found["told"] = {name: plain(value) for name, value in told.items()}
    return found


def role_of(actor: Actor) -> str:
    """The post a history row shows: the first one held, in the order of the list of posts.

    `machine` for another system, which acts for its people; `system` for what the product does by itself.
    """
    if actor.is_machine:
        return "machine"
    return next((role.value for role in Role if role in actor.roles), "system")


async def append(uow: UnitOfWork, actor: Actor, entries: Sequence[Entry]) -> None:
    """Append `entries` in order, as done by `actor` now; sent with the other writes of the transaction."""
    who: dict[str, Any] = {
        "at": uow.now,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "role": role_of(actor),
        "unit_id": actor.unit_id,
    }
    rows = [
        who
        | {
            "ticket_id": entry.ticket_id,
            "action": entry.action.value,
            "reason_code": entry.reason_code,
            "note": entry.note,
            "from_state": entry.from_state.value if entry.from_state else None,
            "to_state": entry.to_state.value,
            "version": entry.version,
            "call_session_id": entry.call_session_id,
            "changes": dict(entry.changes),
        }
        for entry in entries
    ]
    await uow.put(_ticket, *rows)


async def append_draft(
    uow: UnitOfWork,
    *,
    draft_id: int,
    actor_id: int | None,
    action: str,
    version: int,
    from_owner: int | None = None,
    to_owner: int | None = None,
) -> None:
    """Append what happened to a draft: opened, handed_over, taken_over, ended."""
    row = {
        "draft_id": draft_id,
        "at": uow.now,
        "actor_id": actor_id,
        "action": action,
        "from_owner_id": from_owner,
        "to_owner_id": to_owner,
        "version": version,
    }
    await uow.put(_draft, row)
