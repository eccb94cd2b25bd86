"""Certificate checks: beside the agent's form, on the ticket's page, their figures, the registry's state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import Field

from core.clock import CITY_ZONE, to_city
from core.people.permissions import Permission
from tickets.certificates import queries
from tickets.certificates.breaker import STATES
from tickets.certificates.service import About
from tickets.certificates.terms import CONSENT_CHANNELS, KINDS, PURPOSE, RESULTS, WHY
from web.context import actor, certificates_of, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route

CHECK = Permission.CERTIFICATE_CHECK
TICKETS = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_UNIT, Permission.TICKET_READ_ALL)
TONES = {"valid": "good", "invalid": "bad", "unknown": "warn"}
NUMBER = Field("", max_length=40)
MONTHS = 12


class DraftQuery(Fields):
    category_id: int | None = Field(None, gt=0, lt=2**63)


class CheckForm(Fields):
    """`agree`: the citizen has just agreed; else a consent that was recorded before is used."""

    kinds: list[str] = Field([], max_length=20)
    channel: str = Field("", max_length=10)
    purpose: str = Field(PURPOSE, max_length=600)
    id_number: str = NUMBER
    agree: bool = False


class DraftCheckForm(CheckForm):
    category_id: int | None = Field(None, gt=0, lt=2**63)


class BackForm(Fields):
    consent_id: int = Field(gt=0, lt=2**63)
    channel: str = Field("phone", max_length=10)


class DraftBackForm(BackForm):
    category_id: int | None = Field(None, gt=0, lt=2**63)


def words() -> dict[str, Any]:
    """What the templates say for codes."""
    return {
        "kinds": KINDS,
        "results": RESULTS,
        "whys": WHY,
        "tones": TONES,
        "channels": list(CONSENT_CHANNELS.items()),
        "channel_words": CONSENT_CHANNELS,
        "purpose": PURPOSE,
    }


# ---- the agent's form ----------------------------------------------------------------------------


@route("GET", "/drafts/{draft_id:[0-9]+}/papers", permission=Permission.DRAFT_WRITE)
async def of_draft(request: web.Request) -> web.StreamResponse:
    """The papers for what is being written down; nothing when the category needs none."""
    return await _draft(request, read_query(request, DraftQuery).category_id)


@route("POST", "/drafts/{draft_id:[0-9]+}/papers", permission=CHECK, also=Permission.DRAFT_WRITE)
async def check_draft(request: web.Request) -> web.StreamResponse:
    """Record the consent that was just given, then ask the registry."""
    form = await read_form(request, DraftCheckForm)
    about = About(draft_id=path_id(request, "draft_id"), category_id=form.category_id)
    await _check(request, about, form)
    return await _draft(request, form.category_id)


@route("POST", "/drafts/{draft_id:[0-9]+}/papers/withdraw", permission=CHECK, also=Permission.DRAFT_WRITE)
async def withdraw_draft(request: web.Request) -> web.StreamResponse:
    """The citizen takes a consent back while still on the line."""
    form = await read_form(request, DraftBackForm)
    about = About(draft_id=path_id(request, "draft_id"), category_id=form.category_id)
    await _withdraw(request, about, form)
    return await _draft(request, form.category_id)


async def _draft(request: web.Request, category_id: int | None) -> web.StreamResponse:
    ident = path_id(request, "draft_id")
    async with context(request).db.read() as session:
        matter = await queries.of_draft(session, actor(request), ident, category_id)
    may = actor(request).may(CHECK)
    values: dict[str, Any] = {"matter": matter, "draft_id": ident, "category_id": category_id, "may": may}
    return fragment(request, "certificates/_draft.html", **values, **words())


# ---- the ticket's page ---------------------------------------------------------------------------


@route("GET", "/tickets/{ticket_id:[0-9]+}/papers", permission=TICKETS)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """The papers of a ticket with what was verified; nothing when there are none and never were."""
    ident = path_id(request, "ticket_id")
    async with context(request).db.read() as session:
        matter = await queries.of_ticket(session, actor(request), ident)
    may = actor(request).may(CHECK) and not matter.sealed
    return fragment(request, "certificates/_ticket.html", matter=matter, ticket_id=ident, may=may, **words())


@route("POST", "/tickets/{ticket_id:[0-9]+}/papers", permission=CHECK)
async def check_ticket(request: web.Request) -> web.StreamResponse:
    """Record the consent that was just given, then ask the registry."""
    form, ident = await read_form(request, CheckForm), path_id(request, "ticket_id")
    await _check(request, About(ticket_id=ident), form)
    return redirect(request, f"/tickets/{ident}")


@route("POST", "/tickets/{ticket_id:[0-9]+}/papers/withdraw", permission=CHECK)
async def withdraw_ticket(request: web.Request) -> web.StreamResponse:
    """The citizen takes a consent back."""
    form, ident = await read_form(request, BackForm), path_id(request, "ticket_id")
    await _withdraw(request, About(ticket_id=ident), form)
    return redirect(request, f"/tickets/{ident}")


async def _check(request: web.Request, about: About, form: CheckForm) -> None:
    service, person = certificates_of(request), actor(request)
    if form.agree:
        async with context(request).db.begin() as uow:
            await service.consent(
                uow, person, about, form.kinds, channel=form.channel, purpose=form.purpose,
                id_number=form.id_number,
            )  # fmt: skip
    await service.check(person, about, form.kinds)


async def _withdraw(request: web.Request, about: About, form: BackForm) -> None:
    async with context(request).db.begin() as uow:
        await certificates_of(request).withdraw(
            uow, actor(request), about, form.consent_id, channel=form.channel
        )


# ---- figures -------------------------------------------------------------------------------------


@route("GET", "/certificates", permission=(Permission.DASHBOARD_READ, Permission.SETTINGS_READ))
async def figures(request: web.Request) -> web.StreamResponse:
    """How many papers nobody had to bring, month by month and by kind; whether the registry answers."""
    read_query(request, Fields)
    now = context(request).clock.now()
    start = months_back(now, MONTHS - 1)
    async with context(request).db.read() as session:
        months = await queries.saved_by_month(session, start)
        kinds = await queries.saved_by_kind(session, start)
        behind = await queries.saved_list(session, actor(request), start)
        month = await queries.saved_since(session, months_back(now, 0))
    registry = certificates_of(request).registry
    return await page(
        request,
        "certificates/figures.html",
        months=months,
        by_kind=kinds,
        behind=behind,
        this_month=month,
        formula=queries.FORMULA,
        registry=registry.name if registry else "off",
        state=registry.state() if registry else "off",
        state_words={**STATES, "off": "没有接入"},
        **words(),
    )


def months_back(now: datetime, months: int) -> datetime:
    """The beginning, in the city, of the month so many months ago (UTC)."""
    local = to_city(now)
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    return datetime(year, month + 1, 1, tzinfo=CITY_ZONE).astimezone(UTC)
