"""A write must come from our own pages.

Browsers say so in Sec-Fetch-Site; on plain-HTTP intranets they do not, but they send Origin with
every POST. A write that brings neither did not come from a browser we know, and is refused. Only what
another machine signs is let through: its route says so, and its view checks the signature; and what a
machine client sends with its token, for a token is no cookie that a browser adds by itself. Where a device
shows its token in a cookie (`web.security.devices`), the rule is that of our pages.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from core.errors import HotlineError
from web.context import CTX
from web.routes import Rule, rule_of
from web.security.machines import bearer

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def same_origin(request: web.Request) -> bool:
    """True when the Origin header names this site: the Host asked for, or the configured public URL."""
    origin = request.headers.get("Origin", "")
    try:
        parts = urlsplit(origin)
        host = parts.netloc.lower()
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    public = urlsplit(request.app[CTX].settings.http.public_url)
    if public.netloc:
        return (parts.scheme, host) == (public.scheme, public.netloc.lower())
    return host == request.host.lower()


def comes_from_us(request: web.Request) -> bool:
    """True when the browser vouches that the request was made by one of our pages."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return same_origin(request)


@web.middleware
async def csrf_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse writes from elsewhere with `cross_site`."""
    rule = rule_of(request)
    signed = rule is not None and vouched(request, rule)
    if request.method not in SAFE_METHODS and not signed and not comes_from_us(request):
        raise HotlineError("cross_site")
    return await handler(request)


def vouched(request: web.Request, rule: Rule) -> bool:
    """Whether something that no browser adds by itself says who writes: a signature, a token."""
    return rule.signed or (bool(rule.scopes) and not (rule.device and not bearer(request)))
