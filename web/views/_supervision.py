"""What the pages of supervision share: how a document begins, days and faults of a form."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import HotlineError
from core.people import org
from core.people.models import Unit
from core.people.permissions import Permission
from sla.supervision import proposals
from sla.supervision.terms import Ground, Kind, template
from tickets.queries import TicketPage
from web.context import context

SUPERVISE = Permission.TICKET_SUPERVISE
USUAL_DAYS = 3
FIELD_WORDS = {
    "required": "请填写。",
    "too_long": "内容过长，请精简。",
    "bad_value": "不正确，请核对。",
    "unknown_choice": "没有找到，请重新选择。",
    "in_past": "须晚于现在。",
    "in_future": "不能晚于现在。",
}
_AT = {"unit_cannot_take": "unit_id", "unit_is_missing": "unit_id"}


async def begun(
    request: web.Request, session: AsyncSession, ticket: TicketPage | None, kind: Kind, ground: Ground
) -> dict[str, Any]:
    """What a form begins with: unit, copies, subject and text."""
    ctx = context(request)
    reason = ""
    if ticket is not None and ground is not Ground.OTHER:
        now = ctx.clock.now()
        figure = await proposals.one(session, ctx.supervision.rules, ground, ticket.id, now)
        if ground is Ground.OVERDUE and ticket.due_at is not None and ticket.due_at < now:
            reason = proposals.overdue_reason(ctx.tickets.limits, ticket.due_at, now)
        elif figure is not None:
            reason = proposals.reason(ground, figure)
    unit = ticket.lead_unit_id if ticket else None
    text = template(
        kind,
        ground,
        number=ticket.number if ticket else "",
        title=ticket.title if ticket else "",
        reason=reason,
    )
    return {
        "unit_id": str(unit or ""),
        "copies": [str(one) for one in await _above(session, unit)] if kind is Kind.RAISED else [],
        "subject": ticket.title if ticket else "",
        "requirement": text,
        "recipient": "",
        "days": str(USUAL_DAYS),
        "report_on": "",
        "ground": ground.value,
        "version": ticket.version if ticket else "",
    }


async def _above(session: AsyncSession, unit_id: int | None) -> list[int]:
    """Whom a raised document is copied to: the district above, else the city's leaders."""
    if unit_id is None:
        return []
    unit: Unit = await org.unit(session, unit_id)
    return [unit.parent_id] if unit.parent_id is not None else []


def day_of(text: str, name: str) -> date | None:
    """A day out of a form. Raises `form_invalid`."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HotlineError("form_invalid", fields={name: "bad_value"}) from None


def field_errors(error: HotlineError) -> dict[str, str]:
    """By field: what is wrong with it."""
    given = error.params.get("fields")
    if isinstance(given, dict):
        return {str(name): FIELD_WORDS.get(str(code), "不正确，请核对。") for name, code in given.items()}
    return {_AT[error.code]: "请重新选择。"} if error.code in _AT else {}
