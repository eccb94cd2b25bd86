"""What is proposed while a form is typed: likely categories, words that make it urgent, the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from classifier.advice import Advice, Gate
from classifier.urgency import Raised
from core.catalog import words
from core.people.permissions import Permission
from routing.finding import area_of, path_of
from routing.known import directory, gazetteer, place_index
from routing.raising import raised
from tickets.models import Category, table_of
from tickets.terms import Urgency, label
from web.context import context
from web.inputs import Fields, read_form
from web.render import fragment
from web.routes import route

_category = table_of(Category)
MOST_WORDS = 4
LEAST = 0.05  # what is less likely is no help


@dataclass(frozen=True)
class Choice:
    """A category that may be taken with one key."""

    id: int
    name: str
    full_name: str
    percent: int


class Typed(Fields):
    title: str = Field("", max_length=1000)
    narrative: str = Field("", max_length=20_000)


class Address(Fields):
    q: str = Field("", max_length=400)


@route("POST", "/agent/advice", permission=Permission.DRAFT_WRITE)
async def advice(request: web.Request) -> web.StreamResponse:
    """The fragment beside the category of a form; empty without a model, or without any text."""
    form, ctx = await read_form(request, Typed), context(request)
    active = ctx.advisor.active if ctx.advisor is not None else None
    found = await ctx.advisor.advise(form.title, form.narrative) if ctx.advisor is not None else None
    shown, text = None, f"{form.title}\n{form.narrative}"
    async with ctx.db.read() as session:
        if found is not None and active is not None:
            shown = await _shown(session, found, f"模型 M{active.id}")
        urgent = raised(text, await words.match(session, text))
        place = await _place(session, form)
    return fragment(
        request,
        "agent/_advice.html",
        advice=shown,
        raised=_raised(urgent),
        place=place,
        told=bool(text.strip()),
    )


@route("POST", "/agent/places", permission=Permission.DRAFT_WRITE)
async def places(request: web.Request) -> web.StreamResponse:
    """Places of the gazetteer for an address as far as it is typed; in the body, for it may be a home."""
    form = await read_form(request, Address)
    async with context(request).db.read() as session:
        found = (await place_index(session)).find(form.q)
    return fragment(request, "agent/_places.html", spots=found)


async def _place(session: AsyncSession, form: Typed) -> dict[str, str] | None:
    """The area that title and text name, when they name just one."""
    names = await gazetteer(session, await directory(session))
    found = names.resolve(form.title, form.narrative)
    if found.district is None:
        return None
    return {
        "value": area_of(found.district, found.town),
        "path": path_of(found.district, found.town),
        "why": "；".join(found.reasons),
    }


async def _shown(session: AsyncSession, found: Advice, model: str) -> dict[str, Any] | None:
    """The likeliest categories that are open, in the model's order."""
    likely = {code: share for code, share in found.top if share >= LEAST}
    query = sa.select(_category.c.id, _category.c.code, _category.c.name, _category.c.full_name)
    query = query.where(_category.c.code.in_(likely), _category.c.active)
    rows = {row.code: row for row in await session.execute(query)}
    choices = [
        Choice(rows[code].id, rows[code].name, rows[code].full_name, min(99, round(share * 100)))
        for code, share in likely.items()
        if code in rows
    ]
    if not choices:
        return None
    because = [reason.word for reason in found.reasons[:MOST_WORDS]]
    return {"choices": choices, "model": model, "words": because, "manual": found.gate is Gate.MANUAL}


def _raised(found: Raised | None) -> dict[str, Any] | None:
    """The urgency that words of the text call for."""
    if found is None:
        return None
    level = Urgency(found.level)
    because = tuple(dict.fromkeys(found.words))[:MOST_WORDS]
    return {"level": level.value, "word": label(Urgency, level), "words": because, "why": found.why}
