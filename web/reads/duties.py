"""What waits for a person: counts for the left column of the seat."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.models import CallbackTask, TicketDraft, table_of
from tickets.visibility import visible_callbacks, visible_drafts

_task = table_of(CallbackTask)
_draft = table_of(TicketDraft)

STALE_AFTER = timedelta(minutes=30)  # a draft that is open for so long stands on the shift leader's list


async def waiting(session: AsyncSession, person: Actor, now: datetime) -> dict[str, int | None]:
    """What else waits for this person; None where it is not his business."""
    counts: dict[str, int | None] = {"callbacks_open": None, "stale_drafts": None}
    if person.may(Permission.CALLBACK_READ):
        counts["callbacks_open"] = await open_callbacks(session, person)
    if person.may(Permission.FLOOR_READ):
        counts["stale_drafts"] = await stale_drafts(session, person, now - STALE_AFTER)
    return counts


async def open_callbacks(session: AsyncSession, actor: Actor) -> int:
    """How many callers wait to be called back."""
    query = sa.select(sa.func.count()).where(visible_callbacks(actor), _task.c.closed_at.is_(None))
    return int((await session.execute(query)).scalar_one())


async def stale_drafts(session: AsyncSession, actor: Actor, before: datetime) -> int:
    """How many drafts opened before `before` have not ended."""
    query = sa.select(sa.func.count()).where(
        visible_drafts(actor), _draft.c.ended_at.is_(None), _draft.c.opened_at < before
    )
    return int((await session.execute(query)).scalar_one())
