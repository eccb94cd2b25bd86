"""The models a hotline has: kept with their files, promoted and retired by people. Every write of them.

A model that was trained is a challenger: it answers beside the active one and is heard by nobody, until a
person promotes it on the figures. Only the first of all is active at once: there is nothing to compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from classifier.models import ClassifierModel, ClassifierPart
from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of

_model, _part, _user = table_of(ClassifierModel), table_of(ClassifierPart), table_of(User)
ACTIVE, CHALLENGER, RETIRED = "active", "challenger", "retired"
KEPT = 12  # models with their files; of older ones the row with its figures stays
LISTED = 30


@dataclass(frozen=True)
class Trained:
    """A model as training leaves it: its files by name, and what its card says."""

    digest: str
    files: Mapping[str, bytes]
    source: str  # starter, local or file
    rows: int
    first_day: date | None
    last_day: date | None
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """A model as lists show it."""

    id: int
    digest: str
    state: str
    source: str
    rows: int
    first_day: date | None
    last_day: date | None
    figures: Mapping[str, Any]
    made_at: datetime
    activated_at: datetime | None
    activated_by: str | None
    retired_at: datetime | None

    @property
    def version(self) -> str:
        """The short name people call it by."""
        return f"M{self.id}·{self.digest[:8]}"


async def keep(uow: UnitOfWork, actor: Actor, trained: Trained) -> int:
    """Take up a trained model; returns its id, the same for the same model.

    A challenger that was there is retired: the newer one has seen more.
    """
    known = sa.select(_model.c.id).where(_model.c.digest == trained.digest)
    found = (await uow.session.execute(known)).scalar_one_or_none()
    if found is not None:
        return int(found)
    await uow.session.execute(sa.text("LOCK TABLE classifier_model IN SHARE ROW EXCLUSIVE MODE"))
    active = sa.select(_model.c.id).where(_model.c.state == ACTIVE)
    first = (await uow.session.execute(active)).first() is None
    await _retire(uow, CHALLENGER)
    values = {
        "digest": trained.digest,
        "state": ACTIVE if first else CHALLENGER,
        "source": trained.source,
        "rows": trained.rows,
        "first_day": trained.first_day,
        "last_day": trained.last_day,
        "figures": dict(trained.figures),
        "made_at": uow.now,
        "made_by": actor.user_id,
        "activated_at": uow.now if first else None,
    }
    ident = int(
        (await uow.session.execute(sa.insert(_model).values(**values).returning(_model.c.id))).scalar_one()
    )
    parts = [{"model_id": ident, "name": name, "data": data} for name, data in trained.files.items()]
    await uow.session.execute(sa.insert(_part), parts)
    await _forget_files(uow)
    return ident


async def promote(uow: UnitOfWork, actor: Actor, model_id: int, reason: str) -> None:
    """Make a model the one that is heard; the one before is retired.

    Raises `forbidden`, `model_not_found`, `model_without_files` (too old), `form_invalid` (reason).
    """
    actor.require(Permission.CLASSIFIER_MANAGE)
    if not 2 <= len(reason.strip()) <= 200:
        raise HotlineError("form_invalid", fields={"reason": "required"})
    await uow.session.execute(sa.text("LOCK TABLE classifier_model IN SHARE ROW EXCLUSIVE MODE"))
    query = sa.select(_model.c.state, _model.c.digest).where(_model.c.id == model_id)
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("model_not_found", model_id=model_id)
    if row.state == ACTIVE:
        return
    has_files = sa.select(sa.exists().where(_part.c.model_id == model_id))
    if not (await uow.session.execute(has_files)).scalar_one():
        raise HotlineError("model_without_files", model_id=model_id)
    await _retire(uow, ACTIVE)
    now = {"state": ACTIVE, "activated_at": uow.now, "activated_by": actor.user_id, "retired_at": None}
    await uow.session.execute(sa.update(_model).where(_model.c.id == model_id).values(**now))
    await audit.record(
        uow, actor=actor, action="classifier.promote", object_type="classifier_model", object_id=model_id,
        reason=reason.strip(), detail={"digest": row.digest},
    )  # fmt: skip


async def retire_active(uow: UnitOfWork, actor: Actor, reason: str) -> None:
    """Switch the advice off: no model is heard. Raises `forbidden`, `form_invalid` (reason)."""
    actor.require(Permission.CLASSIFIER_MANAGE)
    if not 2 <= len(reason.strip()) <= 200:
        raise HotlineError("form_invalid", fields={"reason": "required"})
    await _retire(uow, ACTIVE)
    await audit.record(
        uow, actor=actor, action="classifier.off", object_type="classifier_model", object_id=0,
        reason=reason.strip(),
    )  # fmt: skip


async def _retire(uow: UnitOfWork, state: str) -> None:
    gone = sa.update(_model).where(_model.c.state == state).values(state=RETIRED, retired_at=uow.now)
    await uow.session.execute(gone)


async def _forget_files(uow: UnitOfWork) -> None:
    """Files are some megabytes each: only the newest models keep theirs."""
    newest = sa.select(_model.c.id).order_by(_model.c.id.desc()).limit(KEPT)
    in_use = sa.select(_model.c.id).where(_model.c.state != RETIRED)
    old = sa.delete(_part).where(_part.c.model_id.not_in(newest), _part.c.model_id.not_in(in_use))
    await uow.session.execute(old)


# ---- reading --------------------------------------------------------------------------------


async def listed(session: AsyncSession) -> list[Kept]:
    """The newest models, the newest first."""
    query = (
        sa.select(_model, _user.c.name.label("activated_name"))
        .outerjoin(_user, _user.c.id == _model.c.activated_by)
        .order_by(_model.c.id.desc())
        .limit(LISTED)
    )
    return [_kept(row) for row in await session.execute(query)]


async def in_state(session: AsyncSession) -> dict[str, tuple[int, str]]:
    """The id and digest of the active model and of the challenger, by state."""
    query = sa.select(_model.c.state, _model.c.id, _model.c.digest).where(_model.c.state != RETIRED)
    return {row.state: (row.id, row.digest) for row in await session.execute(query)}


async def files(session: AsyncSession, model_id: int) -> dict[str, bytes]:
    """The files of a model by name; empty when they were given up."""
    query = sa.select(_part.c.name, _part.c.data).where(_part.c.model_id == model_id)
    return {row.name: row.data for row in await session.execute(query)}


def _kept(row: sa.Row[Any]) -> Kept:
    return Kept(
        row.id,
        row.digest,
        row.state,
        row.source,
        row.rows,
        row.first_day,
        row.last_day,
        row.figures,
        row.made_at,
        row.activated_at,
        row.activated_name,
        row.retired_at,
    )
