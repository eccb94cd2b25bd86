"""How good the advice is: by week, by category, and two models beside each other. Reading only.

An answer counts as right when it names the category the ticket has now: what a person chose, or stood by,
and nobody corrected since. What a model filled in for a submission counts once a person had it in hand:
until then the model would only agree with itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from classifier.models import CategoryAdvice, CategorySwitch
from core.clock import CITY_ZONE
from routing.submissions import category_unchosen
from tickets.models import Category, Ticket, table_of

_advice, _ticket, _category = table_of(CategoryAdvice), table_of(Ticket), table_of(Category)
_switch = table_of(CategorySwitch)
WEEKS = 12
LEAST_CASES = 50  # of a category, before it may be dispatched without a person
WANTED = 0.98  # so many of a hundred must have been right, all but certainly
Z = 1.645  # one-sided 95 %


@dataclass(frozen=True)
class Share:
    """Right answers of how many."""

    right: int
    n: int

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None without cases."""
        return self.right / self.n if self.n else None

    @property
    def at_least(self) -> float:
        """The lower bound that holds in 95 of 100 (Wilson)."""
        if not self.n:
            return 0.0
        p, n, z = self.right / self.n, self.n, Z
        middle = p + z * z / (2 * n)
        return (middle - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


@dataclass(frozen=True)
class Week:
    """A week of advice: right answers, sureness, and how like what the model has seen."""

    first: date
    right: Share
    among_three: Share
    sureness: float
    likeness: float
    manual: int


@dataclass(frozen=True)
class OfCategory:
    """A category the model named, how often rightly, and whether it may be dispatched alone."""

    id: int
    code: str
    name: str
    sure: Share  # of the answers that were sure enough to act on
    right: Share
    automatic: bool

    @property
    def may_open(self) -> bool:
        """Whether its own cases are evidence enough to let it act alone."""
        return self.sure.n >= LEAST_CASES and self.sure.at_least >= WANTED


def _counted(right: Any) -> Any:
    return sa.func.count().filter(right)


def _joined(model_id: int, since: datetime) -> Any:
    joined = _advice.join(_ticket, _ticket.c.id == _advice.c.ticket_id)
    joined = joined.join(_category, _category.c.id == _ticket.c.category_id)
    asked = (_advice.c.model_id == model_id, _advice.c.advised_at >= since, ~category_unchosen())
    return sa.select().select_from(joined).where(*asked)


_FIRST = _advice.c.label == _category.c.code
_THREE = sa.or_(_FIRST, _advice.c.second == _category.c.code, _advice.c.third == _category.c.code)
_SURE = _advice.c.gate == "automatic"


async def weeks(session: AsyncSession, model_id: int, now: datetime) -> list[Week]:
    """The last twelve weeks of a model, the oldest first; weeks without advice are left out."""
    local = sa.func.timezone(CITY_ZONE.key, _advice.c.advised_at)
    week = sa.cast(sa.func.date_trunc("week", local), sa.Date).label("week")
    query = (
        _joined(model_id, now - timedelta(weeks=WEEKS))
        .add_columns(
            week,
            sa.func.count().label("n"),
            _counted(_FIRST).label("right"),
            _counted(_THREE).label("three"),
            sa.func.avg(_advice.c.probability).label("sureness"),
            sa.func.avg(_advice.c.likeness).label("likeness"),
            _counted(_advice.c.gate == "manual").label("manual"),
        )
        .group_by(week)
        .order_by(week)
    )
    return [
        Week(
            row.week,
            Share(row.right, row.n),
            Share(row.three, row.n),
            float(row.sureness),
            float(row.likeness),
            row.manual,
        )
        for row in await session.execute(query)
    ]


async def beside(session: AsyncSession, one: int, other: int) -> tuple[Share, Share]:
    """Two models on the tickets both were asked about."""
    second = _advice.alias("second")
    joined = (
        _advice.join(second, sa.and_(second.c.ticket_id == _advice.c.ticket_id, second.c.model_id == other))
        .join(_ticket, _ticket.c.id == _advice.c.ticket_id)
        .join(_category, _category.c.id == _ticket.c.category_id)
    )
    columns = (sa.func.count(), _counted(_FIRST), _counted(second.c.label == _category.c.code))
    query = sa.select(*columns).select_from(joined)
    query = query.where(_advice.c.model_id == one, ~category_unchosen())
    n, first, then = (await session.execute(query)).one()
    return Share(first, n), Share(then, n)


async def by_category(session: AsyncSession, model_id: int, now: datetime) -> Sequence[OfCategory]:
    """The categories the model named in the last weeks, the most frequent first."""
    named = _category.alias("named")
    n, sure = sa.func.count().label("n"), _counted(_SURE).label("sure")
    query = (
        sa.select(
            named.c.id,
            named.c.code,
            named.c.full_name,
            sa.func.coalesce(sa.func.bool_or(_switch.c.automatic), False).label("automatic"),
            n,
            _counted(_FIRST).label("right"),
            sure,
            _counted(sa.and_(_SURE, _FIRST)).label("sure_right"),
        )
        .select_from(
            _advice.join(_ticket, _ticket.c.id == _advice.c.ticket_id)
            .join(_category, _category.c.id == _ticket.c.category_id)
            .join(named, named.c.code == _advice.c.label)
            .outerjoin(_switch, _switch.c.category_id == named.c.id)
        )
        .where(
            _advice.c.model_id == model_id,
            _advice.c.advised_at >= now - timedelta(weeks=WEEKS),
            ~category_unchosen(),
        )
        .group_by(named.c.id, named.c.code, named.c.full_name)
        .order_by(n.desc(), named.c.code)
    )
    return [
        OfCategory(
            row.id, row.code, row.full_name, Share(row.sure_right, row.sure), Share(row.right, row.n),
            row.automatic,
        )
        for row in await session.execute(query)
    ]  # fmt: skip
