"""Knowledge beside the agent's form: suggested while typing, put into an answer, complained of in a click."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.people.permissions import Permission
from tickets.knowledge import gaps, search, tasks, uses
from tickets.knowledge.search import Place
from tickets.knowledge.terms import COMPLAINT_WORDS
from web.context import actor, context
from web.inputs import Fields, path_id, read_form
from web.render import fragment, redirect
from web.routes import route

READ = Permission.KNOWLEDGE_READ
TICKETS = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_UNIT, Permission.TICKET_READ_ALL)
SEARCHED, SUGGESTED = 8, 5
TEXT = Field("", max_length=20_000)


class SuggestFields(Fields):
    """What stands in the form, what the citizen wrote in a conversation beside it, and what is typed into the
    search; `final`: Enter was pressed."""

    q: str = Field("", max_length=400)
    title: str = TEXT
    narrative: str = TEXT
    said: str = TEXT
    category_id: str = Field("", pattern=r"^\d{0,18}$")
    area_id: str = Field("", pattern=r"^(\d{1,18}(\.\d{1,18})?)?$")
    final: bool = False


class UseFields(Fields):
    article_id: int = Field(gt=0, lt=2**63)


class FeedbackFields(Fields):
    kind: str = Field(max_length=20)
    article_id: int | None = Field(None, gt=0, lt=2**63)
    note: str = Field("", max_length=4000)
    back: str = Field("", pattern=r"^(/knowledge(/\d{1,18})?)?$")


@route("POST", "/knowledge/suggest", permission=READ)
async def suggest(request: web.Request) -> web.StreamResponse:
    """Articles for what is typed; in the body and not in the address, because it may be about somebody."""
    fields, ctx, person = await read_form(request, SuggestFields), context(request), actor(request)
    day = to_city(ctx.clock.now()).date()
    district = fields.area_id.partition(".")[0]
    place = Place(
        int(fields.category_id) if fields.category_id else None, int(district) if district else None
    )
    words, text = search.words_of(fields.q), "\n".join((fields.title, fields.narrative, fields.said)).strip()
    async with ctx.db.read() as session:
        if words or not (text or place.category_id):
            hits = await search.search(session, person, fields.q, day, place=place, limit=SEARCHED)
        else:
            hits = await search.suggest(session, person, text, day, place=place, limit=SUGGESTED)
    if fields.final and words and not hits:
        async with ctx.db.begin() as uow:
            await gaps.note(uow, person, ctx.vault, fields.q)
    values: dict[str, Any] = {"hits": hits, "searched": bool(words), "usual": not (words or text)}
    return fragment(request, "knowledge/_hits.html", **values)


@route("POST", "/drafts/{draft_id:[0-9]+}/knowledge", permission=Permission.DRAFT_WRITE)
async def use(request: web.Request) -> web.StreamResponse:
    """The agent answers by an article: its edition is kept with the draft and what becomes of it."""
    fields, ctx = await read_form(request, UseFields), context(request)
    draft_id, person = path_id(request, "draft_id"), actor(request)
    edition = await ctx.db.retrying(lambda uow: uses.in_draft(uow, person, draft_id, fields.article_id))
    return web.Response(status=200, headers={"HL-Edition": str(edition)})


@route("POST", "/tickets/{ticket_id}/knowledge", permission=Permission.TICKET_NOTE)
async def use_on_ticket(request: web.Request) -> web.StreamResponse:
    """A unit answers by an article: its edition is kept with the ticket."""
    fields, ctx = await read_form(request, UseFields), context(request)
    ticket_id, person = path_id(request, "ticket_id"), actor(request)
    edition = await ctx.db.retrying(lambda uow: uses.on_ticket(uow, person, ticket_id, fields.article_id))
    return web.Response(status=200, headers={"HL-Edition": str(edition)})


@route("GET", "/tickets/{ticket_id}/knowledge", permission=TICKETS)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """The articles a ticket was answered by; nothing when there are none."""
    async with context(request).db.read() as session:
        rows = await uses.of_ticket(session, actor(request), path_id(request, "ticket_id"))
    return fragment(request, "knowledge/_ticket.html", rows=rows)


@route("POST", "/knowledge/feedback", permission=READ)
async def feedback(request: web.Request) -> web.StreamResponse:
    """One click: not found, wrong or expired. The owner has some working days."""
    fields, ctx, person = await read_form(request, FeedbackFields), context(request), actor(request)
    days = ctx.settings.knowledge.correction_days
    limits = ctx.tickets.limits
    async with ctx.db.begin() as uow:
        told = await tasks.report(
            uow, person, limits, fields.kind, days=days, article_id=fields.article_id, note=fields.note
        )
    if fields.back:
        return redirect(request, f"{fields.back}?done=reported")
    word = COMPLAINT_WORDS[fields.kind]
    return fragment(request, "knowledge/_reported.html", word=word, days=days, again=not told.new)
