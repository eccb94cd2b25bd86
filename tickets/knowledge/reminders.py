"""The daily duty of knowledge: owners hear of articles that end and of tasks that are late, once each."""

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.db import UnitOfWork
from tickets.knowledge import gaps, tasks
from tickets.knowledge.models import KnowledgeArticle, KnowledgeReminder, KnowledgeTask
from tickets.models import table_of

_article = table_of(KnowledgeArticle)
_reminder = table_of(KnowledgeReminder)
_task = table_of(KnowledgeTask)


async def remind(uow: UnitOfWork, day: date, *, days: int, gap_days: int) -> int:
    """Tell the owners of what ends within `days` of `day` or has ended, and whose task is late.

    An edition is told of once before its end and once after it. Gaps nobody asked for in `gap_days`
    days are forgotten. Returns how many units were told.
    """
    soon = _article.c.valid_to.between(day, day + timedelta(days=days))
    units: set[tuple[str, int | None]] = set()
    units.update(("knowledge_ending", unit) for unit in await _once(uow, "ending", soon))
    units.update(("knowledge_ended", unit) for unit in await _once(uow, "ended", _article.c.valid_to < day))
    units.update(("knowledge_late", unit) for unit in await _late(uow))
    for kind, unit in sorted(units, key=lambda one: (one[0], one[1] or 0)):
        await tasks.tell(uow, kind, unit)
    await gaps.forget(uow, gap_days)
    return len(units)


async def _once(uow: UnitOfWork, kind: str, which: sa.ColumnElement[bool]) -> set[int]:
    """The units of articles in force that meet `which` and were not told of yet; notes that they are."""
    columns = (_article.c.id, _article.c.live, _article.c.unit_id)
    told = sa.exists().where(
        _reminder.c.article_id == _article.c.id,
        _reminder.c.edition == _article.c.live,
        _reminder.c.kind == kind,
    )
    query = sa.select(*columns).where(_article.c.live.is_not(None), which, ~told)
    rows = (await uow.session.execute(query)).all()
    if rows:
        values = [{"article_id": row.id, "edition": row.live, "kind": kind, "at": uow.now} for row in rows]
        await uow.session.execute(insert(_reminder).on_conflict_do_nothing(), values)
    return {row.unit_id for row in rows}


async def _late(uow: UnitOfWork) -> set[int | None]:
    """Who answers for open tasks that are late and were not told of it yet."""
    statement = (
        sa.update(_task)
        .where(_task.c.closed_at.is_(None), _task.c.late_told_at.is_(None), _task.c.due_at <= uow.now)
        .values(late_told_at=uow.now)
        .returning(_task.c.unit_id)
    )
    return {row.unit_id for row in await uow.session.execute(statement)}
