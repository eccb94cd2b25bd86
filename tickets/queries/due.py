"""Lists by due time, the most urgent first: each source is read from its own index, then merged.

A source is a set of rows with a due time and a key; a list is several of them (the units of a subtree,
the states of a queue). Each gives at most one page, so that the cost follows the page and the number
of sources, not what they hold. What has no due time comes last.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.errors import HotlineError

_NEVER = "-"


@dataclass(frozen=True)
class Mark:
    """The row a page ended with."""

    due_at: datetime | None
    key: int


def encode_mark(mark: Mark) -> str:
    """An opaque mark after this row."""
    due = _NEVER if mark.due_at is None else mark.due_at.astimezone(UTC).isoformat()
    return base64.urlsafe_b64encode(f"{due}|{mark.key}".encode()).decode().rstrip("=")


def decode_mark(cursor: str) -> Mark:
    """The row a mark stands after; raises `bad_cursor`."""
    try:
        raw = base64.urlsafe_b64decode(cursor[:200] + "=" * (-len(cursor[:200]) % 4)).decode()
        at, _, key = raw.partition("|")
        due = None if at == _NEVER else datetime.fromisoformat(at)
        if (due is not None and due.tzinfo is None) or not 0 < int(key) < 2**63:
            raise ValueError
    except (ValueError, binascii.Error):
        raise HotlineError("bad_cursor") from None
    return Mark(due, int(key))


def page_of(
    source: sa.Select[Any],
    due: sa.ColumnElement[Any],
    key: sa.ColumnElement[Any],
    after: Mark | None,
    limit: int,
) -> list[sa.Select[Any]]:
    """One page of a source as two selects, what is due and what is not; `source` selects due and key.

    One select with "due_at > … OR due_at IS NULL" could not be read from the index in order.
    """
    dated, undated = source.where(due.is_not(None)), source.where(due.is_(None))
    if after is not None and after.due_at is not None:
        mark = sa.tuple_(sa.literal(after.due_at, due.type), sa.literal(after.key, key.type))
        dated = dated.where(sa.tuple_(due, key) > mark)
    elif after is not None:
        dated, undated = dated.where(sa.false()), undated.where(key > after.key)
    return [dated.order_by(due, key).limit(limit), undated.order_by(key).limit(limit)]


def merged(parts: Sequence[sa.Select[Any]]) -> sa.Subquery:
    """Several selects of the same columns, one after the other."""
    return sa.union_all(*(part.subquery().select() for part in parts)).subquery("part")
