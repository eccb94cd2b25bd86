"""Previews of the calendar: a change is kept as it was put forward, with its effect, and saved from there.

A preview is computed in steps the page asks for, so that whoever looks sees how far it is, and a node that
ends in the middle loses nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.version_models import CalendarPreview
from tickets.models import table_of

KEPT = timedelta(days=7)
_preview = table_of(CalendarPreview)


@dataclass(frozen=True)
class Preview:
    """A change and what was found of its effect so far."""

    id: int
    base: int
    payload: dict[str, Any]
    state: str  # waiting (being computed), done, saved
    total: int
    done: int
    result: dict[str, Any] | None
    author_id: int
    made_at: datetime

    @property
    def percent(self) -> int:
        """How much is computed, of a hundred."""
        return 100 if self.state != "waiting" else min(99, self.done * 100 // max(1, self.total))


_COLUMNS = tuple(_preview.c[name] for name in Preview.__dataclass_fields__)


async def put(uow: UnitOfWork, actor: Actor, base: int, payload: dict[str, Any]) -> int:
    """Keep a change to be looked at; those of last week go. Errors: forbidden."""
    actor.require(Permission.POLICY_EDIT)
    await uow.session.execute(sa.delete(_preview).where(_preview.c.made_at < uow.now - KEPT))
    values = {
        "base": base,
        "payload": payload,
        "state": "waiting",
        "total": 0,
        "done": 0,
        "result": None,
        "author_id": actor.user_id,
        "made_at": uow.now,
        "touched_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_preview).values(**values).returning(_preview.c.id))
    return int(made.scalar_one())


async def get(session: AsyncSession, actor: Actor, ident: int) -> Preview:
    """One's own preview. Errors: calendar_preview_missing."""
    mine = (_preview.c.id == ident, _preview.c.author_id == actor.user_id)
    row = (await session.execute(sa.select(*_COLUMNS).where(*mine))).one_or_none()
    if row is None:
        raise HotlineError("calendar_preview_missing")
    return Preview(*row)


async def note(uow: UnitOfWork, seen: Preview, *, total: int, done: int, result: Any, over: bool) -> None:
    """Keep what a step found; a step somebody else did meanwhile stays."""
    same = (_preview.c.id == seen.id, _preview.c.state == "waiting", _preview.c.done == seen.done)
    values = {"total": total, "done": done, "result": result, "state": "done" if over else "waiting"}
    await uow.session.execute(sa.update(_preview).where(*same).values(**values, touched_at=uow.now))


async def save(uow: UnitOfWork, actor: Actor, ident: int) -> Preview:
    """Take a preview to be carried out, once. Errors: calendar_preview_missing, calendar_preview_saved."""
    seen = await get(uow.session, actor, ident)
    taken = sa.update(_preview).where(_preview.c.id == ident, _preview.c.state != "saved")
    done = await uow.session.execute(taken.values(state="saved", touched_at=uow.now).returning(_preview.c.id))
    if done.first() is None:
        raise HotlineError("calendar_preview_saved")
    return seen
