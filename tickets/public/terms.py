"""What citizens are told, in words they use: states, steps, and which acts are open when. Pure.

Nobody is named here but units; reasons and notes of the hotline and of units stay inside.
"""

from enum import StrEnum

from tickets.states import OPEN, Action, State

S, A = State, Action
CONTENT_FROM = 3  # of five


class Act(StrEnum):
    """What a citizen may do to his ticket."""

    SUPPLEMENT = "supplement"
    ADD = "add"
    URGE = "urge"
    WITHDRAW = "withdraw"
    OBJECT = "object"
    RATE = "rate"


ACT_WORDS: dict[Act, str] = {
    Act.SUPPLEMENT: "补充材料",
    Act.ADD: "补充情况",
    Act.URGE: "催办",
    Act.WITHDRAW: "撤回诉求",
    Act.OBJECT: "提出申诉",
    Act.RATE: "评价办理结果",
}
_OVER = frozenset({S.CLOSED, S.ANSWERED, S.INFORMED})
OPEN_IN: dict[Act, frozenset[State]] = {
    Act.SUPPLEMENT: frozenset({S.WAITING_SUPPLEMENT}),
    Act.ADD: OPEN - {S.WAITING_SUPPLEMENT, S.WAITING_CALLBACK},
    Act.URGE: OPEN - {S.WAITING_SUPPLEMENT, S.WAITING_CALLBACK},
    Act.WITHDRAW: OPEN - {S.WAITING_CALLBACK},
    Act.OBJECT: _OVER | {S.ARCHIVED},
    Act.RATE: _OVER | {S.WAITING_CALLBACK},
}
# The reply was cleared: the hotline checked it, or gave it itself.
REPLIED: frozenset[State] = frozenset({S.WAITING_CALLBACK, *_OVER, S.ARCHIVED})
STATE_WORDS: dict[State, str] = {
    S.WAITING_ACCEPT: "已收到，等待热线受理",
    S.WAITING_SUPPLEMENT: "需要您补充情况",
    S.WAITING_DISPATCH: "已受理，正在确定承办单位",
    S.WAITING_SIGN: "已转交承办单位",
    S.HANDLING: "承办单位正在办理",
    S.RETURN_REVIEW: "承办单位认为不属于其职责，热线正在核实由谁办理",
    S.RULING: "正在裁定由哪个单位办理",
    S.EXTENSION_REVIEW: "承办单位正在办理",
    S.SUSPENSION_REVIEW: "承办单位正在办理",
    S.SUSPENDED: "因客观原因暂停办理，条件具备后继续",
    S.CLOSING_REVIEW: "承办单位正在审批办理结果",
    S.WAITING_CHECK: "承办单位已办理，热线正在审核",
    S.WAITING_CALLBACK: "已答复，请您评价",
    S.CLOSED: "已办结",
    S.ANSWERED: "热线已直接答复",
    S.INFORMED: "热线已告知办理途径",
    S.EMERGENCY: "已转紧急热线处置",
    S.ARCHIVED: "已办结",
    S.MERGED: "已与相同的诉求合并办理",
    S.WITHDRAWN: "已按您的要求撤回",
    S.VOID: "已作废，不再办理",
}
# `{unit}`: the unit the step was about. What is not here is no business of the citizen's.
STEP_WORDS: dict[Action, str] = {
    A.CREATE: "收到您的诉求",
    A.ACCEPT: "热线已受理",
    A.ASK_CITIZEN: "请您补充情况",
    A.SUPPLEMENT: "您补充了情况",
    A.ANSWER: "热线已直接答复",
    A.INFORM: "热线已告知办理途径",
    A.EMERGENCY: "已转紧急热线处置",
    A.DISPATCH: "已转交{unit}办理",
    A.SIGN: "承办单位已签收，开始办理",
    A.CONTACT: "承办单位联系了您",
    A.SUB_DISPATCH: "承办单位已安排{unit}具体办理",
    A.CLOSE: "承办单位已办理，热线正在审核",
    A.RETURN: "承办单位认为不属于其职责，申请退回",
    A.ACCEPT_RETURN: "热线同意退回，重新确定承办单位",
    A.REFUSE_RETURN: "热线核实后认为应由该单位办理，继续办理",
    A.RULE: "经裁定，由{unit}办理",
    A.REDISPATCH: "改由{unit}办理",
    A.HAND_OVER: "承办单位调整，改由{unit}办理",
    A.APPROVE_EXTENSION: "经批准延长办理时限",
    A.APPROVE_SUSPENSION: "因客观原因暂停办理",
    A.RESUME: "恢复办理",
    A.REJECT_CHECK: "热线审核认为办理不到位，退回承办单位继续办理",
    A.PASS_CHECK: "热线审核通过，答复见下方",
    A.REVISIT: "热线回访",
    A.RATE: "您已评价",
    A.REDO: "热线要求重新办理",
    A.URGE: "已催办",
    A.SUPERVISE: "热线已督办",
    A.ADD: "补充了情况",
    A.MERGE: "与相同的诉求合并办理",
    A.UNMERGE: "恢复单独办理",
    A.CLOSE_MEMBER: "合并办理的诉求已办结",
    A.APPEAL: "您提出了申诉",
    A.WITHDRAW: "诉求已撤回",
    A.VOID: "诉求已作废",
}


def acts_in(state: State | str, *, rated: bool) -> frozenset[Act]:
    """What the citizen of a ticket in `state` may do; `rated`: he has answered the three questions."""
    found = {act for act, states in OPEN_IN.items() if State(state) in states}
    return frozenset(found - {Act.RATE} if rated else found)
