"""An intermediary's own page: complaints put to it, its answers, the blacklist and its appeal."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets.intermediaries import blacklist, cases, queries
from tickets.intermediaries.scope import own
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, back
from web.views._forms import field_errors
from web.views.admin_calendar import today
from web.views.market import judge, words

HOME = "/market/own"
OWN = Permission.INTERMEDIARY_OWN


class DoneQuery(Fields):
    done: str = Field("", max_length=20)


class AnswerForm(Fields):
    version: int = Field(gt=0, lt=2**31)
    text: str = Field("", max_length=6000)


@route("GET", HOME, permission=OWN)
async def home(request: web.Request) -> web.StreamResponse:
    """Complaints without complainants, notices, qualifications, ratings."""
    return await _home(request, done=read_query(request, DoneQuery).done)


async def _home(
    request: web.Request,
    *,
    done: str = "",
    wrong: dict[str, str] | None = None,
    typed: str = "",
    at: str = "",
) -> web.StreamResponse:
    day, person = today(request), actor(request)
    values: dict[str, Any] = {"linked": True}
    async with context(request).db.read() as session:
        try:
            ident = await own(session, person)
        except HotlineError as error:
            if error.code != "account_unlinked":
                raise
            return await page(request, "market/own.html", linked=False, done="", **words())
        values |= {
            "item": await queries.item(session, ident, day),
            "cases": await queries.own_cases(session, person),
            "entries": await queries.own_entries(session, person),
            "licences": [(row, judge(request, row, day)) for row in await queries.licences(session, ident)],
            "levels": await queries.stars_of(session, ident),
        }
    return await page(
        request,
        "market/own.html",
        status=422 if wrong else 200,
        least=context(request).settings.intermediaries.least_ratings,
        wrong=wrong or {},
        typed=typed,
        at=at,
        done=DONE.get(done, ""),
        **values,
        **words(),
    )


@route("POST", HOME + "/cases/{case_id:[0-9]+}/answer", permission=OWN)
async def answer(request: web.Request) -> web.StreamResponse:
    """Say one's part, once."""
    form, ident = await read_form(request, AnswerForm), path_id(request, "case_id")
    try:
        async with context(request).db.begin() as uow:
            await cases.answer(uow, actor(request), ident, form.version, form.text)
    except HotlineError as error:
        return await _again(request, error, form.text, f"case-{ident}")
    return back(request, HOME, "saved")


@route("POST", HOME + "/blacklist/{entry_id:[0-9]+}/appeal", permission=OWN)
async def appeal(request: web.Request) -> web.StreamResponse:
    """Object to being listed, within the term."""
    form, ident = await read_form(request, AnswerForm), path_id(request, "entry_id")
    try:
        async with context(request).db.begin() as uow:
            await blacklist.appeal(uow, actor(request), ident, form.version, form.text)
    except HotlineError as error:
        return await _again(request, error, form.text, f"entry-{ident}")
    return back(request, HOME, "saved")


async def _again(request: web.Request, error: HotlineError, typed: str, at: str) -> web.StreamResponse:
    wrong = field_errors(error)
    if wrong is None:
        raise error
    return await _home(request, wrong=wrong, typed=typed, at=at)
