"""What is open to anybody: public data, published documents, emergency information (数据开放、信息公开).

Plain pages that need no script, files under addresses that stay. A published version never changes, so
its files may be kept by whoever fetched them.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Any

from aiohttp import web
from pydantic import Field

from core.clock import to_city
from core.errors import HotlineError
from sla.opendata import files, queries
from sla.opendata.queries import Published
from sla.opendata.release import rates, whole_rate
from sla.opendata.suppression import K
from sla.opendata.terms import DIMENSIONS, LEFT_OUT
from tickets.knowledge import banners
from tickets.knowledge import queries as knowledge
from web.context import SOURCE, context
from web.inputs import Fields, path_id, read_query
from web.render import bare_page, redirect
from web.routes import route
from web.security.rates import RATES

PER_MINUTE = 240  # questions of one source
FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
OTHERS = {"Access-Control-Allow-Origin": "*"}  # open data may be read by any page
PAGE = 20


class InfoQuery(Fields):
    after: int = Field(0, ge=0, lt=2**63)


def _count(request: web.Request) -> None:
    request.app[RATES].count("open", request[SOURCE], most=PER_MINUTE, seconds=60)


@route("GET", "/open", public=True)
async def home(request: web.Request) -> web.StreamResponse:
    """Emergency information first, then documents and the months there are."""
    _count(request)
    ctx = context(request)
    now = ctx.clock.now()
    async with ctx.db.read() as session:
        urgent = await banners.public(session, now)
        articles = await knowledge.public_articles(session, to_city(now).date(), limit=6)
        months = await queries.months(session)
    return await bare_page(request, "open/home.html", urgent=urgent, articles=articles, months=months)


# ---- documents --------------------------------------------------------------------------------


@route("GET", "/open/info", public=True)
async def documents(request: web.Request) -> web.StreamResponse:
    """Published documents with their source and date."""
    _count(request)
    query, ctx = read_query(request, InfoQuery), context(request)
    day = to_city(ctx.clock.now()).date()
    async with ctx.db.read() as session:
        found = await knowledge.public_articles(session, day, after=query.after, limit=PAGE + 1)
    following = found[PAGE - 1].id if len(found) > PAGE else None
    return await bare_page(request, "open/documents.html", articles=found[:PAGE], following=following)


@route("GET", r"/open/info/{article_id:\d+}", public=True)
async def document(request: web.Request) -> web.StreamResponse:
    """One of them, whole."""
    _count(request)
    ident, ctx = path_id(request, "article_id"), context(request)
    day = to_city(ctx.clock.now()).date()
    async with ctx.db.read() as session:
        found = await knowledge.public_articles(session, day, after=ident - 1, limit=1)
    if not found or found[0].id != ident:
        raise HotlineError("not_found")
    return await bare_page(request, "open/document.html", one=found[0])


# ---- data -------------------------------------------------------------------------------------


@route("GET", "/open/data", public=True)
async def newest(request: web.Request) -> web.StreamResponse:
    """The newest month, or a page that says there is none yet."""
    _count(request)
    async with context(request).db.read() as session:
        months = await queries.months(session)
    if not months:
        return await bare_page(request, "open/nothing.html")
    month, version = months[0]
    return redirect(request, f"/open/data/{month:%Y-%m}/v{version}")


@route("GET", "/open/data/{month}", public=True)
async def newest_of_month(request: web.Request) -> web.StreamResponse:
    """The newest version of a month."""
    _count(request)
    async with context(request).db.read() as session:
        found = await queries.one(session, _month(request))
    return redirect(request, f"/open/data/{found.month:%Y-%m}/v{found.version}")


@route("GET", "/open/data/{month}/{version}", public=True)
async def month_page(request: web.Request) -> web.StreamResponse:
    """A version: its tables with charts, and the files."""
    _count(request)
    async with context(request).db.read() as session:
        found = await queries.one(session, _month(request), _version(request))
        months = await queries.months(session)
        versions = await queries.versions_of(session, found.month)
    values = shown(found)
    return await bare_page(request, "open/month.html", months=months, versions=versions, **values)


def shown(found: Published) -> dict[str, Any]:
    """What the tables of a version need to be drawn; also for the preview of who decides."""
    return {
        "release": found,
        "tables": [(table, files.title_of(table), _rates(table)) for table in found.tables],
        "withheld": found.content["withheld"],
        "rules": LEFT_OUT,
        "k": K,
        "population_of": files.population_of,
        "whole_rate": whole_rate,
        "dimensions": DIMENSIONS,
    }


def _rates(table: dict[str, Any]) -> list[dict[str, Any]]:
    return rates(table) if files.population_of(table).answers else []


@route("GET", "/open/data/{month}/{version}/{file}", public=True)
async def file(request: web.Request) -> web.StreamResponse:
    """A table as CSV, or all of them as JSON."""
    _count(request)
    async with context(request).db.read() as session:
        found = await queries.one(session, _month(request), _version(request))
    name = request.match_info["file"]
    if name == "release.json":
        text = files.json_of(found.month, found.version, found.as_of, found.content)
        return _file(text, "application/json", FOR_EVER)
    code, dot, kind = name.rpartition(".")
    if not dot or kind != "csv":
        raise HotlineError("not_found")
    saved = f"{found.month:%Y-%m}-v{found.version}-{code}.csv"
    text = files.csv_of(found.table(code), found.month)
    return _file(text, "text/csv", FOR_EVER, {"Content-Disposition": f'attachment; filename="{saved}"'})


@route("GET", "/open/dictionary", public=True)
async def dictionary(request: web.Request) -> web.StreamResponse:
    """What every table, column and code means, to be read."""
    _count(request)
    return await bare_page(request, "open/dictionary.html", dictionary=files.dictionary())


@route("GET", "/open/dictionary.json", public=True)
async def dictionary_file(request: web.Request) -> web.StreamResponse:
    """The same for programs."""
    _count(request)
    return _file(json.dumps(files.dictionary(), ensure_ascii=False, indent=1), "application/json", A_WHILE)


@route("GET", "/open/licence", public=True)
async def licence(request: web.Request) -> web.StreamResponse:
    """On which terms the data may be used."""
    _count(request)
    return await bare_page(request, "open/licence.html")


@route("GET", "/open/catalog.json", public=True)
async def catalog(request: web.Request) -> web.StreamResponse:
    """The catalogue for data portals (DCAT 2, JSON-LD)."""
    _count(request)
    ctx = context(request)
    async with ctx.db.read() as session:
        found = await queries.listed(session)
    base = ctx.settings.http.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
    modified: datetime | None = max((one.published_at for one in found), default=None)
    told = files.catalog(base, ctx.settings.city.name, found, modified)
    return _file(json.dumps(told, ensure_ascii=False, indent=1), "application/ld+json", A_WHILE)


def _month(request: web.Request) -> date:
    text = request.match_info["month"]
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text, re.ASCII):
        raise HotlineError("not_found")
    return date(int(text[:4]), int(text[5:]), 1)


def _version(request: web.Request) -> int:
    text = request.match_info["version"]
    if not re.fullmatch(r"v[1-9]\d{0,5}", text, re.ASCII):
        raise HotlineError("not_found")
    return int(text[1:])


def _file(text: str, mime: str, keep: str, more: dict[str, str] | None = None) -> web.Response:
    headers = {"Cache-Control": keep, **OTHERS, **(more or {})}
    return web.Response(text=text, content_type=mime, charset="utf-8", headers=headers)
