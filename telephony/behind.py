"""The calls behind a figure of the telephone, as a condition of a query: what `calls.counts` counts so."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from telephony.models import CallSession

_call: sa.Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
IVR = timedelta(hours=1)  # nobody listens to the menu for longer before a queue


def behind(
    counted: str, since: datetime, until: datetime, short_seconds: float
) -> list[sa.ColumnElement[bool]]:
    """Calls that entered a queue in [since, until) and count so; those who wait now, whatever the day."""
    in_queue = sa.func.jsonb_array_length(_call.c.queues) > 0
    found = [_call.c.direction == "inbound", _call.c.queued_at.is_not(None), in_queue]
    if counted == "waiting":
        return [*found, _call.c.ended_at.is_(None), _call.c.state.in_(("waiting", "ringing"))]
    found += [_call.c.queued_at >= since, _call.c.queued_at < until]
    found += [_call.c.started_at >= since - IVR, _call.c.started_at < until]
    answered = sa.or_(_call.c.answered_at.is_not(None), sa.func.coalesce(_call.c.outcome, "") == "answered")
    hung_up = sa.and_(~answered, _call.c.outcome == "abandoned")
    brief = sa.func.coalesce(_call.c.wait_seconds < short_seconds, sa.false())
    kinds = {"answered": answered, "abandoned": sa.and_(hung_up, ~brief), "short": sa.and_(hung_up, brief)}
    return [*found, kinds[counted]] if counted in kinds else found
