"""What the pages of knowledge show: an article with its versions, and what is public."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from core.people.permissions import Permission
from tickets.knowledge.models import (
    KnowledgeArticle,
    KnowledgeEdition,
    KnowledgeStep,
)
from tickets.knowledge.terms import RULES, Stage, Step, refusing
from tickets.knowledge.visibility import in_force, own, readable
from tickets.models import Category, table_of

_article = table_of(KnowledgeArticle)
_edition = table_of(KnowledgeEdition)
_step = table_of(KnowledgeStep)
_unit = table_of(Unit)
_user = table_of(User)
_category = table_of(Category)


@dataclass(frozen=True)
class Edition:
    """One version of an article with its names; `published` when it was ever in force."""

    number: int
    question: str
    answer: str
    basis: str
    category_id: int | None
    category: str | None
    district_id: int | None
    district: str | None
    audience: str
    valid_from: date
    valid_to: date | None
    author: str | None
    made_at: datetime
    published: bool


@dataclass(frozen=True)
class Course:
    """One step of an article's way."""

    edition: int
    step: str
    actor: str | None
    note: str
    at: datetime


@dataclass(frozen=True)
class Article:
    """An article as its page shows it. `editions`: the newest first; `mine`: one works on it."""

    id: int
    version: int
    unit_id: int
    unit: str
    live: int | None
    pending: int | None
    stage: str | None
    uses: int
    withdrawn_at: datetime | None
    mine: bool
    editions: tuple[Edition, ...]
    course: tuple[Course, ...]
    offers: frozenset[Step]

    @property
    def shown(self) -> Edition:
        """The edition in force, else the newest."""
        return next((one for one in self.editions if one.number == self.live), self.editions[0])

    @property
    def draft(self) -> Edition | None:
        """What is being written, reviewed or released."""
        return next((one for one in self.editions if one.number == self.pending), None)


async def article(session: AsyncSession, actor: Actor, article_id: int) -> Article:
    """One article: others see what is and was in force, its own people everything.

    Raises `knowledge_not_found`.
    """
    mine = own(actor).label("mine")
    names = ("id", "version", "unit_id", "live", "pending", "stage", "uses", "withdrawn_at")
    query = (
        sa.select(*(_article.c[name] for name in names), _unit.c.name.label("unit"), mine)
        .join(_unit, _unit.c.id == _article.c.unit_id)
        .where(_article.c.id == article_id, readable(actor))
    )
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("knowledge_not_found", article_id=article_id)
    course = await _course(session, article_id)
    published = {one.edition for one in course if one.step == Step.PUBLISH}
    editions = await _editions(session, article_id, published)
    values = dict(row._mapping)
    if not row.mine:
        editions = [one for one in editions if one.published]
        course = [one for one in course if one.step in (Step.PUBLISH, Step.WITHDRAW)]
        values |= {"pending": None, "stage": None}
    offers = _offers(actor, row)
    return Article(**values, editions=tuple(editions), course=tuple(course), offers=offers)


def _offers(actor: Actor, row: Any) -> frozenset[Step]:
    """What this person may do now; that nobody approves his own text the service says."""
    if not row.mine:
        return frozenset()
    stage = Stage(row.stage) if row.stage else None
    found = {step for step, rule in RULES.items() if stage in rule.sources and actor.may(rule.needs)}
    needs = refusing(stage)
    if needs is not None and actor.may(needs):
        found.add(Step.REFUSE)
    if row.live is not None and (
        actor.may(Permission.KNOWLEDGE_PUBLISH) or actor.may(Permission.KNOWLEDGE_REVIEW)
    ):
        found.add(Step.WITHDRAW)
    return frozenset(found)


async def _editions(session: AsyncSession, article_id: int, published: set[int]) -> list[Edition]:
    district = _unit.alias("district")
    plain = ("number", "question", "answer", "basis", "category_id", "district_id", "audience")
    query = (
        sa.select(
            *(_edition.c[name] for name in (*plain, "valid_from", "valid_to", "made_at")),
            _category.c.full_name.label("category"),
            district.c.short_name.label("district"),
            _user.c.name.label("author"),
        )
        .select_from(_edition)
        .outerjoin(_category, _category.c.id == _edition.c.category_id)
        .outerjoin(district, district.c.id == _edition.c.district_id)
        .outerjoin(_user, _user.c.id == _edition.c.made_by)
        .where(_edition.c.article_id == article_id)
        .order_by(_edition.c.number.desc())
        .limit(100)
    )
    rows = await session.execute(query)
    return [Edition(**row._mapping, published=row.number in published) for row in rows]


async def _course(session: AsyncSession, article_id: int) -> list[Course]:
    query = (
        sa.select(_step.c.edition, _step.c.step, _user.c.name.label("actor"), _step.c.note, _step.c.at)
        .outerjoin(_user, _user.c.id == _step.c.actor_id)
        .where(_step.c.article_id == article_id)
        .order_by(_step.c.id.desc())
        .limit(200)
    )
    return [Course(**row._mapping) for row in await session.execute(query)]


# ---- what anybody may read --------------------------------------------------------------------


@dataclass(frozen=True)
class PublicArticle:
    """An article as it may be shown to anybody: nothing of how it came about."""

    id: int
    question: str
    answer: str
    basis: str
    unit: str
    category: str | None
    district: str | None
    valid_from: date
    valid_to: date | None
    published_at: datetime | None


async def public_articles(
    session: AsyncSession,
    day: date,
    *,
    category_id: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[PublicArticle]:
    """The public articles in force on a day of the city, by id after `after`; of a category and below it."""
    district = _unit.alias("district")
    query = (
        sa.select(
            _article.c.id,
            *(_edition.c[name] for name in ("question", "answer", "basis", "valid_from", "valid_to")),
            _unit.c.name.label("unit"),
            _category.c.full_name.label("category"),
            district.c.short_name.label("district"),
            _article.c.published_at,
        )
        .select_from(_article)
        .join(_edition, sa.and_(_edition.c.article_id == _article.c.id, _edition.c.number == _article.c.live))
        .join(_unit, _unit.c.id == _article.c.unit_id)
        .outerjoin(_category, _category.c.id == _article.c.category_id)
        .outerjoin(district, district.c.id == _article.c.district_id)
        .where(_article.c.audience == "public", in_force(day), _article.c.id > after)
        .order_by(_article.c.id)
        .limit(max(1, min(limit, 200)))
    )
    if category_id is not None:
        path = sa.select(_category.c.path).where(_category.c.id == category_id).scalar_subquery()
        below = sa.select(_category.c.id).where(_category.c.path.like(path + "%"))
        query = query.where(_article.c.category_id.in_(below))
    return [PublicArticle(**row._mapping) for row in await session.execute(query)]
