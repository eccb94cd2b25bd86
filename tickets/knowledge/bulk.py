"""Many published articles at once, for the demo city and for measurements."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from tickets.bulk import insert_rows, reserve_ids
from tickets.knowledge import index
from tickets.knowledge.models import KnowledgeArticle, KnowledgeEdition, KnowledgeStep, KnowledgeText
from tickets.knowledge.service import SHOWN
from tickets.models import table_of

_article = table_of(KnowledgeArticle)
_edition = table_of(KnowledgeEdition)
_step = table_of(KnowledgeStep)
_text = table_of(KnowledgeText)
WAY = (("write", "author"), ("submit", "author"), ("approve", "reviewer"), ("publish", "publisher"))


async def insert_published(
    session: AsyncSession,
    contents: Sequence[Mapping[str, Any]],
    *,
    at: datetime,
    publisher: int | None = None,
) -> list[int]:
    """Write articles whose first edition came into force at `at`; returns their ids.

    `contents`: the columns of an edition, `unit_id`, and if known `uses`, `author`, `reviewer`.
    """
    ids = await reserve_ids(session, _article, len(contents))
    articles, editions, steps, texts = [], [], [], []
    for ident, content in zip(ids, contents, strict=True):
        shown = {name: content[name] for name in SHOWN}
        text = {name: content[name] for name in ("answer", "basis")}
        people = {name: content.get(name) for name in ("author", "reviewer")} | {"publisher": publisher}
        articles.append(shown | _live(ident, content, at))
        made = {"article_id": ident, "number": 1, "made_by": people["author"], "made_at": at}
        editions.append(shown | text | made)
        for step, who in WAY:
            taken = {"article_id": ident, "edition": 1, "step": step, "actor_id": people[who]}
            steps.append(taken | {"note": "", "at": at})
        texts += index.rows_of(ident, content["question"], content["answer"], content["basis"])
    for table, rows in ((_article, articles), (_edition, editions), (_step, steps), (_text, texts)):
        await insert_rows(session, table, rows)
    await index.count(session, [content["question"] for content in contents], 1)
    return list(ids)


def _live(ident: int, content: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The row of an article that went the whole way once."""
    return {
        "id": ident,
        "version": len(WAY),
        "unit_id": content["unit_id"],
        "live": 1,
        "pending": None,
        "stage": None,
        "uses": content.get("uses", 0),
        "created_by": content.get("author"),
        "created_at": at,
        "updated_at": at,
        "published_at": at,
        "withdrawn_at": None,
    }
