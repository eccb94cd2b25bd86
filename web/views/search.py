"""Finding tickets: by number, by a telephone or a name exactly, by words anywhere in their texts.

The box of the frame posts, since telephones and names are personal and addresses end up in logs. Words
go on as an address of their own, so that pages of results can be left, returned to and passed on.
"""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.privacy import normalise_phone
from core.text import MAX_PHRASE, RUN, searchable
from tickets import queries
from tickets.exchange.numbers import find_by_outer
from tickets.forms import clean
from tickets.queries import TicketFilters
from tickets.search import people, query
from tickets.visibility import sees_every_ticket
from web.context import actor, context
from web.inputs import Fields, read_form
from web.reads.units import unit_groups
from web.render import fragment, page, redirect
from web.routes import route
from web.views.tickets import CHOICES, READ
from web.words import TICKET_WORDS

NUMBER = re.compile(r"\d{18}")
NAME = re.compile(r"[\u3400-\u9fffA-Za-z·. ]{2,20}")
DIGITS = re.compile(r"[\d\s()+-]+")
SHORTEST = 2
FIELD_WORDS = {
    "narrative": "诉求内容",
    "expected": "市民期望",
    "address": "地址",
    "subject_name": "被反映对象",
    "handling": "办理情况",
    "public_reply": "答复",
    "addition": "市民补充",
}


class SearchForm(Fields):
    q: str = Field("", max_length=MAX_PHRASE)
    by: Literal["", "name"] = ""


# ---- what was typed into the box ------------------------------------------------------------


@route("POST", "/search", permission=READ, max_body=4096)
async def search(request: web.Request) -> web.StreamResponse:
    """A number leads to its ticket, a telephone or name to the person's tickets, words to the results."""
    form = await read_form(request, SearchForm)
    typed, ctx = form.q, context(request)
    number = re.sub(r"[\s-]", "", typed)
    if form.by == "name" and typed:
        return await _by_name(request, typed)
    if NUMBER.fullmatch(number):
        async with ctx.db.read() as session:
            found = await queries.find_by_number(session, actor(request), number)
        if found is not None:
            return redirect(request, f"/tickets/{found}")
        return await _person_page(request, "number", typed, ())
    async with ctx.db.read() as session:
        elsewhere = await find_by_outer(session, actor(request), typed)
    if elsewhere:  # another system's number, of which two may call different tickets alike
        return redirect(request, f"/tickets/{elsewhere[0]}")
    if normalise_phone(typed, area=ctx.settings.city.phone_area).number:
        return await _by_phone(request, typed)
    if typed and DIGITS.fullmatch(typed) and not _phrase(typed):
        return await _person_page(request, "unknown", typed, ())
    return redirect(request, "/search?" + urlencode({"text": typed}) if typed else "/search")


async def _by_phone(request: web.Request, typed: str) -> web.StreamResponse:
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        area = ctx.settings.city.phone_area
        items = await queries.find_by_phone(uow.session, person, ctx.vault, typed, area=area, limit=50)
        await people.note(uow, person, "phone", len(items))
    return await _person_page(request, "phone", typed, items)


async def _by_name(request: web.Request, typed: str) -> web.StreamResponse:
    ctx = context(request)
    async with ctx.db.begin() as uow:
        items = await people.tickets_of_name(uow, actor(request), ctx.vault, typed)
    return await _person_page(request, "name", typed, items)


async def _person_page(request: web.Request, kind: str, typed: str, items: Any) -> web.StreamResponse:
    return await page(
        request, "search/person.html", kind=kind, items=items, words=TICKET_WORDS, search_text=typed
    )


# ---- words ----------------------------------------------------------------------------------


@route("GET", "/search", permission=READ)
async def search_page(request: web.Request) -> web.StreamResponse:
    """The words that were looked for in context, newest ticket first, with filters beside."""
    text, given, filters = _asked(request)
    ctx, person = context(request), actor(request)
    kind = _kind(text)
    async with ctx.db.read() as session:
        found: queries.Page[query.Hit] = queries.Page((), None)
        if kind == "words":
            found = await query.find(session, person, text, filters, request.query.get("cursor") or None)
        values = await _choices(session, whole=sees_every_ticket(person))
    kept = {"text": text, **given} if text else given
    first = "cursor" not in request.query
    return await page(
        request,
        "search/page.html",
        kind=kind,
        text=text,
        search_text=text,
        filters=given,
        hits=found.items,
        first_page=first,
        here="/search?" + urlencode(kept),
        next_page="/search?" + urlencode({**kept, "cursor": found.next_cursor}) if found.next_cursor else "",
        count_url="/search/count?" + urlencode(kept) if first and found.next_cursor else "",
        without_filters="/search?" + urlencode({"text": text}),
        has_number=RUN in searchable(text),
        may_be_name=bool(NAME.fullmatch(text)),
        field_words=FIELD_WORDS,
        words=TICKET_WORDS,
        **values,
    )


@route("GET", "/search/count", permission=READ)
async def search_count(request: web.Request) -> web.StreamResponse:
    """How many there are: asked for by the page once it is shown, since counting is what takes time."""
    text, _, filters = _asked(request)
    async with context(request).db.read() as session:
        counted = await query.count(session, actor(request), text, filters)
    return fragment(request, "search/_count.html", counted=counted)


def _asked(request: web.Request) -> tuple[str, dict[str, str], TicketFilters]:
    """The words, the filters as given, the filters understood."""
    if len(request.query) != len(set(request.query)):
        raise HotlineError("bad_request")
    given = {key: value for key, value in request.query.items() if key != "cursor"}
    text = clean(given.pop("text", ""))
    if len(text) > MAX_PHRASE:
        raise HotlineError("search_too_long", most=MAX_PHRASE)
    filters = queries.parse_filters(given)
    return text, {key: value for key, value in given.items() if value}, filters


def _phrase(text: str) -> str:
    return query.phrase_of(text[:MAX_PHRASE])


def _kind(text: str) -> str:
    if not text:
        return "empty"
    if len(text) < SHORTEST:
        return "short"
    return "words" if _phrase(text) else "number"


async def _choices(session: AsyncSession, *, whole: bool) -> dict[str, Any]:
    """What the filters offer; a department has no use for other units."""
    return {
        "choices": CHOICES,
        "groups": await unit_groups(session) if whole else [],
        "categories": [item for item in await queries.categories(session) if item.level <= SHORTEST],
    }
