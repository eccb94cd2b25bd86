"""How well tickets were sent: first time right, corrections, returns by reason; with the tickets behind.

Counted are first dispatches: of every ticket the one choice that no other came before. Right is what was
never returned with success, re-dispatched or ruled elsewhere. Followed is what went to the first unit the
desk was shown. The number and its list are two readings of the same condition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import CITY_ZONE
from core.people.actor import Actor
from core.people.models import Unit
from routing.models import DispatchAdvice, DispatchChoice
from routing.rule_service import versions
from tickets.models import Category, Ticket, table_of
from tickets.visibility import visible_tickets

_choice, _advice, _ticket = table_of(DispatchChoice), table_of(DispatchAdvice), table_of(Ticket)
_unit, _category = table_of(Unit), table_of(Category)
LONGEST = 92  # days of one page: counted afresh each time
PAGE = 50
By = Literal["unit", "category", "rule", "source"]
Kind = Literal["all", "right", "corrected", "followed", "advised", "waiting"]


@dataclass(frozen=True)
class Wanted:
    """First dispatches of some days (city), of one unit, category (first level), rule, source or reason."""

    first: date
    last: date
    kind: Kind = "all"
    unit_id: int | None = None
    category_id: int | None = None
    rule: str | None = None
    source: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Line:
    """The figures of one key; `followed` and `advised` count what the desk had a suggestion for."""

    key: Any
    label: str
    sent: int
    corrected: int
    waiting: int
    advised: int
    followed: int

    @property
    def right(self) -> int:
        return self.sent - self.corrected

    @property
    def right_rate(self) -> float | None:
        return self.right / self.sent if self.sent else None

    @property
    def corrected_rate(self) -> float | None:
        return self.corrected / self.sent if self.sent else None

    @property
    def followed_rate(self) -> float | None:
        return self.followed / self.advised if self.advised else None


_JOINED = _choice.outerjoin(
    _advice,
    (_advice.c.ticket_id == _choice.c.ticket_id) & (_advice.c.ticket_version == _choice.c.version - 1),
).join(_ticket, _ticket.c.id == _choice.c.ticket_id)
_earlier = _choice.alias("earlier")
_FIRST = ~sa.exists().where(
    _earlier.c.ticket_id == _choice.c.ticket_id, _earlier.c.version < _choice.c.version
)
_CORRECTED = _choice.c.corrected_at.is_not(None)
_WAITING = sa.and_(_ticket.c.state == "waiting_sign", _choice.c.corrected_at.is_(None), _ticket.c.round == 1)
_ADVISED = _advice.c.first_unit_id.is_not(None)
_FOLLOWED = _advice.c.first_unit_id == _choice.c.unit_id
# What has none is a key of its own, so that it can be asked for.
_SOURCE = sa.func.coalesce(sa.func.nullif(_advice.c.source, ""), "none")
_REASON = sa.func.coalesce(_choice.c.corrected_reason, "none")
_TOP = sa.cast(sa.func.split_part(_category.c.path, ".", 2), sa.BigInteger)


def _midnight(day: date) -> datetime:
    """When a day of the city begins (UTC)."""
    return datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)


def _conditions(wanted: Wanted) -> list[Any]:
    start, end = _midnight(wanted.first), _midnight(wanted.last + timedelta(days=1))
    found: list[Any] = [_choice.c.chosen_at >= start, _choice.c.chosen_at < end, _FIRST]
    kinds: dict[Kind, Any] = {
        "right": ~_CORRECTED,
        "corrected": _CORRECTED,
        "followed": _FOLLOWED,
        "advised": _ADVISED,
        "waiting": _WAITING,
    }
    if wanted.kind in kinds:
        found.append(kinds[wanted.kind])
    if wanted.unit_id is not None:
        found.append(_choice.c.unit_id == wanted.unit_id)
    if wanted.category_id is not None:
        found.append(wanted.category_id == _TOP)
    if wanted.rule is not None:
        found.append(_advice.c.rule == wanted.rule)
    if wanted.source is not None:
        found.append(wanted.source == _SOURCE)
    if wanted.reason is not None:
        found += [_CORRECTED, wanted.reason == _REASON]
    return found


def _counts() -> tuple[Any, ...]:
    count = sa.func.count
    return (
        count(),
        count().filter(_CORRECTED),
        count().filter(_WAITING),
        count().filter(_ADVISED),
        count().filter(_FOLLOWED),
    )


_FROM = _JOINED.join(_category, _category.c.id == _ticket.c.category_id)


async def whole(session: AsyncSession, wanted: Wanted) -> Line:
    """The figures of everything."""
    query = sa.select(*_counts()).select_from(_FROM).where(*_conditions(wanted))
    return Line(None, "全部", *(await session.execute(query)).one())


async def lines(session: AsyncSession, wanted: Wanted, by: By) -> list[Line]:
    """The figures by unit, category of the first level, rule or source; the most corrections first."""
    keys = {
        "unit": _choice.c.unit_id,
        "category": _TOP,
        "rule": _advice.c.rule,
        "source": _SOURCE,
    }
    key = keys[by].label("key")
    query = sa.select(key, *_counts()).select_from(_FROM).where(*_conditions(wanted)).group_by(key)
    if by == "rule":
        query = query.where(_advice.c.rule.is_not(None))
    rows = (await session.execute(query)).all()
    labels = await _labels(session, by, [row[0] for row in rows])
    found = [Line(row[0], labels.get(row[0], str(row[0])), *row[1:]) for row in rows]
    return sorted(found, key=lambda line: (-line.corrected, -line.sent, str(line.key)))


async def _labels(session: AsyncSession, by: By, keys: Sequence[Any]) -> dict[Any, str]:
    if by == "unit":
        query = sa.select(_unit.c.id, _unit.c.short_name).where(_unit.c.id.in_(keys))
    elif by == "category":
        query = sa.select(_category.c.id, _category.c.name).where(_category.c.id.in_(keys))
    elif by == "rule":
        kept = [one for one in await versions(session) if one.state != "draft"]
        return {rule.code: rule.name for one in reversed(kept) for rule in one.rules}
    else:
        return {}
    return {row[0]: row[1] for row in await session.execute(query)}


async def reasons(session: AsyncSession, wanted: Wanted) -> list[tuple[str, str, int]]:
    """Corrections by how (accept_return, redispatch, rule) and reason code, the most first."""
    reason = _REASON
    query = (
        sa.select(_choice.c.corrected_as, reason, sa.func.count())
        .select_from(_FROM)
        .where(*_conditions(wanted), _CORRECTED)
        .group_by(_choice.c.corrected_as, reason)
        .order_by(sa.func.count().desc(), reason)
    )
    return [(row[0], row[1], int(row[2])) for row in await session.execute(query)]


@dataclass(frozen=True)
class Behind:
    """A ticket behind a number: where it went, what had been suggested, where it went later."""

    ticket_id: int
    number: str
    title: str
    category: str
    chosen: str
    suggested: str | None
    source: str | None
    corrected_as: str | None
    corrected_reason: str | None
    corrected_to: str | None
    chosen_at: Any


async def tickets(session: AsyncSession, actor: Actor, wanted: Wanted, after: int = 0) -> list[Behind]:
    """The tickets behind a number which this person may see, latest dispatch first, a page at a time."""
    chosen, first, to = (_unit.alias(name) for name in ("chosen", "first_unit", "to_unit"))
    query = (
        sa.select(
            *(_ticket.c.id, _ticket.c.number, _ticket.c.title, _category.c.full_name),
            *(chosen.c.short_name, first.c.short_name, _advice.c.source),
            *(_choice.c.corrected_as, _choice.c.corrected_reason, to.c.short_name, _choice.c.chosen_at),
        )
        .select_from(
            _FROM.join(chosen, chosen.c.id == _choice.c.unit_id)
            .outerjoin(first, first.c.id == _advice.c.first_unit_id)
            .outerjoin(to, to.c.id == _choice.c.corrected_to)
        )
        .where(*_conditions(wanted), visible_tickets(actor))
        .order_by(_choice.c.chosen_at.desc(), _choice.c.id.desc())
        .offset(after)
        .limit(PAGE)
    )
    return [Behind(*row) for row in await session.execute(query)]
