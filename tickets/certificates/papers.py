"""Every write of the lists of papers; and what a category needs: its own list, else the nearest above it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from tickets.certificates.models import PaperList
from tickets.certificates.terms import Paper, as_data, checked_papers, from_data
from tickets.errors import conflict
from tickets.forms import clean
from tickets.models import Category, table_of

_list = table_of(PaperList)
_category = table_of(Category)
_user = table_of(User)
MAX_NOTE = 200


@dataclass(frozen=True)
class Needed:
    """The papers of a category by its own list or by that of `named` above it; version 0: no list at all."""

    papers: tuple[Paper, ...]
    version: int = 0
    named: str = ""


@dataclass(frozen=True)
class Edition:
    """One edition of a list."""

    category_id: int
    category: str
    version: int
    papers: tuple[Paper, ...]
    note: str
    by: str | None
    at: datetime


async def needed(session: AsyncSession, category_id: int | None) -> Needed:
    """What a matter of this category needs; nothing for an unknown one."""
    if category_id is None:
        return Needed(())
    path = sa.select(_category.c.path).where(_category.c.id == category_id).scalar_subquery()
    above = sa.func.strpos(path, sa.func.concat(".", _category.c.id, ".")) > 0
    query = (
        sa.select(_list.c.papers, _list.c.version, _category.c.full_name)
        .join(_category, _category.c.id == _list.c.category_id)
        .where(above)
        .order_by(_category.c.level.desc(), _list.c.version.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return Needed(from_data(row.papers), row.version, row.full_name) if row else Needed(())


async def save(
    uow: UnitOfWork, actor: Actor, category_id: int, version: int, papers: Sequence[Paper], note: str = ""
) -> int:
    """A new edition over the one that was seen (0: there was none); returns its version. Audited.

    Raises `forbidden`, `category_unknown`, `papers_invalid` (line), `version_conflict`, `note_too_long`.
    """
    actor.require(Permission.CATALOG_MANAGE)
    known = sa.select(_category.c.id).where(_category.c.id == category_id).with_for_update()
    if (await uow.session.execute(known)).first() is None:
        raise HotlineError("category_unknown", category_id=category_id)
    note = clean(note)
    if len(note) > MAX_NOTE:
        raise HotlineError("note_too_long", limit=MAX_NOTE)
    kept = as_data(checked_papers(papers))
    latest = sa.select(sa.func.coalesce(sa.func.max(_list.c.version), 0)).where(
        _list.c.category_id == category_id
    )
    theirs = int((await uow.session.execute(latest)).scalar_one())
    if theirs != version:
        raise conflict("paper_list", category_id, ours=version, theirs=theirs)
    values: dict[str, Any] = {
        "category_id": category_id,
        "version": version + 1,
        "papers": kept,
        "note": note,
        "created_by": actor.user_id,
        "created_at": uow.now,
    }
    await uow.session.execute(sa.insert(_list).values(**values))
    await audit.record(
        uow,
        actor=actor,
        action="papers.save",
        object_type="category",
        object_id=category_id,
        reason=note or None,
        detail={"version": version + 1, "papers": len(kept)},
    )
    return version + 1


async def editions(session: AsyncSession, category_id: int | None = None) -> list[Edition]:
    """The lists in force by category; of one category every edition, the newest first."""
    query = (
        sa.select(_list, _category.c.full_name, _user.c.name.label("by"))
        .join(_category, _category.c.id == _list.c.category_id)
        .outerjoin(_user, _user.c.id == _list.c.created_by)
    )
    if category_id is None:
        query = query.distinct(_list.c.category_id).order_by(_list.c.category_id, _list.c.version.desc())
    else:
        query = query.where(_list.c.category_id == category_id).order_by(_list.c.version.desc())
    found = [
        Edition(
            row.category_id,
            row.full_name,
            row.version,
            from_data(row.papers),
            row.note,
            row.by,
            row.created_at,
        )
        for row in await session.execute(query)
    ]
    return found if category_id is not None else sorted(found, key=lambda one: one.category)
