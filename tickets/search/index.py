"""Writes the full-text index, within the writer's transaction: a ticket is never without its texts.

What is indexed: the matter (title, narrative, what the citizen expects, address, whom it is about),
the replies (what was done, what the citizen was told) and what citizens added (with an urge, too).
Internal notes are not.
Tokens are made here, so that the database has nothing to do but to store them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.text import bigrams, joined, pieces
from tickets.models import table_of
from tickets.search.models import TicketText
from tickets.search.windows import time_tokens

FieldName = Literal["matter", "reply", "addition"]
MATTER = ("title", "narrative", "expected", "address", "subject_name")
ADDITIONS = ("add", "supplement", "urge")  # actions whose note is the citizen's word
CHUNK = 500  # texts per statement
_text = table_of(TicketText)


@dataclass(frozen=True)
class Written:
    """A text to index. `parts` are searched alike, but no phrase reaches from one into the next.

    `ref` tells texts of the same field apart: the reply's or history row's id, 0 for the matter.
    `created_at` is the ticket's creation (UTC), not the text's.
    """

    ticket_id: int
    field: FieldName
    created_at: datetime
    parts: tuple[str, ...]
    ref: int = 0


def matter(ticket_id: int, created_at: datetime, values: Mapping[str, Any]) -> Written:
    """The searchable words of a ticket; `values` are its columns, of which MATTER are read."""
    parts = tuple(str(values.get(name) or "") for name in MATTER)
    return Written(ticket_id, "matter", created_at, parts)


def reply(ticket_id: int, created_at: datetime, reply_id: int, handling: str, public_reply: str) -> Written:
    """What was done, and what the citizen was told."""
    return Written(ticket_id, "reply", created_at, (handling, public_reply), reply_id)


def addition(ticket_id: int, created_at: datetime, version: int, note: str) -> Written:
    """What a citizen added, with the version of the ticket it made."""
    return Written(ticket_id, "addition", created_at, (note,), version)


async def put(uow: UnitOfWork, *texts: Written) -> None:
    """Index new texts, together with whatever else the transaction writes."""
    rows = [dict(zip(_COLUMNS, row, strict=True)) for text in texts for row in rows_of(text)]
    await uow.put(_text, *rows)


async def replace(uow: UnitOfWork, *texts: Written) -> None:
    """Index texts that were edited: what stood there before is found no more."""
    for text in texts:
        await uow.session.execute(
            sa.delete(_text).where(
                _text.c.ticket_id == text.ticket_id, _text.c.field == text.field, _text.c.ref == text.ref
            )
        )
    await index_many(uow.session, texts)


async def after_action(
    uow: UnitOfWork, before: Any, action: str, version: int, note: str, changed: Mapping[str, Any]
) -> None:
    """Index what an action said; `before` is the ticket's row as it was, `changed` its new columns."""
    if action in ADDITIONS and note:
        await put(uow, addition(before.id, before.created_at, version, note))
    if changed.keys() & set(MATTER):
        values = {name: changed.get(name, getattr(before, name)) for name in MATTER}
        await replace(uow, matter(before.id, before.created_at, values))


async def index_many(session: AsyncSession, texts: Iterable[Written]) -> None:
    """Index many texts, none of which is indexed already; for imports, the demo and measurements."""
    rows = [row for text in texts for row in rows_of(text)]
    for start in range(0, len(rows), CHUNK):
        columns = zip(*rows[start : start + CHUNK], strict=True)
        await session.execute(_INSERT, dict(zip(_COLUMNS, map(list, columns), strict=True)))


def rows_of(text: Written) -> Sequence[tuple[Any, ...]]:
    """The rows of a text, in the order of the table's columns; none when it says nothing."""
    body = joined(*text.parts)
    if not body:
        return []
    times = time_tokens(text.created_at)
    return [
        (
            text.ticket_id,
            text.field,
            text.ref,
            number,
            text.created_at,
            piece,
            tsvector([*bigrams(piece), *times]),
        )
        for number, piece in enumerate(pieces(body))
    ]


def quoted(token: str) -> str:
    """A token as tsvector and tsquery read it."""
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def tsvector(tokens: Iterable[str]) -> str:
    """The literal of a tsvector without positions."""
    listed = list(tokens)
    together = "".join(listed)
    if "'" in together or "\\" in together:
        return " ".join(map(quoted, listed))
    return "'" + "' '".join(listed) + "'" if listed else ""


_COLUMNS = ("ticket_id", "field", "ref", "piece", "created_at", "body", "tsv")
# One text for any number of rows: a multi-row insert would be compiled anew each time.
_INSERT = sa.text(
    """
    INSERT INTO ticket_text (ticket_id, field, ref, piece, created_at, body, tsv)
    SELECT t.ticket_id, t.field, t.ref, t.piece, t.created_at, t.body, CAST(t.tsv AS tsvector)
    FROM unnest(
        CAST(:ticket_id AS bigint[]), CAST(:field AS text[]), CAST(:ref AS bigint[]), CAST(:piece AS int[]),
        CAST(:created_at AS timestamptz[]), CAST(:body AS text[]), CAST(:tsv AS text[])
    ) AS t (ticket_id, field, ref, piece, created_at, body, tsv)
    """
).bindparams(
    sa.bindparam("ticket_id", type_=ARRAY(sa.BigInteger)),
    sa.bindparam("ref", type_=ARRAY(sa.BigInteger)),
    sa.bindparam("piece", type_=ARRAY(sa.Integer)),
    sa.bindparam("created_at", type_=ARRAY(sa.DateTime(timezone=True))),
    *(sa.bindparam(name, type_=ARRAY(sa.Text)) for name in ("field", "body", "tsv")),
)
