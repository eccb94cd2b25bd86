"""The emergency wording: issued by the hotline's leaders, on every agent's page at once, with read marks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from tickets.knowledge import banners
from web.context import actor, context
from web.errors import problem_of
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.reads.units import unit_groups
from web.render import fragment, page, redirect
from web.routes import route

HOME = "/banners"
PUBLISH, AGENT = Permission.KNOWLEDGE_PUBLISH, Permission.DRAFT_WRITE
USUALLY = timedelta(hours=8)
SHOWN = frozenset({"banner_text", "banner_ends", "version_conflict", "banner_over"})


class Query(Fields):
    banner: int | None = Field(None, gt=0, lt=2**63)


class BannerForm(Fields):
    edition: int = Field(0, ge=0, lt=2**31)
    title: str = Field("", max_length=400)
    body: str = Field("", max_length=8000)
    ends_at: datetime
    public_unit: Ident | Literal[""] = ""

    def ends(self) -> datetime:
        """What was typed is the city's time."""
        if not 2000 <= self.ends_at.year <= 2100:
            raise HotlineError("banner_ends")
        zone = self.ends_at if self.ends_at.tzinfo else self.ends_at.replace(tzinfo=CITY_ZONE)
        return zone.astimezone(UTC)


class EndForm(Fields):
    edition: int = Field(ge=1, lt=2**31)
    reason: str = Field("", max_length=800)


class ReadForm(Fields):
    edition: int = Field(ge=1, lt=2**31)


@route("GET", HOME, permission=PUBLISH)
async def banner_page(request: web.Request) -> web.StreamResponse:
    """Every wording there was, and the one that is written or looked at."""
    return await _page(request, read_query(request, Query).banner)


@route("GET", HOME + r"/{banner_id:\d+}/readers", permission=PUBLISH)
async def readers(request: web.Request) -> web.StreamResponse:
    """Who has read it, while it is being read."""
    async with context(request).db.read() as session:
        row = await banners.one(session, path_id(request, "banner_id"))
        people = await banners.readers(session, row.id, row.edition)
    return fragment(request, "banners/_readers.html", row=row, people=people)


async def _page(
    request: web.Request, chosen_id: int | None, *, status: int = 200, **more: Any
) -> web.StreamResponse:
    now = context(request).clock.now()
    async with context(request).db.read() as session:
        rows = await banners.listed(session)
        chosen = await banners.one(session, chosen_id) if chosen_id else None
        people = await banners.readers(session, chosen.id, chosen.edition) if chosen else []
        editions = await banners.editions(session, chosen.id) if chosen else []
        groups = await unit_groups(session)
    running = chosen is not None and chosen.withdrawn_at is None and chosen.ends_at > now
    ends = to_city(chosen.ends_at if running and chosen else now + USUALLY)
    typed = {
        "title": chosen.title if chosen else "",
        "body": chosen.body if chosen else "",
        "ends_at": ends.strftime("%Y-%m-%dT%H:%M"),
        "public_unit": str(chosen.unit_id or "") if chosen else "",
    }
    values: dict[str, Any] = {
        "rows": [(row, *state_of(row, now)) for row in rows],
        "chosen": chosen,
        "running": running,
        "people": people,
        "row": chosen,
        "editions": editions,
        "groups": groups,
        "typed": typed,
        "problem": None,
    }
    return await page(request, "banners/page.html", status=status, **(values | more))


def state_of(row: Any, now: datetime) -> tuple[str, str]:
    """A word and its tone for how a wording stands."""
    if row.withdrawn_at is not None:
        return "已撤下", "quiet"
    return ("已到期", "quiet") if row.ends_at <= now else ("生效中", "bad")


@route("POST", HOME, permission=PUBLISH)
async def issue(request: web.Request) -> web.StreamResponse:
    """Show a wording to every agent at once."""
    form, ctx = await read_form(request, BannerForm), context(request)
    try:
        async with ctx.db.begin() as uow:
            unit = form.public_unit or None
            made = await banners.issue(uow, actor(request), form.title, form.body, form.ends(), unit)
    except HotlineError as error:
        return await _refused(request, None, error, form)
    return redirect(request, f"{HOME}?banner={made}")


@route("POST", HOME + r"/{banner_id:\d+}/change", permission=PUBLISH)
async def change(request: web.Request) -> web.StreamResponse:
    """A new text, which everybody has to read anew."""
    form, ctx, ident = await read_form(request, BannerForm), context(request), path_id(request, "banner_id")
    try:
        async with ctx.db.begin() as uow:
            person = actor(request)
            unit = form.public_unit or None
            text = (form.title, form.body, form.ends())
            await banners.change(uow, person, ident, form.edition, *text, unit)
    except HotlineError as error:
        return await _refused(request, ident, error, form)
    return redirect(request, f"{HOME}?banner={ident}")


async def _refused(
    request: web.Request, ident: int | None, error: HotlineError, form: BannerForm
) -> web.StreamResponse:
    """The page again with what was typed, and what was wrong with it."""
    if error.code not in SHOWN:
        raise error
    problem = problem_of(error)[1]
    typed = {
        "title": form.title,
        "body": form.body,
        "ends_at": form.ends_at.strftime("%Y-%m-%dT%H:%M"),
        "public_unit": str(form.public_unit),
    }
    return await _page(request, ident, status=problem.status, problem=problem, typed=typed)


@route("POST", HOME + r"/{banner_id:\d+}/withdraw", permission=PUBLISH)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take it off every page."""
    form, ident = await read_form(request, EndForm), path_id(request, "banner_id")
    async with context(request).db.begin() as uow:
        await banners.withdraw(uow, actor(request), ident, form.edition, form.reason)
    return redirect(request, f"{HOME}?banner={ident}")


# ---- at the agents' pages ---------------------------------------------------------------------


@route("GET", HOME + "/now", permission=AGENT)
async def now_in_force(request: web.Request) -> web.StreamResponse:
    """What is in force, for the strip above every page."""
    return fragment(request, "banners/_strip.html", **await _strip(request))


@route("GET", HOME + r"/{banner_id:\d+}/text", permission=AGENT)
async def whole_text(request: web.Request) -> web.StreamResponse:
    """One wording that is in force, whole."""
    ident = path_id(request, "banner_id")
    async with context(request).db.read() as session:
        shown = await banners.present(session, actor(request), context(request).clock.now())
    found = next((one for one in shown if one.id == ident), None)
    if found is None:
        raise HotlineError("not_found", banner_id=ident)
    return await page(request, "banners/text.html", one=found)


@route("POST", HOME + r"/{banner_id:\d+}/read", permission=AGENT)
async def read(request: web.Request) -> web.StreamResponse:
    """Say that one has read it."""
    form, ident = await read_form(request, ReadForm), path_id(request, "banner_id")
    async with context(request).db.begin() as uow:
        await banners.acknowledge(uow, actor(request), ident, form.edition)
    if "HX-Request" in request.headers:
        return fragment(request, "banners/_strip.html", **await _strip(request))
    return redirect(request, "/")


async def _strip(request: web.Request) -> dict[str, Any]:
    async with context(request).db.read() as session:
        return {"emergency": await banners.present(session, actor(request), context(request).clock.now())}


async def frame_part(request: web.Request) -> dict[str, Any]:
    """The emergency wording above every page of those who answer citizens."""
    if not actor(request).may(AGENT):
        return {}
    return {"frame_banner": "banners/_frame.html", **await _strip(request)}
