"""Writes what is searched, within the writer's transaction: the edition in force and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.text import bigrams, joined
from tickets.knowledge.matching import ALL, pairs_of
from tickets.knowledge.models import KnowledgePair, KnowledgeText
from tickets.models import table_of
from tickets.search.index import tsvector

_text = table_of(KnowledgeText)
_pair = table_of(KnowledgePair)
# In one order, so that two who publish at once wait for one another instead of for ever.
_COUNT = sa.text(
    """
    INSERT INTO knowledge_pair AS k (pair, articles)
    SELECT p, n FROM unnest(CAST(:pairs AS text[]), CAST(:counts AS int[])) AS t(p, n) ORDER BY p
    ON CONFLICT (pair) DO UPDATE SET articles = k.articles + excluded.articles
    """
).bindparams(sa.bindparam("pairs", type_=ARRAY(sa.Text)), sa.bindparam("counts", type_=ARRAY(sa.Integer)))


def rows_of(article_id: int, question: str, answer: str, basis: str) -> list[dict[str, Any]]:
    """The question alone, and everything an article says."""
    bodies = {"question": joined(question), "whole": joined(question, answer, basis)}
    return [
        {"article_id": article_id, "field": field, "body": body, "tsv": tsvector(bigrams(body))}
        for field, body in bodies.items()
    ]


async def put(uow: UnitOfWork, article_id: int, question: str, answer: str, basis: str) -> None:
    """Index the edition that comes into force; what stood there before is found no more."""
    await drop(uow, article_id)
    await uow.put(_text, *rows_of(article_id, question, answer, basis))
    await count(uow.session, [question], 1)


async def drop(uow: UnitOfWork, article_id: int) -> None:
    """An article that is no longer in force is found no more."""
    gone = sa.delete(_text).where(_text.c.article_id == article_id).returning(_text.c.field, _text.c.body)
    bodies = [row.body for row in await uow.session.execute(gone) if row.field == "question"]
    await count(uow.session, bodies, -1)


async def count(session: AsyncSession, questions: Sequence[str], sign: int) -> None:
    """Add questions to the counts of pairs (`sign` 1), or take them out (-1)."""
    if not questions:
        return
    counts: dict[str, int] = {ALL: sign * len(questions)}
    for question in questions:
        for pair in pairs_of(question):
            counts[pair] = counts.get(pair, 0) + sign
    await session.execute(_COUNT, {"pairs": list(counts), "counts": list(counts.values())})


async def counts_of(session: AsyncSession, pairs: Iterable[str]) -> dict[str, int]:
    """In how many questions in force each of `pairs` stands, and `ALL`."""
    query = sa.select(_pair.c.pair, _pair.c.articles).where(_pair.c.pair.in_([ALL, *pairs]))
    return {row.pair: row.articles for row in await session.execute(query)}
