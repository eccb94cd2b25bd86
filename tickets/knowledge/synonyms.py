"""The list of words that mean the same: a city edits it, searches read a copy of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog.versions import Copy, touch
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.text import normalise
from tickets.forms import clean
from tickets.knowledge.models import KnowledgeSynonym
from tickets.models import table_of

_synonym = table_of(KnowledgeSynonym)
PART = "synonyms"
LONGEST, MOST_WORDS, MOST_GROUPS = 20, 12, 2000


async def _load(session: AsyncSession) -> tuple[tuple[str, ...], ...]:
    rows = await session.execute(sa.select(_synonym.c.words).order_by(_synonym.c.id))
    return tuple(tuple(row.words) for row in rows)


_copy: Copy[tuple[tuple[str, ...], ...]] = Copy(PART, _load)


async def groups(session: AsyncSession) -> tuple[tuple[str, ...], ...]:
    """Every group of words that mean the same, at most a second old."""
    return await _copy.get(session)


async def listed(session: AsyncSession) -> list[tuple[int, list[str]]]:
    """Id and words of every group, the newest first."""
    rows = await session.execute(
        sa.select(_synonym.c.id, _synonym.c.words).order_by(_synonym.c.id.desc()).limit(MOST_GROUPS)
    )
    return [(row.id, list(row.words)) for row in rows]


def checked(words: Sequence[str]) -> list[str]:
    """The words of a group, cleaned and once each; raises `synonyms_invalid`."""
    found = {normalise(word): clean(word) for word in words if normalise(word)}
    if not 2 <= len(found) <= MOST_WORDS or any(not 2 <= len(word) <= LONGEST for word in found):
        raise HotlineError("synonyms_invalid", most=MOST_WORDS, longest=LONGEST)
    return list(found.values())


async def add(uow: UnitOfWork, actor: Actor, words: Sequence[str]) -> int:
    """Keep a group; audited. Raises `forbidden`, `synonyms_invalid`, `synonyms_too_many`."""
    actor.require(Permission.KNOWLEDGE_EDIT_ALL)
    await touch(uow, PART)
    kept = checked(words)
    many = (await uow.session.execute(sa.select(sa.func.count()).select_from(_synonym))).scalar_one()
    if many >= MOST_GROUPS:
        raise HotlineError("synonyms_too_many", most=MOST_GROUPS)
    values = {"words": kept, "made_by": actor.user_id, "made_at": uow.now}
    made = await uow.session.execute(sa.insert(_synonym).values(**values).returning(_synonym.c.id))
    ident = int(made.scalar_one())
    await audit.record(
        uow,
        actor=actor,
        action="synonym.add",
        object_type="knowledge",
        object_id=ident,
        detail={"words": kept},
    )
    return ident


async def remove(uow: UnitOfWork, actor: Actor, group_id: int) -> None:
    """Take a group off the list; audited. Raises `forbidden`, `not_found`."""
    actor.require(Permission.KNOWLEDGE_EDIT_ALL)
    await touch(uow, PART)
    gone = sa.delete(_synonym).where(_synonym.c.id == group_id).returning(_synonym.c.words)
    row = (await uow.session.execute(gone)).first()
    if row is None:
        raise HotlineError("not_found", group_id=group_id)
    await audit.record(
        uow,
        actor=actor,
        action="synonym.remove",
        object_type="knowledge",
        object_id=group_id,
        detail={"words": row.words},
    )
