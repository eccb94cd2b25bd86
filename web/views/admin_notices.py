"""The notice board: written by those who may, read by everybody, acknowledged where it must be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import Field

from core.catalog import notices
from core.catalog.models import Notice
from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people import org
from core.people.permissions import Permission, Role
from web.context import actor, context, wants_fragment
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.render import fragment, page
from web.routes import route
from web.views._admin import DONE, NoFields, back
from web.words import ROLE_WORDS

HOME = "/admin/notices"
BOARD = "/notices"
MAY = Permission.NOTICE_WRITE
PAGE = 50
POSTS = [(str(role), ROLE_WORDS[str(role)]) for role in Role]


class Query(Fields):
    notice: int | None = Field(None, gt=0, lt=2**63)
    before: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class BoardQuery(Fields):
    done: str = Field("", max_length=20)


class NoticeForm(Fields):
    version: int = Field(0, ge=0, lt=2**31)
    title: str = Field(max_length=200)
    body: str = Field(max_length=8000)
    starts_at: datetime
    ends_at: datetime
    must_read: bool = False
    posts: list[str] = Field([], max_length=20)
    unit_ids: list[Ident] = Field([], max_length=60)

    def draft(self) -> notices.Draft:
        """The notice; what was typed is the city's time."""
        return notices.Draft(
            self.title, self.body.replace("\r\n", "\n"), _utc(self.starts_at), _utc(self.ends_at),
            self.must_read, tuple(self.posts), tuple(self.unit_ids),
        )  # fmt: skip


class Audience(Fields):
    posts: list[str] = Field([], max_length=20)
    unit_ids: list[Ident] = Field([], max_length=60)


def _utc(value: datetime) -> datetime:
    if not 2000 <= value.year <= 2100:
        raise HotlineError("notice_span")
    return (value if value.tzinfo else value.replace(tzinfo=CITY_ZONE)).astimezone(UTC)


def state_of(notice: Notice, now: datetime) -> tuple[str, str]:
    """A word and its tone for how a notice stands."""
    if notice.withdrawn_at is not None:
        return "已撤下", "quiet"
    if notice.starts_at > now:
        return "未开始", "info"
    return ("已结束", "quiet") if notice.ends_at <= now else ("公示中", "good")


@route("GET", HOME, permission=MAY)
async def notice_page(request: web.Request) -> web.StreamResponse:
    """Every notice, and the one that is written or looked at."""
    query, ctx = read_query(request, Query), context(request)
    async with ctx.db.read() as session:
        rows = await notices.all_notices(session, before=query.before, limit=PAGE + 1)
        chosen = await notices.one(session, query.notice) if query.notice else None
        readers = await notices.readers(session, chosen) if chosen else None
        units = await org.units(session, kinds=("hotline", "bureau", "district", "town"))
    now = ctx.clock.now()
    return await page(
        request,
        "admin/notices.html",
        rows=[(row, *state_of(row, now)) for row in rows[:PAGE]],
        more=rows[PAGE - 1].id if len(rows) > PAGE else None,
        chosen=chosen,
        readers=readers,
        posts=POSTS,
        units=[(unit.id, unit.name) for unit in units],
        typed=_typed(chosen, now),
        done=DONE.get(query.done, ""),
    )


def _typed(chosen: Notice | None, now: datetime) -> dict[str, Any]:
    begin = chosen.starts_at if chosen else now
    end = to_city(chosen.ends_at) if chosen else to_city(now).replace(hour=23, minute=59)
    return {
        "title": chosen.title if chosen else "",
        "body": chosen.body if chosen else "",
        "starts_at": to_city(begin).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": end.strftime("%Y-%m-%dT%H:%M"),
        "must_read": chosen.must_read if chosen else False,
        "posts": chosen.posts if chosen else [],
        "unit_ids": chosen.unit_ids if chosen else [],
    }


@route("POST", HOME, permission=MAY)
async def publish(request: web.Request) -> web.StreamResponse:
    """Hang a notice up."""
    form = await read_form(request, NoticeForm)
    async with context(request).db.begin() as uow:
        await notices.publish(uow, actor(request), form.draft())
    return back(request, HOME, "published")


@route("POST", HOME + r"/{notice_id:\d+}/change", permission=MAY)
async def change(request: web.Request) -> web.StreamResponse:
    """Put a notice right."""
    form, ident = await read_form(request, NoticeForm), path_id(request, "notice_id")
    async with context(request).db.begin() as uow:
        await notices.change(uow, actor(request), ident, form.version, form.draft())
    return back(request, HOME, "saved", notice=ident)


@route("POST", HOME + r"/{notice_id:\d+}/withdraw", permission=MAY)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take a notice down."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await notices.withdraw(uow, actor(request), path_id(request, "notice_id"))
    return back(request, HOME, "withdrawn")


@route("POST", HOME + "/audience", permission=MAY)
async def audience(request: web.Request) -> web.StreamResponse:
    """How many people a notice would reach; nothing is kept."""
    form = await read_form(request, Audience)
    async with context(request).db.read() as session:
        count = await notices.count_audience(session, form.posts, form.unit_ids)
    return fragment(request, "admin/_audience.html", count=count)


# ---- the board ------------------------------------------------------------------------------


@route("GET", BOARD, signed_in=True)
async def board(request: web.Request) -> web.StreamResponse:
    """What hangs on one's own board now."""
    query, ctx = read_query(request, BoardQuery), context(request)
    async with ctx.db.read() as session:
        rows = await notices.board(session, actor(request), ctx.clock.now())
    if wants_fragment(request):
        return fragment(request, "admin/_board.html", rows=rows)
    return await page(request, "admin/board.html", rows=rows, done=DONE.get(query.done, ""))


class ReadForm(Fields):
    strip: bool = False


@route("GET", BOARD + "/strip", signed_in=True)
async def strip(request: web.Request) -> web.StreamResponse:
    """What must be read first, for the strip above every page."""
    return fragment(
        request, "admin/_must_read_list.html", must_read=(await _unread(request, at_once=True)).must
    )


@route("POST", BOARD + r"/{notice_id:\d+}/read", signed_in=True)
async def read(request: web.Request) -> web.StreamResponse:
    """Say that one has read a notice."""
    form = await read_form(request, ReadForm)
    async with context(request).db.begin() as uow:
        await notices.acknowledge(uow, actor(request), path_id(request, "notice_id"))
    if "HX-Request" not in request.headers:
        return back(request, BOARD, "read")
    if form.strip:
        left = (await _unread(request, at_once=True)).must
        return fragment(request, "admin/_must_read_list.html", must_read=left)
    return fragment(request, "admin/_read.html")


async def _unread(request: web.Request, *, at_once: bool = False) -> notices.Unread:
    ctx = context(request)
    async with ctx.db.read() as session:
        return await notices.unread(session, actor(request), ctx.clock.now(), at_once=at_once)


async def frame_part(request: web.Request) -> dict[str, Any]:
    """What must be read, above every page until it was; how many of the board were not."""
    found = await _unread(request)
    return {"must_read": found.must, "notices_unread": found.count}
