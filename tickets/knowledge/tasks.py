"""What is wrong, expired or missing: reported with one click, put right within working days.

A report about an article opens one task per kind, or adds to the open one. It ends with a new edition
in force, or is rejected with a reason. What people write is kept without numbers and names.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core import redact
from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify import staff
from core.notify.staff import Notice, roles_with
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.errors import conflict
from tickets.forms import clean
from tickets.knowledge.models import KnowledgeArticle, KnowledgeReport, KnowledgeTask
from tickets.knowledge.terms import MAX_NOTE, Complaint
from tickets.knowledge.visibility import own, published
from tickets.limits import Limits
from tickets.models import table_of

_article = table_of(KnowledgeArticle)
_task = table_of(KnowledgeTask)
_report = table_of(KnowledgeReport)
WRITERS = roles_with(Permission.KNOWLEDGE_EDIT)
EDITORS = roles_with(Permission.KNOWLEDGE_EDIT_ALL)


@dataclass(frozen=True)
class Reported:
    """The task a report went to; `new` unless it was open already."""

    task_id: int
    new: bool


async def report(
    uow: UnitOfWork,
    actor: Actor,
    limits: Limits,
    kind: str,
    *,
    days: int,
    article_id: int | None = None,
    note: str = "",
) -> Reported:
    """Say that an article is wrong or expired, or that none was found for `note`.

    The owner has `days` working days (`limits`, as the city's calendar counts them) and is told.
    Raises `forbidden`, `knowledge_not_found`, `bad_request`, `note_required` (nothing says what was
    looked for).
    """
    actor.require(Permission.KNOWLEDGE_READ)
    complaint, about = _checked(kind, article_id), masked(note)
    if complaint is Complaint.NOT_FOUND and not about:
        raise HotlineError("note_required", action="knowledge")
    unit_id = await _owner(uow, actor, article_id) if article_id is not None else None
    open_one = await _open_one(uow, complaint, article_id, about)
    if open_one is not None:
        await _repeat(uow, actor, open_one, about)
        return Reported(open_one.id, new=False)
    values = {
        "kind": complaint.value,
        "article_id": article_id,
        "unit_id": unit_id,
        "about": about,
        "limit_days": days,
        "due_at": limits.later(uow.now, days),
    }
    return Reported(await _open(uow, actor, values), new=True)


async def _open(uow: UnitOfWork, actor: Actor, values: dict[str, Any]) -> int:
    """A new task with its first report; its owner is told."""
    first = {"version": 1, "reports": 1, "opened_by": actor.user_id, "opened_at": uow.now, "reason": ""}
    made = await uow.session.execute(sa.insert(_task).values(**first, **values).returning(_task.c.id))
    ident = int(made.scalar_one())
    await _add_report(uow, actor, ident, values["about"])
    await tell(uow, "knowledge_task", values["unit_id"], done_by=actor.user_id)
    return ident


async def _repeat(uow: UnitOfWork, actor: Actor, task: Any, about: str) -> None:
    """The same again: one more report of the task that is open."""
    await _add_report(uow, actor, task.id, about)
    more = {"reports": task.reports + 1, "version": task.version + 1}
    await uow.session.execute(sa.update(_task).where(_task.c.id == task.id).values(**more))


async def reject(uow: UnitOfWork, actor: Actor, task_id: int, version: int, reason: str) -> None:
    """Nothing is changed, and why.

    Raises `task_not_found`, `task_closed`, `forbidden`, `knowledge_reason`, `version_conflict`.
    """
    row = await _locked(uow, actor, task_id)
    reason = clean(reason, lines=True)[:MAX_NOTE]
    if not reason:
        raise HotlineError("knowledge_reason")
    if row.version != version:
        raise conflict("knowledge_task", task_id, ours=version, theirs=row.version)
    values = {"closed_as": "rejected", "reason": reason}
    await _close(uow, actor, _task.c.id == task_id, values)
    if row.opened_by is not None:
        await staff.tell_people(uow, "knowledge_rejected", [row.opened_by])


async def take_up(uow: UnitOfWork, actor: Actor, task_id: int, article_id: int) -> None:
    """An article is written for a task that had none. Raises `task_not_found`, `task_closed`."""
    row = await _locked(uow, actor, task_id)
    if row.article_id is not None:
        raise HotlineError("task_not_found", task_id=task_id)
    values = {"answer_id": article_id, "version": row.version + 1}
    await uow.session.execute(sa.update(_task).where(_task.c.id == task_id).values(**values))


async def done_by(uow: UnitOfWork, actor: Actor, article_id: int, edition: int) -> None:
    """Every open task about an article, or that it was written for, is done by its new edition."""
    about = sa.or_(_task.c.article_id == article_id, _task.c.answer_id == article_id)
    values = {"closed_as": "new_version", "edition": edition, "answer_id": article_id}
    for who in await _close(uow, actor, about, values):
        await staff.tell_people(uow, "knowledge_mended", [who])


async def follow_unit(uow: UnitOfWork, from_id: int, to_id: int) -> None:
    """Open tasks go where their articles go."""
    moved = sa.update(_task).where(_task.c.unit_id == from_id, _task.c.closed_at.is_(None))
    await uow.session.execute(moved.values(unit_id=to_id))


def masked(text: str) -> str:
    """What may be kept of what somebody wrote: cleaned, without numbers, names and the like."""
    return redact.masked(clean(text, lines=True))[:MAX_NOTE]


async def tell(uow: UnitOfWork, kind: str, unit_id: int | None, *, done_by: int | None = None) -> None:
    """A notice to the writers of the unit that answers for something; without one, to the editors."""
    notice = Notice(kind, None, EDITORS) if unit_id is None else Notice(kind, None, WRITERS, (unit_id,))
    await staff.write(uow, [notice], done_by=done_by)


def _checked(kind: str, article_id: int | None) -> Complaint:
    if kind not in set(Complaint) or (kind == Complaint.NOT_FOUND) != (article_id is None):
        raise HotlineError("bad_request", field="kind")
    return Complaint(kind)


async def _owner(uow: UnitOfWork, actor: Actor, article_id: int) -> int:
    """The unit of a published article, locked: of two reports at once one opens the task."""
    query = sa.select(_article.c.unit_id).where(_article.c.id == article_id, published(actor))
    found = (await uow.session.execute(query.with_for_update())).scalar_one_or_none()
    if found is None:
        raise HotlineError("knowledge_not_found", article_id=article_id)
    return int(found)


async def _open_one(uow: UnitOfWork, kind: Complaint, article_id: int | None, about: str) -> Any:
    query = sa.select(_task).where(_task.c.closed_at.is_(None), _task.c.kind == kind.value)
    if article_id is None:
        query = query.where(_task.c.article_id.is_(None), _task.c.about == about)
    else:
        query = query.where(_task.c.article_id == article_id)
    return (await uow.session.execute(query.order_by(_task.c.id).limit(1).with_for_update())).first()


async def _add_report(uow: UnitOfWork, actor: Actor, task_id: int, note: str) -> None:
    values = {"task_id": task_id, "user_id": actor.user_id, "note": note, "at": uow.now}
    await uow.session.execute(sa.insert(_report).values(**values))


async def _locked(uow: UnitOfWork, actor: Actor, task_id: int) -> Any:
    """An open task that is one's own to deal with."""
    if not (actor.may(Permission.KNOWLEDGE_EDIT) or actor.may(Permission.KNOWLEDGE_REVIEW)):
        raise HotlineError("forbidden", permission=str(Permission.KNOWLEDGE_EDIT))
    query = sa.select(_task).where(_task.c.id == task_id, own(actor, _task.c.unit_id)).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("task_not_found", task_id=task_id)
    if row.closed_at is not None:
        raise HotlineError("task_closed", task_id=task_id, closed_as=row.closed_as)
    return row


async def _close(
    uow: UnitOfWork, actor: Actor, which: sa.ColumnElement[bool], values: dict[str, Any]
) -> list[int]:
    """Close open tasks; returns who opened them."""
    closed = {"closed_at": uow.now, "closed_by": actor.user_id, "version": _task.c.version + 1}
    statement = sa.update(_task).where(which, _task.c.closed_at.is_(None)).values(**values, **closed)
    rows = (await uow.session.execute(statement.returning(_task.c.opened_by))).all()
    return sorted({row.opened_by for row in rows if row.opened_by is not None})
