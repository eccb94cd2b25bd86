"""The market of intermediaries (中介服务超市): register, one house, qualifications, complaints, blacklist."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from core.people.permissions import Permission
from tickets.intermediaries import credit, queries
from tickets.intermediaries.scope import Market, market, runs, sees_all
from tickets.intermediaries.terms import (
    CREDIT_LABELS,
    FINDINGS,
    LISTING_LABELS,
    MONTHS,
    MOVE_LABELS,
    STANDINGS,
    STARS,
    VERDICTS,
    standing,
)
from web.context import actor, context
from web.inputs import Fields, path_id, read_query
from web.reads.units import unit_groups
from web.render import page
from web.routes import route
from web.views._admin import DONE
from web.views.admin_calendar import today

HOME = "/market"
READ, EDIT, DECIDE = (
    Permission.INTERMEDIARY_READ,
    Permission.INTERMEDIARY_EDIT,
    Permission.INTERMEDIARY_DECIDE,
)
ACT_WORDS = {
    "registered": "登记",
    "changed": "修改登记",
    "opened": "恢复",
    "closed": "停用",
    "licence": "登记资质",
    "revoked": "资质吊销或注销",
    "warned": "资质到期预警",
    "account": "关联账号",
    "service": "登记服务",
    "case_served": "投诉送达机构",
    "case_answered": "机构答复投诉",
    "case_judged": "认定投诉",
    "case_cancelled": "撤销认定",
    "listing_proposed": "提出列入黑名单",
    **{f"listing_{move}": f"黑名单：{word}" for move, word in MOVE_LABELS.items()},
}
TONES = {"proposed": "warn", "noticed": "warn", "appealed": "warn", "listed": "bad"}


class ListQuery(Fields):
    q: str = Field("", max_length=60)
    trade: str = Field("", max_length=40)
    unit: int | None = Field(None, gt=0, lt=2**63)
    state: Literal["active", "closed"] = "active"
    before: int = Field(0, ge=0, lt=10_000_000)
    done: str = Field("", max_length=20)


class DoneQuery(Fields):
    done: str = Field("", max_length=20)
    number: str = Field("", max_length=20, pattern=r"^[A-Z0-9]*$")


class QualificationQuery(Fields):
    kind: Literal["expiring", "expired", "revoked"] = "expiring"
    done: str = Field("", max_length=20)


class BlacklistQuery(Fields):
    state: Literal["", "proposed", "noticed", "appealed", "listed", "dropped", "ended"] = ""
    done: str = Field("", max_length=20)


def words() -> dict[str, Any]:
    """What the templates say for codes."""
    return {
        "stars": STARS,
        "findings": FINDINGS,
        "verdicts": VERDICTS,
        "listings": LISTING_LABELS,
        "moves": MOVE_LABELS,
        "credits": CREDIT_LABELS,
        "standings": STANDINGS,
        "acts": ACT_WORDS,
        "tones": TONES,
        "months": [(str(one), f"{one} 个月") for one in MONTHS],
    }


async def the_market(request: web.Request, session: AsyncSession) -> Market:
    """The market of the settings."""
    return await market(session, context(request).settings.intermediaries.operator)


def judge(request: web.Request, row: Any, day: date) -> str:
    """How a qualification stands."""
    return standing(row.valid_to, row.revoked_on, day, context(request).settings.intermediaries.warn_days)


@route("GET", HOME, permission=READ)
async def register(request: web.Request) -> web.StreamResponse:
    """The register: figures, a query, a dense table."""
    query, day = read_query(request, ListQuery), today(request)
    asked: dict[str, Any] = {
        "words": query.q,
        "trade": query.trade,
        "unit_id": query.unit,
        "state": query.state,
    }
    async with context(request).db.read() as session:
        rows, total = await queries.register(session, day, before=query.before, **asked)
        figures = await queries.counts(session, day)
        by_trade = await queries.by_trade(session)
        groups = await unit_groups(session)
    kept = query.model_dump(mode="json", exclude={"before", "done"}, exclude_defaults=True)
    following = query.before + queries.PAGE
    return await page(
        request,
        "market/register.html",
        rows=rows,
        total=total,
        query=query,
        figures=figures,
        by_trade=by_trade,
        groups=groups,
        day=day,
        least=context(request).settings.intermediaries.least_ratings,
        next_page=f"{HOME}?{urlencode({**kept, 'before': following})}" if following < total else None,
        first_page=f"{HOME}?{urlencode(kept)}" if query.before else None,
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
        **words(),
    )


@route("GET", HOME + "/{intermediary_id:[0-9]+}", permission=READ)
async def one(request: web.Request) -> web.StreamResponse:
    """One house: what it is, its qualifications, ratings, blacklist entries and history."""
    query = read_query(request, DoneQuery)
    return await one_page(request, path_id(request, "intermediary_id"), query.done, query.number)


async def one_page(
    request: web.Request,
    ident: int,
    done: str = "",
    number: str = "",
    *,
    wrong: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> web.StreamResponse:
    """The page of one; `wrong` and `typed` come back from a form that was refused."""
    day, person = today(request), actor(request)
    async with context(request).db.read() as session:
        item = await queries.item(session, ident, day)
        place = await the_market(request, session)
        values = await _known_of(request, session, place, ident)
    return await page(
        request,
        "market/one.html",
        status=422 if wrong else 200,
        day=day,
        item=item,
        least=context(request).settings.intermediaries.least_ratings,
        may_edit=person.may(EDIT),
        may_link=person.may(Permission.TICKET_SUPERVISE) or (person.may(EDIT) and runs(person, place)),
        done=DONE.get(done, ""),
        number=number,
        wrong=wrong or {},
        typed=typed or {},
        **values,
        **words(),
    )


async def _known_of(request: web.Request, session: AsyncSession, place: Market, ident: int) -> dict[str, Any]:
    """What is known of a house; its history for those who keep the register or oversee it."""
    day, person = today(request), actor(request)
    inner = person.may(EDIT) or sees_all(person, place)
    return {
        "licences": [(row, judge(request, row, day)) for row in await queries.licences(session, ident)],
        "levels": await queries.stars_of(session, ident),
        "entries": await queries.entries_of(session, person, place, ident),
        "events": await credit.feed(
            session, context(request).clock.now(), intermediary_id=ident, newest=True
        ),
        "steps": await queries.steps(session, ident) if inner else [],
        "linked": await queries.linked(session, ident) if inner else [],
        "groups": await unit_groups(session),
    }


@route("GET", HOME + "/qualifications", permission=READ)
async def qualifications(request: web.Request) -> web.StreamResponse:
    """Qualifications that end soon, have ended, or were revoked."""
    query, day = read_query(request, QualificationQuery), today(request)
    warn = context(request).settings.intermediaries.warn_days
    async with context(request).db.read() as session:
        rows = await queries.qualifications(session, day, kind=query.kind, warn_days=warn)
    return await page(
        request,
        "market/qualifications.html",
        rows=rows,
        kind=query.kind,
        warn_days=warn,
        day=day,
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
        **words(),
    )


@route("GET", HOME + "/cases", permission=READ)
async def cases(request: web.Request) -> web.StreamResponse:
    """Complaints about intermediaries that something was done about."""
    read_query(request, Fields)
    async with context(request).db.read() as session:
        rows = await queries.case_list(session, actor(request))
    return await page(request, "market/cases.html", rows=rows, **words())


@route("GET", HOME + "/blacklist", permission=READ)
async def blacklist(request: web.Request) -> web.StreamResponse:
    """Entries on their way, listed and over."""
    query, person = read_query(request, BlacklistQuery), actor(request)
    async with context(request).db.read() as session:
        place = await the_market(request, session)
        rows = await queries.entries(session, person, place, state=query.state)
    return await page(
        request,
        "market/blacklist.html",
        rows=rows,
        state=query.state,
        may_decide=person.may(DECIDE),
        me=person.user_id,
        done=DONE.get(query.done, ""),
        **words(),
    )
