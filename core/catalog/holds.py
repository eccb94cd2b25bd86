"""Legal holds: what must be kept whole for a proceeding, whoever asks for its deletion."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core import audit
from core.catalog.models import LegalHold
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission

SUBJECTS = {"citizen": "市民档案", "ticket": "工单"}


async def place(uow: UnitOfWork, actor: Actor, subject: str, subject_id: int, reason: str) -> int:
    """Keep a citizen's record or a ticket from being deleted. Raises `hold_subject`, `hold_present`."""
    _require(actor)
    if subject not in SUBJECTS or not reason.strip():
        raise HotlineError("hold_subject")
    values = {
        "subject": subject, "subject_id": subject_id, "reason": reason.strip()[:200],
        "placed_by": actor.user_id, "placed_at": uow.now,
    }  # fmt: skip
    statement = insert(LegalHold).values(**values).on_conflict_do_nothing().returning(col(LegalHold.id))
    made = (await uow.session.execute(statement)).scalar_one_or_none()
    if made is None:
        raise HotlineError("hold_present", subject=subject, subject_id=subject_id)
    await audit.record(
        uow, actor=actor, action="hold.place", object_type=subject, object_id=subject_id, reason=reason
    )
    return int(made)


async def carry(
    uow: UnitOfWork,
    actor: Actor,
    subject: str,
    from_ids: Collection[int],
    to_id: int,
    *,
    since: datetime | None = None,
) -> int:
    """Let `to_id`, which came out of held ones, be held like them; returns how many holds that were.

    With `since` only holds placed from then on count. No permission is asked for: whoever takes a record
    apart must not set a part of it free by that.
    """
    query = select(LegalHold).where(
        col(LegalHold.subject) == subject,
        col(LegalHold.subject_id).in_(from_ids),
        col(LegalHold.lifted_at).is_(None),
    )
    if since is not None:
        query = query.where(col(LegalHold.placed_at) >= since)
    found = list((await uow.session.execute(query.order_by(col(LegalHold.id)))).scalars())
    if not found:
        return 0
    first = found[0]
    values = {
        "subject": subject, "subject_id": to_id, "reason": first.reason, "placed_by": first.placed_by,
        "placed_at": uow.now,
    }  # fmt: skip
    await uow.session.execute(insert(LegalHold).values(**values).on_conflict_do_nothing())
    await audit.record(
        uow, actor=actor, action="hold.place", object_type=subject, object_id=to_id, reason=first.reason,
        detail={"from": [hold.subject_id for hold in found]},
    )  # fmt: skip
    return len(found)


async def lift(uow: UnitOfWork, actor: Actor, hold_id: int, reason: str) -> None:
    """End a hold; the row stays. Not for who asks for deletions: he would clear his own way.

    Raises `forbidden`, `not_found`, `hold_subject` without a reason.
    """
    actor.require(Permission.DELETION_APPROVE)
    if not reason.strip():
        raise HotlineError("hold_subject")
    statement = (
        update(LegalHold)
        .where(col(LegalHold.id) == hold_id, col(LegalHold.lifted_at).is_(None))
        .values(lifted_at=uow.now, lifted_by=actor.user_id)
        .returning(col(LegalHold.subject), col(LegalHold.subject_id))
    )
    row = (await uow.session.execute(statement)).first()
    if row is None:
        raise HotlineError("not_found", hold_id=hold_id)
    await audit.record(
        uow, actor=actor, action="hold.lift", object_type=row.subject, object_id=row.subject_id,
        reason=reason,
    )  # fmt: skip


def _require(actor: Actor) -> None:
    if not (actor.may(Permission.DELETION_REQUEST) or actor.may(Permission.DELETION_APPROVE)):
        actor.require(Permission.DELETION_APPROVE)


async def check_free(session: AsyncSession, subject: str, subject_ids: Collection[int]) -> None:
    """Raise `legal_hold` when any of these must be kept."""
    query = select(col(LegalHold.subject_id)).where(
        col(LegalHold.subject) == subject,
        col(LegalHold.subject_id).in_(subject_ids),
        col(LegalHold.lifted_at).is_(None),
    )
    held = (await session.execute(query.limit(1))).scalar_one_or_none()
    if held is not None:
        raise HotlineError("legal_hold", subject=subject, subject_id=held)


async def present(session: AsyncSession) -> list[LegalHold]:
    """Every hold in force, newest first."""
    query = select(LegalHold).where(col(LegalHold.lifted_at).is_(None)).order_by(col(LegalHold.id).desc())
    return list((await session.execute(query)).scalars())
