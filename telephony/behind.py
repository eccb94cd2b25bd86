"""The calls behind a figure of the telephone, as a condition of a query: what `calls.counts` counts so."""

from datetime import datetime

import sqlalchemy as sa

from telephony.agent_figures import IVR, passed_on
from telephony.calls.counts import OUTCOMES, PROMPT
from telephony.models import CallLeg, CallSession
from telephony.outgoing import made

MADE = ("out", "reached")
_call: sa.Table = CallSession.__table__  # type: ignore[attr-defined]  # set by SQLModel
_leg: sa.Table = CallLeg.__table__  # type: ignore[attr-defined]  # set by SQLModel


def behind(
    counted: str, since: datetime, until: datetime, short_seconds: float, *, queue: str | None = None
) -> list[sa.ColumnElement[bool]]:
    """Calls that entered a queue in [since, until) and count so; those who wait now, whatever the day.

    `queue`: the one they entered first. `out` and `reached` are calls we made.
    """
    if counted in MADE:
        return made(since, until, reached=counted == "reached")
    in_queue = sa.func.jsonb_array_length(_call.c.queues) > 0
    found = [_call.c.direction == "inbound", _call.c.queued_at.is_not(None), in_queue]
    if counted == "waiting":
        return [*found, _call.c.ended_at.is_(None), _call.c.state.in_(("waiting", "ringing"))]
    found += [_call.c.queued_at >= since, _call.c.queued_at < until]
    found += [_call.c.started_at >= since - IVR, _call.c.started_at < until]
    if queue is not None:
        found.append(_call.c.queues[0].astext == queue)
    kinds = _kinds(short_seconds)
    return [*found, kinds[counted]] if counted in kinds else found


def _kinds(short_seconds: float) -> dict[str, sa.ColumnElement[bool]]:
    outcome = sa.func.coalesce(_call.c.outcome, "")
    answered = sa.or_(_call.c.answered_at.is_not(None), outcome == "answered")
    hung_up = sa.and_(~answered, outcome == "abandoned")
    brief = sa.func.coalesce(_call.c.wait_seconds < short_seconds, sa.false())
    counted = ("abandoned", "timeout", "withdrawn", "empty")
    kinds = {
        "answered": answered,
        "prompt": sa.and_(answered, _call.c.wait_seconds <= PROMPT),
        "abandoned": sa.and_(hung_up, ~brief),
        "short": sa.and_(hung_up, brief),
        "others": sa.and_(~answered, outcome.not_in(counted)),
        "transferred": sa.func.jsonb_path_exists(
            _call.c.transfers, sa.text("""'$[*] ? (@.kind != "conference")'""")
        ),
        "surveyed": sa.and_(answered, _call.c.survey_asked_at.is_not(None)),
        "scored": sa.and_(answered, _call.c.survey_asked_at.is_not(None), _call.c.survey.is_not(None)),
        "missed": sa.and_(_call.c.ended_at.is_not(None), _has_leg(_leg.c.missed > 0)),
    }
    names = ("timeout", "withdrawn", "empty")
    return kinds | {
        name: sa.and_(~answered, outcome == word) for word, name in OUTCOMES.items() if name in names
    }


def of_agent(counted: str, user_id: int | None, extension: str) -> sa.ColumnElement[bool]:
    """Calls in which this person, or an `extension` nobody is known at, did so: besides `behind`."""
    mine = _leg.c.user_id == user_id
    if user_id is None:
        mine = sa.and_(_leg.c.user_id.is_(None), _leg.c.extension == extension)
    kinds = {
        "taken": _leg.c.answered_at.is_not(None),
        "reached": _leg.c.answered_at.is_not(None),
        "missed": _leg.c.missed > 0,
        "passed_on": passed_on(),
    }
    return _has_leg(mine, *([kinds[counted]] if counted in kinds else []))


def _has_leg(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.select(_leg.c.id).where(_leg.c.session_id == _call.c.id, *conditions).correlate(_call).exists()
