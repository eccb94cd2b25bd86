"""Messages that were given up, as people look after them: found, sent again in numbers, discarded."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.outbox import OutboxRow
from core.people.actor import Actor
from core.people.permissions import Permission

DISCARDED = "discarded"


async def found(
    session: AsyncSession, *, kind: str = "", text: str = "", before: int | None = None, limit: int = 50
) -> list[OutboxRow]:
    """Dead letters, newest first by keyset; `text` is looked for in the last failure."""
    query = select(OutboxRow).where(col(OutboxRow.dead_at).is_not(None))
    if kind:
        query = query.where(col(OutboxRow.kind) == kind)
    if text:
        query = query.where(col(OutboxRow.last_error).icontains(text, autoescape=True))
    if before is not None:
        query = query.where(col(OutboxRow.id) < before)
    query = query.order_by(col(OutboxRow.id).desc()).limit(limit)
    return list((await session.execute(query)).scalars())


async def kinds(session: AsyncSession) -> list[tuple[str, int]]:
    """The kinds among the dead letters, with how many of each."""
    query = (
        select(col(OutboxRow.kind), func.count())
        .where(col(OutboxRow.dead_at).is_not(None))
        .group_by(col(OutboxRow.kind))
        .order_by(col(OutboxRow.kind))
    )
    return [(kind, int(count)) for kind, count in await session.execute(query)]


async def resend(uow: UnitOfWork, actor: Actor, ids: Collection[int]) -> int:
    """Give dead letters their tries back, an audit row each; returns how many. Raises `messages_none`."""
    values = {"dead_at": None, "attempts": 0, "next_at": uow.now}
    return await _change(uow, actor, ids, "outbox.resend", values, None)


async def discard(uow: UnitOfWork, actor: Actor, ids: Collection[int], reason: str) -> int:
    """Give dead letters up for good, an audit row each; returns how many.

    They stay as rows until the retention takes them. Raises `messages_none`.
    """
    values = {"dead_at": None, "done_at": uow.now, "last_error": DISCARDED}
    return await _change(uow, actor, ids, "outbox.discard", values, reason)


async def _change(
    uow: UnitOfWork,
    actor: Actor,
    ids: Collection[int],
    action: str,
    values: Mapping[str, Any],
    reason: str | None,
) -> int:
    actor.require(Permission.OUTBOX_RESEND)
    statement = (
        update(OutboxRow)
        .where(col(OutboxRow.id).in_(ids), col(OutboxRow.dead_at).is_not(None))
        .values(**values)
        .returning(col(OutboxRow.id), col(OutboxRow.kind))
        .execution_options(synchronize_session=False)
    )
    rows = (await uow.session.execute(statement)).all()
    if not rows:
        raise HotlineError("messages_none")
    for row in rows:
        await audit.record(
            uow, actor=actor, action=action, object_type="outbox", object_id=row.id, reason=reason,
            detail={"kind": row.kind},
        )  # fmt: skip
    return len(rows)
