"""The forms of a ticket on paper: 转办单, 督办单, 办结单. One sheet is what the page and the PDF both show.

A form travels. On a ticket whose reporter is sealed, no form ever names the reporter, whoever prints
it; and a copy for third parties names nobody, not even in what people wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit, User
from core.privacy import PersonalValue, Vault
from tickets.flow import TicketReply, TicketUnit
from tickets.models import Category, Ticket, TicketHistory, table_of
from tickets.points.queries import points_of
from tickets.queries.veils import confidential, of_rows
from tickets.terms import Channel, TicketType, Urgency, label
from tickets.veil import covered
from tickets.visibility import visible_tickets
from tickets.workflow import STATE_LABELS

_ticket = table_of(Ticket)
_history = table_of(TicketHistory)
_reply = table_of(TicketReply)
_held = table_of(TicketUnit)
_category = table_of(Category)
_unit = table_of(Unit)
_user = table_of(User)
_value = table_of(PersonalValue)
_STATES = {state.value: word for state, word in STATE_LABELS.items()}
SEALED = "已保密。需要联系时，请通过热线中心。"


class Form(StrEnum):
    """Which form."""

    TRANSFER = "transfer"
    SUPERVISE = "supervise"
    CLOSING = "closing"


TITLES = {Form.TRANSFER: "转办单", Form.SUPERVISE: "督办单", Form.CLOSING: "办结单"}
_SIGNATURES = {
    Form.TRANSFER: ("派单人", "签收人", "签收时间", "承办单位（盖章）"),
    Form.SUPERVISE: ("督办人", "承办单位负责人", "签收时间", "承办单位（盖章）"),
    Form.CLOSING: ("承办人", "审批人", "办结时间", "承办单位（盖章）"),
}


@dataclass(frozen=True)
class Sheet:
    """A form ready to be set: pairs in a table, then texts under headings, then lines to sign."""

    form: Form
    title: str
    city: str
    ticket_id: int
    number: str
    third: bool
    facts: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]
    signatures: tuple[str, ...]
    mark: str
    printed: str


async def sheet(
    session: AsyncSession,
    actor: Actor,
    vault: Vault,
    ticket_id: int,
    form: Form,
    *,
    city: str,
    now: datetime,
    third: bool = False,
) -> Sheet:
    """The form of a ticket this person may see. Raises `ticket_not_found`, `print_not_ready`."""
    row = (await session.execute(_query(actor, ticket_id))).first()
    if row is None:
        raise HotlineError("ticket_not_found", ticket_id=ticket_id)
    texts = await _texts(session, row, form)
    hidden = third or row.is_confidential
    # The citizen in the clear: only to be found in what was written and taken out.
    veil = (await of_rows(session, vault, [row]))[row.id] if hidden else None
    facts = [
        (name, value if name in _OURS else covered(veil, value))
        for name, value in await _facts(session, row, form, third=third)
    ]
    at = to_city(now).strftime("%Y-%m-%d %H:%M")
    return Sheet(
        form,
        TITLES[form] + ("（对外副本）" if third else ""),
        city,
        row.id,
        row.number,
        third,
        tuple(facts),
        tuple((heading, covered(veil, written)) for heading, written in texts),
        _SIGNATURES[form],
        f"{actor.name} {actor.login}  {at}  {row.number}",
        f"{actor.name}（{actor.login}）于 {at} 打印",
    )


# Filled by the product itself, not by what somebody wrote: nothing in them to be masked.
_OURS = frozenset(
    {"工单编号", "登记时间", "派发时间", "办理期限", "来电人", "联系电话", "办结时间", "督办时间"}
)


def _query(actor: Actor, ticket_id: int) -> sa.Select[Any]:
    lead, district, street = (_unit.alias(name) for name in ("lead", "district", "street"))
    name, phone = _value.alias("name_value"), _value.alias("phone_value")
    return (
        sa.select(
            *_ticket.c,
            confidential().label("is_confidential"),
            _category.c.full_name.label("category"),
            lead.c.name.label("lead_unit"),
            district.c.name.label("district"),
            street.c.name.label("street"),
            name.c.masked.label("citizen"),
            phone.c.masked.label("phone"),
        )
        .select_from(_ticket)
        .join(_category, _category.c.id == _ticket.c.category_id)
        .outerjoin(lead, lead.c.id == _ticket.c.lead_unit_id)
        .outerjoin(district, district.c.id == _ticket.c.district_id)
        .outerjoin(street, street.c.id == _ticket.c.street_id)
        .outerjoin(name, name.c.id == _ticket.c.name_ref)
        .outerjoin(phone, phone.c.id == _ticket.c.phone_ref)
        .where(_ticket.c.id == ticket_id, visible_tickets(actor))
    )


async def _facts(session: AsyncSession, row: Any, form: Form, *, third: bool) -> list[tuple[str, str]]:
    helpers = await _co_units(session, row.id)
    place = _place(row.district or "", row.street or "", row.address)
    found = [
        ("工单编号", row.number),
        ("登记时间", _at(row.created_at)),
        ("诉求类型", f"{label(TicketType, row.type)}（{label(Channel, row.channel)}）"),
        ("紧急程度", label(Urgency, row.urgency)),
        ("诉求分类", row.category),
        ("发生地点", place or "—"),
        ("主办单位", row.lead_unit or "—"),
        ("协办单位", "、".join(helpers) or "—"),
        ("派发时间", _at(row.dispatched_at)),
        ("办理期限", _at(row.due_at)),
    ]
    point = None if row.is_confidential or third else (await points_of(session, [row.id])).get(row.id)
    if point is not None:
        found.insert(6, ("地图位置", point.words))
    if form is Form.CLOSING:
        found += [("当前状态", _STATES.get(row.state, row.state)), ("办结时间", _at(row.closed_at))]
    if row.is_confidential:
        found.append(("来电人", SEALED))
    elif not third:
        found += [("来电人", row.citizen or "未留姓名"), ("联系电话", row.phone or "—")]
    return found


def _place(district: str, street: str, address: str) -> str:
    """Where it is, without saying the district again in front of street and address."""
    parts = (district, street.removeprefix(district), address.removeprefix(district))
    return " ".join(part for part in parts if part)


async def _co_units(session: AsyncSession, ticket_id: int) -> list[str]:
    query = (
        sa.select(_unit.c.name)
        .join(_held, _held.c.unit_id == _unit.c.id)
        .where(_held.c.ticket_id == ticket_id, _held.c.role == "co", _held.c.until.is_(None))
    )
    return list((await session.execute(query.order_by(_held.c.id))).scalars())


async def _texts(session: AsyncSession, row: Any, form: Form) -> list[tuple[str, str]]:
    """What people wrote, under its headings. Raises `print_not_ready` when the step was not taken yet."""
    matter = [("诉求标题", row.title), ("诉求内容", row.narrative)]
    if row.expected:
        matter.append(("期望解决", row.expected))
    match form:
        case Form.TRANSFER:
            if row.lead_unit_id is None:
                raise HotlineError("print_not_ready", form=form.value)
            last = await _last(session, row.id, ("dispatch", "redispatch", "rule"))
            return [*matter, ("派单意见", last.get("note") or "请按规定期限办理，并先行联系来电人。")]
        case Form.SUPERVISE:
            last = await _last(session, row.id, ("supervise",))
            if not last:
                raise HotlineError("print_not_ready", form=form.value)
            opinion = f"{last['note']}\n（{last['actor_name']}，{_at(last['at'])}）"
            return [*matter, ("督办意见", opinion)]
        case Form.CLOSING:
            reply = await _newest_reply(session, row.id)
            if not reply:
                raise HotlineError("print_not_ready", form=form.value)
            solved = {True: "已解决", False: "未解决", None: ""}[reply["solved"]]
            return [
                *matter,
                ("办理情况", reply["handling"] or "—"),
                ("答复内容", reply["public_reply"] or "—"),
                ("办理结果", solved or "—"),
            ]


async def _last(session: AsyncSession, ticket_id: int, actions: tuple[str, ...]) -> Mapping[str, Any]:
    query = (
        sa.select(_history.c.note, _history.c.at, _history.c.actor_name)
        .where(_history.c.ticket_id == ticket_id, _history.c.action.in_(actions))
        .order_by(_history.c.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return dict(row._mapping) if row else {}


async def _newest_reply(session: AsyncSession, ticket_id: int) -> Mapping[str, Any]:
    query = (
        sa.select(_reply.c.handling, _reply.c.public_reply, _reply.c.solved)
        .where(_reply.c.ticket_id == ticket_id)
        .order_by(_reply.c.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return dict(row._mapping) if row else {}


def _at(instant: datetime | None) -> str:
    return to_city(instant).strftime("%Y-%m-%d %H:%M") if instant is not None else "—"
