"""A kiosk's device: enrolled once with a code from the list of clients, known by its cookie from then on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field

from core.people import enrolment
from core.people.machines import Machine, Scope
from core.people.models import Unit
from core.tables import table_of
from web.context import SOURCE, context
from web.inputs import Fields, read_form
from web.routes import route
from web.security.devices import device_token, set_device
from web.security.machines import bearer, machine
from web.security.rates import RATES

TRIES_PER_MINUTE = 10  # codes typed at one source
_unit = table_of(Unit)


class EnrolForm(Fields):
    code: str = Field("", max_length=40)


@route("GET", "/kiosk/device", scope=Scope.KIOSK, device=True)
async def device(request: web.Request) -> web.StreamResponse:
    """Whether this device may work, how it is called, and the place it stands in.

    The answer gives the cookie anew: a device that still shows the token it kept itself has it from here on.
    """
    answer = web.json_response(await _told(request, machine(request)))
    set_device(request, answer, bearer(request) or device_token(request))
    return answer


@route("POST", "/kiosk/enrol", public=True, max_body=4096)
async def enrol(request: web.Request) -> web.StreamResponse:
    """Take a code from the list of clients; the answer sets the cookie and says what `device` says."""
    form = await read_form(request, EnrolForm)
    request.app[RATES].count("kiosk.enrol", request[SOURCE], most=TRIES_PER_MINUTE, seconds=60)
    async with context(request).db.begin() as uow:
        token, found = await enrolment.enrol(uow, "".join(form.code.split()))
    answer = web.json_response(await _told(request, found))
    set_device(request, answer, token)
    return answer


async def _told(request: web.Request, found: Machine) -> dict[str, Any]:
    """The name of a device, and the district and the town above the unit it belongs to."""
    ids = [int(part) for part in found.actor.unit_path.split(".") if part]
    query = sa.select(_unit.c.id, _unit.c.kind).where(_unit.c.id.in_(ids))
    async with context(request).db.read() as session:
        kinds = {row.kind: row.id for row in await session.execute(query)}
    return {"name": found.name, "district_id": kinds.get("district"), "street_id": kinds.get("town")}
