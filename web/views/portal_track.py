"""Following one's own matter: number and code, the timeline, and what the citizen may do by himself.

No address names a ticket: what is shown is what this browser's token has proved. Unknown numbers and wrong
codes get the same answer after the same work; five of them lock the number for where they came from.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.errors import HotlineError
from tickets import query_codes
from tickets.inputs import MAX_NOTE
from tickets.public import sessions
from tickets.public.sessions import Citizen
from tickets.public.terms import ACT_WORDS, Act
from tickets.public.view import PublicView, public_view
from web.context import SOURCE, context
from web.inputs import Fields, read_form
from web.render import redirect
from web.routes import route
from web.views._portal import (
    KEY,
    brake,
    check_open,
    citizen_of,
    new_key,
    portal_page,
    set_token,
)

# What the citizen can mend himself is told on the page where he was.
MENDED = frozenset(
    {"form_invalid", "act_not_now", "acts_too_many", "already_rated", "appeal_open", "has_members"}
)
ACTS_PER_MINUTE = 20


class LookForm(Fields):
    number: str = Field("", max_length=40)
    code: str = Field("", max_length=20)


class ActForm(Fields):
    key: str = Field(pattern=KEY)
    act: Literal["supplement", "add", "urge", "withdraw", "object"]
    text: str = Field("", max_length=4 * MAX_NOTE)


class RateForm(Fields):
    key: str = Field(pattern=KEY)
    responded: str = Field("", pattern=r"^[01]?$")
    solved: str = Field("", pattern=r"^[01]?$")
    satisfied: str = Field("", pattern=r"^[1-5]?$")
    text: str = Field("", max_length=4 * MAX_NOTE)


@route("GET", "/portal/track", public=True)
async def track(request: web.Request) -> web.StreamResponse:
    """The timeline of what was proved, or the two fields to prove it with."""
    citizen = await citizen_of(request)
    if citizen is None or citizen.ticket_id is None:
        return await _ask(request, citizen)
    return await _shown(request, citizen)


@route("GET", "/portal/done", public=True)
async def done(request: web.Request) -> web.StreamResponse:
    """Number and code of what was just sent."""
    citizen, ctx = await citizen_of(request), context(request)
    if citizen is None or citizen.ticket_id is None:
        return redirect(request, "/portal/track")
    async with ctx.db.read() as session:
        seen = await public_view(session, citizen.ticket_id)
        code = await query_codes.code_of(session, ctx.vault, citizen.ticket_id)
    messages = ctx.channels.sms is not None
    return await portal_page(
        request, "portal/done.html", citizen=citizen, seen=seen, code=code, messages=messages
    )


@route("POST", "/portal/track", public=True, max_body=4096)
async def look(request: web.Request) -> web.StreamResponse:
    """Prove number and code."""
    check_open(request)
    form, ctx, citizen = await read_form(request, LookForm), context(request), await citizen_of(request)
    try:
        brake(request, "look", ctx.settings.portal.lookups_per_minute)
        found = await _look_up(request, form, citizen)
    except HotlineError as error:
        if error.code not in ("query_locked", "too_many_requests"):
            raise
        return await _ask(request, citizen, error, form.number)
    if found is None:
        return await _ask(request, citizen, HotlineError("portal_no_match"), form.number)
    response = redirect(request, "/portal/track")
    if found:
        set_token(request, response, found)
    return response


async def _look_up(request: web.Request, form: LookForm, citizen: Citizen | None) -> str | None:
    """A new token, "" when the present one now shows it, None for a wrong pair (which is counted)."""
    ctx, source = context(request), request[SOURCE]

    async def work(uow: UnitOfWork) -> str | None:
        ident = await query_codes.look_up(uow, ctx.vault, number=form.number, code=form.code, source=source)
        if ident is None:
            return None
        if citizen is not None and citizen.signed_in:
            await sessions.look_at(uow, citizen, ident)
            return ""
        return await sessions.begin(uow, ticket_id=ident)

    return await ctx.db.retrying(work)


@route("POST", "/portal/track/act", public=True, max_body=64 * 1024)
async def act(request: web.Request) -> web.StreamResponse:
    """Supplement, add, urge, withdraw or object."""
    form, ctx, citizen = await read_form(request, ActForm), context(request), await _holder(request)
    acts = ctx.citizen_acts
    ident = citizen.ticket_id or 0

    async def work(uow: UnitOfWork) -> None:
        if form.act == "object":
            made = await acts.object(uow, ident, form.text, key=form.key)
            await sessions.look_at(uow, citizen, made.id)
            return
        known = {"supplement": acts.supplement, "add": acts.add, "urge": acts.urge}
        await known.get(form.act, acts.withdraw)(uow, ident, form.text, key=form.key)

    try:
        brake(request, "act", ACTS_PER_MINUTE)
        await ctx.db.retrying(work)
    except HotlineError as error:
        if error.code not in MENDED:
            raise
        return await _shown(request, citizen, error, act=Act(form.act), text=form.text)
    return redirect(request, "/portal/done" if form.act == "object" else "/portal/track")


@route("POST", "/portal/track/rate", public=True, max_body=64 * 1024)
async def rate(request: web.Request) -> web.StreamResponse:
    """The three questions."""
    form, ctx, citizen = await read_form(request, RateForm), context(request), await _holder(request)
    missing = [name for name in ("responded", "solved", "satisfied") if not getattr(form, name)]
    try:
        if missing:
            raise HotlineError("form_invalid", fields=dict.fromkeys(missing, "required"))
        brake(request, "act", ACTS_PER_MINUTE)
        await ctx.db.retrying(
            lambda uow: ctx.citizen_acts.rate(
                uow,
                citizen.ticket_id or 0,
                responded=form.responded == "1",
                solved=form.solved == "1",
                satisfied=int(form.satisfied),
                text=form.text,
                key=form.key,
            )
        )
    except HotlineError as error:
        if error.code not in MENDED:
            raise
        return await _shown(request, citizen, error, act=Act.RATE, text=form.text, rated=form)
    return redirect(request, "/portal/track")


# ---- what the pages show ------------------------------------------------------------------------


async def _holder(request: web.Request) -> Citizen:
    """Whoever proved a ticket. Raises `portal_proof` when that is over."""
    check_open(request)
    citizen = await citizen_of(request)
    if citizen is None or citizen.ticket_id is None:
        raise HotlineError("portal_proof")
    return citizen


async def _ask(
    request: web.Request, citizen: Citizen | None, error: HotlineError | None = None, number: str = ""
) -> web.StreamResponse:
    return await portal_page(request, "portal/look.html", error=error, citizen=citizen, number=number)


async def _shown(
    request: web.Request,
    citizen: Citizen,
    error: HotlineError | None = None,
    *,
    act: Act | None = None,
    text: str = "",
    rated: RateForm | None = None,
) -> web.StreamResponse:
    ctx = context(request)
    async with ctx.db.read() as session:
        seen: PublicView = await public_view(session, citizen.ticket_id or 0)
    return await portal_page(
        request,
        "portal/track.html",
        error=error,
        citizen=citizen,
        seen=seen,
        acts=[one for one in Act if one in seen.acts and one is not Act.RATE],
        act_words=ACT_WORDS,
        keys={one: new_key() for one in Act},
        tried=act,
        text=text,
        rated=rated,
    )
