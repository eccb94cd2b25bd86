"""Finds articles: by words that are typed, and by what an agent writes down while a citizen talks.

Both cost what they look at, which is bounded: at most so many questions are compared, taken by the
rarest pairs of characters (`matching.weigh`), whatever the number of articles. The ranking asks first
how well the question is met, then whether category and area fit, then how often an article was used.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.actor import Actor
from core.people.models import Unit
from core.text import MAX_PHRASE, RUN, phrase_pairs, searchable
from tickets.knowledge import index, synonyms
from tickets.knowledge.matching import (
    ALL,
    BUDGET,
    NEAR,
    Weighed,
    alternatives,
    likeness,
    pairs_of,
    weigh,
    widened,
)
from tickets.knowledge.models import KnowledgeArticle, KnowledgeEdition, KnowledgeText
from tickets.knowledge.visibility import in_force, published
from tickets.models import Category, table_of
from tickets.search.index import quoted
from tickets.search.snippets import Passage, marked

_article = table_of(KnowledgeArticle)
_edition = table_of(KnowledgeEdition)
_text = table_of(KnowledgeText)
_category = table_of(Category)
_unit = table_of(Unit)
MOST_WORDS = 6
MUCH_USED = 40  # articles of a category, and of all, that are looked at for being used much
SUGGESTED, FOUND = 5, 20


@dataclass(frozen=True)
class Place:
    """What else is known of a matter: its category, its district."""

    category_id: int | None = None
    district_id: int | None = None


@dataclass(frozen=True)
class Found:
    """An article as lists show it, with the words that were looked for marked in its question."""

    id: int
    edition: int
    question: str
    answer: str
    basis: str
    unit: str
    category: str | None
    district: str | None
    audience: str
    valid_to: date | None
    uses: int
    score: float
    title: tuple[Passage, ...]


@dataclass(frozen=True)
class _Candidate:
    id: int
    question: str
    path: str | None
    category_id: int | None
    district_id: int | None
    uses: int
    score: float = 0.0


def words_of(typed: str) -> list[str]:
    """The words that are looked for, normalised; none when nothing of it can be (blanks, a mere number)."""
    body = searchable(typed[: 4 * MAX_PHRASE]).replace(RUN, " ")
    return [word[:MAX_PHRASE] for word in dict.fromkeys(body.split())][:MOST_WORDS]


async def search(
    session: AsyncSession,
    actor: Actor,
    typed: str,
    day: date,
    *,
    place: Place | None = None,
    limit: int = FOUND,
) -> list[Found]:
    """The articles in force that have all the words, or their synonyms, then those that come near.

    Without a word: the most used ones of the category, or of all. `day`: today in the city.
    """
    place, words = place or Place(), words_of(typed)
    if not words:
        return await _shown(session, await _much_used(session, actor, day, place), [], place, limit)
    groups = await synonyms.groups(session)
    ways = [alternatives(word, groups) for word in words]
    weighed, rank = await _weighed(session, widened(" ".join(words), groups))
    in_question = await _containing(session, actor, day, "question", ways, BUDGET)
    anywhere = []
    if len(in_question) < limit:  # what is in an answer only comes behind what is asked
        anywhere = await _containing(session, actor, day, "whole", ways, BUDGET // 2)
    near = await _near(session, actor, day, weighed)
    whole = sum(weighed.weights.values())
    ranked: dict[int, _Candidate] = {}
    for found, bonus in ((in_question, 2.0), (anywhere, 1.0), (near, 0.0)):
        for one in found:
            like = likeness(one.question, weighed.weights, whole, rank)
            if one.id not in ranked and (bonus or like >= NEAR):
                ranked[one.id] = replace(one, score=bonus + 3 * like)
    return await _shown(session, ranked.values(), ways, place, limit)


async def suggest(
    session: AsyncSession,
    actor: Actor,
    text: str,
    day: date,
    *,
    place: Place | None = None,
    limit: int = SUGGESTED,
) -> list[Found]:
    """The articles in force whose questions are in what was written down, the likeliest first.

    When the text says nothing yet: the most used of the category, if there is one.
    """
    place = place or Place()
    groups = await synonyms.groups(session)
    weighed, total = await _weighed(session, widened(text, groups))
    whole = sum(weighed.weights.values())
    near = [
        replace(one, score=3 * like)
        for one in await _near(session, actor, day, weighed)
        if (like := likeness(one.question, weighed.weights, whole, total)) >= NEAR
    ]
    if len(near) < limit and place.category_id is not None:
        seen = {one.id for one in near}
        near += [one for one in await _much_used(session, actor, day, place) if one.id not in seen]
    return await _shown(session, near, [], place, limit)


async def _weighed(session: AsyncSession, text: str) -> tuple[Weighed, int]:
    """What the pairs of a text say, and how many questions there are."""
    pairs = pairs_of(text)
    counts = await index.counts_of(session, pairs)
    return weigh(pairs, counts), max(counts.get(ALL, 0), 1)


# ---- candidates -------------------------------------------------------------------------------


def _candidates(actor: Actor, day: date) -> sa.Select[Any]:
    names = ("id", "question", "category_id", "district_id", "uses")
    return (
        sa.select(*(_article.c[name] for name in names), _category.c.path)
        .select_from(_article.outerjoin(_category, _category.c.id == _article.c.category_id))
        .where(published(actor), in_force(day))
    )


async def _read(session: AsyncSession, query: sa.Select[Any]) -> list[_Candidate]:
    return [_Candidate(**row._mapping) for row in await session.execute(query)]


async def _near(session: AsyncSession, actor: Actor, day: date, weighed: Weighed) -> list[_Candidate]:
    """Questions with some of the rarest pairs of a text."""
    if not weighed.chosen:
        return []
    sign = " & " if weighed.together else " | "
    asked = sign.join(quoted(pair) for pair in weighed.chosen)
    texts = (
        sa.select(_text.c.article_id)
        .where(_text.c.field == sa.literal_column("'question'"))
        .where(_text.c.tsv.bool_op("@@")(sa.cast(asked, TSQUERY)))
        .limit(BUDGET)
    )
    return await _read(session, _candidates(actor, day).where(_article.c.id.in_(texts)))


async def _containing(
    session: AsyncSession, actor: Actor, day: date, field: str, ways: Sequence[Sequence[str]], most: int
) -> list[_Candidate]:
    """Articles whose question, or whole text, has every word in one of its ways."""
    asked = " & ".join("(" + " | ".join(_phrase(way) for way in each) + ")" for each in ways)
    texts = (
        sa.select(_text.c.article_id)
        .where(_text.c.field == sa.literal_column("'question'" if field == "question" else "'whole'"))
        .where(_text.c.tsv.bool_op("@@")(sa.cast(asked, TSQUERY)))
        .where(*(sa.or_(*(_text.c.body.contains(way, autoescape=True) for way in each)) for each in ways))
        .limit(most)
    )
    return await _read(session, _candidates(actor, day).where(_article.c.id.in_(texts)))


def _phrase(word: str) -> str:
    """The pairs of a word; a single character begins a pair or ends a text."""
    pairs = [quoted(pair) for pair in phrase_pairs(word)]
    return "(" + " & ".join(pairs) + ")" if pairs else quoted(word) + ":*"


async def _much_used(session: AsyncSession, actor: Actor, day: date, place: Place) -> list[_Candidate]:
    """The most used of all, or of each category below the one that is given: as the index has them."""
    query = _candidates(actor, day)
    if place.category_id is not None:
        path = sa.select(_category.c.path).where(_category.c.id == place.category_id).scalar_subquery()
        below = sa.select(_category.c.id).where(_category.c.path.like(path + "%")).subquery("below")
        used = (
            sa.select(_article.c.id)
            .where(_article.c.category_id == below.c.id, published(actor), in_force(day))
            .order_by(_article.c.uses.desc(), _article.c.id)
            .limit(MUCH_USED)
            .lateral("used")
        )
        query = query.where(_article.c.id.in_(sa.select(used.c.id).select_from(below.join(used, sa.true()))))
    return await _read(session, query.order_by(_article.c.uses.desc(), _article.c.id).limit(MUCH_USED))


# ---- ranking and showing ----------------------------------------------------------------------


async def _shown(
    session: AsyncSession,
    found: Iterable[_Candidate],
    ways: Sequence[Sequence[str]],
    place: Place,
    limit: int,
) -> list[Found]:
    """The best of what was found, with their texts."""
    candidates = list(found)
    path = None
    if place.category_id is not None and candidates:
        query = sa.select(_category.c.path).where(_category.c.id == place.category_id)
        path = (await session.execute(query)).scalar_one_or_none()
    scores = {one.id: one.score + fit(one, place, path) for one in candidates}
    best = sorted(scores, key=lambda ident: (-scores[ident], ident))[:limit]
    if not best:
        return []
    texts = {row.id: row for row in await session.execute(_full(best))}
    marks = [way for each in ways for way in each]
    return [
        Found(**texts[ident]._mapping, score=scores[ident], title=_marked(texts[ident].question, marks))
        for ident in best
        if ident in texts
    ]


def fit(one: _Candidate, place: Place, path: str | None) -> float:
    """What category, area and use add to how well a question is met."""
    found = 0.15 * math.log1p(one.uses)
    if place.category_id is not None and one.category_id is not None:
        if one.category_id == place.category_id:
            found += 0.8
        elif path and one.path and _parent(path) == _parent(one.path):
            found += 0.3
    if one.district_id is not None and place.district_id is not None:
        found += 0.3 if one.district_id == place.district_id else -0.6
    return found


def _parent(path: str) -> str:
    return path.rstrip(".").rpartition(".")[0]


def _full(ids: Sequence[int]) -> sa.Select[Any]:
    district = _unit.alias("district")
    return (
        sa.select(
            _article.c.id,
            _article.c.live.label("edition"),
            *(_edition.c[name] for name in ("question", "answer", "basis", "audience", "valid_to")),
            _unit.c.short_name.label("unit"),
            _category.c.full_name.label("category"),
            district.c.short_name.label("district"),
            _article.c.uses,
        )
        .select_from(_article)
        .join(_edition, sa.and_(_edition.c.article_id == _article.c.id, _edition.c.number == _article.c.live))
        .join(_unit, _unit.c.id == _article.c.unit_id)
        .outerjoin(_category, _category.c.id == _article.c.category_id)
        .outerjoin(district, district.c.id == _article.c.district_id)
        .where(_article.c.id.in_(ids))
    )


def _marked(question: str, words: Sequence[str]) -> tuple[Passage, ...]:
    """The question with the first of the words that is in it marked."""
    for word in words:
        found = marked(question, word)
        if any(passage.marked for passage in found):
            return found
    return marked(question, "")
