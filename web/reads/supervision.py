"""What the pages of supervision share: the tabs with their counts, words, the tone of a document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.people import org
from core.people.actor import Actor
from core.pinyin import initials
from sla.supervision import proposals, queries
from sla.supervision.proposals import Rules
from sla.supervision.terms import GROUND_LABELS, KIND_LABELS, STATE_LABELS, STEP_LABELS, Kind, OrderState
from tickets.queries.queues import request_counts
from tickets.queries.risk import risk_counts
from web.reads.units import UnitChoice, UnitGroup

TONES: dict[str, str] = {
    OrderState.ISSUED.value: "warn",
    OrderState.ACKNOWLEDGED.value: "info",
    OrderState.REPORTED.value: "warn",
    OrderState.CLOSED.value: "good",
    OrderState.REVOKED.value: "quiet",
}
KIND_TONES: dict[str, str] = {
    Kind.URGE_NOTICE.value: "info",
    Kind.ORDER.value: "warn",
    Kind.RAISED.value: "bad",
    Kind.BULLETIN.value: "warn",
    Kind.INTERVIEW.value: "bad",
    Kind.HANDOVER.value: "secret",
}
WORDS: dict[str, dict[str, str]] = {
    "kinds": {kind.value: word for kind, word in KIND_LABELS.items()},
    "states": {state.value: word for state, word in STATE_LABELS.items()},
    "steps": {step.value: word for step, word in STEP_LABELS.items()},
    "grounds": {ground.value: word for ground, word in GROUND_LABELS.items()},
    "tones": TONES,
    "kind_tones": KIND_TONES,
}


async def tabs(session: AsyncSession, person: Actor, rules: Rules, now: datetime) -> dict[str, Any]:
    """The counts on the tabs of the desk."""
    risk = await risk_counts(session, now=now)
    proposed = await proposals.counts(session, rules, now=now)
    orders = await queries.order_counts(session, person, now=now)
    waiting = await request_counts(session, person)
    decisions = sum(waiting.get(kind, 0) for kind in ("extension", "suspension", "exclusion"))
    return {"risk": risk, "proposed": proposed, "orders": orders, "decisions": decisions}


async def copy_groups(session: AsyncSession) -> list[UnitGroup]:
    """Whom a document may be copied to: every unit people work in, with the city and its districts first."""
    found = [unit for unit in await org.units(session) if unit.kind not in ("village", "hotline")]
    names = (("city", "市级"), ("district", "区县"), ("bureau", "市直部门"), ("town", "乡镇街道"))
    groups = [
        UnitGroup(
            label,
            tuple(UnitChoice(one.id, one.name, initials(one.name)) for one in found if one.kind == kind),
        )
        for kind, label in names
    ]
    return [group for group in groups if group.choices]
