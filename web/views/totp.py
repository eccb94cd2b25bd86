"""The second factor: the second step at the door, and one's own page to enrol or renew it."""

from __future__ import annotations

from typing import Any

import segno
from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.second_factor import Enrolment
from core.people.signing_in import StepOpen
from web.context import SOURCE, actor, context
from web.errors import problem_of, wants_json
from web.inputs import Fields, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route
from web.security.sessions import clear_step, set_session, step_of
from web.views.auth import end_brought, safe_next


class NextQuery(Fields):
    next: str = Field("", max_length=2000)


class CodeForm(Fields):
    code: str = Field(min_length=1, max_length=40)


class StepForm(CodeForm):
    next: str = Field("", max_length=2000)


class NoFields(Fields):
    pass


# ---- at the door ----------------------------------------------------------------------------


@route("GET", "/login/step", public=True)
async def step_page(request: web.Request) -> web.StreamResponse:
    """The second step of a login; without an open one, the door."""
    wanted = safe_next(read_query(request, NextQuery).next)
    step = await context(request).people.step_open(step_of(request))
    if step is None:
        return redirect(request, "/login")
    return await _step(request, step, wanted)


@route("POST", "/login/step", public=True, max_body=4096)
async def finish(request: web.Request) -> web.StreamResponse:
    """Take the code; only now there is a session, with a token no browser has seen before."""
    form = await read_form(request, StepForm)
    people, token, wanted = context(request).people, step_of(request), safe_next(form.next)
    agent = request.headers.get("User-Agent", "")
    try:
        new, codes = await people.finish(token, form.code, source=request[SOURCE], agent=agent)
    except HotlineError as error:
        step = await people.step_open(token)
        if wants_json(request):
            raise
        if step is None:
            response = await _closed(request, error)
            clear_step(request, response)
            return response
        return await _step(request, step, wanted, error)
    await end_brought(request)
    target = "/password" if new.actor.must_change_password else wanted
    shown = fragment(request, "auth/codes.html", codes=codes, target=target)
    response = shown if codes else redirect(request, target)
    clear_step(request, response)
    set_session(request, response, new.token)
    return response


@route("POST", "/login/step/leave", public=True, max_body=4096)
async def leave(request: web.Request) -> web.StreamResponse:
    """Back to the door."""
    await read_form(request, NoFields)
    response = redirect(request, "/login")
    clear_step(request, response)
    return response


async def _step(
    request: web.Request, step: StepOpen, wanted: str, error: HotlineError | None = None
) -> web.Response:
    code, problem = problem_of(error) if error else ("", None)
    enrolment = await context(request).people.enrolment(step) if step.kind == "enrol" else None
    return fragment(
        request,
        "auth/step.html",
        status=problem.status if problem else 200,
        step=step,
        code=code,
        problem=problem,
        next=wanted if wanted != "/" else "",
        **_enrolment(enrolment),
    )


async def _closed(request: web.Request, error: HotlineError) -> web.Response:
    code, problem = problem_of(error)
    values: dict[str, Any] = {"step": None, "enrolment": None, "qr": "", "next": ""}
    return fragment(request, "auth/step.html", status=problem.status, code=code, problem=problem, **values)


def _enrolment(enrolment: Enrolment | None) -> dict[str, Any]:
    qr = ""
    if enrolment is not None:
        qr = segno.make(enrolment.uri, error="m").svg_data_uri(scale=4, dark="#000", light="#fff", border=3)
    return {"enrolment": enrolment, "qr": qr}


# ---- one's own ------------------------------------------------------------------------------


@route("GET", "/totp", signed_in=True)
async def own_page(request: web.Request) -> web.StreamResponse:
    """How things stand with one's own second factor."""
    return await _own(request)


@route("POST", "/totp/begin", signed_in=True, max_body=4096)
async def begin(request: web.Request) -> web.StreamResponse:
    """Make a secret to enrol with."""
    await read_form(request, NoFields)
    ctx, person = context(request), actor(request)
    assert person.user_id is not None
    async with ctx.db.begin() as uow:
        await ctx.people.second_factor.begin(uow, person.user_id)
    return redirect(request, "/totp")


@route("POST", "/totp/confirm", signed_in=True, max_body=4096)
async def confirm(request: web.Request) -> web.StreamResponse:
    """The first code: from now on the login asks for one."""
    form = await read_form(request, CodeForm)
    ctx, person = context(request), actor(request)
    assert person.user_id is not None
    async with ctx.db.begin() as uow:
        codes = await ctx.people.second_factor.confirm(uow, person, person.user_id, form.code)
    if codes is None:
        await ctx.people.note_wrong_code(person)
        return await _own(request, HotlineError("second_code_refused"))
    return await _own(request, codes=codes)


@route("POST", "/totp/codes", signed_in=True, max_body=4096)
async def new_codes(request: web.Request) -> web.StreamResponse:
    """New recovery codes, for a good code."""
    form = await read_form(request, CodeForm)
    ctx, person = context(request), actor(request)
    try:
        await ctx.people.check_code(person, form.code)
    except HotlineError as error:
        return await _own(request, error)
    async with ctx.db.begin() as uow:
        codes = await ctx.people.second_factor.renew_codes(uow, person)
    return await _own(request, codes=codes)


@route("POST", "/totp/off", signed_in=True, max_body=4096)
async def off(request: web.Request) -> web.StreamResponse:
    """Give the second factor up, for a good code and where the post does not demand it."""
    form = await read_form(request, CodeForm)
    ctx, person = context(request), actor(request)
    assert person.user_id is not None
    try:
        if ctx.people.second_factor.required(person.roles):
            raise HotlineError("totp_needed")
        await ctx.people.check_code(person, form.code)
    except HotlineError as error:
        return await _own(request, error)
    async with ctx.db.begin() as uow:
        await ctx.people.second_factor.remove(uow, person, person.user_id, action="totp.off")
    return redirect(request, "/totp")


async def _own(
    request: web.Request, error: HotlineError | None = None, codes: list[str] | None = None
) -> web.Response:
    ctx, person = context(request), actor(request)
    assert person.user_id is not None
    code, problem = problem_of(error) if error else ("", None)
    async with ctx.db.read() as session:
        state = await ctx.people.second_factor.state(session, person.user_id)
        waiting = await ctx.people.second_factor.pending(session, person.user_id, person.login)
    return await page(
        request,
        "auth/totp.html",
        status=problem.status if problem else 200,
        state=state,
        required=ctx.people.second_factor.required(person.roles),
        codes=codes or [],
        code=code,
        problem=problem,
        **_enrolment(waiting),
    )
