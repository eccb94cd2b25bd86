"""The documents of supervision: kinds, states, who takes which step when, and their Chinese words. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from tickets.states import Action


class Kind(StrEnum):
    """What kind of document it is, in the order of the ladder."""

    URGE_NOTICE = "urge_notice"
    ORDER = "order"
    RAISED = "raised"
    BULLETIN = "bulletin"
    INTERVIEW = "interview"
    HANDOVER = "handover"


class OrderState(StrEnum):
    """Where a document stands."""

    ISSUED = "issued"
    ACKNOWLEDGED = "acknowledged"
    REPORTED = "reported"
    CLOSED = "closed"
    REVOKED = "revoked"


class Step(StrEnum):
    """What is done to a document; also the step of a row of its course."""

    ISSUE = "issue"
    ACKNOWLEDGE = "acknowledge"
    REPORT = "report"
    SEND_BACK = "send_back"
    RECORD = "record"
    LOOK = "look"
    REMIND = "remind"
    RAISE = "raise"
    CLOSE = "close"
    REVOKE = "revoke"


class Ground(StrEnum):
    """Why it was proposed, or issued."""

    OVERDUE = "overdue"
    DISSATISFIED = "dissatisfied"
    REDOS = "redos"
    UNITS = "units"
    OTHER = "other"


class By(StrEnum):
    """Whose step it is: the unit it is addressed to, supervision, or the clock."""

    UNIT = "unit"
    SUPERVISION = "supervision"
    CLOCK = "clock"


KIND_LABELS: dict[Kind, str] = {
    Kind.URGE_NOTICE: "催办通知书",
    Kind.ORDER: "督办单",
    Kind.RAISED: "提级督办",
    Kind.BULLETIN: "通报",
    Kind.INTERVIEW: "约谈",
    Kind.HANDOVER: "移送",
}
# What stands over the paper.
TITLES: dict[Kind, str] = {
    Kind.URGE_NOTICE: "催办通知书",
    Kind.ORDER: "督办单",
    Kind.RAISED: "提级督办单",
    Kind.BULLETIN: "督办通报",
    Kind.INTERVIEW: "约谈通知书",
    Kind.HANDOVER: "移送函",
}
STATE_LABELS: dict[OrderState, str] = {
    OrderState.ISSUED: "待签收",
    OrderState.ACKNOWLEDGED: "待反馈",
    OrderState.REPORTED: "反馈待审",
    OrderState.CLOSED: "已销号",
    OrderState.REVOKED: "已撤销",
}
STEP_LABELS: dict[Step, str] = {
    Step.ISSUE: "制发",
    Step.ACKNOWLEDGE: "签收",
    Step.REPORT: "反馈",
    Step.SEND_BACK: "退回补充",
    Step.RECORD: "登记约谈记录",
    Step.LOOK: "回头看",
    Step.REMIND: "逾期提醒",
    Step.RAISE: "提级",
    Step.CLOSE: "销号",
    Step.REVOKE: "撤销",
}
GROUND_LABELS: dict[Ground, str] = {
    Ground.OVERDUE: "超期未办结",
    Ground.DISSATISFIED: "重办后仍不满意",
    Ground.REDOS: "多次重办",
    Ground.UNITS: "多个单位承办未落实",
    Ground.OTHER: "其他",
}
OPEN: frozenset[OrderState] = frozenset({OrderState.ISSUED, OrderState.ACKNOWLEDGED, OrderState.REPORTED})
# The unit is told what to do and answers; a notice or a bulletin is only acknowledged, and then done with.
REPORTED_ON: frozenset[Kind] = frozenset({Kind.ORDER, Kind.RAISED, Kind.INTERVIEW})
# A unit never learns that it was handed over to discipline inspection (docs/adr/0016).
KEPT_FROM_UNITS: frozenset[Kind] = frozenset({Kind.HANDOVER})
# The document that a ground calls for.
CALLS_FOR: dict[Ground, Kind] = {
    Ground.OVERDUE: Kind.ORDER,
    Ground.DISSATISFIED: Kind.ORDER,
    Ground.REDOS: Kind.RAISED,
    Ground.UNITS: Kind.RAISED,
    Ground.OTHER: Kind.ORDER,
}
# What the ticket's own history calls the issue of a document, and what becomes of it.
ISSUED_AS: dict[Kind, Action] = {
    Kind.URGE_NOTICE: Action.URGE,
    Kind.ORDER: Action.SUPERVISE,
    Kind.RAISED: Action.SUPERVISE,
    Kind.BULLETIN: Action.SUPERVISE,
    Kind.INTERVIEW: Action.SUPERVISE,
}
FOLLOWED_AS: dict[Step, Action] = {
    Step.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Step.REPORT: Action.ANSWER_ORDER,
    Step.SEND_BACK: Action.ASK_ORDER,
    Step.CLOSE: Action.END_ORDER,
    Step.REVOKE: Action.END_ORDER,
}


@dataclass(frozen=True)
class StepRule:
    """From where a step leads where (None: the state stays), whose it is, for which kinds."""

    sources: frozenset[OrderState]
    target: OrderState | None
    by: By
    kinds: frozenset[Kind] = frozenset(Kind)
    needs_text: bool = False


S = OrderState
RULES: dict[Step, StepRule] = {
    Step.ACKNOWLEDGE: StepRule(
        frozenset({S.ISSUED}), S.ACKNOWLEDGED, By.UNIT, frozenset(Kind) - KEPT_FROM_UNITS
    ),
    Step.REPORT: StepRule(
        frozenset({S.ISSUED, S.ACKNOWLEDGED}), S.REPORTED, By.UNIT, REPORTED_ON, needs_text=True
    ),
    Step.SEND_BACK: StepRule(
        frozenset({S.REPORTED}), S.ACKNOWLEDGED, By.SUPERVISION, REPORTED_ON, needs_text=True
    ),
    Step.RECORD: StepRule(OPEN, None, By.SUPERVISION, frozenset({Kind.INTERVIEW})),
    Step.LOOK: StepRule(
        OPEN | {S.CLOSED}, None, By.SUPERVISION, frozenset({Kind.INTERVIEW}), needs_text=True
    ),
    Step.REMIND: StepRule(frozenset({S.ISSUED, S.ACKNOWLEDGED}), None, By.CLOCK, REPORTED_ON),
    Step.RAISE: StepRule(OPEN, S.CLOSED, By.SUPERVISION, frozenset({Kind.URGE_NOTICE, Kind.ORDER})),
    Step.CLOSE: StepRule(OPEN, S.CLOSED, By.SUPERVISION, needs_text=True),
    Step.REVOKE: StepRule(OPEN, S.REVOKED, By.SUPERVISION, needs_text=True),
}


def allows(step: Step, kind: Kind, state: OrderState) -> bool:
    """Whether the step exists for such a document in this state."""
    rule = RULES.get(step)
    return rule is not None and kind in rule.kinds and state in rule.sources


def leads_to(step: Step, kind: Kind, state: OrderState) -> OrderState:
    """The state after the step; what asks for no report is done with once it is acknowledged."""
    target = RULES[step].target
    if step is Step.ACKNOWLEDGE and kind not in REPORTED_ON:
        return OrderState.CLOSED
    return target or state


def template(kind: Kind, ground: Ground, *, number: str = "", title: str = "", reason: str = "") -> str:
    """The text a document begins with, for the officer to go on writing."""
    matter = f"贵单位承办的工单 {number}（{title}）" if number else "贵单位承办的12345热线事项"
    why = f"，{reason}" if reason else ""
    match kind:
        case Kind.URGE_NOTICE:
            return f"{matter}{why}，请抓紧办理，尽快联系市民并答复。"
        case Kind.RAISED:
            return (
                f"{matter}{why}，现提级督办。请主要负责同志牵头办理，明确主办单位和完成时限，并报告办理结果。"
            )
        case Kind.BULLETIN:
            return f"{matter}{why}，现予以通报。请举一反三，整改到位。"
        case Kind.INTERVIEW:
            return (
                f"{matter}{why}。请主要负责同志于    月    日    时到            接受约谈，并准备书面材料。"
            )
        case Kind.HANDOVER:
            return f"{matter}{why}，涉嫌履职不力，现将有关材料移送，请按权限处理。"
    extra = "请重新核实办理，与市民充分沟通" if ground is Ground.DISSATISFIED else "请立即办理"
    return f"{matter}{why}，现予督办。{extra}，并在期限内报告办理情况、责任人和完成时间。"
