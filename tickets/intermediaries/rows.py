"""The rows behind the market: locked, changed over the version that was seen, with a step of history each."""

from typing import Any

import sqlalchemy as sa

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from tickets.errors import conflict
from tickets.intermediaries.models import Intermediary, IntermediaryStep
from tickets.models import table_of

_one = table_of(Intermediary)
_step = table_of(IntermediaryStep)


async def lock(uow: UnitOfWork, intermediary_id: int, version: int | None = None) -> Any:
    """The row, locked. Raises `intermediary_unknown`, `version_conflict`."""
    query = sa.select(_one).where(_one.c.id == intermediary_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("intermediary_unknown", intermediary_id=intermediary_id)
    if version is not None and row.version != version:
        raise conflict("intermediary", intermediary_id, ours=version, theirs=row.version)
    return row


async def change(uow: UnitOfWork, row: Any, **values: Any) -> None:
    """Write to a locked row."""
    more = {"version": row.version + 1, "updated_at": uow.now}
    await uow.session.execute(sa.update(_one).where(_one.c.id == row.id).values(**values, **more))


async def note(
    uow: UnitOfWork,
    actor: Actor,
    intermediary_id: int,
    act: str,
    text: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """A step of the history and its audit row; `text` holds nothing personal."""
    values = {
        "intermediary_id": intermediary_id,
        "at": uow.now,
        "actor_id": actor.user_id,
        "actor_name": actor.name[:60],
        "act": act,
        "note": text,
        "detail": detail or {},
    }
    await uow.session.execute(sa.insert(_step).values(**values))
    await audit.record(
        uow,
        actor=actor,
        action=f"intermediary.{act}",
        object_type="intermediary",
        object_id=intermediary_id,
        reason=text[:200] or None,
        detail=detail,
    )
