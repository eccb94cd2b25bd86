"""Figures of quality by agent and by item, of the scores in force of some weeks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.tables import table_of
from sla.quality.models import QualityAppeal, QualityCase, QualityScore, QualitySheet
from sla.quality.sheet import Sheet, sheet_of

_case, _score, _appeal = table_of(QualityCase), table_of(QualityScore), table_of(QualityAppeal)
_user, _sheet = table_of(User), table_of(QualitySheet)
LONGEST = 53  # weeks


@dataclass(frozen=True)
class AgentFigure:
    """An agent's scores: how many, their mean, fatal ones, appeals and how many changed the score."""

    user_id: int
    login: str
    name: str
    drawn: int
    scored: int
    mean: float | None
    fatal: int
    appeals: int
    changed: int


@dataclass(frozen=True)
class ItemFigure:
    """An item over all scores: the share of its points that was given, or how often a fatal one was found."""

    code: str
    group: str
    name: str
    fatal: bool
    marked: int
    share: float | None
    found: int
    lost: int  # times points were taken off


async def by_agent(session: AsyncSession, actor: Actor, first: date, last: date) -> list[AgentFigure]:
    """Agents whose calls were drawn in the weeks that begin in [first, last]; worst mean first."""
    actor.require(Permission.QUALITY_READ)
    count = sa.func.count
    query = (
        sa.select(
            _user.c.id,
            _user.c.login,
            _user.c.name,
            count(_case.c.id).label("drawn"),
            count(_case.c.total).label("scored"),
            sa.func.avg(_case.c.total).label("mean"),
            count().filter(_case.c.fatal).label("fatal"),
            count(_appeal.c.case_id).label("appeals"),
            count().filter(_appeal.c.outcome == "changed").label("changed"),
        )
        .select_from(
            _case.join(_user, _user.c.id == _case.c.user_id).outerjoin(
                _appeal, _appeal.c.case_id == _case.c.id
            )
        )
        .where(_case.c.monday.between(first, last))
        .group_by(_user.c.id)
        .order_by(sa.nulls_last(sa.func.avg(_case.c.total)), _user.c.login)
    )
    return [
        AgentFigure(row.id, row.login, row.name, row.drawn, row.scored, _float(row.mean), *row[6:])
        for row in await session.execute(query)
    ]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 1)


async def by_item(
    session: AsyncSession, actor: Actor, first: date, last: date, user_id: int | None = None
) -> list[ItemFigure]:
    """Items of the sheets used, in the newest one's order; an item is the same when its code is."""
    if user_id is None or user_id != actor.user_id:
        actor.require(Permission.QUALITY_READ)
    newest = (
        sa.select(_score.c.case_id, _score.c.marks, _score.c.fatal, _score.c.sheet_id)
        .distinct(_score.c.case_id)
        .join(_case, _case.c.id == _score.c.case_id)
        .where(_score.c.kind.in_(["review", "appeal"]), _case.c.monday.between(first, last))
        .order_by(_score.c.case_id, _score.c.id.desc())
    )
    if user_id is not None:
        newest = newest.where(_case.c.user_id == user_id)
    rows = (await session.execute(newest)).all()
    sheets = await _sheets(session, {row.sheet_id for row in rows})
    return counted(((sheets[row.sheet_id], row.marks, row.fatal) for row in rows), _latest(sheets))


async def _sheets(session: AsyncSession, ids: set[int]) -> dict[int, Sheet]:
    query = sa.select(_sheet.c.id, _sheet.c["items"].label("lines")).where(_sheet.c.id.in_(ids))
    return {row.id: sheet_of(row.lines) for row in await session.execute(query.order_by(_sheet.c.id))}


def _latest(sheets: dict[int, Sheet]) -> list[Any]:
    """Every item once, as its newest sheet has it, the newest sheet's first."""
    found: dict[str, Any] = {}
    for ident in sorted(sheets, reverse=True):
        for item in sheets[ident].items:
            found.setdefault(item.code, item)
    return list(found.values())


def counted(
    scores: Iterable[tuple[Sheet, dict[str, int | None], list[str]]], items: list[Any]
) -> list[ItemFigure]:
    """The figures of each item; pure. A share is points given ÷ points that applied, over all scores."""
    given, worth, marked, found, lost = ({item.code: 0 for item in items} for _ in range(5))
    for form, marks, fatal in scores:
        for item in form.weighed:
            mark = marks.get(item.code)
            if mark is not None:
                marked[item.code] += 1
                given[item.code] += mark
                worth[item.code] += item.points
                lost[item.code] += mark < item.points
        for item in form.fatal:
            marked[item.code] += 1
            found[item.code] += item.code in fatal
    return [
        ItemFigure(
            item.code, item.group, item.name, item.fatal, marked[item.code],
            given[item.code] / worth[item.code] if worth[item.code] else None,
            found[item.code], lost[item.code],
        )
        for item in items
    ]  # fmt: skip
