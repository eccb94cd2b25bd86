"""The telephone's figures of the invented past, kept by the one who keeps those of real calls."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core.db import UnitOfWork
from telephony.calls.counts import Agents
from telephony.intervals import Changes
from telephony.models import CallLeg, CallSession
from tickets.models import table_of

_call, _leg = table_of(CallSession), table_of(CallLeg)
AT_ONCE = 1_000  # calls
NOTHING: Mapping[str, Any] = {"ended_at": None}


async def keep(uow: UnitOfWork, short_seconds: float) -> None:
    """Count every call there is; none of them was counted before."""
    query = (
        sa.select(
            *(_call.c[name] for name in ("direction", "outcome", "queues", "wait_seconds")),
            *(_call.c[name] for name in ("queued_at", "answered_at", "ended_at")),
            sa.func.coalesce(sa.func.sum(_leg.c.talk_seconds), 0.0).label("talk"),
            sa.func.coalesce(sa.func.sum(_leg.c.hold_seconds), 0.0).label("hold"),
        )
        .select_from(_call.outerjoin(_leg, _leg.c.session_id == _call.c.id))
        .group_by(_call.c.id)
        .order_by(_call.c.queued_at)
    )
    rows = (await uow.session.execute(query)).mappings().all()
    for start in range(0, len(rows), AT_ONCE):
        changes = Changes(short_seconds)
        for row in rows[start : start + AT_ONCE]:
            changes.note(NOTHING, Agents(), dict(row), Agents().plus(row["talk"], row["hold"]))
        await changes.write(uow)
