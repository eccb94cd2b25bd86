"""Signing in and out, the way home, one's own password, how one likes to read."""

from __future__ import annotations

from functools import partial
from typing import Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col
from yarl import URL

from core.errors import HotlineError
from core.people.models import Unit, User, UserRole
from core.people.signing_in import StepNeeded
from web.context import SOURCE, actor, context, optional_actor
from web.errors import problem_of, wants_json
from web.inputs import Fields, read_form, read_query
from web.menu import home_for
from web.preferences import SIZE_COOKIE, THEME_COOKIE, remember
from web.render import fragment, page, redirect
from web.routes import route
from web.security.sessions import clear_session, other_sessions, set_session, set_step
from web.words import ROLE_WORDS

DEMO_LIMIT = 14


class LoginQuery(Fields):
    next: str = Field("", max_length=2000)


class LoginForm(Fields):
    login: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=200)
    next: str = Field("", max_length=2000)


class PasswordForm(Fields):
    old: str = Field(max_length=200)
    new: str = Field(max_length=200)
    again: str = Field(max_length=200)


class PreferenceForm(Fields):
    theme: Literal["light", "dark", "contrast"] | None = None
    size: Literal["normal", "large"] | None = None
    back: str = Field("/", max_length=2000)


def safe_next(text: str) -> str:
    """A path on this site, or the home page: a login must not send people elsewhere."""
    plain = all(char.isprintable() and char != "\\" for char in text)
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


@route("GET", "/", signed_in=True)
async def home(request: web.Request) -> web.StreamResponse:
    """Where the day's work of this person begins."""
    return redirect(request, home_for(request.app, actor(request)))


@route("GET", "/welcome", signed_in=True)
async def welcome(request: web.Request) -> web.StreamResponse:
    """For posts whose pages are not there yet."""
    return await page(request, "auth/welcome.html")


@route("GET", "/login", public=True)
async def login_page(request: web.Request) -> web.StreamResponse:
    """The door; somebody who is signed in goes on."""
    wanted = safe_next(read_query(request, LoginQuery).next)
    if optional_actor(request) is not None:
        return redirect(request, wanted)
    return await _door(request, wanted)


@route("POST", "/login", public=True, max_body=4096)
async def login(request: web.Request) -> web.StreamResponse:
    """Open a session. A session the browser brought is ended first, so none can be fixed on it."""
    form = await read_form(request, LoginForm)
    people = context(request).people
    agent = request.headers.get("User-Agent", "")
    try:
        new = await people.sign_in(form.login, form.password, source=request[SOURCE], agent=agent)
    except HotlineError as error:
        if wants_json(request):
            raise
        return await _door(request, safe_next(form.next), form.login, error)
    wanted = safe_next(form.next)
    if isinstance(new, StepNeeded):
        step = URL("/login/step").with_query(next=wanted) if wanted != "/" else URL("/login/step")
        response = redirect(request, str(step))
        set_step(request, response, new.token)
        return response
    await end_brought(request)
    response = redirect(request, "/password" if new.actor.must_change_password else wanted)
    set_session(request, response, new.token)
    return response


async def end_brought(request: web.Request) -> None:
    """End the session a browser brought to the door: a new one never continues an old one."""
    before = optional_actor(request)
    if before is not None and before.session_id is not None:
        await context(request).people.end_session(before, before.session_id)


@route("POST", "/logout", signed_in=True, with_pending_password=True)
async def logout(request: web.Request) -> web.StreamResponse:
    """End this session; its sockets close with it, and with the last one the work at the telephone."""
    person, ctx = actor(request), context(request)
    if ctx.agents is not None and not await other_sessions(ctx, person):
        await ctx.db.retrying(partial(ctx.agents.leave, actor=person))
    if person.session_id is not None:
        await context(request).people.end_session(person, person.session_id)
    response = redirect(request, "/login")
    clear_session(request, response)
    return response


@route("GET", "/password", signed_in=True, with_pending_password=True)
async def password_page(request: web.Request) -> web.StreamResponse:
    """The form to change one's own password."""
    return await page(request, "auth/password.html", problem=None, code="")


@route("POST", "/password", signed_in=True, with_pending_password=True, max_body=4096)
async def change_password(request: web.Request) -> web.StreamResponse:
    """Change one's own password; every other session of the account ends."""
    form = await read_form(request, PasswordForm)
    try:
        if form.new != form.again:
            raise HotlineError("password_mismatch")
        await context(request).people.change_password(actor(request), form.old, form.new)
    except HotlineError as error:
        known = HotlineError("password_wrong") if error.code == "login_refused" else error
        code, problem = problem_of(known)
        return await page(request, "auth/password.html", status=problem.status, problem=problem, code=code)
    return redirect(request, "/")


@route("POST", "/preferences", public=True, max_body=4096)
async def preferences(request: web.Request) -> web.StreamResponse:
    """Remember theme or text size in this browser."""
    form = await read_form(request, PreferenceForm)
    response = redirect(request, safe_next(form.back))
    secure = context(request).secure
    if form.theme:
        remember(response, THEME_COOKIE, form.theme, secure=secure)
    if form.size:
        remember(response, SIZE_COOKIE, form.size, secure=secure)
    return response


async def _door(
    request: web.Request, wanted: str, login: str = "", error: HotlineError | None = None
) -> web.Response:
    code, problem = problem_of(error) if error else ("", None)
    settings = context(request).settings
    demo = await _demo_accounts(request) if settings.mode == "development" else []
    return fragment(
        request,
        "auth/login.html",
        status=problem.status if problem else 200,
        code=code,
        problem=problem,
        next=wanted if wanted != "/" else "",
        login=login,
        demo_accounts=demo,
        demo_password=settings.secrets.demo_password if demo else "",
    )


async def _demo_accounts(request: web.Request) -> list[dict[str, str]]:
    """In development: the first account of each post and department, so that a visitor can look around."""
    query = (
        select(col(User.login), col(User.name), col(Unit.short_name), col(UserRole.role))
        .join(Unit, col(Unit.id) == col(User.unit_id))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(User.active))
        .distinct(col(UserRole.role))
        .order_by(col(UserRole.role), col(User.id))
    )
    async with context(request).db.read() as session:
        rows = (await session.execute(query)).all()
    order = list(ROLE_WORDS)
    rows = sorted(rows, key=lambda row: order.index(row.role) if row.role in order else len(order))
    return [
        {"login": r.login, "name": r.name, "unit": r.short_name, "roles": ROLE_WORDS.get(r.role, r.role)}
        for r in rows[:DEMO_LIMIT]
    ]
