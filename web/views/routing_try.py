"""The box to try (派单试算): which rule fires and why, which were looked at, which row gave the unit."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field, field_validator
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.permissions import Permission
from routing.advice import Asked
from routing.known import directory
from routing.rules import OUTCOMES
from routing.suggest import SOURCES, Suggestion, as_data
from tickets.terms import Channel, TicketType, Urgency, choices
from web.context import context
from web.errors import wants_json
from web.inputs import Fields, Ident, read_form
from web.render import fragment, page
from web.routes import route

HOME = "/routing/try"


class TryForm(Fields):
    title: str = Field("", max_length=120)
    detail: str = Field("", max_length=8000)
    category_id: Ident | None = None
    area_id: Ident | None = None
    address: str = Field("", max_length=200)
    subject: str = Field("", max_length=100)
    type: TicketType | None = None
    urgency: Urgency | None = None
    channel: Channel | None = None

    @field_validator("category_id", "area_id", "type", "urgency", "channel", mode="before")
    @classmethod
    def _not_chosen(cls, value: object) -> object:
        return None if value == "" else value

    def asked(self) -> Asked:
        return Asked(
            self.title,
            self.detail,
            self.category_id,
            self.area_id,
            self.address,
            self.subject,
            self.type.value if self.type else "",
            self.urgency.value if self.urgency else "normal",
            self.channel.value if self.channel else "phone",
        )


async def _choices(session: AsyncSession) -> dict[str, Any]:
    known = await directory(session)
    codes = {chain[0]: ident for ident, chain in known.chains.items() if chain}
    units = sorted(known.units.values(), key=lambda unit: unit.path)
    areas = [unit for unit in units if unit.active and unit.kind in ("district", "town")]
    return {
        "categories": [(codes[code], f"{code} {name}") for code, name in sorted(known.categories.items())],
        "areas": [(unit.id, unit.name) for unit in areas],
        "types": choices(TicketType),
        "urgencies": choices(Urgency),
        "channels": choices(Channel),
    }


@route("GET", HOME, permission=Permission.ROUTING_READ)
async def try_page(request: web.Request) -> web.StreamResponse:
    """The empty box."""
    async with context(request).db.read() as session:
        values = await _choices(session)
    return await page(request, "routing/try.html", form=TryForm(), found=None, **_words(), **values)


@route("POST", HOME, permission=Permission.ROUTING_READ)
async def try_it(request: web.Request) -> web.StreamResponse:
    """What would be suggested for this, and everything that was looked at; nothing is kept."""
    form = await read_form(request, TryForm)
    async with context(request).db.read() as session:
        values = await _choices(session)
        found = await context(request).advice.of_matter(session, form.asked(), fresh=True)
    return await page(request, "routing/try.html", form=form, found=found, **_words(), **values)


def _words() -> dict[str, Any]:
    return {"outcomes": OUTCOMES, "sources": SOURCES}


@route("POST", "/routing/advise", permission=(Permission.TICKET_CREATE, Permission.ROUTING_READ))
async def advise(request: web.Request) -> web.StreamResponse:
    """The suggestion for what stands in a form: JSON for who prefers it, else a fragment."""
    form = await read_form(request, TryForm)
    async with context(request).db.read() as session:
        found = await context(request).advice.of_matter(session, form.asked())
    if wants_json(request):
        return web.json_response(_as_json(found))
    return fragment(request, "routing/_advise.html", found=found)


def _as_json(found: Suggestion) -> dict[str, Any]:
    place = found.place
    return {
        "units": as_data(found),
        "district": place.district.name if place.district else None,
        "town": place.town.name if place.town else None,
        "community": place.community or None,
        "place_reasons": list(place.reasons),
        "remarks": list(found.remarks),
    }
