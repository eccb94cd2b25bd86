"""Shows where a phrase stands: short passages of the texts as they were written, with the phrase marked."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.text import spans
from tickets.flow import TicketReply
from tickets.models import Ticket, TicketHistory, table_of
from tickets.search.index import MATTER
from tickets.search.models import TicketText
from tickets.veil import Veil, covered

_ticket = table_of(Ticket)
_reply = table_of(TicketReply)
_history = table_of(TicketHistory)
_text = table_of(TicketText)
BEFORE, AFTER = 20, 60  # characters around the first place
MOST_MARKS = 6
MOST_SNIPPETS = 2  # per ticket
AT_ONCE = 200  # tickets whose texts are read together


@dataclass(frozen=True)
class Passage:
    """A stretch of text; `marked` when it is what was looked for."""

    text: str
    marked: bool


@dataclass(frozen=True)
class Snippet:
    """A passage of one text. `field` is a ticket column, `handling`, `public_reply` or `addition`."""

    field: str
    passages: tuple[Passage, ...]


def cut(text: str, phrase: str) -> tuple[Passage, ...]:
    """The surroundings of the first place where `text` contains the normalised `phrase`, or nothing."""
    places = spans(text, phrase)[:MOST_MARKS]
    if not places:
        return ()
    start = max(places[0][0] - BEFORE, 0)
    end = min(max(places[0][1] + AFTER, start + BEFORE + AFTER), len(text))
    found = [Passage("…", False)] if start else []
    at = start
    for first, last in places:
        if last > end:
            break
        found += [Passage(_flat(text[at:first]), False), Passage(_flat(text[first:last]), True)]
        at = last
    found.append(Passage(_flat(text[at:end]) + ("…" if end < len(text) else ""), False))
    return tuple(passage for passage in found if passage.text)


def marked(text: str, phrase: str) -> tuple[Passage, ...]:
    """The whole of a short text, with every place marked."""
    found, at = [], 0
    for first, last in spans(text, phrase):
        found += [Passage(text[at:first], False), Passage(text[first:last], True)]
        at = last
    return tuple(passage for passage in [*found, Passage(text[at:], False)] if passage.text)


def _flat(text: str) -> str:
    return text.replace("\n", " ")


async def of(
    session: AsyncSession, ids: Sequence[int], phrase: str, veils: Mapping[int, Veil]
) -> dict[int, tuple[Snippet, ...]]:
    """The snippets of each of these tickets beside its title, the matter before replies and additions.

    Of a ticket with a veil only what is left to be read under it.
    """
    if not ids:
        return {}
    found: dict[int, list[Snippet]] = {}
    for ident, field, text in await texts_with(session, ids, phrase):
        mine = found.setdefault(ident, [])
        if field == "title" or len(mine) >= MOST_SNIPPETS:
            continue
        if passages := cut(covered(veils.get(ident), text), phrase):
            mine.append(Snippet(field, passages))
    return {ident: tuple(snippets) for ident, snippets in found.items()}


async def left_to_read(session: AsyncSession, phrase: str, veils: Mapping[int, Veil]) -> AbstractSet[int]:
    """Those of the veiled tickets in which the phrase still stands once the veil is over their texts.

    Looking for a name must not say whose ticket it is by finding it.
    """
    ids, left = list(veils), set[int]()
    for start in range(0, len(ids), AT_ONCE):
        found = await texts_with(session, ids[start : start + AT_ONCE], phrase)
        left |= {ident for ident, _field, text in found if spans(veils[ident].over(text), phrase)}
    return left


async def texts_with(session: AsyncSession, ids: Sequence[int], phrase: str) -> list[tuple[int, str, str]]:
    """(ticket, field, text as written) of every text of these tickets that has the phrase in its index."""
    query = sa.select(_text.c.ticket_id, _text.c.field, _text.c.ref).where(
        _text.c.ticket_id.in_(ids), _text.c.body.contains(phrase, autoescape=True)
    )
    places = (await session.execute(query.distinct())).all()
    matters = [row.ticket_id for row in places if row.field == "matter"]
    replies = [row.ref for row in places if row.field == "reply"]
    additions = [(row.ticket_id, row.ref) for row in places if row.field == "addition"]
    found: list[tuple[int, str, str]] = []
    if matters:
        columns = sa.select(_ticket.c.id, *(_ticket.c[name] for name in MATTER))
        found += _each(await session.execute(columns.where(_ticket.c.id.in_(matters))), MATTER)
    if replies:
        names = ("handling", "public_reply")
        columns = sa.select(_reply.c.ticket_id.label("id"), *(_reply.c[name] for name in names))
        found += _each(await session.execute(columns.where(_reply.c.id.in_(replies))), names)
    if additions:
        columns = sa.select(_history.c.ticket_id.label("id"), _history.c.note.label("addition")).where(
            _history.c.ticket_id.in_([ident for ident, _ in additions]),
            sa.tuple_(_history.c.ticket_id, _history.c.version).in_(additions),
        )
        found += _each(await session.execute(columns), ("addition",))
    return found


def _each(rows: Any, names: Sequence[str]) -> list[tuple[int, str, str]]:
    return [(row.id, name, getattr(row, name)) for row in rows for name in names]
