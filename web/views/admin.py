"""For administrators and auditors: messages that were given up, and the audit log."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from core import audit, audit_search, dead_letters
from core.audit import AuditRow
from core.audit_search import Wanted
from core.catalog import tables
from core.clock import CITY_ZONE, to_city
from core.errors import HotlineError
from core.people.permissions import Permission
from web.context import actor, context
from web.inputs import Fields, Ident, path_id, read_form, read_query
from web.render import page, redirect
from web.routes import route
from web.views._admin import DONE, NoFields, back, csv_file
from web.words import AUDIT_ACTIONS, AUDIT_OBJECTS, AUDIT_WORDS, code_of

PAGE = 50
OUTBOX = "/admin/outbox"
MESSAGE_KINDS = {
    "citizen.message": "给市民的进度消息",
    "channel.say": "渠道答复",
    "channel.news": "渠道进度",
    "channel.media": "渠道照片或语音",
    "chat.sms": "文字服务短信",
    "notice.email": "工作人员邮件",
    "notice.webhook": "工作人员推送",
}


class OutboxQuery(Fields):
    kind: str = Field("", max_length=40)
    text: str = Field("", max_length=60)
    before: int | None = Field(None, gt=0, lt=2**63)
    done: str = Field("", max_length=20)


class OutboxForm(Fields):
    ids: list[Ident] = Field([], max_length=180)
    act: Literal["resend", "discard"]
    reason: str = Field("", max_length=200)


class AuditQuery(Fields):
    login: str = Field("", max_length=64)
    action: str = Field("", max_length=40)
    object_type: str = Field("", max_length=40)
    object_id: int | None = Field(None, ge=0, lt=2**63)
    since: date | None = None
    until: date | None = None
    reason: str = Field("", max_length=60)
    request_id: str = Field("", max_length=64)
    before: int | None = Field(None, gt=0, lt=2**63)


# ---- messages that were given up ------------------------------------------------------------


@route("GET", OUTBOX, permission=Permission.OUTBOX_READ)
async def outbox_page(request: web.Request) -> web.StreamResponse:
    """Messages that could not be delivered in all their tries."""
    query = read_query(request, OutboxQuery)
    async with context(request).db.read() as session:
        kinds = await dead_letters.kinds(session)
        letters = await dead_letters.found(
            session, kind=query.kind, text=query.text, before=query.before, limit=PAGE + 1
        )
    following = {
        "kind": query.kind,
        "text": query.text,
        "before": letters[PAGE - 1].id if len(letters) > PAGE else "",
    }
    return await page(
        request,
        "admin/outbox.html",
        letters=letters[:PAGE],
        kinds=[(kind, f"{MESSAGE_KINDS.get(kind, kind)}（{count}）") for kind, count in kinds],
        kind_words=MESSAGE_KINDS,
        query=query,
        next_page=f"{OUTBOX}?{urlencode(_given(following))}" if following["before"] else "",
        may_resend=actor(request).may(Permission.OUTBOX_RESEND),
        done=DONE.get(query.done, ""),
    )


@route("POST", OUTBOX, permission=Permission.OUTBOX_RESEND)
async def outbox_many(request: web.Request) -> web.StreamResponse:
    """Send the chosen ones again, or give them up with a reason."""
    form, ctx = await read_form(request, OutboxForm), context(request)
    if form.act == "discard" and len(form.reason) < 2:
        raise HotlineError("discard_reason")
    async with ctx.db.begin() as uow:
        if form.act == "resend":
            await dead_letters.resend(uow, actor(request), form.ids)
        else:
            await dead_letters.discard(uow, actor(request), form.ids, form.reason)
    return back(request, OUTBOX, "sent" if form.act == "resend" else "discarded")


@route("POST", OUTBOX + "/{message_id}/resend", permission=Permission.OUTBOX_RESEND)
async def resend(request: web.Request) -> web.StreamResponse:
    """Try a dead letter again; who did so is in the audit log."""
    await read_form(request, NoFields)
    ctx, ident = context(request), path_id(request, "message_id")
    async with ctx.db.begin() as uow:
        await ctx.outbox.resend(uow, actor(request), ident)
    return redirect(request, f"{OUTBOX}?done=sent")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None)}


# ---- the audit log --------------------------------------------------------------------------


def _wanted(query: AuditQuery) -> Wanted:
    return Wanted(
        login=query.login,
        action=code_of(AUDIT_ACTIONS, query.action),
        object_type=code_of(AUDIT_OBJECTS, query.object_type),
        object_id=query.object_id,
        since=_midnight(query.since),
        until=_midnight(query.until, days=1),
        reason=query.reason,
        request_id=query.request_id,
    )


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    """The beginning of a day in the city, in UTC."""
    if day is None or not 2000 <= day.year <= 2100:
        return None
    return datetime.combine(day + timedelta(days=days), time(), CITY_ZONE).astimezone(UTC)


@route("GET", "/admin/audit", permission=Permission.AUDIT_READ)
async def audit_log(request: web.Request) -> web.StreamResponse:
    """Who did what, newest first; actions and objects may be asked for by word or by code."""
    query = read_query(request, AuditQuery)
    async with context(request).db.read() as session:
        rows = await audit_search.found(session, _wanted(query), before=query.before, limit=PAGE + 1)
        chain = await audit_search.chain(session)
    given = _given(query.model_dump(mode="json", exclude={"before"}))
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return await page(
        request,
        "admin/audit.html",
        rows=rows[:PAGE],
        chain=chain,
        words=AUDIT_WORDS,
        action_words=list(AUDIT_ACTIONS.values()),
        object_words=list(AUDIT_OBJECTS.values()),
        filters=given,
        next_page=f"/admin/audit?{urlencode({**given, 'before': more})}" if more else "",
        most=audit_search.EXPORT_ROWS,
    )


@route("POST", "/admin/audit/export", permission=Permission.AUDIT_READ)
async def export_audit(request: web.Request) -> web.StreamResponse:
    """The rows that were asked for as a list; the export itself is an entry of the log."""
    query = await read_form(request, AuditQuery)
    async with context(request).db.begin() as uow:
        rows = await audit_search.found(
            uow.session, _wanted(query), before=query.before, limit=audit_search.EXPORT_ROWS
        )
        lines = [_line(row) for row in rows]
        given = _given(query.model_dump(mode="json"))
        await audit.record(
            uow, actor=actor(request), action="audit.export", object_type="audit",
            detail={"rows": len(lines), "filters": given},
        )  # fmt: skip
        name = f"audit-{to_city(uow.now):%Y%m%d-%H%M}.csv"
    return csv_file(name, tables.write(HEADING, lines))


HEADING = (
    "编号",
    "时间",
    "工号",
    "动作",
    "对象",
    "对象编号",
    "原因",
    "明细",
    "来源",
    "请求编号",
    "链号",
    "校验值",
)


def _line(row: AuditRow) -> tuple[Any, ...]:
    return (
        row.id, f"{to_city(row.at):%Y-%m-%d %H:%M:%S}", row.actor_login, AUDIT_WORDS["action"](row.action),
        AUDIT_WORDS["object"](row.object_type), row.object_id, row.reason,
        json.dumps(row.detail, ensure_ascii=False) if row.detail else "", row.source, row.request_id,
        row.link_no, row.hash.hex() if row.hash else "",
    )  # fmt: skip
