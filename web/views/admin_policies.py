"""Policy packs (时限政策): versions and their figures, compared, drafted and put up for publishing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.duties import Act
from core.people.permissions import Permission
from sla import pack_impact
from sla import pack_service as packs
from sla.acts import PublishPolicy
from sla.calendar import shown
from sla.pack_compare import differences, extension_in_words, in_words
from tickets.terms import TicketType, Urgency, label
from web.context import actor, context
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.sentences import limits as words
from web.views import _pack_form as form_of
from web.views._admin import DONE, MEGABYTE, NoFields, back
from web.views.admin_calendar import today

HOME = "/admin/policies"
ONE = HOME + r"/{version_id:\d+}"
READ, EDIT = Permission.POLICY_READ, Permission.POLICY_EDIT


class ListQuery(Fields):
    done: str = Field("", max_length=20)


class CompareQuery(Fields):
    before: Ident
    after: Ident


class PublishQuery(Fields):
    effective: date | None = None


class TextForm(Fields):
    text: str = Field(max_length=900_000)
    note: str = Field("", max_length=200)


class PublishForm(Fields):
    effective: date
    note: str = Field(min_length=2, max_length=200)


@route("GET", HOME, permission=READ)
async def policies(request: web.Request) -> web.StreamResponse:
    """What counts now, what will, what did; drafts; what waits for approval."""
    query, ctx, day = read_query(request, ListQuery), context(request), today(request)
    async with ctx.db.read() as session:
        lines = await packs.versions(session)
        published = await packs.publications(session)
        waiting = [
            (row, ctx.people.proposals.payload_of(row))
            for row, _, _ in await ctx.people.proposals.visible(session, actor(request), waiting=True)
            if row.act == Act.POLICY_PUBLISH
        ]
    numbers = {line.id: line for line in lines}
    return await page(
        request,
        "admin/policies.html",
        lines=lines,
        published=list(reversed(published)),
        counts=packs.in_force(published, day),
        today=day,
        was_published={one.version_id for one in published},
        numbers=numbers,
        waiting=waiting,
        person=actor(request).user_id,
        may_edit=actor(request).may(EDIT),
        done=DONE.get(query.done, ""),
    )


async def _version(request: web.Request) -> packs.Version:
    async with context(request).db.read() as session:
        return await packs.version(session, path_id(request, "version_id"))


@route("GET", ONE, permission=READ)
async def policy_page(request: web.Request) -> web.StreamResponse:
    """The figures of a version as tables."""
    version = await _version(request)
    async with context(request).db.read() as session:
        lines = await packs.versions(session)
        published = await packs.publications(session)
    return await page(
        request,
        "admin/policy.html",
        version=version,
        lines=lines,
        publications=[one for one in published if one.version_id == version.id],
        counts=packs.in_force(published, today(request)),
        may_edit=actor(request).may(EDIT),
        **_tables(version.pack),
    )


def _tables(pack: Any) -> dict[str, Any]:
    """Everything a pack says, as rows of words."""

    def grid(table: Mapping[Any, Mapping[Any, Any]], rows: list[tuple[str, str]]) -> list[Any]:
        return [
            (name, [in_words(table[code].get(urgency)) for urgency, _ in form_of.URGENCIES])
            for code, name in rows
            if code in table
        ]

    statutory = []
    for code, told in pack.categories.items():
        kinds = [("各类", told.any_type)] if told.any_type else []
        kinds += [(label(TicketType, kind), limits) for kind, limits in told.total.items()]
        for name, limits in kinds:
            row = [in_words(limits.get(urgency)) for urgency, _ in form_of.URGENCIES]
            statutory.append((code, told, name, row))
    return {
        "pack": pack,
        "urgencies": [name for _, name in form_of.URGENCIES],
        "grids": [
            ("环节时限", "环节", grid(pack.stages, form_of.STAGE_ROWS)),
            ("总时限", "诉求类型", grid(pack.total, form_of.TYPE_ROWS)),
            ("重办时限", "诉求类型", grid(pack.redo, form_of.TYPE_ROWS)),
        ],
        "statutory": statutory,
        "extension": extension_in_words(pack.extension),
        "hours": shown(pack.office_hours),
    }


@route("GET", HOME + "/compare", permission=READ)
async def compare(request: web.Request) -> web.StreamResponse:
    """What two versions say differently."""
    query = read_query(request, CompareQuery)
    async with context(request).db.read() as session:
        before = await packs.version(session, query.before)
        after = await packs.version(session, query.after)
        lines = await packs.versions(session)
    changes = differences(before.pack, after.pack)
    return await page(
        request, "admin/policy_compare.html", before=before, after=after, lines=lines, changes=changes
    )


@route("GET", ONE + "/file.toml", permission=READ)
async def file(request: web.Request) -> web.StreamResponse:
    """The text of a version, to be changed and uploaded."""
    version = await _version(request)
    headers = {
        "Content-Disposition": f'attachment; filename="policy-{version.number}.toml"',
        "Cache-Control": "no-store",
    }
    return web.Response(
        text=version.content, content_type="application/toml", charset="utf-8", headers=headers
    )


# ---- drafts -------------------------------------------------------------------------------------


@route("GET", ONE + "/edit", permission=EDIT)
async def edit_page(request: web.Request) -> web.StreamResponse:
    """A new version from this one: its figures as a form, its text to upload."""
    version = await _version(request)
    return await _edit_page(request, version, form_of.values_of(version.content), version.content, "", None)


@route("POST", ONE + "/edit", permission=EDIT)
async def edit(request: web.Request) -> web.StreamResponse:
    """Keep the figures as a new version."""
    form, version = await read_form(request, form_of.PackForm), await _version(request)
    return await _keep(request, version, form_of.text_of(form, version.content), form.note, form)


@route("POST", ONE + "/upload", permission=EDIT, max_body=3 * MEGABYTE)
async def upload(request: web.Request) -> web.StreamResponse:
    """Keep a text as a new version."""
    form = await read_form(request, TextForm)
    text = form.text.replace("\r\n", "\n").rstrip() + "\n"  # a browser's line ends
    return await _keep(request, await _version(request), text, form.note, None)


async def _keep(
    request: web.Request, version: packs.Version, text: str, note: str, form: Any
) -> web.StreamResponse:
    try:
        async with context(request).db.begin() as uow:
            made = await packs.draft(uow, actor(request), version.id, "", text, note=note)
    except HotlineError as error:
        if words.told(error) is None:
            raise
        shown_values = form_of.values_of(version.content)
        if form is not None:
            shown_values |= {
                key: "true" if value is True else value or "" for key, value in form.model_dump().items()
            }
        return await _edit_page(request, version, shown_values, text, note, error, upload=form is None)
    return back(request, f"{HOME}/{made.id}/publish")


async def _edit_page(
    request: web.Request,
    version: packs.Version,
    values: Mapping[str, str],
    text: str,
    note: str,
    error: HotlineError | None,
    *,
    upload: bool = False,
) -> web.Response:
    return await page(
        request,
        "admin/policy_edit.html",
        status=422 if error else 200,
        version=version,
        values=values,
        text=text if upload else version.content,
        note=note,
        upload=upload,
        grids=form_of.GRIDS,
        urgencies=form_of.URGENCIES,
        extension=form_of.EXTENSION,
        field=form_of.field_name,
        wrong=form_of.wrong_field(error.params.get("key")) if error else "",
        told=words.told(error) if error else None,
    )


# ---- publishing ---------------------------------------------------------------------------------


@route("GET", ONE + "/publish", permission=EDIT)
async def publish_page(request: web.Request) -> web.StreamResponse:
    """What would be promised from a day on, and how many open tickets would have been promised otherwise."""
    query, version = read_query(request, PublishQuery), await _version(request)
    effective = query.effective or today(request) + timedelta(days=1)
    async with context(request).db.read() as session:
        counting = packs.in_force(await packs.publications(session), effective)
        present = await packs.version(session, counting.version_id) if counting else version
        impact = await pack_impact.impact(session, present.pack, version.pack)
    return await page(
        request,
        "admin/policy_publish.html",
        version=version,
        present=present,
        effective=effective,
        today=today(request),
        changes=differences(present.pack, version.pack),
        impact=impact,
        in_words=in_words,
        may_open=actor(request).may(Permission.TICKET_READ_ALL),
        word_of_type=lambda code: label(TicketType, code),
        word_of_urgency=lambda code: label(Urgency, code),
    )


@route("POST", ONE + "/publish", permission=EDIT)
async def publish(request: web.Request) -> web.StreamResponse:
    """Put the version before the administrator who has to approve it."""
    form, ctx = await read_form(request, PublishForm), context(request)
    asked = PublishPolicy(version_id=path_id(request, "version_id"), effective=form.effective, note=form.note)
    async with ctx.db.begin() as uow:
        sent = await ctx.people.proposals.submit(
            uow, actor(request), Act.POLICY_PUBLISH, asked, note=form.note
        )
    return back(request, HOME, "proposed" if sent.proposal_id else "published")


@route("POST", HOME + r"/proposals/{proposal_id:\d+}/withdraw", permission=EDIT)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take back one's own."""
    await read_form(request, NoFields)
    ctx = context(request)
    async with ctx.db.begin() as uow:
        await ctx.people.proposals.withdraw(uow, actor(request), path_id(request, "proposal_id"))
    return back(request, HOME, "withdrawn_proposal")
