"""Categories that may be dispatched without a person: opened one by one, on local evidence. Every write."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from classifier.models import CategorySwitch
from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.tables import table_of

_switch = table_of(CategorySwitch)


async def change(
    uow: UnitOfWork, actor: Actor, category_id: int, *, automatic: bool, evidence: Mapping[str, Any]
) -> None:
    """Open or shut a category; the figures it was opened on are kept. Raises `forbidden`, `not_found`."""
    actor.require(Permission.CLASSIFIER_MANAGE)
    there = sa.text("SELECT 1 FROM category WHERE id = :id")
    if (await uow.session.execute(there, {"id": category_id})).first() is None:
        raise HotlineError("not_found", category_id=category_id)
    values = {
        "automatic": automatic,
        "evidence": dict(evidence),
        "changed_at": uow.now,
        "changed_by": actor.user_id,
    }
    made = insert(_switch).values(category_id=category_id, **values)
    await uow.session.execute(made.on_conflict_do_update(index_elements=["category_id"], set_=values))
    await audit.record(
        uow, actor=actor, action="classifier.switch", object_type="category", object_id=category_id,
        detail={"automatic": automatic, **evidence},
    )  # fmt: skip


async def automatic(session: AsyncSession) -> frozenset[int]:
    """The categories that are open."""
    query = sa.select(_switch.c.category_id).where(_switch.c.automatic)
    return frozenset((await session.execute(query)).scalars())
