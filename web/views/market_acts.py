"""Writes of the market: register and lists, qualifications, accounts, services, the blacklist."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people.models import Unit
from tickets.actions.units import HANDLING_KINDS
from tickets.intermediaries import blacklist, lists, register
from tickets.intermediaries import queries as market_queries
from tickets.intermediaries.models import Intermediary, Qualification
from tickets.intermediaries.register import Licence, Said
from tickets.intermediaries.terms import Move
from tickets.models import table_of
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.reads.units import unit_groups
from web.render import page, redirect
from web.routes import route
from web.views._admin import MEGABYTE, back, csv_file
from web.views._forms import field_errors
from web.views._list_import import ListImport
from web.views.market import DECIDE, EDIT, HOME, one_page, the_market

ONE = HOME + "/{intermediary_id:[0-9]+}"
DAY = r"^(\d{4}-\d{2}-\d{2})?$"
_one, _unit = table_of(Intermediary), table_of(Unit)
_qualification = table_of(Qualification)


class HouseForm(Fields):
    version: int = Field(0, ge=0, lt=2**31)
    uscc: str = Field("", max_length=40)
    name: str = Field("", max_length=300)
    trade: str = Field("", max_length=120)
    unit_id: int = Field(gt=0, lt=2**63)
    address: str = Field("", max_length=600)
    phone: str = Field("", max_length=120)


class StateForm(Fields):
    version: int = Field(gt=0, lt=2**31)
    active: bool = False
    why: str = Field("", max_length=600)


class LicenceForm(Fields):
    name: str = Field("", max_length=200)
    number: str = Field("", max_length=200)
    valid_from: str = Field("", pattern=DAY)
    valid_to: str = Field("", pattern=DAY)


class WhyForm(Fields):
    why: str = Field("", max_length=600)


class AccountForm(Fields):
    login: str = Field("", max_length=60)


class ServiceForm(Fields):
    served_on: date
    number: str = Field("", max_length=40)


class ProposalForm(Fields):
    finding: str = Field("", max_length=20)
    reason: str = Field("", max_length=6000)
    months: int = Field(ge=0, le=120)


class DecisionForm(Fields):
    version: int = Field(gt=0, lt=2**31)
    move: Move
    text: str = Field("", max_length=6000)


# ---- the register --------------------------------------------------------------------------------


@route("GET", HOME + "/new", permission=EDIT)
async def new(request: web.Request) -> web.StreamResponse:
    """The form for another intermediary."""
    read_query(request, Fields)
    return await _new(request, {}, {})


@route("POST", HOME + "/new", permission=EDIT)
async def add(request: web.Request) -> web.StreamResponse:
    """Register an intermediary. What is wrong is told beside its field."""
    form = await read_form(request, HouseForm)
    try:
        async with context(request).db.begin() as uow:
            ident = await register.save(
                uow, actor(request), await the_market(request, uow.session), _said(form)
            )
    except HotlineError as error:
        wrong = field_errors(error)
        if wrong is None:
            raise
        return await _new(request, _typed(form), wrong)
    return back(request, f"{HOME}/{ident}", "added")


async def _new(request: web.Request, typed: dict[str, str], wrong: dict[str, str]) -> web.StreamResponse:
    async with context(request).db.read() as session:
        groups, trades = await unit_groups(session), await market_queries.trades(session)
    values: dict[str, Any] = {
        "groups": groups,
        "trades": [name for name, _ in trades],
        "typed": typed,
        "wrong": wrong,
    }
    return await page(request, "market/new.html", status=422 if wrong else 200, **values)


@route("POST", ONE, permission=EDIT)
async def change(request: web.Request) -> web.StreamResponse:
    """Put what the register says right."""
    form, ident = await read_form(request, HouseForm), path_id(request, "intermediary_id")
    try:
        async with context(request).db.begin() as uow:
            place = await the_market(request, uow.session)
            more: dict[str, Any] = {"intermediary_id": ident, "version": form.version}
            await register.save(uow, actor(request), place, _said(form), **more)
    except HotlineError as error:
        return await _refused(request, ident, error, _typed(form))
    return back(request, f"{HOME}/{ident}", "saved")


def _said(form: HouseForm) -> Said:
    return Said(form.uscc, form.name, form.trade, form.unit_id, form.address, form.phone)


def _typed(form: Fields) -> dict[str, str]:
    return {name: str(value) for name, value in form.model_dump(mode="json").items()}


async def _refused(
    request: web.Request, ident: int, error: HotlineError, typed: dict[str, str]
) -> web.StreamResponse:
    """The page again with what was typed and what is wrong; other errors go on."""
    wrong = field_errors(error)
    if wrong is None:
        raise error
    return await one_page(request, ident, wrong=wrong, typed=typed)


@route("POST", ONE + "/state", permission=EDIT)
async def set_state(request: web.Request) -> web.StreamResponse:
    """Take off the open list, or put back, with the reason."""
    form, ident = await read_form(request, StateForm), path_id(request, "intermediary_id")
    async with context(request).db.begin() as uow:
        place = await the_market(request, uow.session)
        await register.set_open(
            uow, actor(request), place, ident, form.version, active=form.active, why=form.why
        )
    return back(request, f"{HOME}/{ident}", "opened" if form.active else "closed")


@route("POST", ONE + "/licences", permission=EDIT)
async def put_licence(request: web.Request) -> web.StreamResponse:
    """Add a qualification, or change the one of that number."""
    form, ident = await read_form(request, LicenceForm), path_id(request, "intermediary_id")
    days = (date.fromisoformat(text) if text else None for text in (form.valid_from, form.valid_to))
    try:
        async with context(request).db.begin() as uow:
            place = await the_market(request, uow.session)
            licence = Licence(form.name, form.number, *days)
            await register.put_licence(uow, actor(request), place, ident, licence)
    except HotlineError as error:
        return await _refused(request, ident, error, _typed(form))
    return back(request, f"{HOME}/{ident}", "saved")


@route("POST", HOME + "/licences/{licence_id:[0-9]+}/revoke", permission=EDIT)
async def revoke(request: web.Request) -> web.StreamResponse:
    """A qualification was revoked or cancelled."""
    form, licence = await read_form(request, WhyForm), path_id(request, "licence_id")
    async with context(request).db.begin() as uow:
        place = await the_market(request, uow.session)
        ident = await register.revoke(uow, actor(request), place, licence, form.why)
    return back(request, f"{HOME}/{ident}", "saved")


@route("POST", ONE + "/account", permission=EDIT)
async def link(request: web.Request) -> web.StreamResponse:
    """An account works for this intermediary."""
    form, ident = await read_form(request, AccountForm), path_id(request, "intermediary_id")
    async with context(request).db.begin() as uow:
        place = await the_market(request, uow.session)
        await register.link(uow, actor(request), place, ident, form.login)
    return back(request, f"{HOME}/{ident}", "saved")


@route("POST", ONE + "/services", permission=EDIT)
async def issue_service(request: web.Request) -> web.StreamResponse:
    """A service was given; its number goes to the client, who may rate it."""
    form, ident = await read_form(request, ServiceForm), path_id(request, "intermediary_id")
    try:
        async with context(request).db.begin() as uow:
            place = await the_market(request, uow.session)
            number = await register.issue_service(
                uow, actor(request), place, ident, form.served_on, form.number
            )
    except HotlineError as error:
        return await _refused(request, ident, error, _typed(form))
    return back(request, f"{HOME}/{ident}", "added", number=number)


# ---- lists ---------------------------------------------------------------------------------------


@route("GET", HOME + "/list.csv", permission=EDIT)
async def export(request: web.Request) -> web.StreamResponse:
    """The register as a list, one line per qualification."""
    query = (
        sa.select(
            *(_one.c[name] for name in ("uscc", "name", "trade", "address", "phone")),
            _unit.c.code.label("unit"),
            _qualification.c.name.label("licence"),
            *(_qualification.c[name] for name in ("number", "valid_from", "valid_to")),
        )
        .join(_unit, _unit.c.id == _one.c.unit_id)
        .outerjoin(_qualification, _qualification.c.intermediary_id == _one.c.id)
        .order_by(_one.c.name, _one.c.id, _qualification.c.id)
    )
    async with context(request).db.read() as session:
        rows = (await session.execute(query)).all()
    return csv_file("intermediaries.csv", lists.as_list(rows))


@route("GET", HOME + "/import", permission=EDIT)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list."""
    return await _LIST.show(request)


@route("POST", HOME + "/import", permission=EDIT, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First what every line would do, then the change itself: all of it or nothing."""
    return await _LIST.posted(request)


async def _plan(_request: web.Request, uow: UnitOfWork, text: str) -> list[lists.Step]:
    return lists.steps(text, *(await _known(uow.session)))


async def _take(request: web.Request, uow: UnitOfWork, steps: list[lists.Step]) -> None:
    place = await the_market(request, uow.session)
    await register.take(uow, actor(request), place, lists.entries(steps))


_LIST = ListImport("market/import.html", HOME, list(lists.COLUMNS.values()), _plan, _take)


async def _known(session: Any) -> tuple[dict[str, int], dict[str, Any], dict[tuple[str, str], Any]]:
    """Units by code, intermediaries by USCC, qualifications by USCC and number."""
    units = sa.select(_unit.c.code, _unit.c.id).where(_unit.c.active, _unit.c.kind.in_(HANDLING_KINDS))
    rows = (await session.execute(sa.select(_one))).all()
    uscc = {row.id: row.uscc for row in rows}
    held = (await session.execute(sa.select(_qualification))).all()
    return (
        {row.code: row.id for row in await session.execute(units)},
        {row.uscc: row for row in rows},
        {(uscc[row.intermediary_id], row.number): row for row in held},
    )


# ---- the blacklist -------------------------------------------------------------------------------


@route("POST", ONE + "/blacklist", permission=EDIT)
async def propose(request: web.Request) -> web.StreamResponse:
    """Propose for the blacklist; somebody else approves."""
    form, ident = await read_form(request, ProposalForm), path_id(request, "intermediary_id")
    try:
        async with context(request).db.begin() as uow:
            place = await the_market(request, uow.session)
            told: dict[str, Any] = form.model_dump()
            await blacklist.propose(uow, actor(request), place, ident, **told)
    except HotlineError as error:
        return await _refused(request, ident, error, _typed(form))
    return back(request, f"{HOME}/blacklist", "proposed")


@route("POST", HOME + "/blacklist/{entry_id:[0-9]+}/decide", permission=DECIDE)
async def decide(request: web.Request) -> web.StreamResponse:
    """Approve, refuse, decide an appeal, remove early."""
    form, ident, ctx = await read_form(request, DecisionForm), path_id(request, "entry_id"), context(request)
    async with ctx.db.begin() as uow:
        place = await the_market(request, uow.session)
        days = ctx.settings.intermediaries.appeal_days
        await blacklist.decide(
            uow, actor(request), place, ident, form.version, form.move, form.text,
            later=ctx.tickets.limits.later, appeal_days=days,
        )  # fmt: skip
    return redirect(request, f"{HOME}/blacklist?done=saved")
