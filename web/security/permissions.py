"""The rule of the route is applied before its handler runs; no rule, no entry."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from core.errors import HotlineError
from web.context import optional_actor
from web.routes import rule_of
from web.security.machines import admit


@web.middleware
async def permission_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in whom the rule of the route names.

    Raises `login_required`, `forbidden`, `password_change_required`, and what `admit` raises.
    """
    if request.match_info.http_exception is not None:
        return await handler(request)  # no such path or method: the router's own answer
    rule = rule_of(request)
    actor = optional_actor(request)
    if rule is None:
        raise HotlineError("forbidden")
    if rule.scopes:
        await admit(request, rule.scopes)
        return await handler(request)
    if actor is None and not rule.public:
        raise HotlineError("login_required")
    if not rule.allows(actor):
        raise HotlineError("forbidden")
    if actor is not None and actor.must_change_password and not rule.with_pending_password:
        raise HotlineError("password_change_required")
    return await handler(request)
