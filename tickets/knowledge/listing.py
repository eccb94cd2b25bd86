"""Articles as CSV, out and in: a list that is looked through line by line before anything is written.

Every good line becomes a new article that is being written, or already waits for the review; a line
that cannot is told with its number and why, and the others go on. A question its unit already has is
refused, so that a list may be read in again after its bad lines were mended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.catalog import tables
from core.catalog.tables import Line
from core.clock import to_city
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from core.people.permissions import Permission
from core.text import normalise
from tickets.knowledge import service
from tickets.knowledge.models import KnowledgeArticle, KnowledgeEdition
from tickets.knowledge.service import OWNERS, Content
from tickets.knowledge.terms import AUDIENCE_WORDS, MAX_ANSWER, MAX_BASIS, MAX_QUESTION, Step
from tickets.knowledge.visibility import own
from tickets.models import Category, table_of

_article = table_of(KnowledgeArticle)
_edition = table_of(KnowledgeEdition)
_unit = table_of(Unit)
_category = table_of(Category)
COLUMNS = {
    "question": "问题",
    "answer": "答复口径",
    "basis": "依据",
    "unit": "归属单位编码",
    "category": "分类编码",
    "district": "适用区县编码",
    "audience": "公开范围",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
}
NEEDED = ("question", "answer")
MOST_AT_ONCE = 1000
MOST_EXPORTED = 5000
LONGEST = MAX_ANSWER + 1  # one more than fits, so that what is too long is told and not cut


@dataclass(frozen=True)
class Outcome:
    """What a line comes to: an article to write, or `problem` (a code)."""

    number: int
    question: str
    unit: str
    problem: str = ""
    content: Content | None = None
    unit_id: int | None = None


@dataclass
class _Known:
    """What lines may refer to, by code."""

    units: Mapping[str, int]
    districts: Mapping[str, int]
    categories: Mapping[str, int]
    own_unit: int | None
    questions: set[tuple[int, str]] = field(default_factory=set)


async def plan(session: AsyncSession, actor: Actor, text: str, day: date) -> list[Outcome]:
    """What the list would do, line by line. Raises what `tables.read` raises, `list_too_long`."""
    lines = tables.read(text, COLUMNS, needed=NEEDED, longest=LONGEST)
    if len(lines) > MOST_AT_ONCE:
        raise HotlineError("list_too_long", most=MOST_AT_ONCE)
    known = await _known(session, actor, lines)
    steps = []
    for line in lines:
        step = _step(line, known, day)
        if not step.problem and step.unit_id is not None:
            known.questions.add((step.unit_id, normalise(step.question)))
        steps.append(step)
    return steps


async def carry_out(uow: UnitOfWork, actor: Actor, text: str, *, submit: bool = False) -> list[Outcome]:
    """Write the good lines, and submit them for the review if wanted; returns every line's outcome."""
    actor.require(Permission.KNOWLEDGE_EDIT)
    steps = await plan(uow.session, actor, text, to_city(uow.now).date())
    made = 0
    for step in steps:
        if step.content is None:
            continue
        ident = await service.create(uow, actor, step.content, unit_id=step.unit_id)
        if submit:
            await service.advance(uow, actor, ident, 1, Step.SUBMIT)
        made += 1
    detail = {"lines": len(steps), "made": made}
    await audit.record(uow, actor=actor, action="knowledge.import", object_type="knowledge", detail=detail)
    return steps


async def export(session: AsyncSession, actor: Actor) -> str:
    """One's own articles in force as a list that can be changed and read in elsewhere."""
    actor.require(Permission.KNOWLEDGE_EDIT)
    district = _unit.alias("district")
    plain = ("question", "answer", "basis", "audience", "valid_from", "valid_to")
    query = (
        sa.select(
            *(_edition.c[name] for name in plain),
            _unit.c.code.label("unit"),
            _category.c.code.label("category"),
            district.c.code.label("district"),
        )
        .select_from(_article)
        .join(_edition, sa.and_(_edition.c.article_id == _article.c.id, _edition.c.number == _article.c.live))
        .join(_unit, _unit.c.id == _article.c.unit_id)
        .outerjoin(_category, _category.c.id == _article.c.category_id)
        .outerjoin(district, district.c.id == _article.c.district_id)
        .where(own(actor), _article.c.live.is_not(None))
        .order_by(_article.c.id)
        .limit(MOST_EXPORTED)
    )
    rows = [_cells(row) for row in await session.execute(query)]
    return tables.write(list(COLUMNS.values()), rows)


def _cells(row: Any) -> Sequence[object]:
    shown = dict(row._mapping) | {"audience": AUDIENCE_WORDS[row.audience]}
    return [shown[name] for name in COLUMNS]


async def _known(session: AsyncSession, actor: Actor, lines: Sequence[Line]) -> _Known:
    mine = sa.select(_unit.c.code, _unit.c.id).where(
        _unit.c.active, _unit.c.kind.in_(OWNERS), own(actor, _unit.c.id)
    )
    districts = sa.select(_unit.c.code, _unit.c.id).where(_unit.c.active, _unit.c.kind == "district")
    wanted = {line["category"] for line in lines if line["category"]}
    categories = sa.select(_category.c.code, _category.c.id).where(
        _category.c.active, _category.c.code.in_(wanted)
    )
    taken = sa.select(_article.c.unit_id, _article.c.question).where(
        own(actor), _article.c.question.in_({line["question"] for line in lines})
    )
    return _Known(
        units={row.code: row.id for row in await session.execute(mine)},
        districts={row.code: row.id for row in await session.execute(districts)},
        categories={row.code: row.id for row in await session.execute(categories)},
        own_unit=actor.unit_id,
        questions={(row.unit_id, normalise(row.question)) for row in await session.execute(taken)},
    )


def _step(line: Line, known: _Known, day: date) -> Outcome:
    unit_id = known.units.get(line["unit"]) if line["unit"] else known.own_unit
    audience = {word: code for code, word in AUDIENCE_WORDS.items()}.get(
        line["audience"], line["audience"] or "internal"
    )
    try:
        content = Content(
            line["question"],
            line["answer"],
            line["basis"],
            audience,
            _date(line["valid_from"]) or day,
            _date(line["valid_to"]),
            known.categories.get(line["category"]),
            known.districts.get(line["district"]),
        )
    except ValueError:
        return Outcome(line.number, line["question"], line["unit"], "date")
    problem = _problem(line, content, unit_id, known, day)
    if problem:
        return Outcome(line.number, line["question"], line["unit"], problem)
    return Outcome(line.number, line["question"], line["unit"], "", content, unit_id)


def _problem(line: Line, content: Content, unit_id: int | None, known: _Known, day: date) -> str:
    if line.odd:
        return "cells"
    if not content.question or not content.answer:
        return "empty"
    if len(content.question) > MAX_QUESTION or len(content.answer) > MAX_ANSWER:
        return "long"
    if len(content.basis) > MAX_BASIS:
        return "long"
    if unit_id is None or unit_id not in known.units.values():
        return "unit"
    if line["category"] and content.category_id is None:
        return "category"
    if line["district"] and content.district_id is None:
        return "district"
    if content.audience not in AUDIENCE_WORDS:
        return "audience"
    if content.valid_to is not None and (content.valid_to < content.valid_from or content.valid_to < day):
        return "over"
    return "twice" if (unit_id, normalise(content.question)) in known.questions else ""


def _date(text: str) -> date | None:
    """A day as people write it: 2026-11-30, 2026/11/30, 2026.11.30. Raises ValueError."""
    if not text:
        return None
    parts = text.replace("/", "-").replace(".", "-").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(text)
    return date(*map(int, parts))
