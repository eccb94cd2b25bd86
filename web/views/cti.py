"""The address a PBX pushes its calls to (the shape of Zammad's generic CTI): `POST /api/v1/cti/{token}`.

The token stands in the path because that is where such PBXs can put one. Form or JSON; answers `{}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.machines import Scope
from telephony.push import terms
from web.context import context
from web.inputs import MALFORMED
from web.routes import route, rule_of
from web.security.machines import machine


@route("POST", "/api/v1/cti/{machine_token}", scope=Scope.CTI, max_body=16 * 1024)
async def push(request: web.Request) -> web.StreamResponse:
    """One event of one call. The same event twice is one event."""
    ctx, client = context(request), machine(request)
    event = terms.parse(await _body(request))
    calls = ctx.push
    if calls is None:
        raise HotlineError("no_pbx")

    async def work(uow: UnitOfWork) -> None:
        await calls.hear(uow, client.code, event)

    await ctx.db.retrying(work)
    return web.json_response({})


async def _body(request: web.Request) -> Mapping[str, Any]:
    """The fields of a form or a JSON object; of a repeated one (`user[]`) the last."""
    raw = await request.read()
    rule = rule_of(request)
    if rule is not None and len(raw) > rule.max_body:
        raise HotlineError("too_large")
    try:
        if request.content_type.endswith("json"):
            data = await request.json()
        else:
            data = dict(await request.post())
    except MALFORMED:
        raise HotlineError("bad_request") from None
    if not isinstance(data, dict):
        raise HotlineError("bad_request")
    return data
