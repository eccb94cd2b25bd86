"""Lists of work on knowledge: one's own articles by what is to be done, and what is to be put right."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from tickets.knowledge.models import KnowledgeArticle, KnowledgeReport, KnowledgeTask
from tickets.knowledge.terms import Stage
from tickets.knowledge.visibility import own
from tickets.models import Category, table_of

_article = table_of(KnowledgeArticle)
_task = table_of(KnowledgeTask)
_report = table_of(KnowledgeReport)
_unit = table_of(Unit)
_user = table_of(User)
_category = table_of(Category)
PAGE = 50
Shelf = Literal["writing", "review", "release", "ending", "ended", "withdrawn", "all"]


@dataclass(frozen=True)
class Item:
    """An article in a list."""

    id: int
    question: str
    unit: str
    category: str | None
    audience: str
    valid_to: date | None
    live: int | None
    pending: int | None
    stage: str | None
    uses: int
    updated_at: datetime


def _shelf(shelf: Shelf, day: date, soon: int) -> sa.ColumnElement[bool]:
    """The articles of a shelf; `soon`: days before its end that an article is ending."""
    live, end = _article.c.live.is_not(None), _article.c.valid_to
    if shelf in set(Stage):
        return _article.c.stage == shelf
    if shelf == "ending":
        return sa.and_(live, end >= day, end <= day + timedelta(days=soon))
    if shelf == "ended":
        return sa.and_(live, end < day)
    if shelf == "withdrawn":
        return sa.and_(_article.c.withdrawn_at.is_not(None), _article.c.live.is_(None))
    return sa.true()


async def shelf_counts(session: AsyncSession, actor: Actor, day: date, soon: int) -> dict[str, int]:
    """How many of one's own articles stand on each shelf."""
    shelves: tuple[Shelf, ...] = ("writing", "review", "release", "ending", "ended", "withdrawn", "all")
    counted = [sa.func.count().filter(_shelf(shelf, day, soon)).label(shelf) for shelf in shelves]
    row = (await session.execute(sa.select(*counted).select_from(_article).where(own(actor)))).one()
    return {shelf: int(getattr(row, shelf)) for shelf in shelves}


async def shelf_of(
    session: AsyncSession, actor: Actor, shelf: Shelf, day: date, soon: int, *, before: int | None = None
) -> list[Item]:
    """A page of one's own articles on a shelf, the newest first; one more than a page when there are more."""
    query = _items().where(own(actor), _shelf(shelf, day, soon))
    if before is not None:
        query = query.where(_article.c.id < before)
    rows = await session.execute(query.order_by(_article.c.id.desc()).limit(PAGE + 1))
    return [Item(**row._mapping) for row in rows]


def _items() -> sa.Select[Any]:
    plain = ("id", "question", "audience", "valid_to", "live", "pending", "stage", "uses", "updated_at")
    return (
        sa.select(
            *(_article.c[name] for name in plain),
            _unit.c.short_name.label("unit"),
            _category.c.full_name.label("category"),
        )
        .select_from(_article)
        .join(_unit, _unit.c.id == _article.c.unit_id)
        .outerjoin(_category, _category.c.id == _article.c.category_id)
    )


# ---- tasks ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """Something to be put right, as its list shows it."""

    id: int
    version: int
    kind: str
    about: str
    reports: int
    limit_days: int
    opened_at: datetime
    due_at: datetime
    article_id: int | None
    question: str | None
    unit: str | None
    answer_id: int | None
    edition: int | None
    closed_at: datetime | None
    closed_as: str | None
    reason: str
    opener: str | None


async def task_list(
    session: AsyncSession, actor: Actor, *, closed: bool = False, article_id: int | None = None
) -> list[Task]:
    """One's own tasks: the open ones by their due time, or the last that were closed."""
    query = _tasks().where(own(actor, _task.c.unit_id))
    if article_id is not None:
        query = query.where(_task.c.article_id == article_id)
    if closed:
        query = query.where(_task.c.closed_at.is_not(None)).order_by(_task.c.closed_at.desc(), _task.c.id)
    else:
        query = query.where(_task.c.closed_at.is_(None)).order_by(_task.c.due_at, _task.c.id)
    return [Task(**row._mapping) for row in await session.execute(query.limit(200))]


def _tasks() -> sa.Select[Any]:
    plain = (
        *("id", "version", "kind", "about", "reports", "limit_days", "opened_at", "due_at", "article_id"),
        *("answer_id", "edition", "closed_at", "closed_as", "reason"),
    )
    return (
        sa.select(
            *(_task.c[name] for name in plain),
            _article.c.question,
            _unit.c.short_name.label("unit"),
            _user.c.name.label("opener"),
        )
        .select_from(_task)
        .outerjoin(_article, _article.c.id == _task.c.article_id)
        .outerjoin(_unit, _unit.c.id == _task.c.unit_id)
        .outerjoin(_user, _user.c.id == _task.c.opened_by)
    )


async def task(session: AsyncSession, actor: Actor, task_id: int) -> Task:
    """One of one's own open tasks. Raises `task_not_found`."""
    found = next((one for one in await task_list(session, actor) if one.id == task_id), None)
    if found is None:
        raise HotlineError("task_not_found", task_id=task_id)
    return found


async def own_reports(session: AsyncSession, actor: Actor) -> list[Task]:
    """The tasks one reported something to, the newest first."""
    mine = sa.select(_report.c.task_id).where(_report.c.user_id == actor.user_id)
    query = _tasks().where(_task.c.id.in_(mine)).order_by(_task.c.id.desc()).limit(100)
    return [Task(**row._mapping) for row in await session.execute(query)]
