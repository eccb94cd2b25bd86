"""Indexes tickets that are there already: after an upgrade, an import, or a change of how texts are cut.

It goes on where it stopped, since it looks for tickets without an index; people may go on working.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Database
from tickets.flow import TicketReply
from tickets.models import Ticket, TicketHistory, table_of
from tickets.search import index
from tickets.search.models import TicketText

Progress = Callable[[int, int], object]
BATCH = 500
_ticket = table_of(Ticket)
_reply = table_of(TicketReply)
_history = table_of(TicketHistory)
_text = table_of(TicketText)


async def rebuild(db: Database, *, everything: bool = False, progress: Progress | None = None) -> int:
    """Index what is not indexed; with `everything`, throw the index away first. Returns how many tickets.

    `progress` is told how many are done, and how many tickets there are at most.
    """
    if everything:
        async with db.begin() as uow:
            await uow.session.execute(sa.text("TRUNCATE ticket_text"))
    async with db.read() as session:
        most = (await session.execute(_missing(0, None))).scalar_one()
    done, last = 0, 0
    while True:
        async with db.begin() as uow:
            ids = [int(found) for found in (await uow.session.execute(_missing(last, BATCH))).scalars()]
            if not ids:
                break
            await index_existing(uow.session, ids)
        done, last = done + len(ids), ids[-1]
        if progress is not None:
            progress(done, max(most, done))
    async with db.begin() as uow:  # searching is quicker when it is known which pairs are common
        await uow.session.execute(sa.text("ANALYZE ticket_text"))
    return done


def _missing(after: int, limit: int | None) -> sa.Select[Any]:
    """The ids of the next tickets without an index, locked; without limit how many there are."""
    indexed = sa.exists().where(_text.c.ticket_id == _ticket.c.id, _text.c.field == "matter")
    if limit is None:
        return sa.select(sa.func.count()).select_from(_ticket).where(~indexed)
    query = sa.select(_ticket.c.id).where(_ticket.c.id > after, ~indexed)
    return query.order_by(_ticket.c.id).limit(limit).with_for_update(key_share=True)


async def index_existing(session: AsyncSession, ids: Sequence[int]) -> None:
    """Index every text of these tickets anew, read from their tables; also for imports and the demo."""
    await session.execute(sa.delete(_text).where(_text.c.ticket_id.in_(ids)))
    columns = sa.select(*(_ticket.c[name] for name in ("id", "created_at", *index.MATTER)))
    tickets = (await session.execute(columns.where(_ticket.c.id.in_(ids)))).all()
    made = {row.id: row.created_at for row in tickets}
    texts = [index.matter(row.id, row.created_at, row._asdict()) for row in tickets]
    replies = sa.select(_reply.c.id, _reply.c.ticket_id, _reply.c.handling, _reply.c.public_reply)
    for row in await session.execute(replies.where(_reply.c.ticket_id.in_(ids))):
        texts.append(index.reply(row.ticket_id, made[row.ticket_id], row.id, row.handling, row.public_reply))
    additions = sa.select(_history.c.ticket_id, _history.c.version, _history.c.note).where(
        _history.c.ticket_id.in_(ids), _history.c.action.in_(index.ADDITIONS), _history.c.note != ""
    )
    for row in await session.execute(additions):
        texts.append(index.addition(row.ticket_id, made[row.ticket_id], row.version, row.note))
    await index.index_many(session, texts)
