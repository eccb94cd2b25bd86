"""The stretches of agents' states behind a figure of their time: the parts of it, whose sum is the figure.

What is over stands in `agent_interval` as it was when `telephony.agent_time` kept it by quarter of an hour,
so that the parts within whole quarters add up to exactly what was kept, to the millisecond.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.models import User
from core.tables import table_of
from telephony.agents.models import STATES, AgentInterval
from telephony.measures import TALK

STRETCH = table_of(AgentInterval)
USER = table_of(User)
REASON = "reason:"  # begins the measure of not ready for one reason; "": none was given
SPENT: dict[str, tuple[str, ...]] = {
    "signed_ms": tuple(state for state in STATES if state != "signed_out"),
    "ready_ms": ("ready",),
    "ringing_ms": ("ringing",),
    "busy_talk_ms": TALK,
    "busy_hold_ms": ("hold",),
    "busy_back_ms": ("call_back",),
    "busy_wrap_ms": ("wrap_up",),
    "unreachable_ms": ("unreachable",),
    "not_ready_ms": ("not_ready",),
}


@dataclass(frozen=True)
class Asked:
    """Which stretches: a measure of time in [since, until), whole quarters; of one person or of all.

    `at` is when the figure was read: what went on then counts up to it.
    """

    spent: str
    since: datetime
    until: datetime
    at: datetime
    user_id: int | None = None


@dataclass(frozen=True)
class StretchRow:
    """One stretch, and how many of its milliseconds belong to the figure; `ended_at` None: it goes on."""

    id: int
    name: str
    login: str
    extension: str
    state: str
    reason: str
    started_at: datetime
    ended_at: datetime | None
    call_session_id: int | None
    ms: int


def known(spent: str) -> bool:
    """Whether there is such a measure."""
    return spent in SPENT or spent.startswith(REASON)


async def together(session: AsyncSession, asked: Asked) -> tuple[int, int]:
    """How many stretches, and their milliseconds. Raises HotlineError `bad_request`."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_ms(asked)), 0))
    count, ms = (await session.execute(query.select_from(STRETCH).where(*_behind(asked)))).one()
    return int(count), int(ms)


async def listed(
    session: AsyncSession, asked: Asked, *, most: int, before: tuple[datetime, int] | None = None
) -> tuple[list[StretchRow], tuple[datetime, int] | None]:
    """At most so many, the latest first, and the mark of the next page (None: last)."""
    query = _rows(asked).order_by(STRETCH.c.started_at.desc(), STRETCH.c.id.desc()).limit(most + 1)
    if before is not None:
        mark = sa.tuple_(*map(sa.literal, before))
        query = query.where(sa.tuple_(STRETCH.c.started_at, STRETCH.c.id) < mark)
    rows = [StretchRow(**row._mapping) for row in await session.execute(query)]
    shown = rows[:most]
    more = (shown[-1].started_at, shown[-1].id) if len(rows) > most else None
    return shown, more


def _rows(asked: Asked) -> sa.Select[Any]:
    columns: Sequence[sa.ColumnElement[Any]] = (
        STRETCH.c.id,
        USER.c.name,
        USER.c.login,
        STRETCH.c.extension,
        STRETCH.c.state,
        sa.func.coalesce(STRETCH.c.reason, "").label("reason"),
        STRETCH.c.started_at,
        sa.case((STRETCH.c.ended_at <= asked.at, STRETCH.c.ended_at)).label("ended_at"),
        STRETCH.c.call_session_id,
        _ms(asked).label("ms"),
    )
    joined = STRETCH.join(USER, USER.c.id == STRETCH.c.user_id)
    return sa.select(*columns).select_from(joined).where(*_behind(asked))


def _behind(asked: Asked) -> list[sa.ColumnElement[bool]]:
    if not known(asked.spent):
        raise HotlineError("bad_request", field="spent")
    span = sa.func.tstzrange(asked.since, min(asked.until, max(asked.at, asked.since)))
    found: list[sa.ColumnElement[bool]] = [
        # As the constraint that forbids overlaps has it, whose index finds what began long before.
        sa.func.tstzrange(STRETCH.c.started_at, STRETCH.c.ended_at).bool_op("&&")(span),
    ]
    if asked.user_id is not None:
        found.append(STRETCH.c.user_id == asked.user_id)
    if asked.spent.startswith(REASON):
        reason = asked.spent.removeprefix(REASON)
        found += [STRETCH.c.state == "not_ready", sa.func.coalesce(STRETCH.c.reason, "") == reason]
    else:
        found.append(STRETCH.c.state.in_(SPENT[asked.spent]))
    return found


def _ms(asked: Asked) -> sa.ColumnElement[Any]:
    """Whole milliseconds since 1970 at both ends, as they were kept."""
    over = sa.func.least(sa.func.coalesce(STRETCH.c.ended_at, asked.at), asked.until, asked.at)
    begun = sa.func.greatest(STRETCH.c.started_at, asked.since)
    return _since_1970(over) - _since_1970(begun)


def _since_1970(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.floor(sa.func.extract("epoch", moment) * 1000), sa.BigInteger)
