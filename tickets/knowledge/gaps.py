"""What was looked for and not found, for those who write: added up, and without personal data.

Digits and everything that points at a person are taken out before anything is kept. A phrase that only
one person ever looked for may still be a name: until a second one asks, only a keyed digest is kept.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import redact
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from core.text import normalise
from tickets.knowledge.models import KnowledgeGap
from tickets.models import table_of

_gap = table_of(KnowledgeGap)
LONGEST = 40
KIND = "knowledge_gap"
_DROPPED = re.compile(r"[\d*]+|[^\w\s]+")


@dataclass(frozen=True)
class Gap:
    """A phrase that at least two people looked for in vain."""

    id: int
    phrase: str
    asked: int
    first_at: datetime
    last_at: datetime


def phrase_of(typed: str) -> str:
    """What is kept of a search: masked, without digits and signs, at most 40 characters; "" for nothing."""
    plain = _DROPPED.sub(" ", redact.masked(typed[:200]))
    kept = " ".join(normalise(_DROPPED.sub(" ", plain)).split())
    return kept[:LONGEST] if len(kept) >= 2 else ""


async def note(uow: UnitOfWork, actor: Actor, vault: Vault, typed: str) -> None:
    """Somebody looked for this and found nothing."""
    phrase = phrase_of(typed)
    if not phrase:
        return
    first = {"asked": 1, "first_by": actor.user_id, "first_at": uow.now, "last_at": uow.now}
    made = insert(_gap).values(blind=vault.blind(KIND, phrase), **first)
    other = sa.or_(_gap.c.phrase.is_not(None), _gap.c.first_by.is_distinct_from(made.excluded.first_by))
    again = {
        "asked": _gap.c.asked + 1,
        "last_at": made.excluded.last_at,
        "phrase": sa.case((other, sa.literal(phrase)), else_=None),
    }
    await uow.session.execute(made.on_conflict_do_update(index_elements=["blind"], set_=again))


async def listed(session: AsyncSession, actor: Actor, *, limit: int = 100) -> list[Gap]:
    """Open gaps, those asked for most first. Raises `forbidden`."""
    actor.require(Permission.KNOWLEDGE_EDIT)
    query = (
        sa.select(*(_gap.c[name] for name in ("id", "phrase", "asked", "first_at", "last_at")))
        .where(_gap.c.closed_at.is_(None), _gap.c.phrase.is_not(None))
        .order_by(_gap.c.asked.desc(), _gap.c.id)
        .limit(limit)
    )
    return [Gap(**row._mapping) for row in await session.execute(query)]


async def one(session: AsyncSession, actor: Actor, gap_id: int) -> Gap | None:
    """An open gap, to begin an article with."""
    return next((gap for gap in await listed(session, actor, limit=1000) if gap.id == gap_id), None)


async def close(uow: UnitOfWork, actor: Actor, gap_id: int) -> None:
    """Somebody dealt with it, or it is none of the hotline's. Raises `forbidden`, `not_found`."""
    actor.require(Permission.KNOWLEDGE_EDIT_ALL)
    statement = (
        sa.update(_gap)
        .where(_gap.c.id == gap_id, _gap.c.closed_at.is_(None), _gap.c.phrase.is_not(None))
        .values(closed_at=uow.now, closed_by=actor.user_id)
    )
    if (await uow.session.execute(statement.returning(_gap.c.id))).first() is None:
        raise HotlineError("not_found", gap_id=gap_id)


async def forget(uow: UnitOfWork, days: int) -> None:
    """Forget what nobody looked for in so many days."""
    await uow.session.execute(sa.delete(_gap).where(_gap.c.last_at < uow.now - timedelta(days=days)))
