"""Requests to hear a recording: every write of `recording_request`."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.inspection.models import RecordingRequest
from tickets.forms import clean
from tickets.models import table_of

_request = table_of(RecordingRequest)
OPEN_FOR = timedelta(hours=24)  # an approval ends by itself
MAX_WORDS = 200
APPROVED, REFUSED = "approved", "refused"


class InspectionService:
    """Asks and decides; that the call exists and may be seen was checked by who calls."""

    async def ask(
        self, uow: UnitOfWork, actor: Actor, call_id: int, ticket_id: int | None, reason: str
    ) -> int | None:
        """Ask to hear a call; audited. Returns the request's id, None when one is waiting already.

        Raises `forbidden`, `reason_required`.
        """
        actor.require(Permission.RECORDING_ASK)
        reason = clean(reason)[:MAX_WORDS]
        if not reason:
            raise HotlineError("reason_required")
        values = {
            "call_id": call_id,
            "ticket_id": ticket_id,
            "asked_by": actor.user_id,
            "asked_at": uow.now,
            "reason": reason,
            "note": "",
        }
        statement = insert(_request).values(**values).on_conflict_do_nothing().returning(_request.c.id)
        ident: int | None = (await uow.session.execute(statement)).scalar_one_or_none()
        if ident is not None:
            await _note(uow, actor, "ask", call_id, reason, {"request": ident, "ticket": ticket_id})
        return ident

    async def decide(self, uow: UnitOfWork, actor: Actor, request_id: int, decision: str, note: str) -> None:
        """Approve for a day, or refuse with a reason; once, and never one's own; audited.

        Raises `forbidden`, `not_found`, `recording_own`, `recording_decided`, `reason_required`.
        """
        actor.require(Permission.RECORDING_APPROVE)
        note = clean(note)[:MAX_WORDS]
        if decision == REFUSED and not note:
            raise HotlineError("reason_required")
        query = sa.select(_request).where(_request.c.id == request_id).with_for_update()
        row = (await uow.session.execute(query)).first()
        if row is None:
            raise HotlineError("not_found", request_id=request_id)
        if row.asked_by == actor.user_id:
            raise HotlineError("recording_own")
        if row.decision is not None:
            raise HotlineError("recording_decided")
        values = {
            "decision": decision,
            "decided_by": actor.user_id,
            "decided_at": uow.now,
            "note": note,
            "ends_at": uow.now + OPEN_FOR if decision == APPROVED else None,
        }
        await uow.session.execute(sa.update(_request).where(_request.c.id == request_id).values(**values))
        act = "grant" if decision == APPROVED else "deny"
        await _note(uow, actor, act, row.call_id, note, {"request": request_id, "for": row.asked_by})


async def _note(
    uow: UnitOfWork, actor: Actor, act: str, call_id: int, reason: str, detail: dict[str, Any]
) -> None:
    await audit.record(
        uow,
        actor=actor,
        action=f"recording.{act}",
        object_type="call",
        object_id=call_id,
        reason=reason or None,
        detail=detail,
    )
