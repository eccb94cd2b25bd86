"""The citizens' portal: where to begin, common questions, published cases, privacy, large letters."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.errors import HotlineError
from tickets.knowledge import queries, search
from tickets.knowledge.visibility import READER
from tickets.public import cases as published
from web.context import context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import redirect
from web.routes import route
from web.views._portal import brake, portal_page, remember_elder

READS_PER_MINUTE = 60


class ElderForm(Fields):
    on: Literal["0", "1"]
    back: str = Field("/portal", pattern=r"^/portal[a-z/-]*$", max_length=60)


class QuestionQuery(Fields):
    q: str = Field("", max_length=60)


class CasesQuery(Fields):
    before: int | None = Field(None, gt=0, lt=2**63)


@route("GET", "/portal", public=True)
async def home(request: web.Request) -> web.StreamResponse:
    """Three large choices."""
    return await portal_page(request, "portal/home.html")


@route("GET", "/portal/privacy", public=True)
async def privacy(request: web.Request) -> web.StreamResponse:
    """What happens to what a citizen writes, and what he may ask for."""
    return await portal_page(request, "portal/privacy.html", notice=context(request).settings.portal.notice)


@route("POST", "/portal/elder", public=True, max_body=1024)
async def elder(request: web.Request) -> web.StreamResponse:
    """Large letters, high contrast and reading aloud: on or off."""
    form = await read_form(request, ElderForm)
    response = redirect(request, form.back)
    remember_elder(request, response, form.on == "1")
    return response


@route("GET", "/portal/questions", public=True)
async def questions(request: web.Request) -> web.StreamResponse:
    """Public knowledge: looked for by words, or the most used."""
    query, ctx = read_query(request, QuestionQuery), context(request)
    brake(request, "read", READS_PER_MINUTE)
    day = to_city(ctx.clock.now()).date()
    async with ctx.db.read() as session:
        hits = await search.search(session, READER, query.q, day)
    return await portal_page(request, "portal/questions.html", hits=hits, q=query.q)


@route("GET", "/portal/questions/{article_id}", public=True)
async def question(request: web.Request) -> web.StreamResponse:
    """One public article."""
    ident, ctx = path_id(request, "article_id"), context(request)
    brake(request, "read", READS_PER_MINUTE)
    day = to_city(ctx.clock.now()).date()
    async with ctx.db.read() as session:
        found = await queries.public_articles(session, day, after=ident - 1, limit=1)
    if not found or found[0].id != ident:
        raise HotlineError("not_found")
    return await portal_page(request, "portal/question.html", article=found[0])


@route("GET", "/portal/cases", public=True)
async def cases(request: web.Request) -> web.StreamResponse:
    """Published cases, the newest closing first."""
    query, ctx = read_query(request, CasesQuery), context(request)
    brake(request, "read", READS_PER_MINUTE)
    async with ctx.db.read() as session:
        found, more = await published.cases(session, before=query.before)
    return await portal_page(request, "portal/cases.html", cases=found, more=more)
