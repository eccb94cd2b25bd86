"""Finds and counts tickets by a phrase in their texts, newest first, as far as a person may see them.

The time a search takes hangs on what it shows, not on how many tickets there are: windows of time are
looked through from the newest until a page is full (`windows`), and counting stops at a cap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.text import MAX_PHRASE, RUN, phrase_pairs, searchable
from tickets.models import Ticket, table_of
from tickets.queries.filters import (
    MAX_PAGE,
    Page,
    TicketFilters,
    conditions,
    decode_cursor,
    encode_cursor,
)
from tickets.queries.lists import TicketItem, items_of, unit_scope
from tickets.queries.veils import veils
from tickets.search import mine, snippets
from tickets.search.common import STATISTICS, telling
from tickets.search.index import quoted
from tickets.search.mine import Mark
from tickets.search.models import TicketText
from tickets.search.snippets import Passage, Snippet, marked
from tickets.search.windows import level_for, windows
from tickets.visibility import visible_tickets

_ticket = table_of(Ticket)
_text = table_of(TicketText)
COUNT_CAP = 10_000
FIRST_WINDOW = 500  # tickets: a window this full answers most searches at once


@dataclass(frozen=True)
class Hit:
    """A ticket that was found, and where the phrase stands in it."""

    item: TicketItem
    title: tuple[Passage, ...]
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True)
class Count:
    """How many tickets were found; `more` when counting stopped there."""

    number: int
    more: bool


@dataclass(frozen=True)
class Asked:
    """A search made ready: the phrase, the conditions on the tickets it may show, where it goes on."""

    phrase: str
    wanted: tuple[sa.ColumnElement[bool], ...]
    scope: tuple[int, ...] | None  # units, None for all
    before: Mark | None = None
    pairs: tuple[str, ...] = ()


def phrase_of(typed: str) -> str:
    """What is looked for; empty when nothing of it can be (blanks, a mere number).

    Raises HotlineError `search_too_long` (most: characters).
    """
    if len(typed) > MAX_PHRASE:
        raise HotlineError("search_too_long", most=MAX_PHRASE)
    phrase = searchable(typed)
    return phrase if phrase.strip(RUN + " ") else ""


def contains(phrase: str) -> sa.ColumnElement[bool]:
    """The index says which texts have the pairs; this says which have them in a row."""
    return _text.c.body.contains(phrase, autoescape=True)


async def find(
    session: AsyncSession,
    actor: Actor,
    typed: str,
    filters: TicketFilters | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Hit]:
    """One page of the tickets whose matter, replies or additions contain `typed`, newest first.

    `filters.text` is not looked at. Raises `search_too_long`, `bad_cursor`.
    """
    before = decode_cursor(cursor) if cursor is not None else None
    asked = await _ask(session, actor, typed, filters, before)
    page = await _page(session, actor, asked, limit)
    veiled = await veils(session, actor, [item.id for item in page.items if item.sealed])
    found = await snippets.of(session, [item.id for item in page.items], asked.phrase, veiled)
    hits = [Hit(item, marked(item.title, asked.phrase), found.get(item.id, ())) for item in page.items]
    return Page(tuple(hits), page.next_cursor)


async def items(
    session: AsyncSession, actor: Actor, filters: TicketFilters, cursor: str | None = None, limit: int = 25
) -> Page[TicketItem]:
    """What `ticket_list` shows for filters with a `text`, without reading every ticket for it."""
    before = decode_cursor(cursor) if cursor is not None else None
    asked = await _ask(session, actor, filters.text or "", filters, before)
    return await _page(session, actor, asked, limit)


async def _page(session: AsyncSession, actor: Actor, asked: Asked, limit: int) -> Page[TicketItem]:
    limit = max(1, min(limit, MAX_PAGE))
    ids = await _ids(session, actor, asked, limit + 1)
    found = await items_of(session, actor, ids[:limit])
    more = len(ids) > limit and found
    return Page(found, encode_cursor(found[-1].created_at, found[-1].id) if more else None)


async def count(
    session: AsyncSession,
    actor: Actor,
    typed: str,
    filters: TicketFilters | None = None,
    cap: int = COUNT_CAP,
) -> Count:
    """How many tickets `find` would show in all its pages, counted no further than `cap`."""
    asked = await _ask(session, actor, typed, filters, None)
    found = len(await _ids(session, actor, asked, cap + 1))
    return Count(min(found, cap), found > cap)


async def _ask(
    session: AsyncSession, actor: Actor, typed: str, filters: TicketFilters | None, before: Mark | None
) -> Asked:
    filters = replace(filters or TicketFilters(), text=None)
    scope = await unit_scope(session, actor, filters.unit_id)
    wanted = [visible_tickets(actor), *conditions(filters, actor)]
    if scope is not None and filters.unit_id is not None:  # else visibility says the same
        wanted.append(mine.held_by(scope))
    return Asked(phrase_of(typed), tuple(wanted), None if scope is None else tuple(scope), before)


async def _ids(session: AsyncSession, actor: Actor, asked: Asked, limit: int) -> list[int]:
    """The newest tickets found, at most `limit`; a sealed one only by what may be read of it."""
    found: list[int] = []
    search = asked
    while len(found) < limit:
        wanted = limit - len(found)
        marks = await _marks(session, search, wanted)
        ids = [ident for _, ident in marks]
        veiled = await veils(session, actor, ids)
        left = await snippets.left_to_read(session, asked.phrase, veiled) if veiled else ()
        found += [ident for ident in ids if ident not in veiled or ident in left]
        if len(marks) < wanted:
            break
        search = replace(search, before=marks[-1])
    return found


async def _marks(session: AsyncSession, asked: Asked, limit: int) -> list[Mark]:
    """The newest tickets with the phrase in their texts, newest first, at most `limit`."""
    if not asked.phrase or asked.scope == ():
        return []
    found: list[Mark] = []
    shares = await STATISTICS.shares(session)
    search = replace(asked, pairs=tuple(telling(phrase_pairs(asked.phrase), shares)))
    if asked.scope is None:
        return _newest(await _windowed(session, search, limit), limit)
    newest: int | None = None
    looked = 0
    for most in mine.STEPS:
        near = await mine.newest(session, asked.scope, search.before, most)
        found += await mine.among(session, [ident for _, ident in near], contains(asked.phrase), asked.wanted)
        if len(found) >= limit or len(near) < most:
            return _newest(found, limit)
        search = replace(search, before=near[-1])
        newest, looked = newest or near[0][1], looked + most
        if mine.is_large(looked, newest - near[-1][1], len(found)):
            break
        if most == mine.STEPS[0] and not found:
            # What is rare everywhere is found sooner than everything a unit holds is read.
            everywhere = await _windowed(session, replace(search, wanted=()), mine.RARE)
            if len(everywhere) < mine.RARE:
                ids = [ident for _, ident in everywhere]
                found += await mine.among(session, ids, contains(asked.phrase), asked.wanted)
                return _newest(found, limit)
    return _newest(found + await _windowed(session, search, limit - len(found)), limit)


def _newest(found: list[Mark], limit: int) -> list[Mark]:
    return sorted(found, reverse=True)[:limit]


async def _windowed(session: AsyncSession, asked: Asked, limit: int) -> list[Mark]:
    """What is found window by window, newest first, until there are `limit`."""
    span = await _span(session, asked)
    if span is None:
        return []
    given = [window_query(asked.phrase, asked.pairs, window) for window in windows(*span)]
    rows = await session.execute(_by_windows(asked), {"queries": given, "most": limit})
    return [(row.created_at, row.id) for row in rows]


async def _span(session: AsyncSession, asked: Asked) -> tuple[datetime, datetime, int] | None:
    """The newest and the oldest ticket there is to look at, and how fine the windows begin."""
    upper = [_ticket.c.created_at <= asked.before[0]] if asked.before else []
    newest = sa.select(_ticket.c.created_at).where(*upper).order_by(_ticket.c.created_at.desc())
    oldest = sa.select(_ticket.c.created_at).order_by(_ticket.c.created_at)
    query = sa.select(
        newest.limit(1).scalar_subquery().label("newest"),
        newest.offset(FIRST_WINDOW).limit(1).scalar_subquery().label("near"),
        oldest.limit(1).scalar_subquery().label("oldest"),
    )
    row = (await session.execute(query)).one()
    if row.newest is None:
        return None
    return row.newest, row.oldest, level_for(row.newest - (row.near or row.oldest))


def window_query(phrase: str, pairs: Sequence[str], window: list[str]) -> str:
    """The tsquery of a phrase's pairs within a window; a single character begins a pair or ends a text."""
    wanted = [quoted(pair) for pair in pairs] or [quoted(phrase) + ":*"]
    return " & ".join(["(" + " | ".join(map(quoted, window)) + ")", *wanted])


def _windows_given() -> Any:
    given = sa.func.unnest(sa.bindparam("queries", type_=ARRAY(sa.Text)))
    return given.table_valued(sa.column("query", sa.Text), name="win").render_derived()


def _texts_in(window: Any, asked: Asked) -> sa.Select[Any]:
    """The ids of the tickets with the phrase in one of their texts, in a window and before the mark."""
    query = sa.select(_text.c.ticket_id).where(_text.c.tsv.bool_op("@@")(sa.cast(window.c.query, TSQUERY)))
    if len(asked.phrase) > 2:
        query = query.where(contains(asked.phrase))
    if asked.before is not None:
        at, ident = asked.before
        mark = sa.tuple_(sa.literal(at, _text.c.created_at.type), sa.literal(ident, sa.BigInteger))
        query = query.where(sa.tuple_(_text.c.created_at, _text.c.ticket_id) < mark)
    return query.correlate(window)


_MOST: sa.BindParameter[int] = sa.bindparam("most", type_=sa.Integer)


def _by_windows(asked: Asked) -> sa.Select[Any]:
    """LATERAL goes through the windows in their order and stops when there is enough."""
    window = _windows_given()
    texts = _texts_in(window, asked).group_by(_text.c.ticket_id).subquery("texts")
    found = (
        sa.select(_ticket.c.id, _ticket.c.created_at)
        .join(texts, texts.c.ticket_id == _ticket.c.id)
        .where(*asked.wanted)
        .order_by(_ticket.c.created_at.desc(), _ticket.c.id.desc())
        .limit(_MOST)
        .lateral("found")
    )
    return sa.select(found.c.id, found.c.created_at).select_from(window.join(found, sa.true())).limit(_MOST)
