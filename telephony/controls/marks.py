"""The only writer of call_mark, and what its rows say. Appended, never changed."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.tables import table_of
from telephony.controls.events import CallMarked
from telephony.controls.models import CallMark
from telephony.controls.terms import Mark, Standing, fold
from telephony.models import CallLeg

_mark = table_of(CallMark)
_leg = table_of(CallLeg)


async def add(
    uow: UnitOfWork, session_id: int, kind: str, user_id: int | None, data: dict[str, Any] | None = None
) -> None:
    """Note that something was done to a call now, and tell those who are in it."""
    values = {"session_id": session_id, "at": uow.now, "kind": kind, "user_id": user_id, "data": data or {}}
    await uow.session.execute(sa.insert(_mark).values(**values))
    query = sa.select(_leg.c.user_id).where(_leg.c.session_id == session_id, _leg.c.user_id.is_not(None))
    users = sorted(set((await uow.session.execute(query)).scalars()))
    await uow.emit(CallMarked(session_id, kind, tuple(users)))


async def standing(session: AsyncSession, session_id: int) -> Standing:
    """How a call stands after everything that was done to it."""
    query = sa.select(_mark.c.kind, _mark.c.data).where(_mark.c.session_id == session_id)
    rows = await session.execute(query.order_by(_mark.c.id))
    return fold(Mark(row.kind, row.data) for row in rows)
