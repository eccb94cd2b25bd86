"""What a ticket's events mean to people: which notice goes to whom, beside what its citizen is told.

The handlers run within the writer's transaction. The making of a ticket costs one row of the outbox,
a dispatch no statement of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core import outbox
from core.clock import to_city
from core.db import Database, UnitOfWork
from core.errors import HotlineError
from core.events import EventBus
from core.notify import staff
from core.notify.channels import Channels
from core.notify.models import Notification
from core.notify.ports import Mail
from core.notify.staff import Notice, roles_with
from core.outbox import OutboxMessage, OutboxWorker
from core.people.actor import Actor
from core.people.models import User
from core.people.permissions import Permission
from core.privacy import Vault
from core.settings import Settings
from tickets.events import TicketChanged, TicketCreated, TicketDispatched
from tickets.messages.plan import OUTBOX_KIND, letters_of
from tickets.messages.service import MessageService, give_up
from tickets.models import Ticket, table_of
from tickets.queries.veils import veils
from tickets.states import Action, State
from tickets.veil import covered_in
from tickets.visibility import visible_tickets

A, S = Action, State
_ticket = table_of(Ticket)
_notice = table_of(Notification)
_user = table_of(User)
PAGE = 50
KINDS: dict[str, str] = {
    "dispatched": "新工单待签收",
    "redone": "工单退回重办",
    "taken_away": "工单已改派其他单位",
    "return_waiting": "退单申请待裁定",
    "return_accepted": "退单申请已同意",
    "return_refused": "退单申请被驳回",
    "urged": "工单被催办",
    "supervised": "工单被督办",
    "added": "市民补充了情况",
    "ended": "工单已撤回或作废",
    "decision_waiting": "有申请待审批",
    "extension_decided": "延期申请已审批",
    "suspension_decided": "挂起申请已审批",
    "exclusion_decided": "剔除申请已审批",
    "closing_waiting": "办结待领导审批",
    "closing_approved": "办结已同意",
    "closing_refused": "办结未同意",
    "check_rejected": "办结审核被退回",
    "co_asked": "请本单位协办",
    "co_answered": "协办单位已回复意见",
    "reported_back": "下级单位已回报",
    "relay_question": "承办单位请热线代为询问",
    "relay_answer": "热线已代为答复",
    "message_failed": "短信发送失败",
    "code_locked": "查询码因多次输错被锁定",
    "data_request": "市民要求查阅、更正或删除个人信息",
    "digest": "今日待办提要",
    "night_callbacks": "夜间漏接待回拨",
    "card_blue": "时限蓝色预警",
    "card_yellow": "时限黄牌",
    "card_red": "时限红牌",
    "card_notice": "催办通知书",
    "card_bulletin": "超期通报",
    "card_proposal": "超期工单建议督办",
    "cards_digest": "多件工单同时亮牌",
    "order_issued": "收到督办文书",
    "order_copied": "抄送的督办文书",
    "order_sent_back": "督办反馈被退回补充",
    "order_ended": "督办文书已销号或撤销",
    "order_late": "督办反馈已逾期",
    "order_acknowledged": "单位已签收督办文书",
    "order_reported": "督办反馈待审",
    "look_due": "约谈回头看到期",
    "calendar_unknown": "下一年节假日安排待确认",
    "knowledge_task": "知识条目待纠正",
    "knowledge_late": "知识纠错已逾期",
    "knowledge_ending": "知识条目即将到期",
    "knowledge_ended": "知识条目已过期",
    "knowledge_mended": "您反馈的知识已更新",
    "knowledge_rejected": "您反馈的知识不予修改",
    "cluster_found": "群诉或热点预警待确认",
    "cluster_grew": "已确认的群诉又有来电",
    "case_served": "收到关于本机构的投诉",
    "case_answered": "中介机构已答复投诉",
    "listing_waiting": "中介黑名单待审批",
    "listing_appealed": "中介机构对黑名单提出申诉",
    "listing_noticed": "拟列入黑名单告知",
    "listing_decided": "黑名单已作出决定",
    "qualification_ending": "中介机构资质即将到期",
}
OFFICERS = roles_with(Permission.TICKET_HANDLE)
HEADS = roles_with(Permission.TICKET_APPROVE)
DESK = roles_with(Permission.TICKET_DISPATCH)
SUPERVISION = roles_with(Permission.TICKET_SUPERVISE)
FLOOR = roles_with(Permission.REVISIT_WORK)
LEADERS = roles_with(Permission.FLOOR_READ, Permission.DRAFT_READ_ALL)
ACKNOWLEDGING = roles_with(Permission.CARD_ACKNOWLEDGE)
CLOCKMAKERS = roles_with(Permission.POLICY_EDIT)
PRIVACY = roles_with(Permission.DELETION_REQUEST)
KEEPERS = roles_with(Permission.OUTBOX_RESEND)
# Kinds that go to the units at work: to the one the work lies with, or to the others concerned.
_TO_UNIT: dict[str, str] = {
    A.URGE.value: "urged",
    A.SUPERVISE.value: "supervised",
    A.ADD.value: "added",
    A.WITHDRAW.value: "ended",
    A.VOID.value: "ended",
    A.REFUSE_RETURN.value: "return_refused",
    A.APPROVE_EXTENSION.value: "extension_decided",
    A.REFUSE_EXTENSION.value: "extension_decided",
    A.APPROVE_SUSPENSION.value: "suspension_decided",
    A.REFUSE_SUSPENSION.value: "suspension_decided",
    A.APPROVE_EXCLUSION.value: "exclusion_decided",
    A.REFUSE_EXCLUSION.value: "exclusion_decided",
    A.APPROVE_CLOSING.value: "closing_approved",
    A.REFUSE_CLOSING.value: "closing_refused",
    A.REJECT_CHECK.value: "check_rejected",
    A.CO_OPINION.value: "co_answered",
    A.REPORT_BACK.value: "reported_back",
    A.ANSWER_RELAY.value: "relay_answer",
}
_TO_HOUSE: dict[str, tuple[str, tuple[str, ...]]] = {
    A.APPLY_EXTENSION.value: ("decision_waiting", SUPERVISION),
    A.APPLY_SUSPENSION.value: ("decision_waiting", SUPERVISION),
    A.APPLY_EXCLUSION.value: ("decision_waiting", SUPERVISION),
    A.ASK_RELAY.value: ("relay_question", FLOOR),
}


_FOR: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("knowledge_task", "knowledge_late", "knowledge_ending", "knowledge_ended"),
        roles_with(Permission.KNOWLEDGE_EDIT),
    ),
    **dict.fromkeys(("knowledge_mended", "knowledge_rejected"), roles_with(Permission.KNOWLEDGE_READ)),
    **dict.fromkeys(
        ("case_served", "listing_noticed", "listing_decided"), roles_with(Permission.INTERMEDIARY_OWN)
    ),
    **dict.fromkeys(("listing_waiting", "listing_appealed"), roles_with(Permission.INTERMEDIARY_DECIDE)),
    "qualification_ending": roles_with(Permission.INTERMEDIARY_OWN, Permission.INTERMEDIARY_EDIT),
    "return_waiting": DESK,
    "decision_waiting": SUPERVISION,
    "closing_waiting": HEADS,
    "relay_question": FLOOR,
    "message_failed": KEEPERS,
    "code_locked": LEADERS,
    "data_request": PRIVACY,
    "digest": (*OFFICERS, *SUPERVISION),
    "night_callbacks": FLOOR,
    "card_proposal": SUPERVISION,
    **dict.fromkeys(("card_blue", "card_yellow", "card_red", "card_notice", "card_bulletin"), ACKNOWLEDGING),
    "cards_digest": ACKNOWLEDGING,
    "order_late": (*OFFICERS, *SUPERVISION),
    "order_acknowledged": SUPERVISION,
    "order_reported": SUPERVISION,
    "look_due": SUPERVISION,
    "calendar_unknown": CLOCKMAKERS,
    "cluster_found": (*SUPERVISION, *DESK),
    "cluster_grew": (*SUPERVISION, *DESK),
}
PAGES: dict[str, str] = {  # where a notice without a ticket leads
    "message_failed": "/admin/messages?state=failed",
    "relay_question": "/relay",
    "digest": "/digest",
    "night_callbacks": "/callbacks",
    "cards_digest": "/cards?state=mine",
    "calendar_unknown": "/admin/calendar",
    "knowledge_task": "/knowledge/tasks",
    "knowledge_late": "/knowledge/tasks",
    "knowledge_ending": "/knowledge/desk?shelf=ending",
    "knowledge_ended": "/knowledge/desk?shelf=ended",
    "knowledge_mended": "/knowledge/reports",
    "knowledge_rejected": "/knowledge/reports",
    "cluster_found": "/clusters",
    "cluster_grew": "/clusters?state=confirmed",
    "case_served": "/market/own",
    "listing_noticed": "/market/own",
    "listing_decided": "/market/own",
    "listing_waiting": "/market/blacklist",
    "listing_appealed": "/market/blacklist?state=appealed",
    "qualification_ending": "/market/qualifications",
}


_OF_ORDERS = frozenset(kind for kind in KINDS if kind.startswith("order_")) | {"look_due"}


def kinds_for(actor: Actor) -> list[tuple[str, str]]:
    """The kinds (code, label) this person's posts may ever be told of."""
    posts = {role.value for role in actor.roles}
    return [(kind, label) for kind, label in KINDS.items() if posts & set(_FOR.get(kind, OFFICERS))]


def notices_of(told: TicketDispatched | TicketChanged) -> list[Notice]:
    """Who is to know of this event. Pure."""
    if isinstance(told, TicketDispatched):
        return _dispatched(told)
    ident, action = told.ticket_id, told.action
    if action in _TO_UNIT:
        lying = () if told.unit_id is None else (told.unit_id,)
        units = tuple(dict.fromkeys((*lying, *told.other_units)))
        return [Notice(_TO_UNIT[action], ident, OFFICERS, units)] if units else []
    if action in _TO_HOUSE:
        kind, roles = _TO_HOUSE[action]
        return [Notice(kind, ident, roles, deputies=kind == "decision_waiting")]
    if action == A.RETURN.value:
        return [Notice("return_waiting", ident, SUPERVISION if told.state == S.RULING.value else DESK)]
    if action == A.ACCEPT_RETURN.value and told.other_units:
        return [Notice("return_accepted", ident, OFFICERS, told.other_units)]
    if action == A.CLOSE.value and told.state == S.CLOSING_REVIEW.value and told.unit_id is not None:
        return [Notice("closing_waiting", ident, HEADS, (told.unit_id,), deputies=True)]
    if action == A.ADD_CO.value and told.other_units:
        return [Notice("co_asked", ident, OFFICERS, told.other_units)]
    return []


def _dispatched(told: TicketDispatched) -> list[Notice]:
    again = told.action in (A.REDO.value, A.REVISIT.value)
    found = [Notice("redone" if again else "dispatched", told.ticket_id, OFFICERS, (told.unit_id,))]
    if told.other_units:
        kind = {A.DISPATCH.value: "co_asked", A.ACCEPT_RETURN.value: "return_accepted"}
        found.append(Notice(kind.get(told.action, "taken_away"), told.ticket_id, OFFICERS, told.other_units))
    return found


class NoticeService:
    """Hears the tickets' events, and sends notices on by e-mail and webhook."""

    def __init__(
        self, db: Database, vault: Vault, settings: Settings, channels: Channels, messages: MessageService
    ) -> None:
        self._db = db
        self._vault = vault
        self._channels = channels
        self._messages = messages
        self._address = settings.http.public_url.rstrip("/")

    def wire(self, bus: EventBus, worker: OutboxWorker) -> None:
        """Hear the tickets; take notices and given-up messages from the outbox."""
        bus.within(TicketCreated, self.on_created)
        bus.within(TicketDispatched, self.on_moved)
        bus.within(TicketChanged, self.on_moved)
        worker.register(OUTBOX_KIND, self._messages.deliver, given_up=self.message_given_up)
        worker.register("notice.email", self.mail)
        worker.register("notice.webhook", self.post)

    async def on_created(self, uow: UnitOfWork, told: TicketCreated) -> None:
        """The receipt: one row."""
        if self._messages.active:
            rows = [outbox.row(uow.now, one.kind, one.dedup, one.payload) for one in letters_of(told)]
            await uow.put(outbox.TABLE, *rows)  # a new ticket has no earlier message it could repeat

    async def on_moved(self, uow: UnitOfWork, told: TicketDispatched | TicketChanged) -> None:
        """Messages and notices of one event, with the writer's own statement."""
        letters = letters_of(told) if self._messages.active else []
        notices = notices_of(told)
        if notices or letters:
            await staff.write(uow, notices, letters, done_by=told.actor_id)

    async def message_given_up(self, message: OutboxMessage) -> None:
        """A message to a citizen that failed for good: the log says so, and people are told."""
        async with self._db.begin() as uow:
            await give_up(uow, message.dedup)
            # Without a ticket: when a gateway is down, one unread notice counts up for all of them.
            await staff.write(uow, [Notice("message_failed", None, KEEPERS)])

    # ---- copies to the outside ----------------------------------------------------------------

    async def mail(self, message: OutboxMessage) -> None:
        """A notice as e-mail: kind, number, address of the page, and nothing of the matter."""
        if self._channels.mail is None:
            return
        async with self._db.read() as session:
            found = await _copy(session, message.payload["notification_id"])
            to = await staff.address(session, self._vault, found.user_id) if found else ""
        if found is None or not to:
            return
        subject = f"【12345】{KINDS.get(found.kind, found.kind)}" + (
            f" {found.number}" if found.number else ""
        )
        text = f"{found.name}：\n\n{subject}\n时间：{to_city(found.at):%Y-%m-%d %H:%M}\n{self._link(found)}\n"
        await self._channels.mail.send(Mail(message.dedup.replace(":", "."), to, subject, text))

    async def post(self, message: OutboxMessage) -> None:
        """A notice as webhook, for the chat program of the house."""
        if self._channels.hook is None:
            return
        async with self._db.read() as session:
            found = await _copy(session, message.payload["notification_id"])
        if found is None:
            return
        body = {
            "id": message.dedup,
            "kind": found.kind,
            "title": KINDS.get(found.kind, found.kind),
            "user": found.login,
            "ticket": found.number,
            "times": found.times,
            "at": found.at.isoformat(),
            "url": self._link(found),
        }
        await self._channels.hook.post(message.dedup, body)

    def _link(self, found: Any) -> str:
        page = f"/tickets/{found.ticket_id}" if found.ticket_id else PAGES.get(found.kind, "/notifications")
        return f"{self._address}{page}"


async def _copy(session: AsyncSession, ident: int) -> Any:
    """What a copy of a notice needs, of people who still have an account."""
    columns = [_notice.c[name] for name in ("user_id", "kind", "ticket_id", "at", "times")]
    query = (
        sa.select(*columns, _user.c.login, _user.c.name, _ticket.c.number)
        .select_from(
            _notice.join(_user, _user.c.id == _notice.c.user_id).outerjoin(
                _ticket, _ticket.c.id == _notice.c.ticket_id
            )
        )
        .where(_notice.c.id == ident, _user.c.active)
    )
    return (await session.execute(query)).first()


@dataclass(frozen=True)
class NoticeItem:
    """A notice as its page shows it; number and title only of tickets one may still see."""

    id: int
    kind: str
    label: str
    at: datetime
    times: int
    read_at: datetime | None
    ticket_id: int | None
    number: str | None
    title: str | None


async def notice_list(
    session: AsyncSession, actor: Actor, *, unread: bool, before: tuple[datetime, int] | None
) -> Sequence[NoticeItem]:
    """One's own notices, newest first; one more than `PAGE` when there are further ones."""
    columns = [_notice.c[name] for name in ("id", "kind", "at", "times", "read_at")]
    seen = sa.and_(_ticket.c.id == _notice.c.ticket_id, visible_tickets(actor))
    query = (
        sa.select(*columns, _ticket.c.id.label("ticket_id"), _ticket.c.number, _ticket.c.title)
        .select_from(_notice.outerjoin(_ticket, seen))
        .where(_notice.c.user_id == actor.user_id)
        .order_by(_notice.c.at.desc(), _notice.c.id.desc())
        .limit(PAGE + 1)
    )
    if unread:
        query = query.where(_notice.c.read_at.is_(None))
    if before is not None:
        query = query.where(sa.tuple_(_notice.c.at, _notice.c.id) < sa.tuple_(*map(sa.literal, before)))
    rows = (await session.execute(query)).all()
    veiled = await veils(session, actor, {row.ticket_id for row in rows if row.ticket_id})
    return [
        NoticeItem(
            label=KINDS.get(row.kind, row.kind),
            **covered_in(veiled.get(row.ticket_id), dict(row._mapping), ("title",)),
        )
        for row in rows
    ]


async def target_of(session: AsyncSession, actor: Actor, notice_id: int) -> str:
    """The page one's notice leads to. Raises `not_found` for somebody else's."""
    seen = sa.and_(_ticket.c.id == _notice.c.ticket_id, visible_tickets(actor))
    query = (
        sa.select(_notice.c.kind, _ticket.c.id.label("ticket_id"))
        .select_from(_notice.outerjoin(_ticket, seen))
        .where(_notice.c.id == notice_id, _notice.c.user_id == actor.user_id)
    )
    row = (await session.execute(query)).first()
    if row is None:
        raise HotlineError("not_found")
    if row.kind in PAGES:
        return PAGES[row.kind]
    if row.kind in _OF_ORDERS:
        return f"/orders?ticket_id={row.ticket_id}" if row.ticket_id is not None else "/orders"
    return f"/tickets/{row.ticket_id}" if row.ticket_id is not None else "/notifications"
