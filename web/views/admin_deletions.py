"""What is kept how long; requests to delete a citizen's personal data; legal holds that refuse it."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from aiohttp import web
from pydantic import Field

from core import audit, retention
from core.catalog import holds
from core.errors import HotlineError
from core.people.duties import Act
from core.people.models import AdminProposal, User
from core.people.permissions import Permission
from core.privacy import normalise_phone
from tickets import acts
from tickets.citizens import finding, records
from tickets.models import Ticket, table_of
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.views._admin import DONE, back

HOME = "/admin/deletions"
READ = (Permission.DELETION_REQUEST, Permission.DELETION_APPROVE)
STEP_WORDS = {
    "event_log": ("页面更新通知", "供页面断线后补看，不含个人信息"),
    "outbox": ("已送出或放弃的消息", "短信、邮件和接口推送的发送记录"),
    "recordings": ("通话录音", "清理录音文件，通话记录保留；依法保全的不清理"),
    "conversations": ("文字会话", "销毁对话内容，会话记录保留；依法保全的不清理"),
    "web_session": ("登录会话记录", "谁在何时何处登录；依法不少于六个月"),
}
STATE_WORDS = {
    "waiting": ("待批准", "warn"),
    "approved": ("已删除", "good"),
    "refused": ("未批准", "bad"),
    "withdrawn": ("已撤回", "quiet"),
}
_proposal = table_of(AdminProposal)
_user = table_of(User)
_ticket = table_of(Ticket)


class Query(Fields):
    citizen: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class Find(Fields):
    typed: str = Field(min_length=1, max_length=40)


class Ask(Fields):
    reason: str = Field(min_length=2, max_length=200)


class Hold(Fields):
    subject: Literal["citizen", "ticket"]
    typed: str = Field(pattern=r"^\d{1,18}$")
    reason: str = Field(min_length=2, max_length=200)


@route("GET", HOME, permission=READ)
async def deletion_page(request: web.Request) -> web.StreamResponse:
    """Retention, requests and holds; with a citizen, what would go."""
    query, ctx = read_query(request, Query), context(request)
    async with ctx.db.read() as session:
        kept = await retention.survey(session, ctx.settings.retention, ctx.clock.now())
        present = await holds.present(session)
        requests = await _requests(session)
        seen = await acts.preview_delete(session, query.citizen) if query.citizen else None
    return await page(
        request,
        "admin/deletions.html",
        kept=kept,
        step_words=STEP_WORDS,
        holds=present,
        subjects=holds.SUBJECTS,
        requests=requests,
        state_words=STATE_WORDS,
        citizen=query.citizen,
        seen=seen,
        gone_words=acts.FORGOTTEN,
        stay_words=acts.STAYS,
        may_ask=actor(request).may(Permission.DELETION_REQUEST),
        may_lift=actor(request).may(Permission.DELETION_APPROVE),
        done=DONE.get(query.done, ""),
    )


async def _requests(session: Any) -> list[Any]:
    by = _user.alias("decider")
    query = (
        sa.select(_proposal, _user.c.name.label("asked_by"), by.c.name.label("decider"))
        .join(_user, _user.c.id == _proposal.c.proposed_by)
        .join(by, by.c.id == _proposal.c.decided_by, isouter=True)
        .where(_proposal.c.act == str(Act.PERSON_DELETE))
        .order_by(_proposal.c.id.desc())
        .limit(30)
    )
    return list((await session.execute(query)).all())


@route("POST", HOME + "/find", permission=Permission.DELETION_REQUEST)
async def find(request: web.Request) -> web.StreamResponse:
    """The record of a telephone number or of a record number; the look-up is audited."""
    form, ctx = await read_form(request, Find), context(request)
    async with ctx.db.begin() as uow:
        phone = normalise_phone(form.typed, area=ctx.settings.city.phone_area)
        found: int | None = None
        if phone.number is not None and phone.kind in ("mobile", "landline"):
            found = next(iter(await finding.of_phone(uow, ctx.vault, phone.number)), None)
        elif form.typed.isascii() and form.typed.isdigit() and len(form.typed) < 19:
            found = int(form.typed)
            await records.head(uow.session, found)
        await audit.record(
            uow, actor=actor(request), action="citizen.find", object_type="citizen", object_id=found
        )
    if found is None:
        raise HotlineError("citizen_unknown")
    return back(request, HOME, citizen=found)


@route("POST", HOME + r"/{citizen_id:\d+}/request", permission=Permission.DELETION_REQUEST)
async def ask(request: web.Request) -> web.StreamResponse:
    """Put the deletion before the audit administrator."""
    form, ident, ctx = await read_form(request, Ask), path_id(request, "citizen_id"), context(request)
    async with ctx.db.begin() as uow:
        version = (await records.head(uow.session, ident)).version
        asked = acts.DeletePerson(citizen_id=ident, version=version, reason=form.reason)
        seen = await acts.preview_delete(uow.session, ident)
        if seen.held:
            raise HotlineError("legal_hold", subject="citizen", subject_id=ident)
        if not seen.possible:
            raise HotlineError("citizen_in_use")
        await ctx.people.proposals.submit(uow, actor(request), Act.PERSON_DELETE, asked, note=form.reason)
    return back(request, HOME, "proposed")


@route("POST", HOME + "/holds", permission=READ)
async def place(request: web.Request) -> web.StreamResponse:
    """Keep a record or a ticket from being deleted."""
    form, ctx = await read_form(request, Hold), context(request)
    async with ctx.db.begin() as uow:
        if form.subject == "citizen":
            subject_id = int(form.typed)
            await records.head(uow.session, subject_id)
        else:
            query = sa.select(_ticket.c.id).where(_ticket.c.number == form.typed)
            found = (await uow.session.execute(query)).scalar_one_or_none()
            if found is None:
                raise HotlineError("ticket_not_found")
            subject_id = found
        await holds.place(uow, actor(request), form.subject, subject_id, form.reason)
    return back(request, HOME, "saved")


@route("POST", HOME + r"/holds/{hold_id:\d+}/lift", permission=Permission.DELETION_APPROVE)
async def lift(request: web.Request) -> web.StreamResponse:
    """End a hold: for the administrator who approves deletions, not for those who ask for them."""
    form = await read_form(request, Ask)
    async with context(request).db.begin() as uow:
        await holds.lift(uow, actor(request), path_id(request, "hold_id"), form.reason)
    return back(request, HOME, "removed")
