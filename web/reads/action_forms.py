"""The form of each action of the workflow: its fields with words, choices and sensible first values.

A field's name is the name in `tickets.inputs`; the same list makes the dialog, the page without
JavaScript, and the form that comes back with what was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import reasons
from core.clock import to_city
from core.people import org
from core.people.actor import Actor
from tickets import queries, reply_templates
from tickets.inputs import MAX_NOTE, MAX_REPLY
from tickets.knowledge import search
from tickets.knowledge.search import Place
from tickets.queries import TicketPage
from tickets.service import REASON_KINDS
from tickets.terms import Confidentiality, ContactMeans, ContactResult, TicketType, Urgency, choices
from tickets.workflow import RULES, Action, Need
from web.reads.process import Process
from web.reads.similar import similar
from web.reads.units import UnitChoice, UnitGroup, unit_groups, village_choices

A = Action
Choices = Sequence[tuple[str, str]]
YES_NO: Choices = (("true", "是"), ("false", "否"))
DEGREES: Choices = (("5", "非常满意"), ("4", "满意"), ("3", "基本满意"), ("2", "不满意"), ("1", "非常不满意"))


@dataclass(frozen=True)
class Field:
    """One thing to fill in.

    `kind`: line, text, number, choice (a select), radio, tick, unit, units, category. `value` is what
    stands there first; `values` for `units`. `beginnings` are texts to start from, by their titles.
    """

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    value: str = ""
    values: tuple[str, ...] = ()
    choices: Choices = ()
    groups: Sequence[UnitGroup] = ()
    hint: str = ""
    most: int = MAX_NOTE
    rows: int = 3
    beginnings: Choices = ()
    articles: tuple[tuple[int, str, str], ...] = ()  # knowledge to answer by: id, question, answer
    use: str = ""  # where it is told which of them was put in


@dataclass(frozen=True)
class Form:
    """What is asked for one action."""

    action: Action
    fields: tuple[Field, ...]
    intro: str = ""

    def filled(self, typed: Mapping[str, Any]) -> Form:
        """The same form with what somebody typed; nothing is lost."""
        return replace(self, fields=tuple(_typed(field, typed) for field in self.fields))


def _typed(field: Field, typed: Mapping[str, Any]) -> Field:
    if field.kind == "units":
        return replace(field, values=tuple(typed.get(field.name, ())))
    if field.kind == "tick":
        return replace(field, value="on" if field.name in typed else "")
    return replace(field, value=str(typed[field.name])) if field.name in typed else field


# What stands above the note of an action; the others say 说明.
NOTES: dict[Action, str] = {
    A.ASK_CITIZEN: "请市民补充什么",
    A.SUPPLEMENT: "市民补充的内容",
    A.SIGN: "签收说明（选填）",
    A.DISPATCH: "派单说明（选填）",
    A.SUB_DISPATCH: "转派要求（选填）",
    A.REPORT_BACK: "办理情况",
    A.RETURN: "退单说明",
    A.CONTACT: "沟通内容（选填，不要写电话号码）",
    A.CO_OPINION: "协办意见",
    A.ADD_CO: "请协办单位做什么（选填）",
    A.APPLY_SUSPENSION: "挂起理由与阶段计划",
    A.RULE: "裁定意见",
    A.ACCEPT_RETURN: "裁定意见",
    A.REFUSE_RETURN: "驳回理由",
    A.REJECT_CHECK: "退回说明（须改正什么）",
    A.SUPERVISE: "督办要求",
    A.URGE: "催办内容（选填）",
    A.ADD: "补充内容",
    A.NOTE: "备注内容（仅内部可见）",
    A.ASK_RELAY: "请热线代为询问什么",
    A.ANSWER_RELAY: "市民的答复（不要写电话和证件号）",
    A.APPEAL: "市民不服的内容",
    A.VOID: "作废说明",
    A.WITHDRAW: "撤回说明",
    A.REVISIT: "回访记录（选填）",
    A.EDIT: "更正说明（选填）",
    A.ANSWER: "办理说明（仅内部可见，选填）",
    A.INFORM: "办理说明（仅内部可见，选填）",
}
INTROS: dict[Action, str] = {
    A.RETURN: "退单不影响市民的办理时限。同一工单每个单位只能退一次。",
    A.CLOSE: "办结须有联系记录和公开答复。公开答复会发给市民，请勿写电话、证件号。",
    A.EMERGENCY: "转紧急热线后工单在此终结，请先电话告知对方。",
    A.VOID: "作废后不再办理，编号保留。",
    A.MERGE: "并入主单后随主单一并办结，每位来电人都会收到答复；可以撤销。",
    A.APPEAL: "将建立一件新的申诉工单，由原承办单位以外的单位办理。",
    A.RULE: "裁定后先办后议，被裁定的单位不能再退单。",
    A.SUPERVISE: "督办件在所有列表中标出，办结后必须回访。",
    A.REDISPATCH: "改派不重新计算市民的办理时限。",
    A.ASK_RELAY: "承办单位看不到来电人号码，由热线代为询问并转告答复。",
    A.APPLY_EXTENSION: "须在到期前申请，由督查审批；第二次须由负责人申请。",
    A.APPLY_SUSPENSION: "由督查审批，复核日期最长 30 天，挂起期间仍计入统计。",
}


def _note(action: Action) -> Field:
    needed = Need.NOTE in RULES[action].needs
    label = NOTES.get(action, "说明" if needed else "说明（选填）")
    return Field("note", label, required=needed)


def _unit(
    label: str, groups: Sequence[UnitGroup], *, required: bool = True, value: int | None = None
) -> Field:
    text = "" if value is None else str(value)
    return Field("unit_id", label, "unit", required, text, groups=groups)


def _reply(value: str = "", *, rows: int = 5) -> Field:
    return Field(
        "public_reply", "公开答复（发给市民）", required=True, value=value, most=MAX_REPLY, rows=rows
    )


class Builder:
    """Makes the form of one action for one person and ticket, reading only what it needs."""

    def __init__(
        self, session: AsyncSession, actor: Actor, ticket: TicketPage, process: Process, now: datetime
    ) -> None:
        self.session = session
        self.now = now
        self.actor = actor
        self.ticket = ticket
        self.process = process

    async def form(self, action: Action) -> Form:
        """The fields of `action` in the order they are filled in, the note last."""
        fields: list[Field] = []
        kind = REASON_KINDS.get(action)
        if kind is not None:
            fields.append(await self._reason(kind))
        more = _MORE.get(action)
        if more is not None:
            fields += await more(self)
        return Form(action, (*fields, _note(action)), INTROS.get(action, ""))

    # ---- what several share

    async def _reason(self, kind: str, name: str = "reason_code", *, required: bool = True) -> Field:
        words = reasons.KINDS[kind]
        found = await reasons.choices(self.session, kind)
        hints = await reasons.hints(self.session, kind)
        hint = "；".join(f"{label}：{hints[code]}" for code, label in found if code in hints)
        return Field(name, words, "choice", required, choices=found, hint=hint[:300])

    async def _units(self) -> list[UnitGroup]:
        return await unit_groups(self.session)

    # ---- one by one

    async def answer(self) -> list[Field]:
        return [await self._with_beginnings(_reply())]

    async def dispatch(self) -> list[Field]:
        groups = await self._units()
        co = Field("co_unit_ids", "协办单位（选填，可多个）", "units", groups=groups)
        return [_unit("主办单位", groups), co]

    async def redispatch(self) -> list[Field]:
        return [_unit("改派给", await self._units())]

    async def rule(self) -> list[Field]:
        groups = await self._units()
        asked = self.process.pending("return")
        suggested = asked.suggested_unit_id if asked else None
        co = Field("co_unit_ids", "协办单位（选填，可多个）", "units", groups=groups)
        return [_unit("裁定由谁办理", groups, value=suggested), co]

    async def accept_return(self) -> list[Field]:
        asked = self.process.pending("return")
        suggested = asked.suggested_unit_id if asked else None
        field = _unit("直接改派给（不选则回到派单台）", await self._units(), required=False, value=suggested)
        return [field]

    async def sub_dispatch(self) -> list[Field]:
        below = set(await org.subtree_ids(self.session, self.actor.unit_id or 0)) - {self.actor.unit_id}
        groups = [
            UnitGroup(group.label, tuple(one for one in group.choices if one.id in below))
            for group in await self._units()
        ]
        groups.append(UnitGroup("村、社区", await village_choices(self.session, below)))
        return [_unit("下级单位", [group for group in groups if group.choices])]

    async def add_co(self) -> list[Field]:
        return [Field("unit_ids", "协办单位（可多个）", "units", True, groups=await self._units())]

    async def remove_co(self) -> list[Field]:
        there = [(str(unit.unit_id), unit.name) for unit in self.process.co_handlers]
        return [Field("unit_id", "协办单位", "choice", True, choices=there)]

    async def give_back(self) -> list[Field]:
        return [
            Field("basis", "依据（法规、三定方案、职责清单）", required=True, most=500, rows=2),
            Field("suggested_unit_id", "建议由谁办理", "unit", True, groups=await self._units()),
        ]

    async def contact(self) -> list[Field]:
        return [
            Field(
                "result",
                "联系结果",
                "radio",
                True,
                ContactResult.REACHED.value,
                choices=choices(ContactResult),
                hint=self._when_it_counts(),
            ),
            Field("means", "方式", "radio", value=ContactMeans.PHONE.value, choices=choices(ContactMeans)),
        ]

    def _when_it_counts(self) -> str:
        """From when on a try without success counts as another one."""
        found, minutes = self.process.tries, self.process.gap // timedelta(minutes=1)
        if self.process.contact_done:
            return ""
        if found.next_at is None:
            return f"未联系上的，须在不同时间联系 {found.left} 次，两次至少相隔 {minutes} 分钟"
        since = to_city(found.next_at).strftime("%m-%d %H:%M")
        return f"未联系上已计 {found.counted} 次，{since} 起再联系才计入下一次"

    async def _with_beginnings(self, field: Field) -> Field:
        """`field` with the reply templates of the ticket's category and the knowledge that is near it."""
        found = await reply_templates.for_ticket(self.session, self.actor, self.ticket.category_id)
        return replace(
            field,
            beginnings=tuple((one.body, one.title) for one in found),
            articles=await self._articles(),
            use=f"/tickets/{self.ticket.id}/knowledge",
        )

    async def _articles(self) -> tuple[tuple[int, str, str], ...]:
        """Articles in force for what the ticket says, the likeliest first."""
        text, day = f"{self.ticket.title}\n{self.ticket.narrative}", to_city(self.now).date()
        place = Place(self.ticket.category_id)
        found = await search.suggest(self.session, self.actor, text, day, place=place, limit=8)
        return tuple((one.id, one.question, one.answer) for one in found)

    async def close(self) -> list[Field]:
        last = self.process.reply
        fields = [
            Field(
                "handling",
                "办理过程（仅内部可见）",
                value=last.handling if last else "",
                most=MAX_REPLY,
                rows=4,
            ),
            await self._with_beginnings(_reply(last.public_reply if last else "")),
            Field("solved", "诉求是否解决", "radio", True, "true", choices=YES_NO),
            await self._reason("unsolved", "unsolved_code", required=False),
        ]
        if not self.process.contact_done:
            fields += [
                replace(
                    field,
                    label=f"本次{field.label}",
                    required=False,
                    value="",
                    hint=f"没有联系记录，请在此登记。{field.hint}",
                )
                for field in (await self.contact())[:1]
            ]
        return fields

    async def report_back(self) -> list[Field]:
        return [Field("public_reply", "答复建议（选填）", most=MAX_REPLY, rows=4)]

    async def days(self) -> list[Field]:
        return [Field("days", "天数", "number", True, most=60)]

    async def redo(self) -> list[Field]:
        return [_unit("重办单位（不选则由原单位重办）", await self._units(), required=False)]

    async def revisit(self) -> list[Field]:
        results = list(choices(ContactResult))
        reason = await self._reason("dissatisfied", required=False)
        redo = await reasons.choices(self.session, "redo")
        return [
            Field("result", "回访结果", "radio", True, "reached", choices=results),
            Field("responded", "承办单位是否联系过", "radio", choices=YES_NO),
            Field("solved", "诉求是否解决", "radio", choices=YES_NO),
            Field("satisfied", "满意度", "radio", choices=DEGREES),
            replace(reason, label="未解决、不满意或重办的原因", choices=[*reason.choices, *redo], hint=""),
            Field("redo", "直接重办", "tick"),
            _unit("重办单位（不选则由原单位重办）", await self._units(), required=False),
        ]

    async def merge(self) -> list[Field]:
        found = await similar(self.session, self.actor, self.ticket)
        lines = [(str(one.id), f"{one.number[-6:]} · {one.title} · {one.why}") for one in found]
        hint = "同一来电人或同一地点的未办结工单" if lines else "没有找到同一来电人或同一地点的未办结工单"
        return [
            Field("master_id", "主单", "choice", choices=lines, hint=hint),
            Field("master_number", "或输入主单的 18 位工单号", "line", most=30),
        ]

    async def edit(self) -> list[Field]:
        ticket = self.ticket
        listed = [(str(one.id), one.full_name) for one in await queries.categories(self.session)]
        unit = "" if ticket.subject_unit_id is None else str(ticket.subject_unit_id)
        groups = self._with_subject(await self._units())
        return [
            Field("title", "标题", "line", True, ticket.title, most=120),
            Field("narrative", "内容", required=True, value=ticket.narrative, most=10000, rows=6),
            Field("expected", "期望结果", value=ticket.expected, rows=2),
            Field("type", "类型", "choice", True, ticket.type, choices=choices(TicketType)),
            Field("urgency", "紧急程度", "choice", True, ticket.urgency, choices=choices(Urgency)),
            Field(
                "confidentiality",
                "保密",
                "choice",
                True,
                ticket.confidentiality,
                choices=choices(Confidentiality),
            ),
            Field("category_id", "分类", "category", True, str(ticket.category_id), choices=listed),
            Field("address", "地点", "line", value=ticket.address, most=200),
            Field("subject_name", "被反映对象", "line", value=ticket.subject_name, most=100),
            Field(
                "subject_unit_id",
                "被反映单位",
                "unit",
                value=unit,
                groups=groups,
                hint="清空即取消；更换或取消须填写更正说明" if unit else "",
            ),
        ]

    def _with_subject(self, groups: list[UnitGroup]) -> list[UnitGroup]:
        """A unit that no picker offers any more must stay chosen, or the form would clear it."""
        ident, name = self.ticket.subject_unit_id, self.ticket.subject_unit
        if ident is None or any(one.id == ident for group in groups for one in group.choices):
            return groups
        return [UnitGroup("现登记", (UnitChoice(ident, name or "", ""),)), *groups]


_MORE: dict[Action, Callable[[Builder], Any]] = {
    A.ANSWER: Builder.answer,
    A.INFORM: Builder.answer,
    A.DISPATCH: Builder.dispatch,
    A.REDISPATCH: Builder.redispatch,
    A.RULE: Builder.rule,
    A.ACCEPT_RETURN: Builder.accept_return,
    A.SUB_DISPATCH: Builder.sub_dispatch,
    A.ADD_CO: Builder.add_co,
    A.REMOVE_CO: Builder.remove_co,
    A.RETURN: Builder.give_back,
    A.CONTACT: Builder.contact,
    A.CLOSE: Builder.close,
    A.REPORT_BACK: Builder.report_back,
    A.APPLY_EXTENSION: Builder.days,
    A.APPLY_SUSPENSION: Builder.days,
    A.REDO: Builder.redo,
    A.REVISIT: Builder.revisit,
    A.MERGE: Builder.merge,
    A.EDIT: Builder.edit,
}
# Which button stands first, most wanted at the left; what is not named follows in the table's order.
FIRST: tuple[Action, ...] = (
    *(A.ACCEPT, A.DISPATCH, A.SIGN, A.APPROVE_CLOSING, A.RULE, A.ACCEPT_RETURN, A.APPROVE_EXTENSION),
    *(A.APPROVE_SUSPENSION, A.PASS_CHECK, A.REVISIT, A.CO_OPINION, A.REPORT_BACK, A.CONTACT, A.CLOSE),
    *(A.REFUSE_CLOSING, A.REFUSE_RETURN, A.REFUSE_EXTENSION, A.REFUSE_SUSPENSION, A.REJECT_CHECK),
    *(A.APPROVE_EXCLUSION, A.REFUSE_EXCLUSION, A.RESUME, A.SUPPLEMENT, A.ANSWER, A.SUB_DISPATCH, A.RETURN),
)
# Ends and oddities stand last, so that nobody takes them for the usual way.
LAST: tuple[Action, ...] = (
    *(A.EMERGENCY, A.INFORM, A.ASK_CITIZEN, A.APPLY_EXCLUSION, A.WITHDRAW, A.VOID, A.ARCHIVE),
)
# The note has its own small form on the page.
NOT_IN_BAR = frozenset({A.NOTE})


def in_order(actions: Iterable[Any]) -> list[Any]:
    """Offers in the order of the bar."""
    rank = {action: place for place, action in enumerate(FIRST)}
    last = {action: len(FIRST) + 1 + place for place, action in enumerate(LAST)}
    return sorted(actions, key=lambda offer: (rank | last).get(offer.action, len(FIRST)))


__all__ = ["FIRST", "NOT_IN_BAR", "Builder", "Field", "Form", "in_order"]
