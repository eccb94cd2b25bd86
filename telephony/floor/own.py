"""An agent's own work against that of the team: medians only, and nobody's name but the own.

The figures are those of `telephony.agent_figures` by the definitions of `telephony.measures`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit, User
from core.tables import table_of
from telephony.agent_figures import AgentFigures, by_agent
from telephony.grains import Grain, column_of
from telephony.measures import FORMULAS
from telephony.models import CallLeg, CallSession

_user, _unit = table_of(User), table_of(Unit)
_call, _leg = table_of(CallSession), table_of(CallLeg)
LEAST_OTHERS = 3  # a median of fewer would tell of a person
Value = Callable[[AgentFigures], float | None]

# What is compared, how it is written, and where less is better.
MEASURES: tuple[tuple[str, str, Value], ...] = (
    ("taken", "count", lambda one: one.taken),
    ("missed", "count", lambda one: one.missed),
    ("passed_on", "count", lambda one: one.passed_on),
    ("talk_seconds", "seconds", lambda one: one.talk_seconds),
    ("hold_seconds", "seconds", lambda one: one.hold_seconds),
    ("wrap_seconds", "seconds", lambda one: one.wrap_seconds),
    ("aht_seconds", "seconds", lambda one: one.aht_seconds),
    ("occupancy", "share", lambda one: one.worked.occupancy),
    ("signed_ms", "time", lambda one: one.worked.signed_ms / 1000 or None),
    ("ready_ms", "time", lambda one: one.worked.ready_ms / 1000 or None),
    ("not_ready_ms", "time", lambda one: one.worked.not_ready_ms / 1000 or None),
)


@dataclass(frozen=True)
class Compared:
    """One measure: the own value, the team's median, and how many others it is of."""

    code: str
    name: str
    formula: str
    form: str  # count, seconds, share, time (in seconds)
    own: float | None
    team: float | None
    others: int


@dataclass(frozen=True)
class Own:
    """A person's figures of a span of time."""

    figures: AgentFigures
    compared: tuple[Compared, ...]


@dataclass(frozen=True)
class Part:
    """An hour or a day of one's own calls."""

    at: datetime
    taken: int
    missed: int
    talk_ms: int


async def own_figures(
    session: AsyncSession, actor: Actor, begin: datetime, end: datetime, now: datetime
) -> Own:
    """The person's figures in [begin, end), beside the medians of the others of the same unit."""
    everybody = await by_agent(session, begin, end, now)
    team = await _team(session, actor)
    nothing = AgentFigures(actor.user_id, actor.name, actor.login)
    mine = next((one for one in everybody if one.user_id == actor.user_id), nothing)
    others = [one for one in everybody if one.user_id in team and one.user_id != actor.user_id]
    return Own(mine, tuple(compare(mine, others)))


def compare(mine: AgentFigures, others: Sequence[AgentFigures]) -> list[Compared]:
    """Each measure beside its median; of fewer than three others there is none."""
    found = []
    for code, form, value in MEASURES:
        known = [number for number in map(value, others) if number is not None]
        team = float(median(known)) if len(known) >= LEAST_OTHERS else None
        name, formula = FORMULAS[code]
        found.append(Compared(code, name, formula, form, value(mine), team, len(known)))
    return found


async def _team(session: AsyncSession, actor: Actor) -> set[int]:
    """The people of the same unit and below it."""
    below = sa.select(_unit.c.id).where(_unit.c.path.like(actor.unit_path + "%"))
    query = sa.select(_user.c.id).where(_user.c.unit_id.in_(below), _user.c.active)
    return set((await session.execute(query)).scalars())


async def parts(
    session: AsyncSession, actor: Actor, begin: datetime, end: datetime, grain: Grain
) -> list[Part]:
    """One's own calls by hour or by day, in order; spans without any are left out."""
    at = column_of(_call.c.queued_at, grain).label("at")
    query = (
        sa.select(
            at,
            sa.func.count().filter(_leg.c.answered_at.is_not(None)).label("taken"),
            sa.func.coalesce(sa.func.sum(_leg.c.missed), 0).label("missed"),
            sa.func.coalesce(sa.func.sum(sa.func.round(_leg.c.talk_seconds * 1000)), 0).label("talk_ms"),
        )
        .select_from(_leg.join(_call, _call.c.id == _leg.c.session_id))
        .where(_leg.c.user_id == actor.user_id, _call.c.direction == "inbound")
        .where(_call.c.queued_at >= begin, _call.c.queued_at < end)
        .group_by(sa.text("1"))
        .order_by(sa.text("1"))
    )
    return [
        Part(row.at, row.taken, int(row.missed), int(row.talk_ms)) for row in await session.execute(query)
    ]


async def surveys(
    session: AsyncSession, actor: Actor, begin: datetime, end: datetime
) -> list[tuple[str, int]]:
    """Which key citizens pressed after calls this person talked in last, and how often."""
    later = _leg.alias("later")
    last = ~sa.exists().where(
        later.c.session_id == _leg.c.session_id, later.c.answered_at > _leg.c.answered_at
    )
    query = (
        sa.select(_call.c.survey, sa.func.count())
        .select_from(_leg.join(_call, _call.c.id == _leg.c.session_id))
        .where(_leg.c.user_id == actor.user_id, _leg.c.answered_at.is_not(None), last)
        .where(_call.c.survey.is_not(None), _call.c.started_at >= begin, _call.c.started_at < end)
        .group_by(_call.c.survey)
        .order_by(_call.c.survey)
    )
    return [(row[0], int(row[1])) for row in await session.execute(query)]


def took_part(actor: Actor) -> sa.ColumnElement[bool]:
    """The condition on `call_session` that this person's telephone rang in it."""
    return sa.exists().where(_leg.c.session_id == _call.c.id, _leg.c.user_id == actor.user_id)
