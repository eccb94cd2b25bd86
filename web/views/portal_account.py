"""Signing in to the portal, by a code to the phone on file or a provider; one's own matters and data."""

from __future__ import annotations

import time
from typing import Literal

from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.errors import HotlineError
from core.notify.guard import networks
from core.openid import OpenIdClient, Person, Step
from core.privacy import normalise_phone
from tickets.public import rights, sessions
from tickets.public.sessions import Citizen
from tickets.public.terms import STATE_WORDS
from web.context import WebContext, context
from web.inputs import Fields, read_form, read_query
from web.render import redirect
from web.routes import route
from web.views._portal import (
    KEY,
    brake,
    check_open,
    citizen_of,
    clear_token,
    cookie_name,
    new_key,
    portal_page,
    set_token,
    token_of,
)

OPENID = web.AppKey("portal_openid", OpenIdClient)
STEP_COOKIE, STEP_SECONDS = "hl_openid", 600
TRIES_PER_MINUTE = 15


class PhoneForm(Fields):
    phone: str = Field("", max_length=40)


class CodeForm(Fields):
    step: str = Field(max_length=64, pattern=r"^[A-Za-z0-9_-]{20,64}$")
    code: str = Field("", max_length=20)


class BackQuery(Fields):
    code: str = Field("", max_length=4000)
    state: str = Field("", max_length=200)
    error: str = Field("", max_length=200)
    error_description: str = Field("", max_length=1000)
    error_uri: str = Field("", max_length=1000)
    iss: str = Field("", max_length=500)
    session_state: str = Field("", max_length=500)


class OpenForm(Fields):
    number: str = Field(pattern=r"^\d{18}$")


class AskForm(Fields):
    key: str = Field(pattern=KEY)
    kind: Literal["access", "correct", "delete"]
    text: str = Field("", max_length=4 * rights.MAX_TEXT)


# ---- by a code to the phone ---------------------------------------------------------------------


@route("GET", "/portal/sign-in", public=True)
async def door(request: web.Request) -> web.StreamResponse:
    """The number, or the provider."""
    citizen = await citizen_of(request)
    if citizen is not None and citizen.signed_in:
        return redirect(request, "/portal/mine")
    return await _door(request)


@route("POST", "/portal/sign-in", public=True, max_body=4096)
async def send_code(request: web.Request) -> web.StreamResponse:
    """Send a code, if the number is on file; who asks gets the same page either way."""
    check_open(request)
    form, ctx = await read_form(request, PhoneForm), context(request)
    try:
        brake(request, "code", ctx.settings.portal.codes_per_hour, 3600)
        step = await ctx.db.retrying(lambda uow: ctx.code_sign_in.begin(uow, form.phone))
    except HotlineError as error:
        if error.code not in ("form_invalid", "too_many_requests"):
            raise
        return await _door(request, error, form.phone)
    return await portal_page(request, "portal/code.html", step=step)


@route("POST", "/portal/sign-in/code", public=True, max_body=4096)
async def take_code(request: web.Request) -> web.StreamResponse:
    """The code: right, and the browser is signed in; wrong, and it is counted."""
    check_open(request)
    form, ctx = await read_form(request, CodeForm), context(request)
    token = None
    error = HotlineError("portal_code")
    try:
        brake(request, "try", TRIES_PER_MINUTE)
        token = await ctx.db.retrying(lambda uow: ctx.code_sign_in.finish(uow, form.step, form.code))
    except HotlineError as refused:
        if refused.code != "too_many_requests":
            raise
        error = refused
    if token is None:
        return await portal_page(request, "portal/code.html", error=error, step=form.step)
    return await _signed_in(request, token)


# ---- through a provider -------------------------------------------------------------------------


@route("POST", "/portal/sign-in/provider", public=True, max_body=1024)
async def go(request: web.Request) -> web.StreamResponse:
    """Send the browser to the provider, with what it must bring back."""
    check_open(request)
    await read_form(request, Fields)
    brake(request, "provider", TRIES_PER_MINUTE)
    try:
        target, step = await _client(request).start(_redirect_uri(request))
    except HotlineError as error:
        if error.code != "openid_failed":
            raise
        return await _door(request, error)
    response = web.Response(status=303, headers={"Location": target})
    response.set_cookie(
        cookie_name(request, STEP_COOKIE),
        step.pack(),
        path="/",
        httponly=True,
        samesite="Lax",  # it comes back by a link from elsewhere
        secure=context(request).secure,
        max_age=STEP_SECONDS,
    )
    return response


@route("GET", "/portal/sign-in/back", public=True)
async def back(request: web.Request) -> web.StreamResponse:
    """The browser comes back from the provider."""
    check_open(request)
    query, client = read_query(request, BackQuery), _client(request)
    brake(request, "provider", TRIES_PER_MINUTE)
    step = Step.unpack(request.cookies.get(cookie_name(request, STEP_COOKIE), ""))
    try:
        if step is None or query.error:
            raise HotlineError("openid_refused")
        person = await client.finish(
            step, state=query.state, code=query.code, redirect=_redirect_uri(request)
        )
    except HotlineError as error:
        if error.code not in ("openid_refused", "openid_failed"):
            raise
        return await _door(request, error)
    ctx = context(request)
    token = await ctx.db.retrying(lambda uow: _begin(ctx, uow, person))
    response = await _signed_in(request, token)
    response.del_cookie(cookie_name(request, STEP_COOKIE), path="/", secure=ctx.secure)
    return response


async def _begin(ctx: WebContext, uow: UnitOfWork, person: Person) -> str:
    """A token for the person: by the verified number, if it is on file, and by what he sends signed in."""
    subject = ctx.vault.blind("openid", f"{person.issuer}\0{person.subject}")
    ref = None
    if person.phone:
        phone = normalise_phone(person.phone, area=ctx.settings.city.phone_area)
        if phone.number is not None and phone.kind == "mobile":
            ref = (await ctx.vault.put(uow, "phone", phone.number)).id
    return await sessions.begin(uow, phone_ref=ref, subject=subject)


def _client(request: web.Request) -> OpenIdClient:
    """The one client of this node, which keeps what the provider says of itself."""
    settings = context(request).settings
    if not settings.portal.openid.issuer:
        raise HotlineError("not_found")
    return request.app[OPENID]


def make_client(ctx: WebContext) -> OpenIdClient:
    """The client of the settings; asked for nothing until somebody signs in."""
    clock = ctx.clock
    settings = ctx.settings
    return OpenIdClient(
        settings.portal.openid,
        settings.secrets.openid_secret,
        allowed=networks(settings.notify.allowed_networks),
        clock_time=lambda: clock.now().timestamp() if settings.mode == "production" else time.time(),
    )


def _redirect_uri(request: web.Request) -> str:
    base = context(request).settings.http.public_url.rstrip("/") or f"http://{request.host}"
    return f"{base}/portal/sign-in/back"


# ---- one's own ----------------------------------------------------------------------------------


@route("GET", "/portal/mine", public=True)
async def mine(request: web.Request) -> web.StreamResponse:
    """One's own matters, and what was asked about one's data."""
    citizen = await citizen_of(request)
    if citizen is None or not citizen.signed_in:
        return redirect(request, "/portal/sign-in")
    return await _mine(request, citizen)


@route("POST", "/portal/mine/open", public=True, max_body=1024)
async def open_own(request: web.Request) -> web.StreamResponse:
    """Show one of one's own matters."""
    form, ctx, citizen = await read_form(request, OpenForm), context(request), await _person(request)
    async with ctx.db.begin() as uow:
        ident = await sessions.own_ticket(uow.session, citizen, form.number)
        if ident is None:
            raise HotlineError("not_found")
        await sessions.look_at(uow, citizen, ident)
    return redirect(request, "/portal/track")


@route("POST", "/portal/mine/data", public=True, max_body=16 * 1024)
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask to see, to correct or to delete what is kept."""
    form, ctx, citizen = await read_form(request, AskForm), context(request), await _person(request)
    phone = citizen.phone_ref
    try:
        if phone is None:
            raise HotlineError("rights_phone")
        brake(request, "data", TRIES_PER_MINUTE)
        await ctx.db.retrying(
            lambda uow: rights.ask(uow, ctx.vault, phone, form.kind, form.text, key=form.key)
        )
    except HotlineError as error:
        if error.code not in ("form_invalid", "rights_too_many", "rights_phone"):
            raise
        return await _mine(request, citizen, error, text=form.text, kind=form.kind)
    return redirect(request, "/portal/mine")


@route("POST", "/portal/sign-out", public=True, max_body=1024)
async def leave(request: web.Request) -> web.StreamResponse:
    """The token opens nothing any more; nothing of this person stays in the browser."""
    await read_form(request, Fields)
    token = token_of(request)
    if token:
        async with context(request).db.begin() as uow:
            await sessions.end(uow, token)
    response = redirect(request, "/portal")
    clear_token(request, response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def _person(request: web.Request) -> Citizen:
    """Whoever is signed in. Raises `portal_proof`."""
    check_open(request)
    citizen = await citizen_of(request)
    if citizen is None or not citizen.signed_in:
        raise HotlineError("portal_proof")
    return citizen


async def _signed_in(request: web.Request, token: str) -> web.StreamResponse:
    before = token_of(request)
    if before:  # what was proved before belongs to whoever sat here before
        async with context(request).db.begin() as uow:
            await sessions.end(uow, before)
    response = redirect(request, "/portal/mine")
    set_token(request, response, token)
    return response


async def _door(
    request: web.Request, error: HotlineError | None = None, phone: str = ""
) -> web.StreamResponse:
    openid = context(request).settings.portal.openid
    provider = openid.name if openid.issuer else ""
    return await portal_page(request, "portal/sign_in.html", error=error, phone=phone, provider=provider)


async def _mine(
    request: web.Request,
    citizen: Citizen,
    error: HotlineError | None = None,
    *,
    text: str = "",
    kind: str = "access",
) -> web.StreamResponse:
    ctx = context(request)
    async with ctx.db.read() as session:
        own = await sessions.own_tickets(session, citizen)
        asked = await rights.of_phone(session, citizen.phone_ref) if citizen.phone_ref else []
    return await portal_page(
        request,
        "portal/mine.html",
        error=error,
        citizen=citizen,
        own=own,
        state_words={state.value: words for state, words in STATE_WORDS.items()},
        asked=asked,
        kind_words=rights.KIND_WORDS,
        asked_words=rights.STATE_WORDS,
        key=new_key(),
        text=text,
        kind=kind,
    )
