"""Messages to citizens: the log, sending failed ones again, and what a ticket's citizen was told."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core import audit
from core.errors import HotlineError
from core.notify import staff
from core.notify.ports import DeliveryFailed, Mail
from core.people.permissions import Permission
from tickets import query_codes
from tickets.messages import log
from tickets.messages.kinds import EVENTS
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import fragment, page, redirect
from web.routes import route

READ = Permission.MESSAGE_READ
HOTLINE = (Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_ALL)
TONES = {"waiting": "info", "sent": "good", "failed": "bad", "skipped": "quiet"}


class LogQuery(Fields):
    state: Literal["waiting", "sent", "failed", "skipped"] | None = None
    event: str | None = Field(None, max_length=20)
    number: str | None = Field(None, pattern=r"^\d{18}$")
    before: int | None = Field(None, gt=0, lt=2**63)
    told: Literal["test_sent"] | None = None


class NoFields(Fields):
    pass


class TestForm(Fields):
    channel: Literal["webhook", "email"]


class OptoutForm(Fields):
    out: bool


@route("GET", "/admin/messages", permission=READ)
async def message_log(request: web.Request) -> web.StreamResponse:
    """What citizens were sent, masked; in development also what the console double took."""
    query = read_query(request, LogQuery)
    return await page(request, "messages/log.html", **await _log_values(request, query))


async def _log_values(request: web.Request, query: LogQuery) -> dict[str, Any]:
    person, ctx = actor(request), context(request)
    asked = query.model_dump(exclude={"told"})
    async with ctx.db.read() as session:
        rows = list(await log.message_list(session, person, **asked))
        more = rows[log.PAGE - 1].id if len(rows) > log.PAGE else None
        rows = rows[: log.PAGE]
        console = ctx.channels.console
        kept = await console.read(session, [row.dedup for row in rows]) if console is not None else {}
    filters = {key: value for key, value in asked.items() if value is not None and key != "before"}
    following = "&".join(f"{key}={value}" for key, value in {**filters, "before": more}.items())
    return {
        "rows": rows,
        "kept": kept,
        "filters": filters,
        "next_page": f"/admin/messages?{following}" if more else "",
        "states": list(log.STATES.items()),
        "events": [(event.value, kind.label) for event, kind in EVENTS.items()],
        "tones": TONES,
        "may_resend": person.may(Permission.OUTBOX_RESEND),
        "may_open": any(person.may(permission) for permission in HOTLINE),
        "channels": {"sms": _sms_word(ctx), "mail": ctx.channels.mail, "hook": ctx.channels.hook},
        "told": query.told,
    }


def _sms_word(ctx: Any) -> str:
    if ctx.channels.console is not None:
        return "控制台替身（仅开发环境，不真正发送）"
    return "短信网关" if ctx.channels.sms is not None else "未启用，不产生短信"


@route("POST", "/admin/messages/{message_id}/resend", permission=READ, also=Permission.OUTBOX_RESEND)
async def resend(request: web.Request) -> web.StreamResponse:
    """Send a failed message again."""
    await read_form(request, NoFields)
    ctx, ident = context(request), path_id(request, "message_id")
    async with ctx.db.begin() as uow:
        await log.resend(uow, actor(request), ctx.outbox, ident)
    return redirect(request, "/admin/messages?state=failed")


@route("POST", "/admin/messages/test", permission=READ, also=Permission.OUTBOX_RESEND)
async def test_channel(request: web.Request) -> web.StreamResponse:
    """Try a channel for notices now; audited. Raises `channel_missing`, `channel_failed`."""
    form = await read_form(request, TestForm)
    ctx, person = context(request), actor(request)
    async with ctx.db.begin() as uow:
        detail = {"channel": form.channel}
        await audit.record(uow, actor=person, action="channel.test", object_type="channel", detail=detail)
        key = f"test.{person.user_id}.{uow.now:%Y%m%d%H%M%S%f}"
    try:
        await _try(request, form.channel, key)
    except DeliveryFailed as error:
        raise HotlineError("channel_failed", channel=form.channel, reason=error.code) from None
    return redirect(request, "/admin/messages?told=test_sent")


async def _try(request: web.Request, channel: str, key: str) -> None:
    ctx, person = context(request), actor(request)
    if channel == "webhook" and ctx.channels.hook is not None:
        await ctx.channels.hook.post(key, {"id": key, "kind": "test", "user": person.login})
        return
    async with ctx.db.read() as session:
        to = await staff.address(session, ctx.vault, person.user_id or 0)
    if channel != "email" or ctx.channels.mail is None or not to:
        raise HotlineError("channel_missing", channel=channel)
    await ctx.channels.mail.send(Mail(key, to, "【12345】测试邮件", "这是一封测试邮件，无需处理。\n"))


# ---- on the page of a ticket ------------------------------------------------------------------


@route("GET", "/tickets/{ticket_id}/messages", permission=HOTLINE)
async def of_ticket(request: web.Request) -> web.StreamResponse:
    """What the citizen of a ticket was told; a fragment for the ticket's page."""
    ident = path_id(request, "ticket_id")
    return fragment(request, "messages/_ticket.html", **await _ticket_values(request, ident))


async def _ticket_values(request: web.Request, ident: int, notice: str = "") -> dict[str, Any]:
    person = actor(request)
    async with context(request).db.read() as session:
        out = await log.opted_out(session, person, ident)
        rows = await log.of_ticket(session, person, ident)
    may = person.may(Permission.TICKET_NOTE) and person.may(Permission.TICKET_READ_HOTLINE)
    return {"ticket_id": ident, "rows": rows, "out": out, "may": may, "tones": TONES, "notice": notice}


@route(
    "POST",
    "/tickets/{ticket_id}/query-code",
    permission=Permission.TICKET_READ_HOTLINE,
    also=Permission.TICKET_NOTE,
)
async def resend_code(request: web.Request) -> web.StreamResponse:
    """Send number and query code again, to the phone on file only."""
    await read_form(request, NoFields)
    ctx, ident = context(request), path_id(request, "ticket_id")
    async with ctx.db.begin() as uow:
        await query_codes.resend(uow, actor(request), ctx.vault, ident)
    return await _back(request, ident, "查询码将发送到登记的手机号码。")


@route(
    "POST",
    "/tickets/{ticket_id}/messages/opt-out",
    permission=Permission.TICKET_READ_HOTLINE,
    also=Permission.TICKET_NOTE,
)
async def opt_out(request: web.Request) -> web.StreamResponse:
    """Note whether the owner of the ticket's number wants messages."""
    form = await read_form(request, OptoutForm)
    ctx, ident = context(request), path_id(request, "ticket_id")
    async with ctx.db.begin() as uow:
        await log.set_optout(uow, actor(request), ident, out=form.out)
    return await _back(request, ident, "已登记退订。" if form.out else "已恢复发送短信。")


async def _back(request: web.Request, ident: int, notice: str) -> web.StreamResponse:
    if "HX-Request" in request.headers:
        values = await _ticket_values(request, ident, notice)
        return fragment(request, "messages/_ticket.html", **values)
    return redirect(request, f"/tickets/{ident}")
