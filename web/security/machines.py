"""How a route asks for a machine client, and how a client shows its token.

    @route("POST", "/api/v1/tickets", scope=Scope.TICKETS_SUBMIT)
    async def submit(request: web.Request) -> web.StreamResponse:
        client = machine(request)

The token comes as `Authorization: Bearer …`. Where a protocol has its own place for it, the view reads it
there and calls `admit_token`: `api_key` of Open311, the last part of the path of a CTI address. A kiosk's
lies in its cookie (`web.security.devices`).
"""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from core.errors import HotlineError
from core.people import machines
from core.people.machines import Machine, Scope
from web.context import SOURCE, context
from web.routes import rule_of
from web.security.devices import device_token
from web.security.rates import RATES

MACHINE = web.RequestKey("machine", Machine)
WRONG_PER_MINUTE = 60  # tokens that open nothing, from one source
CALLS_PER_MINUTE = 3000  # of one client on one node


def bearer(request: web.Request) -> str:
    """The token of the Authorization header; empty when there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def admit(request: web.Request, scopes: Collection[Scope]) -> Machine:
    """Let a client in by its header. Raises what `admit_token` raises."""
    rule = rule_of(request)
    token = request.match_info.get("machine_token") or bearer(request)
    if not token and rule is not None and rule.device:
        token = device_token(request)
    return await admit_token(request, token, scopes)


async def admit_token(request: web.Request, token: str, scopes: Collection[Scope]) -> Machine:
    """The client behind `token`, which has one of `scopes`; known to `machine` from here on.

    Raises HotlineError `machine_unknown` (none, revoked), `scope_missing`, `too_many_requests`.
    """
    found = await machines.enter(context(request).db, token)
    if found is None:
        request.app[RATES].count("machine.wrong", request[SOURCE], most=WRONG_PER_MINUTE, seconds=60)
        raise HotlineError("machine_unknown")
    request.app[RATES].count("machine", str(found.id), most=CALLS_PER_MINUTE, seconds=60)
    found.require(*scopes)
    request[MACHINE] = found
    return found


def machine(request: web.Request) -> Machine:
    """The client behind the request. Raises HotlineError `machine_unknown`."""
    found: Machine | None = request.get(MACHINE)
    if found is None:
        raise HotlineError("machine_unknown")
    return found
