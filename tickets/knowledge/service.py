"""Every write of an article: editions that are only appended, and their way through approval.

What is in force stays in force while its next edition is written, reviewed and released. Every write
locks the article, checks the version, appends its step, and keeps the search index in step with it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from core import audit
from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from tickets.errors import conflict
from tickets.forms import clean
from tickets.knowledge import index, tasks
from tickets.knowledge.models import KnowledgeArticle, KnowledgeEdition, KnowledgeStep
from tickets.knowledge.terms import (
    MAX_ANSWER,
    MAX_BASIS,
    MAX_NOTE,
    MAX_QUESTION,
    RULES,
    Audience,
    Stage,
    Step,
    refusing,
)
from tickets.knowledge.visibility import own, readable
from tickets.models import Category, table_of

_article = table_of(KnowledgeArticle)
_edition = table_of(KnowledgeEdition)
_step = table_of(KnowledgeStep)
_unit = table_of(Unit)
_category = table_of(Category)
SHOWN = ("question", "category_id", "district_id", "audience", "valid_from", "valid_to")
OWNERS = ("hotline", "bureau", "district", "town")  # kinds of units that answer for an article


@dataclass(frozen=True)
class Content:
    """What an edition says. Dates are days of the city, both included; no `valid_to`: until it is changed."""

    question: str
    answer: str
    basis: str
    audience: str
    valid_from: date
    valid_to: date | None = None
    category_id: int | None = None
    district_id: int | None = None

    def cleaned(self) -> dict[str, Any]:
        """The columns; raises `knowledge_incomplete`, `knowledge_too_long`, `knowledge_span`."""
        texts = {
            "question": clean(self.question),
            "answer": clean(self.answer, lines=True),
            "basis": clean(self.basis),
        }
        if not texts["question"] or not texts["answer"]:
            raise HotlineError("knowledge_incomplete")
        limits = {"question": MAX_QUESTION, "answer": MAX_ANSWER, "basis": MAX_BASIS}
        if any(len(texts[name]) > most for name, most in limits.items()):
            raise HotlineError("knowledge_too_long", **limits)
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise HotlineError("knowledge_span")
        if self.audience not in set(Audience):
            raise HotlineError("bad_request", field="audience")
        plain = ("audience", "valid_from", "valid_to", "category_id", "district_id")
        return texts | {name: getattr(self, name) for name in plain}


# ---- writing ----------------------------------------------------------------------------------


async def create(
    uow: UnitOfWork, actor: Actor, content: Content, *, unit_id: int | None, task_id: int | None = None
) -> int:
    """A new article of `unit_id` with its first edition, being written; returns its id.

    With `task_id` it answers a task that had no article, which ends when it is published.
    Raises `forbidden`, `knowledge_unit`, `category_unknown`, `place_unknown`, what `Content.cleaned`
    raises, `task_closed`.
    """
    actor.require(Permission.KNOWLEDGE_EDIT)
    values = content.cleaned()
    owner = await _check_owner(uow, actor, unit_id)
    await _check_references(uow, values)
    row = {name: values[name] for name in SHOWN} | {
        "unit_id": owner,
        "version": 1,
        "pending": 1,
        "stage": Stage.WRITING.value,
        "uses": 0,
        "created_by": actor.user_id,
        "created_at": uow.now,
        "updated_at": uow.now,
    }
    made = await uow.session.execute(sa.insert(_article).values(**row).returning(_article.c.id))
    ident = int(made.scalar_one())
    await _append(uow, actor, ident, 1, values)
    await _note(uow, actor, ident, 1, Step.WRITE)
    if task_id is not None:
        await tasks.take_up(uow, actor, task_id, ident)
    return ident


async def write(uow: UnitOfWork, actor: Actor, article_id: int, version: int, content: Content) -> int:
    """A new edition of an article; returns the article's new version. The same text again is none.

    Raises `knowledge_in_review` besides what `create` and `_locked` raise.
    """
    values = content.cleaned()
    row = await _locked(uow, actor, article_id, version, RULES[Step.WRITE].needs)
    if row.stage not in (None, Stage.WRITING.value):
        raise HotlineError("knowledge_in_review", article_id=article_id)
    await _check_references(uow, values)
    newest = await _newest(uow, article_id)
    if row.stage is not None and all(getattr(newest, name) == values[name] for name in values):
        return int(row.version)
    number = newest.number + 1
    await _append(uow, actor, article_id, number, values)
    more = {} if row.live is not None else {name: values[name] for name in SHOWN}
    await _change(uow, row, pending=number, stage=Stage.WRITING.value, **more)
    await _note(uow, actor, article_id, number, Step.WRITE)
    return int(row.version) + 1


async def advance(
    uow: UnitOfWork, actor: Actor, article_id: int, version: int, step: Step, note: str = ""
) -> None:
    """Submit, recall, approve, refuse, publish or drop what is being written; or withdraw what is in force.

    Nobody approves what he wrote himself. Raises `knowledge_step` (not possible now), `forbidden`,
    `knowledge_own_work`, `knowledge_reason` (to refuse or withdraw), `knowledge_over` (publishing
    what has ended), `version_conflict`, `knowledge_not_found`.
    """
    note = clean(note, lines=True)[:MAX_NOTE]
    if step is Step.WITHDRAW:
        await _withdraw(uow, actor, article_id, version, note)
        return
    row = await _locked(uow, actor, article_id, version, None)
    stage = Stage(row.stage) if row.stage else None
    needs = refusing(stage) if step is Step.REFUSE else RULES[step].needs if step in RULES else None
    if needs is None or (step in RULES and (stage not in RULES[step].sources or step is Step.WRITE)):
        raise HotlineError("knowledge_step", step=step.value, stage=row.stage)
    actor.require(needs)
    if step is Step.REFUSE and not note:
        raise HotlineError("knowledge_reason")
    edition = await _newest(uow, article_id)
    if step is Step.APPROVE and edition.made_by is not None and edition.made_by == actor.user_id:
        raise HotlineError("knowledge_own_work")
    if step is Step.PUBLISH:
        await _publish(uow, actor, row, edition)
    elif step is Step.DROP:
        await _change(uow, row, stage=None, pending=None)
    else:
        target = Stage.WRITING if step is Step.REFUSE else RULES[step].target
        await _change(uow, row, stage=target.value if target else None)
    await _note(uow, actor, article_id, row.pending, step, note)


async def _publish(uow: UnitOfWork, actor: Actor, row: Any, edition: Any) -> None:
    """The pending edition comes into force; tasks about the article are done with it."""
    if edition.valid_to is not None and edition.valid_to < to_city(uow.now).date():
        raise HotlineError("knowledge_over")
    shown = {name: getattr(edition, name) for name in SHOWN}
    await _change(
        uow,
        row,
        live=edition.number,
        pending=None,
        stage=None,
        published_at=uow.now,
        withdrawn_at=None,
        **shown,
    )
    await index.put(uow, row.id, edition.question, edition.answer, edition.basis)
    await tasks.done_by(uow, actor, row.id, edition.number)
    await _audit(uow, actor, "knowledge.publish", row.id, {"edition": edition.number})


async def _withdraw(uow: UnitOfWork, actor: Actor, article_id: int, version: int, note: str) -> None:
    row = await _locked(uow, actor, article_id, version, None)
    if not (actor.may(Permission.KNOWLEDGE_PUBLISH) or actor.may(Permission.KNOWLEDGE_REVIEW)):
        raise HotlineError("forbidden", permission=str(Permission.KNOWLEDGE_PUBLISH))
    if row.live is None:
        raise HotlineError("knowledge_step", step=Step.WITHDRAW.value, stage=row.stage)
    if not note:
        raise HotlineError("knowledge_reason")
    await _change(uow, row, live=None, withdrawn_at=uow.now)
    await index.drop(uow, article_id)
    await _note(uow, actor, article_id, row.live, Step.WITHDRAW, note)
    await _audit(uow, actor, "knowledge.withdraw", article_id, {"edition": row.live}, note)


async def follow_unit(uow: UnitOfWork, from_id: int, to_id: int) -> int:
    """A merged unit's articles, and what is to be put right in them, go along; returns how many."""
    statement = sa.update(_article).where(_article.c.unit_id == from_id).values(unit_id=to_id)
    moved = len((await uow.session.execute(statement.returning(_article.c.id))).all())
    await tasks.follow_unit(uow, from_id, to_id)
    return moved


# ---- small parts ------------------------------------------------------------------------------


async def _locked(
    uow: UnitOfWork, actor: Actor, article_id: int, version: int, needs: Permission | None
) -> Any:
    """The article, locked, if it is one's own to work on.

    Raises `knowledge_not_found`, `forbidden`, `version_conflict`.
    """
    query = sa.select(_article).where(_article.c.id == article_id, readable(actor)).with_for_update()
    row = (await uow.session.execute(query)).first()
    if row is None:
        raise HotlineError("knowledge_not_found", article_id=article_id)
    mine = sa.select(_article.c.id).where(_article.c.id == article_id, own(actor))
    if (await uow.session.execute(mine)).first() is None:
        raise HotlineError("forbidden", permission=str(needs or Permission.KNOWLEDGE_EDIT))
    if needs is not None:
        actor.require(needs)
    if row.version != version:
        raise conflict("knowledge", article_id, ours=version, theirs=row.version)
    return row


async def _change(uow: UnitOfWork, row: Any, **values: Any) -> None:
    values |= {"version": row.version + 1, "updated_at": uow.now}
    await uow.session.execute(sa.update(_article).where(_article.c.id == row.id).values(**values))


async def _newest(uow: UnitOfWork, article_id: int) -> Any:
    query = sa.select(_edition).where(_edition.c.article_id == article_id)
    return (await uow.session.execute(query.order_by(_edition.c.number.desc()).limit(1))).one()


async def _append(
    uow: UnitOfWork, actor: Actor, article_id: int, number: int, values: dict[str, Any]
) -> None:
    made = {"article_id": article_id, "number": number, "made_by": actor.user_id, "made_at": uow.now}
    await uow.session.execute(sa.insert(_edition).values(**values, **made))


async def _note(
    uow: UnitOfWork, actor: Actor, article_id: int, edition: int, step: Step, note: str = ""
) -> None:
    values = {"article_id": article_id, "edition": edition, "step": step.value, "note": note}
    await uow.session.execute(sa.insert(_step).values(**values, actor_id=actor.user_id, at=uow.now))


async def _audit(
    uow: UnitOfWork, actor: Actor, action: str, article_id: int, detail: dict[str, Any], reason: str = ""
) -> None:
    await audit.record(
        uow,
        actor=actor,
        action=action,
        object_type="knowledge",
        object_id=article_id,
        reason=reason or None,
        detail=detail,
    )


async def _check_owner(uow: UnitOfWork, actor: Actor, unit_id: int | None) -> int:
    """The unit that answers for a new article: one's own, or for editors any that may."""
    wanted = unit_id if unit_id is not None else actor.unit_id
    query = sa.select(_unit.c.id).where(
        _unit.c.id == wanted, _unit.c.active, _unit.c.kind.in_(OWNERS), own(actor, _unit.c.id)
    )
    found = (await uow.session.execute(query)).scalar_one_or_none()
    if found is None:
        raise HotlineError("knowledge_unit", unit_id=wanted)
    return int(found)


async def _check_references(uow: UnitOfWork, values: dict[str, Any]) -> None:
    if (category := values["category_id"]) is not None:
        query = sa.select(_category.c.id).where(_category.c.id == category, _category.c.active)
        if (await uow.session.execute(query)).first() is None:
            raise HotlineError("category_unknown", category_id=category)
    if (district := values["district_id"]) is not None:
        query = sa.select(_unit.c.id).where(_unit.c.id == district, _unit.c.kind == "district")
        if (await uow.session.execute(query)).first() is None:
            raise HotlineError("place_unknown", district_id=district, street_id=None)
