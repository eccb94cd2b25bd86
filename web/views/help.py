"""Help calls: F9 at the seat, the banner and the page of the shift leader, what was said kept."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.people.permissions import Permission
from telephony.floor import help as help_calls
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route

SEAT, SEE, LEAD = Permission.CALL_TAKE, Permission.FLOOR_READ, Permission.FLOOR_LEAD
OWN, HOME = "/seat/help", "/floor/help"
PAGE = 50


class AskForm(Fields):
    text: str = Field("", max_length=1000)


class AnswerForm(Fields):
    text: str = Field("", max_length=1000)
    how: Literal["message", "listen"] = "message"


class NoFields(Fields):
    """A write that needs nothing but its address."""


class HistoryQuery(Fields):
    before: int | None = Field(None, gt=0, lt=2**63)


# ---- at the seat ------------------------------------------------------------------------------


@route("GET", OWN, permission=SEAT)
async def own(request: web.Request) -> web.StreamResponse:
    """One's own open help call and what was said, for the strip above every page."""
    return fragment(request, "help/_own.html", **await _own(request))


@route("POST", OWN, permission=SEAT)
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask for help, or add to what was asked: a second press is the same help call."""
    form = await read_form(request, AskForm)
    async with context(request).db.begin() as uow:
        await help_calls.ask(uow, actor(request), form.text)
    return await _after_own(request)


@route("POST", OWN + "/end", permission=SEAT)
async def end_own(request: web.Request) -> web.StreamResponse:
    """It is settled, or not needed any more."""
    await read_form(request, NoFields)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        found = await help_calls.mine(uow.session, person)
        if found is not None:  # pressed twice, or a leader was faster
            await help_calls.end(uow, person, found.id)
    return await _after_own(request)


async def _after_own(request: web.Request) -> web.StreamResponse:
    if "HX-Request" in request.headers:
        return fragment(request, "help/_own.html", **await _own(request))
    return redirect(request, "/agent")


async def _own(request: web.Request) -> dict[str, Any]:
    async with context(request).db.read() as session:
        found = await help_calls.mine(session, actor(request))
        said = (await help_calls.steps(session, [found.id]))[found.id] if found else []
    return {"help_own": found, "help_said": said}


# ---- the leader ---------------------------------------------------------------------------------


@route("GET", HOME + "/banner", permission=LEAD)
async def banner(request: web.Request) -> web.StreamResponse:
    """The open help calls of one's floor, for the banner above every page."""
    async with context(request).db.read() as session:
        found = await help_calls.open_helps(session, actor(request))
    return fragment(request, "help/_banner.html", help_floor=found)


@route("GET", HOME, permission=SEE)
async def history(request: web.Request) -> web.StreamResponse:
    """Help calls, newest first."""
    query = read_query(request, HistoryQuery)
    async with context(request).db.read() as session:
        rows = await help_calls.history(session, actor(request), before=query.before, limit=PAGE + 1)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return await page(request, "help/history.html", rows=rows[:PAGE], more=more)


@route("GET", HOME + r"/{help_id:\d+}", permission=(SEE, SEAT))
async def one(request: web.Request) -> web.StreamResponse:
    """One help call: who, in which call, what was said."""
    return await page(request, "help/one.html", **await _one(request))


@route("GET", HOME + r"/{help_id:\d+}/said", permission=(SEE, SEAT))
async def said(request: web.Request) -> web.StreamResponse:
    """What was said, while it is being said."""
    return fragment(request, "help/_thread.html", **await _one(request))


async def _one(request: web.Request) -> dict[str, Any]:
    ident = path_id(request, "help_id")
    async with context(request).db.read() as session:
        found = await help_calls.one(session, actor(request), ident)
        lines = (await help_calls.steps(session, [ident]))[ident]
    return {"one": found, "lines": lines}


@route("POST", HOME + r"/{help_id:\d+}/answer", permission=LEAD)
async def answer(request: web.Request) -> web.StreamResponse:
    """Take it: with a message, or because one is about to listen."""
    form, ident = await read_form(request, AnswerForm), path_id(request, "help_id")
    async with context(request).db.begin() as uow:
        await help_calls.answer(uow, actor(request), ident, form.text, listening=form.how == "listen")
    return await _after(request, ident)


@route("POST", HOME + r"/{help_id:\d+}/say", permission=(LEAD, SEAT))
async def say(request: web.Request) -> web.StreamResponse:
    """Add a line."""
    form, ident = await read_form(request, AskForm), path_id(request, "help_id")
    async with context(request).db.begin() as uow:
        await help_calls.say(uow, actor(request), ident, form.text)
    return await _after(request, ident)


@route("POST", HOME + r"/{help_id:\d+}/end", permission=LEAD)
async def end(request: web.Request) -> web.StreamResponse:
    """It is settled."""
    await read_form(request, NoFields)
    ident = path_id(request, "help_id")
    async with context(request).db.begin() as uow:
        await help_calls.end(uow, actor(request), ident)
    return await _after(request, ident)


async def _after(request: web.Request, ident: int) -> web.StreamResponse:
    """The banner again for scripts, the page of the help call for forms."""
    if "HX-Request" not in request.headers:
        return redirect(request, f"{HOME}/{ident}")
    async with context(request).db.read() as session:
        found = await help_calls.open_helps(session, actor(request))
    return fragment(request, "help/_banner.html", help_floor=found)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """Above every page: one's own help call for who takes calls, those of the floor for its leaders."""
    person = actor(request)
    takes, leads = person.may(SEAT), person.may(LEAD)
    if not (takes or leads):
        return {}
    found: dict[str, Any] = {"frame_help": "help/_frame.html", "help_takes": takes, "help_leads": leads}
    if takes:
        found |= await _own(request)
    if leads:
        async with context(request).db.read() as session:
            found["help_floor"] = await help_calls.open_helps(session, person)
    return found
