"""The session cookie and the person behind it.

The cookie holds a 256-bit token and nothing else; the database holds its hash, its limits and whose
it is. Under https the name carries the `__Host-` prefix, so that no sibling site can plant one.
"""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy import select
from sqlmodel import col

from core.people.models import WebSession
from core.people.sessions import living
from web.context import ACTOR, CTX, TOKEN, WebContext, context
from web.routes import rule_of

BACKGROUND = "HL-Background"
_NAME, _STEP = "hotline_session", "hotline_step"
STEP_SECONDS = 300
MAX_TOKEN = 200  # characters; ours have 43, and nothing longer is worth a look-up


def cookie_name(secure: bool) -> str:
    """The name of the session cookie on this site."""
    return f"__Host-{_NAME}" if secure else _NAME


def set_session(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Give the browser a new session; it ends with the browser, the server's limits end it sooner."""
    secure = context(request).secure
    response.set_cookie(cookie_name(secure), token, path="/", httponly=True, samesite="Lax", secure=secure)


def clear_session(request: web.Request, response: web.StreamResponse) -> None:
    """Take the cookie back."""
    secure = context(request).secure
    response.del_cookie(cookie_name(secure), path="/", httponly=True, samesite="Lax", secure=secure)


def set_step(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Give the browser the token of a second step; it opens nothing but that."""
    secure = context(request).secure
    name = _STEP if not secure else f"__Host-{_STEP}"
    response.set_cookie(
        name, token, path="/", httponly=True, samesite="Lax", secure=secure, max_age=STEP_SECONDS
    )


def clear_step(request: web.Request, response: web.StreamResponse) -> None:
    """Forget the second step."""
    secure = context(request).secure
    name = _STEP if not secure else f"__Host-{_STEP}"
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)


def step_of(request: web.Request) -> str:
    """The token of a second step the browser brought, empty when there is none that could be ours."""
    token = request.cookies.get(f"__Host-{_STEP}" if context(request).secure else _STEP, "")
    return token if len(token) <= MAX_TOKEN and token.isascii() else ""


def token_of(request: web.Request) -> str | None:
    """The token the browser brought, if it could be one of ours."""
    token = request.cookies.get(cookie_name(request.app[CTX].secure), "")
    return token if 0 < len(token) <= MAX_TOKEN and token.isascii() else None


@web.middleware
async def session_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the person behind the cookie; without one the request goes on as nobody's.

    What a page fetches by itself says so in HL-Background and does not keep the session awake:
    an unattended console with live regions would otherwise never end.
    """
    token = token_of(request)
    rule = rule_of(request)
    if rule is not None and rule.scopes:
        token = None  # a machine's route knows no people
    if token is not None and not request.path.startswith("/static/"):
        actor = await context(request).people.actor_for_token(token, touch=BACKGROUND not in request.headers)
        if actor is not None:
            request[ACTOR] = actor
            request[TOKEN] = token
    return await handler(request)


async def living_sessions(ctx: WebContext, ids: Collection[int]) -> set[int]:
    """Those of the sessions that have neither been ended nor rested or aged too long."""
    if not ids:
        return set()
    query = select(col(WebSession.id)).where(
        col(WebSession.id).in_(ids), living(ctx.clock.now(), ctx.settings.security)
    )
    async with ctx.db.read() as session:
        return set((await session.execute(query)).scalars())
