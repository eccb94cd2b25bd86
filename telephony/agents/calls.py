"""Calls as the machine hears of them: from what sessions tell, and from what is open at a telephone."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.tables import table_of
from telephony.agents.machine import Leg, Span
from telephony.agents.skew import Skew
from telephony.calls.course import OpenSpan
from telephony.events import LegMoved
from telephony.models import OPEN_LEG, CallLeg, CallSession

LEG, CALL = table_of(CallLeg), table_of(CallSession)


def leg_of(told: LegMoved, skew: Skew, now: datetime) -> Leg:
    """What a session tells of one telephone, in our time; talks within the house have no work after them."""
    common: dict[str, Any] = {
        "call": told.session_id,
        "version": told.version,
        "outbound": told.direction == "outbound",
        "queue": told.queue if told.direction == "inbound" else None,
    }
    if told.course is None:
        over = told.over or now
        return Leg(
            **common, over=min(datetime.fromtimestamp(over.timestamp() + skew.seconds, over.tzinfo), now)
        )
    course = told.course
    return Leg(
        **common,
        rings=_spans(course.rings, skew),
        talks=_spans(course.talks, skew),
        holds=_spans(course.holds, skew),
        missed=course.missed,
        partial=course.partial,
        met=course.met and told.direction != "internal",
    )


def _spans(spans: tuple[OpenSpan, ...], skew: Skew) -> tuple[Span, ...]:
    return tuple((skew.instant(a), None if b is None else skew.instant(b)) for a, b in spans)


async def legs_at(session: AsyncSession, extension: str, pbx: str) -> list[Leg]:
    """The calls that ring or talk at a telephone now, by the tables."""
    query = (
        select(LEG.c.session_id, LEG.c.state, LEG.c.rang_at, LEG.c.answered_at, CALL.c.direction)
        .add_columns(CALL.c.queues, CALL.c.version)
        .join(CALL, CALL.c.id == LEG.c.session_id)
        .where(LEG.c.extension == extension, OPEN_LEG, CALL.c.pbx == pbx)
        .where(CALL.c.ended_at.is_(None))
        .order_by(LEG.c.id)
    )
    return [_open_leg(row) for row in (await session.execute(query)).mappings()]


def _open_leg(row: Any) -> Leg:
    talking = row["state"] == "talking" and row["answered_at"] is not None
    begun = row["answered_at"] if talking else row["rang_at"]
    span: tuple[Span, ...] = ((begun, None),) if begun is not None else ()
    return Leg(
        call=row["session_id"],
        version=row["version"],
        rings=() if talking else span,
        talks=span if talking else (),
        met=talking,
        outbound=row["direction"] == "outbound",
        queue=row["queues"][-1] if row["queues"] and row["direction"] == "inbound" else None,
    )
