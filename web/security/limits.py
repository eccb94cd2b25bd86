"""Caps that hold before any view reads a byte."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from core.errors import HotlineError
from web.routes import rule_of

MAX_TARGET = 4096  # characters of path and query together
MAX_BODY = 256 * 1024  # bytes; what no route may exceed, also for bodies sent in chunks


@web.middleware
async def body_limit_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with `too_large` what declares more than the rule of its route allows.

    A body sent in chunks declares nothing; `web.inputs` measures it when it has been read.
    """
    rule = rule_of(request)
    declared = request.content_length or 0
    if len(request.raw_path) > MAX_TARGET or declared > (rule.max_body if rule else 0):
        raise HotlineError("too_large")
    return await handler(request)
