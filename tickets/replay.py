"""Replays a ticket's history: what the rows say must be where the ticket stands. Pure.

Used by a property test over random walks, and whenever somebody doubts a figure of the past.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

BESIDE = 0  # as in tickets/history.py


class Row(Protocol):
    """What a replay reads of a history row."""

    @property
    def action(self) -> str:
        """What was done."""

    @property
    def from_state(self) -> str | None:
        """The state before; None for the first row."""

    @property
    def to_state(self) -> str:
        """The state after."""

    @property
    def version(self) -> int:
        """The ticket's version after."""

    @property
    def changes(self) -> Mapping[str, Any]:
        """Column → value in the first row, column → [before, after] later."""


class HistoryBroken(ValueError):
    """A row does not continue the one before it."""


def replay(rows: Sequence[Row]) -> dict[str, Any]:
    """The state, the version and every column the history speaks of, after all `rows`.

    Rows beside the ticket's life (a card that was issued) say nothing of it and are passed over.
    Raises HistoryBroken when a row starts where the one before did not end.
    """
    known: dict[str, Any] = {}
    life = [row for row in rows if row.version != BESIDE]
    for place, row in enumerate(life):
        if place == 0:
            known = dict(row.changes)
        else:
            _continue(known, row)
        known["state"], known["version"] = row.to_state, row.version
    known.pop("told", None)
    return known


def _continue(known: dict[str, Any], row: Row) -> None:
    if row.from_state != known["state"] or row.version != known["version"] + 1:
        raise HistoryBroken(f"version {row.version} ({row.action}) does not follow {known['version']}")
    for name, change in row.changes.items():
        if name == "told":
            continue
        before, after = change
        if name in known and known[name] != before:
            raise HistoryBroken(f"version {row.version}: {name} was {known[name]!r}, not {before!r}")
        known[name] = after
