"""Agents' time, kept when a stretch of a state ends. The only writer of agent_time and agent_wrap.

A stretch is cut at quarters of an hour of its own; work after a call is kept a second time where the
call belongs: at the quarter and the queue it entered first. Both are written in the transaction that ends
the stretch, and their rows are the agent's own, so that nobody waits for anybody else.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.db import UnitOfWork
from telephony.calls.counts import QUARTER, quarter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = """
    INSERT INTO agent_time (starts_at, user_id, state, reason, ms)
    SELECT starts_at, user_id, state, reason, sum(ms)
    FROM jsonb_to_recordset($1::text::jsonb)
        AS r(starts_at timestamptz, user_id bigint, state text, reason text, ms bigint)
    GROUP BY starts_at, user_id, state, reason ORDER BY user_id, starts_at, state, reason
    ON CONFLICT (starts_at, user_id, state, reason) DO UPDATE SET ms = agent_time.ms + excluded.ms
"""
_WRAP = """
    INSERT INTO agent_wrap (starts_at, queue, user_id, wraps, wrap_ms)
    SELECT to_timestamp(floor(extract(epoch FROM c.queued_at) / 900) * 900), c.queues ->> 0, r.user_id,
           count(*), sum(r.ms)
    FROM jsonb_to_recordset($1::text::jsonb) AS r(call bigint, user_id bigint, ms bigint)
    JOIN call_session c ON c.id = r.call
    WHERE c.direction = 'inbound' AND c.queued_at IS NOT NULL AND jsonb_array_length(c.queues) > 0
    GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
    ON CONFLICT (starts_at, queue, user_id) DO UPDATE
        SET wraps = agent_wrap.wraps + excluded.wraps, wrap_ms = agent_wrap.wrap_ms + excluded.wrap_ms
"""


@dataclass(frozen=True)
class Stretch:
    """One stretch of one state that is over: a row of agent_interval with its end."""

    user_id: int
    state: str
    reason: str | None
    call_session_id: int | None
    started_at: datetime
    ended_at: datetime


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970: spans that follow one another add up to the span of both."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def pieces(begin: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """The quarters of an hour that [begin, end) touches, and its milliseconds in each."""
    at = begin
    while at < end:
        starts_at = quarter(at)
        upto = min(starts_at + QUARTER, end)
        yield starts_at, milliseconds(upto) - milliseconds(at)
        at = upto


async def keep(uow: UnitOfWork, stretches: Sequence[Stretch]) -> None:
    """Add stretches that are over, each once, in the transaction that ends them."""
    times = [
        {
            "starts_at": starts_at.isoformat(),
            "user_id": one.user_id,
            "state": one.state,
            "reason": one.reason or "",
            "ms": ms,
        }
        for one in stretches
        if one.state != "signed_out"
        for starts_at, ms in pieces(one.started_at, one.ended_at)
    ]
    if times:
        await uow.fetch(_TIME, json.dumps(times))
    wraps = [
        {
            "call": one.call_session_id,
            "user_id": one.user_id,
            "ms": milliseconds(one.ended_at) - milliseconds(one.started_at),
        }
        for one in stretches
        if one.state == "wrap_up" and one.call_session_id is not None
    ]
    if wraps:
        await uow.fetch(_WRAP, json.dumps(wraps))
