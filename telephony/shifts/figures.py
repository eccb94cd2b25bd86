"""Attendance and adherence of a period, from the rota and from what agents did; computed when asked.

Sign-ins and states are merged by PostgreSQL (`range_agg`), so that what is read follows the number of
shifts and not that of calls; what they mean is said by `attendance` alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of
from telephony.shifts import queries
from telephony.shifts.attendance import (
    ORDERED,
    WANTED,
    Attendance,
    Rostered,
    Rules,
    Summary,
    attended,
    summary,
)
from telephony.shifts.grid import Person, Planned, Rows
from telephony.shifts.hours import instant

_user = table_of(User)
_SIGNED_IN = sa.text("""
SELECT user_id, lower(one) AS begin, upper(one) AS "end" FROM (
    SELECT user_id, unnest(range_agg(tstzrange(signed_in_at, coalesce(signed_out_at, :now)))) AS one
    FROM agent_session
    WHERE signed_in_at < :last AND coalesce(signed_out_at, :now) > :first
        AND signed_in_at < coalesce(signed_out_at, :now)
        AND (CAST(:who AS bigint) IS NULL OR user_id = :who)
    GROUP BY user_id) merged
""")
_WANTED = sa.text("""
SELECT user_id, lower(one) AS begin, upper(one) AS "end" FROM (
    SELECT user_id, unnest(range_agg(tstzrange(started_at, coalesce(ended_at, :now)))) AS one
    FROM agent_interval
    WHERE started_at < :last AND started_at > :before AND coalesce(ended_at, :now) > :first
        AND started_at < coalesce(ended_at, :now)
        AND (state = ANY(:wanted) OR (state = 'not_ready' AND reason = ANY(:ordered)))
        AND (CAST(:who AS bigint) IS NULL OR user_id = :who)
    GROUP BY user_id) merged
""")
LONGEST_STATE = timedelta(days=2)  # a state that begins earlier is no shift's


@dataclass(frozen=True)
class ShiftFigure:
    """A shift and what became of it."""

    user_id: int
    day: date
    planned: Planned
    attendance: Attendance


@dataclass(frozen=True)
class PersonFigure:
    """A person's period."""

    user_id: int
    login: str
    name: str
    summary: Summary


def rules_of(grace_minutes: int, overtime_minutes: int) -> Rules:
    """The rules of the settings."""
    return Rules(timedelta(minutes=grace_minutes), timedelta(minutes=overtime_minutes))


async def shifts(
    session: AsyncSession,
    actor: Actor,
    first: date,
    last: date,
    now: datetime,
    rules: Rules,
    user_id: int | None = None,
) -> list[ShiftFigure]:
    """What became of the shifts of these days, by day and person; an agent sees his own only."""
    if not actor.may(Permission.ROTA_READ):
        actor.require(Permission.SHIFT_OWN)
        user_id = actor.user_id
    around = await queries.rows(session, first - timedelta(days=1), last + timedelta(days=1), user_id)
    begin = instant(first, 0) - timedelta(hours=6)
    window = {
        "first": begin,
        "last": instant(last, 0) + timedelta(days=2),
        "now": now,
        "who": user_id,
    }
    signed_in = await _spans(session, _SIGNED_IN, window)
    wanted = await _spans(
        session,
        _WANTED,
        {
            **window,
            "before": begin - LONGEST_STATE,
            "wanted": sorted(WANTED),
            "ordered": sorted(ORDERED),
        },
    )
    phoneless = await _without_telephone(session)
    found = []
    for who, day, planned, rostered in _rostered(around):
        if first <= day <= last and (who not in phoneless or who in signed_in):
            came = attended(rostered, signed_in.get(who, ()), wanted.get(who, ()), now, rules)
            found.append(ShiftFigure(who, day, planned, came))
    return sorted(found, key=lambda one: (one.day, one.planned.hours.starts, one.user_id))


async def _without_telephone(session: AsyncSession) -> set[int]:
    """Who has no telephone cannot sign in: unless they did, nothing is said of their attendance."""
    return set((await session.execute(sa.select(_user.c.id).where(_user.c.extension.is_(None)))).scalars())


async def _spans(
    session: AsyncSession, query: sa.TextClause, values: Mapping[str, object]
) -> dict[int, list[tuple[datetime, datetime | None]]]:
    found: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for row in await session.execute(query, values):
        found.setdefault(row.user_id, []).append((row.begin, row.end))
    return found


def _rostered(rows: Rows) -> Iterable[tuple[int, date, Planned, Rostered]]:
    """Every shift with the neighbours that bound what belongs to it."""
    by_person: dict[int, list[tuple[date, Planned]]] = {}
    for (who, day), one in sorted(rows.items()):
        by_person.setdefault(who, []).append((day, one))
    for who, mine in by_person.items():
        spans = [one.hours.span(day) for day, one in mine]
        for place, (day, one) in enumerate(mine):
            before = spans[place - 1].end if place else None
            after = spans[place + 1].begin if place + 1 < len(spans) else None
            yield who, day, one, Rostered(spans[place], one.hours.pauses(day), before, after)


def by_person(found: Iterable[ShiftFigure], people: Iterable[Person]) -> list[PersonFigure]:
    """The sums of each person who was rostered, by login."""
    mine: dict[int, list[Attendance]] = {}
    for one in found:
        mine.setdefault(one.user_id, []).append(one.attendance)
    return [
        PersonFigure(ident, login, name, summary(mine[ident]))
        for ident, login, name in people
        if ident in mine
    ]
