"""Numbers of silent calls and of harassment: proposed by an agent, decided by a shift leader, never for ever.

A number is found by its blind index like everywhere: the listing points at the sealed value the calls
point at. What a listing does: one of silent calls is shown to whoever answers; one of harassment is taken
out of the queue with an announcement (repeated harassment after persuasion may be refused, domain.md §6).
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from core.tables import table_of
from telephony.controls import orders
from telephony.controls.events import ListingMoved
from telephony.controls.models import LIST_KINDS, CallOrder, NumberListing
from telephony.controls.terms import Act
from telephony.events import CallQueued
from telephony.models import CallLeg, CallSession

_listing = table_of(NumberListing)
_order = table_of(CallOrder)
_call = table_of(CallSession)
_leg = table_of(CallLeg)
DAYS = (7, 30, 90, 180)  # for how long a listing may hold; then it must be proposed again
LIVE = ("proposed", "listed")


async def propose(uow: UnitOfWork, actor: Actor, session_id: int, kind: str, reason: str) -> int:
    """Propose the number of a call this person was in; an open proposal or listing is the answer itself.

    Raises `bad_request`, `note_needed`, `not_your_call`, `number_unknown` for a call without a number.
    """
    if kind not in LIST_KINDS:
        raise HotlineError("bad_request", fields=["kind"])
    if not reason.strip():
        raise HotlineError("listing_reason")
    mine = sa.exists().where(_leg.c.session_id == _call.c.id, _leg.c.user_id == actor.user_id)
    row = (
        await uow.session.execute(sa.select(_call.c.caller_ref).where(_call.c.id == session_id, mine))
    ).first()
    if row is None:
        raise HotlineError("not_your_call")
    if row.caller_ref is None:
        raise HotlineError("number_unknown")
    await _expire(uow, row.caller_ref, kind)
    values = {
        "kind": kind, "number_ref": row.caller_ref, "session_id": session_id, "reason": reason.strip()[:200],
        "state": "proposed", "proposed_by": actor.user_id, "proposed_at": uow.now, "version": 1,
    }  # fmt: skip
    statement = insert(_listing).values(**values).on_conflict_do_nothing().returning(_listing.c.id)
    made: int | None = (await uow.session.execute(statement)).scalar_one_or_none()
    if made is None:
        query = sa.select(_listing.c.id).where(
            _listing.c.number_ref == row.caller_ref, _listing.c.kind == kind, _listing.c.state.in_(LIVE)
        )
        return int((await uow.session.execute(query)).scalar_one())
    await _told(uow, actor, "proposed", made, reason, actor.user_id or 0)
    return made


async def decide(
    uow: UnitOfWork, actor: Actor, listing_id: int, version: int, *, approve: bool, days: int = 30
) -> None:
    """A shift leader lists the number for some days, or declines. Nobody decides on his own proposal.

    Raises `forbidden`, `not_found`, `version_conflict`, `own_proposal`, `bad_request`.
    """
    row = await _locked(uow, actor, listing_id, version, "proposed")
    if row.proposed_by == actor.user_id:
        raise HotlineError("own_proposal")
    if approve and days not in DAYS:
        raise HotlineError("bad_request", fields=["days"])
    state = "listed" if approve else "declined"
    until = uow.now + timedelta(days=days) if approve else None
    await _change(uow, row, state=state, decided_by=actor.user_id, decided_at=uow.now, expires_at=until)
    await _told(uow, actor, state, row.id, None, row.proposed_by)


async def lift(uow: UnitOfWork, actor: Actor, listing_id: int, version: int, reason: str) -> None:
    """Take a number off its list before its time. Raises as `decide`, and `listing_reason`."""
    if not reason.strip():
        raise HotlineError("listing_reason")
    row = await _locked(uow, actor, listing_id, version, "listed")
    await _change(uow, row, state="lifted", expires_at=uow.now)
    await _told(uow, actor, "lifted", row.id, reason.strip()[:200], row.proposed_by)


async def listed(session: AsyncSession, number_ref: int, now: Any) -> list[str]:
    """The lists a number is on."""
    query = sa.select(_listing.c.kind).where(
        _listing.c.number_ref == number_ref, _listing.c.state == "listed", _listing.c.expires_at > now
    )
    return sorted((await session.execute(query)).scalars())


async def refuse_listed(uow: UnitOfWork, event: CallQueued) -> None:
    """Within the transaction that notes a citizen's entry of a queue: a refusal is ordered, once per call."""
    query = (
        sa.select(_call.c.id)
        .join(_listing, _listing.c.number_ref == _call.c.caller_ref)
        .where(_call.c.id == event.session_id, _call.c.direction == "inbound", _call.c.answered_at.is_(None))
        .where(_listing.c.kind == "harassment", _listing.c.state == "listed", _listing.c.expires_at > uow.now)
        .where(~sa.exists().where(_order.c.session_id == _call.c.id, _order.c.kind == Act.REFUSE.value))
    )
    if (await uow.session.execute(query)).first() is None:
        return
    nobody: dict[str, Any] = {"target_kind": None, "target": None, "number_ref": None}
    await orders.write(uow, Act.REFUSE, event.session_id, None, "", f"refuse-{event.session_id}", nobody)


async def _expire(uow: UnitOfWork, number_ref: int, kind: str) -> None:
    """A listing whose time is over makes room for a new proposal."""
    over = sa.and_(
        _listing.c.number_ref == number_ref, _listing.c.kind == kind, _listing.c.state == "listed",
        _listing.c.expires_at <= uow.now,
    )  # fmt: skip
    await uow.session.execute(sa.update(_listing).where(over).values(state="lifted"))


async def _locked(uow: UnitOfWork, actor: Actor, listing_id: int, version: int, state: str) -> Any:
    actor.require(Permission.FLOOR_LEAD)
    query = sa.select(_listing).where(_listing.c.id == listing_id).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("not_found")
    if row.version != version or row.state != state:
        raise HotlineError("version_conflict")
    return row


async def _change(uow: UnitOfWork, row: Any, **values: Any) -> None:
    await uow.session.execute(
        sa.update(_listing).where(_listing.c.id == row.id).values(**values, version=row.version + 1)
    )


async def _told(
    uow: UnitOfWork, actor: Actor, state: str, listing_id: int, reason: str | None, proposed_by: int
) -> None:
    await audit.record(
        uow, actor=actor, action=f"number.{state}", object_type="number_listing", object_id=listing_id,
        reason=reason,
    )  # fmt: skip
    await uow.emit(ListingMoved(listing_id, state, proposed_by))
