"""Sensitive words of new tickets: found and noted in the transaction that makes the ticket."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import words
from core.catalog.words import Found
from core.db import UnitOfWork
from tickets.models import table_of
from tickets.upkeep import TicketFlag

_flag = table_of(TicketFlag)


async def note(uow: UnitOfWork, ticket_id: int, *texts: str) -> None:
    """Look through the texts of a ticket that is being made; called by whoever makes it."""
    found = await words.match(uow, "\n".join(texts))
    rows = [{"ticket_id": ticket_id, "word": one.word, "kind": one.kind, "at": uow.now} for one in found]
    await uow.put(_flag, *rows)


async def flags_of(session: AsyncSession, ticket_ids: Collection[int]) -> dict[int, list[Found]]:
    """The words found in these tickets; tickets without any are left out.

    The caller asks for tickets the person may see.
    """
    if not ticket_ids:
        return {}
    query = sa.select(_flag.c.ticket_id, _flag.c.word, _flag.c.kind).where(_flag.c.ticket_id.in_(ticket_ids))
    found: dict[int, list[Found]] = {}
    for row in await session.execute(query.order_by(_flag.c.ticket_id, _flag.c.at, _flag.c.word)):
        found.setdefault(row.ticket_id, []).append(Found(row.word, row.kind))
    return found


async def hits(session: AsyncSession, since: datetime) -> dict[str, int]:
    """How many tickets each word was found in since then (UTC)."""
    query = sa.select(_flag.c.word, sa.func.count()).where(_flag.c.at > since).group_by(_flag.c.word)
    return {str(word): int(count) for word, count in await session.execute(query)}
