"""Listening to a drawn call: only calls that are drawn, never about a sealed matter, every time audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.audit import AuditRow
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from sla.quality.models import QualityCase
from sla.quality.queries import visible_cases
from telephony.models import CallSession
from telephony.recordings import Recordings
from tickets.models import Ticket, table_of
from tickets.queries.veils import confidential
from web.reads.recordings import ACTION, OPEN_FOR

_case, _call, _ticket = table_of(QualityCase), table_of(CallSession), table_of(Ticket)
_audit = table_of(AuditRow)
REASON = "质量检查"


async def named(session: AsyncSession, actor: Actor, case_id: int) -> Any:
    """The call of a case with the PBX and the file name of its recording.

    Raises `forbidden`, `recording_not_found` (no case to be seen, or sealed by now), `recording_missing`.
    """
    actor.require(Permission.QUALITY_REVIEW)
    sealed = sa.exists().where(_ticket.c.call_session_id == _call.c.id, confidential())
    query = (
        sa.select(_call.c.id, _call.c.pbx, _call.c.recording)
        .join(_case, _case.c.call_session_id == _call.c.id)
        .where(_case.c.id == case_id, visible_cases(actor), _case.c.user_id != actor.user_id, ~sealed)
    )
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("recording_not_found", case_id=case_id)
    if not row.recording:
        raise HotlineError("recording_missing", call_id=row.id)
    return row


async def ask(uow: UnitOfWork, actor: Actor, case_id: int) -> None:
    """Open the recording to this reviewer for a while; the audit row keeps it open. Raises as `named`."""
    row = await named(uow.session, actor, case_id)
    await audit.record(
        uow,
        actor=actor,
        action=ACTION,
        object_type="call",
        object_id=row.id,
        reason=REASON,
        detail={"quality_case": case_id},
    )


async def asked_for(session: AsyncSession, actor: Actor, case_id: int, now: datetime) -> tuple[str, str]:
    """PBX and file of a recording that was opened. Raises `recording_unasked` and as `named`."""
    row = await named(session, actor, case_id)
    if not await _opened(session, actor, row.id, now):
        raise HotlineError("recording_unasked", call_id=row.id)
    return row.pbx, row.recording


async def how(
    session: AsyncSession, actor: Actor, recordings: Recordings, case_id: int, now: datetime
) -> str:
    """What stands where the player may be: none, away, ask or open."""
    try:
        row = await named(session, actor, case_id)
    except HotlineError:
        return "none"
    if not recordings.knows(row.pbx):
        return "away"
    return "open" if await _opened(session, actor, row.id, now) else "ask"


async def _opened(session: AsyncSession, actor: Actor, call_id: int, now: datetime) -> bool:
    query = sa.select(_audit.c.id).where(
        _audit.c.object_type == "call",
        _audit.c.object_id == call_id,
        _audit.c.actor_id == actor.user_id,
        _audit.c.action == ACTION,
        _audit.c.at > now - OPEN_FOR,
    )
    return (await session.execute(query.limit(1))).first() is not None
