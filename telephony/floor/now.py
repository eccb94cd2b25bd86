"""The floor at this moment, for one who oversees it: agents, who waits, who talks; a few short questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.privacy import PersonalValue
from core.tables import table_of
from telephony.agents.models import AgentInterval, AgentSession, WrapUp
from telephony.floor.models import CallLanguage, UserLanguage
from telephony.floor.scope import on_floor_of
from telephony.models import CallLeg, CallSession

_session, _interval, _wrap_up = table_of(AgentSession), table_of(AgentInterval), table_of(WrapUp)
_user, _person = table_of(User), table_of(PersonalValue)
_call, _leg = table_of(CallSession), table_of(CallLeg)
_language, _speaks = table_of(CallLanguage), table_of(UserLanguage)
MOST_CALLS = 300


@dataclass(frozen=True)
class AgentNow:
    """One signed-in agent: the state and since when, the call he is in, what he answers."""

    user_id: int
    name: str
    extension: str
    state: str
    reason: str | None
    since: datetime
    queues: tuple[str, ...]
    call_id: int | None
    caller: str | None
    queue: str | None
    missed: int
    set_by: str | None
    leaving: bool
    wraps_until: datetime | None
    languages: tuple[str, ...]


@dataclass(frozen=True)
class WaitingNow:
    """A citizen in a queue; `place` counts from 1 within it."""

    id: int
    queue: str
    place: int
    caller: str | None
    since: datetime
    ringing: bool
    language: str | None


@dataclass(frozen=True)
class TalkNow:
    """A call in which somebody talks; `names` are those who do."""

    id: int
    direction: str
    names: tuple[str, ...]
    user_ids: tuple[int, ...]
    caller: str | None
    queue: str | None
    since: datetime
    language: str | None


async def agents_now(session: AsyncSession, actor: Actor, *, only: int | None = None) -> list[AgentNow]:
    """The signed-in agents this person oversees, by extension; `only` one of them."""
    setter = _user.alias("setter")
    spoken = (
        sa.select(sa.func.array_agg(_speaks.c.language))
        .where(_speaks.c.user_id == _session.c.user_id)
        .scalar_subquery()
    )
    here = sa.and_(_interval.c.agent_session_id == _session.c.id, _interval.c.ended_at.is_(None))
    wraps = sa.and_(_wrap_up.c.user_id == _session.c.user_id, _wrap_up.c.ended_at.is_(None))
    query = (
        sa.select(
            _session.c.user_id, _user.c.name, _session.c.extension, _interval.c.state, _interval.c.reason,
            _interval.c.started_at.label("since"), _session.c.queues, _interval.c.call_session_id,
            _person.c.masked, _interval.c.queue, _session.c.missed, setter.c.name.label("set_by"),
            _session.c.leaving, _wrap_up.c.ends_at.label("wraps_until"), spoken.label("languages"),
        )
        .select_from(
            _session.join(_user, _user.c.id == _session.c.user_id)
            .join(_interval, here)
            .outerjoin(_wrap_up, wraps)
            .outerjoin(_call, _call.c.id == _interval.c.call_session_id)
            .outerjoin(_person, _person.c.id == _call.c.caller_ref)
            .outerjoin(setter, setter.c.id == sa.func.nullif(_interval.c.set_by, _session.c.user_id))
        )
        .where(_session.c.signed_out_at.is_(None), on_floor_of(actor))
        .order_by(_session.c.extension)
    )  # fmt: skip
    if only is not None:
        query = query.where(_session.c.user_id == only)
    return [_agent(row) for row in await session.execute(query)]


def _agent(row: Any) -> AgentNow:
    return AgentNow(
        row.user_id, row.name, row.extension, row.state, row.reason, row.since, tuple(row.queues),
        row.call_session_id, row.masked, row.queue, row.missed, row.set_by, row.leaving is not None,
        row.wraps_until, tuple(row.languages or ()),
    )  # fmt: skip


async def waiting_now(session: AsyncSession) -> list[WaitingNow]:
    """Citizens in a queue whom nobody has answered, each queue in its order."""
    last = _call.c.queues[-1].astext
    query = (
        sa.select(
            _call.c.id, last.label("queue"), _person.c.masked, _call.c.queued_at, _call.c.state,
            _language.c.language,
        )
        .select_from(
            _call.outerjoin(_person, _person.c.id == _call.c.caller_ref).outerjoin(
                _language, _language.c.call_session_id == _call.c.id
            )
        )
        .where(_call.c.ended_at.is_(None), _call.c.state.in_(("waiting", "ringing")))
        .where(_call.c.queued_at.is_not(None), _call.c.direction == "inbound")
        .order_by(_call.c.queued_at, _call.c.id)
        .limit(MOST_CALLS)
    )  # fmt: skip
    places: dict[str, int] = {}
    found = []
    for row in await session.execute(query):
        queue = row.queue or ""
        places[queue] = places.get(queue, 0) + 1
        found.append(
            WaitingNow(
                row.id, queue, places[queue], row.masked, row.queued_at, row.state == "ringing", row.language
            )
        )
    return found


async def talking_now(session: AsyncSession, actor: Actor) -> list[TalkNow]:
    """Calls in which somebody of this floor talks, or somebody nobody knows; the longest first."""
    query = (
        sa.select(
            _call.c.id, _call.c.direction, _leg.c.user_id, _user.c.name, _leg.c.extension, _person.c.masked,
            _call.c.queues[-1].astext.label("queue"), _leg.c.answered_at, _call.c.started_at,
            _language.c.language,
        )
        .select_from(
            _leg.join(_call, _call.c.id == _leg.c.session_id)
            .outerjoin(_user, _user.c.id == _leg.c.user_id)
            .outerjoin(_person, _person.c.id == _call.c.caller_ref)
            .outerjoin(_language, _language.c.call_session_id == _call.c.id)
        )
        .where(_leg.c.state == "talking", _call.c.ended_at.is_(None))
        .where(sa.or_(_leg.c.user_id.is_(None), on_floor_of(actor)))
        .order_by(_call.c.id, _leg.c.answered_at)
        .limit(MOST_CALLS)
    )  # fmt: skip
    calls: dict[int, list[Any]] = {}
    for row in await session.execute(query):
        calls.setdefault(row.id, []).append(row)
    return sorted((_talk(rows) for rows in calls.values()), key=lambda one: (one.since, one.id))


def _talk(rows: Sequence[Any]) -> TalkNow:
    first = rows[0]
    return TalkNow(
        first.id,
        first.direction,
        tuple(row.name or row.extension for row in rows),
        tuple(row.user_id for row in rows if row.user_id is not None),
        first.masked,
        first.queue,
        min(row.answered_at or row.started_at for row in rows),
        first.language,
    )
