"""The log of messages to citizens, for people: who was told of what and what became of it, masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.db import UnitOfWork
from core.errors import HotlineError
from core.outbox import OutboxRow, OutboxWorker
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import PersonalValue
from tickets.messages.kinds import EVENTS, MessageEvent
from tickets.messages.models import CitizenMessage, MessageOptout
from tickets.models import Ticket, table_of
from tickets.visibility import visible_tickets

_message = table_of(CitizenMessage)
_optout = table_of(MessageOptout)
_ticket = table_of(Ticket)
_value = table_of(PersonalValue)
_outbox = table_of(OutboxRow)
PAGE = 50
STATES = {"waiting": "待发送", "sent": "已发送", "failed": "发送失败", "skipped": "未发送"}
REASONS = {
    "quiet_hours": "静默时段，时段结束后发送",
    "opted_out": "市民已退订",
    "not_wanted": "市民不要求回复",
    "sealed": "来电人要求不联系",
    "no_phone": "没有登记电话",
    "not_mobile": "不是手机号码",
    "no_channel": "没有短信通道",
    "template_off": "该模板已停用",
    "answered": "已电话回访",
    "timeout": "短信网关超时",
    "unreachable": "短信网关连不上",
    "address_refused": "短信网关地址不允许访问",
    "name_unknown": "短信网关域名解析不了",
    "plain_http_refused": "短信网关须使用 https",
    "url_invalid": "短信网关地址不正确",
}


WAYS = {"wechat": "微信", "weibo": "微博", "email": "邮件"}
OWN_REASONS = frozenset(
    {"quiet_hours", "opted_out", "not_wanted", "sealed", "no_phone", "template_off", "answered"}
)


@dataclass(frozen=True)
class Logged:
    """One message as the log shows it."""

    id: int
    dedup: str
    ticket_id: int
    number: str
    event: str
    phone: str | None
    state: str
    reason: str | None
    attempts: int
    channel: str | None
    parts: int
    created_at: datetime
    next_at: datetime | None
    sent_at: datetime | None

    @property
    def label(self) -> str:
        """What people call the event."""
        return EVENTS[MessageEvent(self.event)].label

    @property
    def state_word(self) -> str:
        return STATES.get(self.state, self.state)

    @property
    def way(self) -> str:
        """The way it went."""
        return WAYS.get(self.channel or "", self.channel or "短信")

    @property
    def why(self) -> str:
        """The reason in words; a code of the gateway as it is."""
        if self.channel is not None and self.reason not in OWN_REASONS and self.reason:
            return f"{self.way}暂未送达（{self.reason}）"
        return REASONS.get(self.reason or "", f"短信网关答复 {self.reason}" if self.reason else "")


def _select() -> sa.Select[Any]:
    names = ("id", "dedup", "ticket_id", "event", "state", "reason", "attempts", "channel", "parts")
    times = ("created_at", "next_at", "sent_at")
    columns = [_message.c[name] for name in (*names, *times)]
    return sa.select(*columns, _ticket.c.number, _value.c.masked.label("phone")).select_from(
        _message.join(_ticket, _ticket.c.id == _message.c.ticket_id).outerjoin(
            _value, _value.c.id == _message.c.phone_ref
        )
    )


async def message_list(
    session: AsyncSession,
    actor: Actor,
    *,
    state: str | None = None,
    event: str | None = None,
    number: str | None = None,
    before: int | None = None,
) -> Sequence[Logged]:
    """Newest first, one more than `PAGE` when there are further ones. Raises `forbidden`."""
    actor.require(Permission.MESSAGE_READ)
    query = _select().order_by(_message.c.id.desc()).limit(PAGE + 1)
    for column, value in ((_message.c.state, state), (_message.c.event, event), (_ticket.c.number, number)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(_message.c.id < before)
    return [Logged(**row._mapping) for row in await session.execute(query)]


async def of_ticket(session: AsyncSession, actor: Actor, ticket_id: int) -> Sequence[Logged]:
    """The messages of one ticket, newest first; for people who may see the ticket."""
    query = _select().where(_message.c.ticket_id == ticket_id, visible_tickets(actor))
    rows = await session.execute(query.order_by(_message.c.id.desc()).limit(PAGE))
    return [Logged(**row._mapping) for row in rows]


async def resend(uow: UnitOfWork, actor: Actor, worker: OutboxWorker, message_id: int) -> None:
    """Give a failed message its tries back. Raises `forbidden`, `message_not_dead`. Audited."""
    actor.require(Permission.OUTBOX_RESEND)
    again = sa.update(_message).where(_message.c.id == message_id, _message.c.state == "failed")
    done = await uow.session.execute(again.values(state="waiting").returning(_message.c.dedup))
    dedup = done.scalar_one_or_none()
    query = sa.select(_outbox.c.id).where(_outbox.c.dedup == dedup)
    letter = (await uow.session.execute(query)).scalar_one_or_none() if dedup is not None else None
    if letter is None:
        raise HotlineError("message_not_dead", message_id=message_id)
    await worker.resend(uow, actor, letter)


async def opted_out(session: AsyncSession, actor: Actor, ticket_id: int) -> bool | None:
    """Whether the ticket's number wants no messages; None without a number. Raises `ticket_not_found`."""
    query = (
        sa.select(_ticket.c.phone_ref, _optout.c.phone_ref.label("out"))
        .select_from(_ticket.outerjoin(_optout, _optout.c.phone_ref == _ticket.c.phone_ref))
        .where(_ticket.c.id == ticket_id, visible_tickets(actor))
    )
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    return None if row.phone_ref is None else row.out is not None


async def set_optout(uow: UnitOfWork, actor: Actor, ticket_id: int, *, out: bool) -> None:
    """Note that the owner of the ticket's number wants no messages, or wants them again. Audited.

    Mandatory messages (the receipt, as shipped) are sent all the same. Raises `forbidden`,
    `ticket_not_found`, `no_phone_on_file`.
    """
    actor.require(Permission.TICKET_NOTE)
    actor.require(Permission.TICKET_READ_HOTLINE)
    now = await opted_out(uow.session, actor, ticket_id)
    if now is None:
        raise HotlineError("no_phone_on_file")
    ref = sa.select(_ticket.c.phone_ref).where(_ticket.c.id == ticket_id).scalar_subquery()
    if out and not now:
        values = {"phone_ref": ref, "at": uow.now, "actor_id": actor.user_id}
        await uow.session.execute(insert(_optout).values(**values).on_conflict_do_nothing())
    elif now and not out:
        await uow.session.execute(sa.delete(_optout).where(_optout.c.phone_ref == ref))
    action = "message.opt_out" if out else "message.opt_in"
    await audit.record(uow, actor=actor, action=action, object_type="ticket", object_id=ticket_id)
