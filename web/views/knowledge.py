"""Knowledge as people read it: search, one article with its versions, own reports, the public preview."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.people.permissions import Permission
from tickets import queries as ticket_queries
from tickets.knowledge import gaps, queries, search, worklists
from tickets.knowledge.search import Place
from tickets.knowledge.terms import (
    AUDIENCE_WORDS,
    CLOSED_WORDS,
    COMPLAINT_WORDS,
    STAGE_WORDS,
    STEP_WORDS,
    Step,
)
from web.context import actor, context
from web.inputs import Fields, path_id, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE

HOME = "/knowledge"
READ = Permission.KNOWLEDGE_READ
WORDS = {
    "audiences": AUDIENCE_WORDS,
    "stages": STAGE_WORDS,
    "steps": STEP_WORDS,
    "complaints": COMPLAINT_WORDS,
    "outcomes": CLOSED_WORDS,
}
MOST = 50


class SearchQuery(Fields):
    q: str = Field("", max_length=400)
    category_id: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class PreviewQuery(Fields):
    category_id: int | None = Field(None, gt=0, lt=2**63)
    after: int = Field(0, ge=0, lt=2**63)


class DoneQuery(Fields):
    done: str = Field("", max_length=20)


def today(request: web.Request) -> date:
    """The city's day."""
    return to_city(context(request).clock.now()).date()


@route("GET", HOME, permission=READ)
async def search_page(request: web.Request) -> web.StreamResponse:
    """Search the articles in force; without words, the most used ones."""
    query, ctx, person = read_query(request, SearchQuery), context(request), actor(request)
    async with ctx.db.read() as session:
        place = Place(query.category_id)
        hits = await search.search(session, person, query.q, today(request), place=place, limit=MOST)
        categories = await ticket_queries.categories(session)
    words = search.words_of(query.q)
    if words and not hits:
        async with ctx.db.begin() as uow:
            await gaps.note(uow, person, ctx.vault, query.q)
    values: dict[str, Any] = {
        "hits": hits,
        "q": query.q,
        "searched": bool(words),
        "category_id": str(query.category_id or ""),
        "categories": [(str(node.id), node.full_name) for node in categories],
        "words": WORDS,
        "done": DONE.get(query.done, ""),
    }
    return await page(request, "knowledge/search.html", **values)


@route("GET", HOME + r"/{article_id:\d+}", permission=READ)
async def article_page(request: web.Request) -> web.StreamResponse:
    """One article: what is in force, its versions, and for those who work on it its way and its tasks."""
    query, person = read_query(request, DoneQuery), actor(request)
    async with context(request).db.read() as session:
        found = await queries.article(session, person, path_id(request, "article_id"))
        tasks = await worklists.task_list(session, person, article_id=found.id) if found.mine else []
    day = today(request)
    values: dict[str, Any] = {
        "article": found,
        "tasks": tasks,
        "words": WORDS,
        "buttons": [(step, STEP_WORDS[step]) for step in Step if step in found.offers - {Step.WRITE}],
        "reasons": {Step.REFUSE, Step.WITHDRAW},
        "may_write": Step.WRITE in found.offers,
        "over": found.shown.valid_to is not None and found.shown.valid_to < day,
        "done": DONE.get(query.done, ""),
    }
    return await page(request, "knowledge/article.html", **values)


@route("GET", HOME + "/reports", permission=READ)
async def own_reports(request: web.Request) -> web.StreamResponse:
    """What one complained of and what came of it."""
    async with context(request).db.read() as session:
        rows = await worklists.own_reports(session, actor(request))
    return await page(request, "knowledge/reports.html", rows=rows, words=WORDS)


@route("GET", HOME + "/preview", permission=READ)
async def preview(request: web.Request) -> web.StreamResponse:
    """What may be shown to anybody, as it is in force today; read only."""
    query = read_query(request, PreviewQuery)
    async with context(request).db.read() as session:
        rows = await queries.public_articles(
            session, today(request), category_id=query.category_id, after=query.after, limit=MOST + 1
        )
        categories = await ticket_queries.categories(session)
    values: dict[str, Any] = {
        "rows": rows[:MOST],
        "more": rows[MOST - 1].id if len(rows) > MOST else None,
        "category_id": str(query.category_id or ""),
        "categories": [(str(node.id), node.full_name) for node in categories],
    }
    return await page(request, "knowledge/preview.html", **values)
