"""The documents of supervision on paper: 督办单, 催办通知书, 通报, 约谈通知书 and 约谈记录, 移送函.

A paper travels: about a ticket whose reporter is sealed it never names the reporter, whoever prints it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from core.errors import HotlineError
from core.people.actor import Actor
from core.people.models import Unit
from core.privacy import Vault
from sla.supervision.order_page import OrderPage, order_page
from sla.supervision.terms import GROUND_LABELS, KEPT_FROM_UNITS, TITLES, Ground, Kind, Step
from tickets.models import Ticket, table_of
from tickets.queries.veils import REFS, confidential, of_rows
from tickets.veil import Veil, covered

_ticket = table_of(Ticket)
_unit = table_of(Unit)


class Form(StrEnum):
    """The document itself, or the record of its interview."""

    DOCUMENT = "document"
    RECORD = "record"


@dataclass(frozen=True)
class OrderSheet:
    """A paper ready to be set."""

    form: Form
    order_id: int
    title: str
    city: str
    number: str
    facts: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]
    signatures: tuple[str, ...]
    mark: str
    printed: str
    recorded: bool


async def order_sheet(
    session: AsyncSession, actor: Actor, vault: Vault, order_id: int, form: Form, *, city: str, now: datetime
) -> OrderSheet:
    """The paper of a document this person may see. Raises `order_not_found`, `print_not_ready`."""
    found = await order_page(session, actor, order_id)
    if form is Form.RECORD and found.interview is None:
        raise HotlineError("print_not_ready", form=form.value)
    unit = (
        await session.execute(sa.select(_unit.c.name).where(_unit.c.id == found.item.unit_id))
    ).scalar_one()
    veil = await _veil(session, vault, found.item.ticket_id)
    facts, texts, title = _record(found, unit) if form is Form.RECORD else _document(found, unit)
    at = to_city(now).strftime("%Y-%m-%d %H:%M")
    signatures = (
        ("约谈人", "被约谈人", "记录人", "日期")
        if form is Form.RECORD
        else ("签发人", "承办单位负责人", "签收时间", "承办单位（盖章）")
    )
    if Kind(found.item.kind) in KEPT_FROM_UNITS:
        signatures = ("签发人", "接收单位经办人", "接收时间", "接收单位（盖章）")
    return OrderSheet(
        form,
        order_id,
        title,
        city,
        found.item.number,
        tuple(facts),
        tuple((heading, covered(veil, text)) for heading, text in texts),
        signatures,
        f"{actor.name} {actor.login}  {at}  {found.item.number}",
        f"{actor.name}（{actor.login}）于 {at} 打印",
        found.interview is not None,
    )


async def _veil(session: AsyncSession, vault: Vault, ticket_id: int | None) -> Veil | None:
    """The reporter in the clear, only to be taken out of what was written."""
    if ticket_id is None:
        return None
    query = sa.select(_ticket.c.id, *(_ticket.c[name] for name in REFS))
    rows = (await session.execute(query.where(_ticket.c.id == ticket_id, confidential()))).all()
    return (await of_rows(session, vault, rows)).get(ticket_id) if rows else None


Pairs = list[tuple[str, str]]


def _document(found: OrderPage, unit: str) -> tuple[Pairs, Pairs, str]:
    item, kind = found.item, Kind(found.item.kind)
    facts = [
        ("文号", item.number),
        ("签发时间", _at(item.issued_at)),
        ("接收单位" if kind in KEPT_FROM_UNITS else "主送单位", found.recipient or unit),
        (
            "涉及单位" if kind in KEPT_FROM_UNITS else "抄送",
            unit if found.recipient else "、".join(found.copies) or "—",
        ),
        ("关联工单", item.ticket_number or "—"),
        ("督办原因", GROUND_LABELS[Ground(item.ground)]),
        ("签发人", found.issued_by or "—"),
        ("反馈期限", _at(item.report_by)),
    ]
    if found.parent is not None:
        facts.append(("原文书", found.parent[1]))
    texts = [("事由", item.subject), ("内容和要求", found.requirement)]
    report = next((one for one in reversed(found.course) if one.step == Step.REPORT.value), None)
    if report is not None:
        texts.append(("办理反馈", f"{report.note}\n（{report.unit or ''} {report.actor}，{_at(report.at)}）"))
    ended = next((one for one in reversed(found.course) if one.step in (Step.CLOSE, Step.REVOKE)), None)
    if ended is not None:
        texts.append((ended.word, f"{ended.note}\n（{ended.actor}，{_at(ended.at)}）"))
    return facts, texts, TITLES[kind]


def _record(found: OrderPage, unit: str) -> tuple[Pairs, Pairs, str]:
    told = found.interview
    assert told is not None
    facts = [
        ("文号", found.item.number),
        ("约谈单位", unit),
        ("约谈时间", _at(told.held_at)),
        ("约谈地点", told.place or "—"),
        ("关联工单", found.item.ticket_number or "—"),
        ("回头看日期", _at(found.item.next_look_at)[:10]),
    ]
    texts = [
        ("事由", found.item.subject),
        ("参加人员", told.attendees),
        ("约谈内容", told.minutes),
        ("商定措施", told.measures),
    ]
    looks = [one for one in found.course if one.step == Step.LOOK.value]
    if looks:
        texts.append(("回头看", "\n".join(f"{_at(one.at)} {one.actor}：{one.note}" for one in looks)))
    return facts, texts, "约谈记录"


def _at(instant: datetime | None) -> str:
    return to_city(instant).strftime("%Y-%m-%d %H:%M") if instant is not None else "—"
