"""The timeline of a ticket in words: reasons by their label, corrections as before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.clock import to_city
from core.people.actor import Actor
from core.people.models import Unit
from sla.ladder import LEVEL_LABELS
from tickets import queries
from tickets.models import Category, TicketHistory, table_of
from tickets.queries import HistoryItem
from tickets.service import REASON_KINDS
from tickets.terms import Confidentiality, ContactMeans, ContactResult, TicketType, Urgency, label
from tickets.workflow import STAGE_LABELS, Action

_history = table_of(TicketHistory)
_unit = table_of(Unit)
_category = table_of(Category)
A = Action
FILTERS: tuple[tuple[str, str], ...] = (
    ("all", "全部"),
    ("states", "状态变化"),
    ("contacts", "联系"),
    ("notes", "备注"),
)
_CONTACTS = frozenset(
    {A.CONTACT, A.REVISIT, A.ASK_RELAY, A.ANSWER_RELAY, A.ADD, A.URGE, A.SUPPLEMENT, A.ASK_CITIZEN}
)
_WORDS: dict[str, str] = {
    "title": "标题",
    "narrative": "内容",
    "expected": "期望结果",
    "address": "地点",
    "subject_name": "被反映对象",
    "type": "类型",
    "urgency": "紧急程度",
    "confidentiality": "保密",
    "category_id": "分类",
    "subject_unit_id": "被反映单位",
}
CARD_WORDS: dict[str, str] = {level.value: word for level, word in LEVEL_LABELS.items()}
_TERMS: dict[str, Any] = {"type": TicketType, "urgency": Urgency, "confidentiality": Confidentiality}


@dataclass(frozen=True)
class Change:
    """One thing that was corrected, before and after."""

    word: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One line of the timeline: the row, and what it means."""

    item: HistoryItem
    reason: str
    changes: tuple[Change, ...]
    facts: tuple[str, ...]

    def belongs(self, shown: str) -> bool:
        """Whether the filter `shown` keeps it."""
        item = self.item
        if shown == "states":
            return item.from_state != item.to_state
        if shown == "contacts":
            return item.action in _CONTACTS
        return shown != "notes" or item.action == A.NOTE.value


async def lines(session: AsyncSession, actor: Actor, ticket_id: int, shown: str = "all") -> list[Line]:
    """What happened, oldest first; empty when this person may not see the ticket."""
    items = await queries.timeline(session, actor, ticket_id)
    if not items:
        return []
    query = sa.select(_history.c.id, _history.c.changes).where(_history.c.ticket_id == ticket_id)
    changes = {row.id: row.changes or {} for row in (await session.execute(query)).all()}
    names = await _names(session, changes.values())
    found = [
        Line(
            item,
            await _reason(session, item),
            _corrections(item, changes.get(item.id, {}), names),
            tuple(_facts(changes.get(item.id, {}), names)),
        )
        for item in items
    ]
    return [line for line in found if line.belongs(shown)]


async def _reason(session: AsyncSession, item: HistoryItem) -> str:
    code = item.reason_code
    if not code:
        return ""
    action = Action(item.action) if item.action in set(Action) else None
    kinds = [REASON_KINDS[action]] if action in REASON_KINDS else ["unsolved", "dissatisfied", "redo"]
    for kind in kinds:
        word = await reasons.label(session, kind, code)
        if word != code:
            return word
    return code


Names = Mapping[tuple[str, int], str]


async def _names(session: AsyncSession, all_changes: Iterable[Mapping[str, Any]]) -> Names:
    """The names of the units and categories the changes speak of."""
    units: set[int] = set()
    categories: set[int] = set()
    for changes in all_changes:
        told = changes.get("told", {})
        units.update(_ids(told.get("co_unit_ids")), _ids(told.get("unit_id")), _ids(told.get("from_unit_id")))
        units.update(_ids(changes.get("subject_unit_id")))
        categories.update(_ids(changes.get("category_id")))
    found: dict[tuple[str, int], str] = {}
    for kind, table, column, ids in (
        ("unit", _unit, _unit.c.name, units),
        ("category", _category, _category.c.full_name, categories),
    ):
        if ids:
            query = sa.select(table.c.id, column.label("name")).where(table.c.id.in_(ids))
            found.update({(kind, row.id): row.name for row in (await session.execute(query)).all()})
    return found


def _ids(value: Any) -> list[int]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, int)]
    return [value] if isinstance(value, int) else []


_TEXTS = frozenset({"title", "narrative", "expected", "address", "subject_name"})


def _corrections(item: HistoryItem, changes: Mapping[str, Any], names: Names) -> tuple[Change, ...]:
    if item.action != A.EDIT.value:
        return ()
    found = []
    for name, word in _WORDS.items():
        pair = changes.get(name)
        if item.sealed and name in _TEXTS:
            continue  # an earlier wording may have been corrected because it named the reporter
        if isinstance(pair, list) and len(pair) == 2:
            found.append(Change(word, _text(name, pair[0], names), _text(name, pair[1], names)))
    return tuple(found)


def _text(name: str, value: Any, names: Names) -> str:
    if value in (None, ""):
        return "（空）"
    if name in _TERMS:
        return label(_TERMS[name], str(value))
    kind = {"category_id": "category", "subject_unit_id": "unit"}.get(name)
    return names.get((kind, value), str(value)) if kind else str(value)


def _facts(changes: Mapping[str, Any], names: Names) -> Iterable[str]:
    """What else an action did, in words."""
    told = changes.get("told", {})
    if "means" in told:
        yield f"{label(ContactMeans, told['means'])}：{label(ContactResult, told.get('result'))}"
    co = [names[("unit", one)] for one in _ids(told.get("co_unit_ids")) if ("unit", one) in names]
    if co:
        yield f"协办：{'、'.join(co)}"
    due = changes.get("due_at")
    if isinstance(due, list) and due[0] and due[1]:
        yield f"办理期限改为 {to_city(datetime.fromisoformat(due[1])):%Y-%m-%d %H:%M}"
    if isinstance(told.get("levels"), list):
        stage = STAGE_LABELS.get(told.get("stage"), "")
        yield f"{stage}：{'、'.join(CARD_WORDS.get(level, level) for level in told['levels'])}"
    if told.get("automatic"):
        yield "到期自动签收"
    if told.get("sampled") is False:
        yield "未抽中回访，直接办结"
