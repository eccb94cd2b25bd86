"""The states of a ticket, what people do to it, the stages it passes: codes and Chinese words. Pure."""

from enum import StrEnum


class State(StrEnum):
    """Where a ticket stands."""

    WAITING_ACCEPT = "waiting_accept"
    WAITING_SUPPLEMENT = "waiting_supplement"
    WAITING_DISPATCH = "waiting_dispatch"
    WAITING_SIGN = "waiting_sign"
    HANDLING = "handling"
    RETURN_REVIEW = "return_review"
    RULING = "ruling"
    EXTENSION_REVIEW = "extension_review"
    SUSPENSION_REVIEW = "suspension_review"
    SUSPENDED = "suspended"
    CLOSING_REVIEW = "closing_review"
    WAITING_CHECK = "waiting_check"
    WAITING_CALLBACK = "waiting_callback"
    CLOSED = "closed"
    ANSWERED = "answered"
    INFORMED = "informed"
    EMERGENCY = "emergency"
    ARCHIVED = "archived"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    VOID = "void"


class Action(StrEnum):
    """What is done to a ticket; also the action of a history row."""

    CREATE = "create"
    ACCEPT = "accept"
    ASK_CITIZEN = "ask_citizen"
    SUPPLEMENT = "supplement"
    ANSWER = "answer"
    INFORM = "inform"
    EMERGENCY = "emergency"
    DISPATCH = "dispatch"
    SIGN = "sign"
    CONTACT = "contact"
    SUB_DISPATCH = "sub_dispatch"
    REPORT_BACK = "report_back"
    TAKE_BACK = "take_back"
    CLOSE = "close"
    APPROVE_CLOSING = "approve_closing"
    REFUSE_CLOSING = "refuse_closing"
    RETURN = "return"
    ACCEPT_RETURN = "accept_return"
    REFUSE_RETURN = "refuse_return"
    RULE = "rule"
    REDISPATCH = "redispatch"
    ADD_CO = "add_co"
    REMOVE_CO = "remove_co"
    CO_OPINION = "co_opinion"
    APPLY_EXTENSION = "apply_extension"
    APPROVE_EXTENSION = "approve_extension"
    REFUSE_EXTENSION = "refuse_extension"
    APPLY_SUSPENSION = "apply_suspension"
    APPROVE_SUSPENSION = "approve_suspension"
    REFUSE_SUSPENSION = "refuse_suspension"
    RESUME = "resume"
    PASS_CHECK = "pass_check"  # noqa: S105 - an action, not a password
    REJECT_CHECK = "reject_check"
    REVISIT = "revisit"
    RATE = "rate"
    REDO = "redo"
    APPLY_EXCLUSION = "apply_exclusion"
    APPROVE_EXCLUSION = "approve_exclusion"
    REFUSE_EXCLUSION = "refuse_exclusion"
    URGE = "urge"
    SUPERVISE = "supervise"
    ACKNOWLEDGE = "acknowledge"
    ANSWER_ORDER = "answer_order"
    ASK_ORDER = "ask_order"
    END_ORDER = "end_order"
    ASK_RELAY = "ask_relay"
    ANSWER_RELAY = "answer_relay"
    ADD = "add"
    NOTE = "note"
    EDIT = "edit"
    MERGE = "merge"
    UNMERGE = "unmerge"
    CLOSE_MEMBER = "close_member"
    HAND_OVER = "hand_over"
    APPEAL = "appeal"
    WITHDRAW = "withdraw"
    VOID = "void"
    ARCHIVE = "archive"
    CARD = "card"  # issued by the ladder: changes nothing of the ticket
    RECOUNT = "recount"  # clocks counted anew after a change of the calendar


class Stage(StrEnum):
    """A stretch of the process with an owner and a due time."""

    TOTAL = "total"
    ACCEPT = "accept"
    SUPPLEMENT = "supplement"
    DISPATCH = "dispatch"
    SIGN = "sign"
    CONTACT = "contact"
    HANDLE = "handle"
    CO_OPINION = "co_opinion"
    RETURN_WINDOW = "return_window"
    RETURN_RULING = "return_ruling"
    DECISION = "decision"
    SUSPENSION = "suspension"
    CHECK = "check"
    CALL_BACK = "call_back"
    REDO = "redo"
    EXCLUSION = "exclusion"


S = State
STATE_LABELS: dict[State, str] = {
    S.WAITING_ACCEPT: "待受理",
    S.WAITING_SUPPLEMENT: "待补充",
    S.WAITING_DISPATCH: "待派单",
    S.WAITING_SIGN: "待签收",
    S.HANDLING: "办理中",
    S.RETURN_REVIEW: "退单审核",
    S.RULING: "争议裁定",
    S.EXTENSION_REVIEW: "延期审核",
    S.SUSPENSION_REVIEW: "挂起审核",
    S.SUSPENDED: "挂起",
    S.CLOSING_REVIEW: "办结审批",
    S.WAITING_CHECK: "待审核",
    S.WAITING_CALLBACK: "待回访",
    S.CLOSED: "已办结",
    S.ANSWERED: "直办办结",
    S.INFORMED: "告知办结",
    S.EMERGENCY: "已转紧急",
    S.ARCHIVED: "已归档",
    S.MERGED: "已合并",
    S.WITHDRAWN: "已撤回",
    S.VOID: "作废",
}
ACTION_LABELS: dict[Action, str] = {
    Action.CREATE: "登记",
    Action.ACCEPT: "受理",
    Action.ASK_CITIZEN: "要求补充",
    Action.SUPPLEMENT: "市民已补充",
    Action.ANSWER: "直接答复",
    Action.INFORM: "告知法定途径",
    Action.EMERGENCY: "转紧急热线",
    Action.DISPATCH: "派发",
    Action.SIGN: "签收",
    Action.CONTACT: "联系市民",
    Action.SUB_DISPATCH: "转派下级",
    Action.REPORT_BACK: "回报上级",
    Action.TAKE_BACK: "收回自办",
    Action.CLOSE: "办结",
    Action.APPROVE_CLOSING: "同意办结",
    Action.REFUSE_CLOSING: "不同意办结",
    Action.RETURN: "申请退单",
    Action.ACCEPT_RETURN: "同意退单",
    Action.REFUSE_RETURN: "驳回退单",
    Action.RULE: "裁定承办",
    Action.REDISPATCH: "改派",
    Action.ADD_CO: "增加协办",
    Action.REMOVE_CO: "取消协办",
    Action.CO_OPINION: "协办意见",
    Action.APPLY_EXTENSION: "申请延期",
    Action.APPROVE_EXTENSION: "同意延期",
    Action.REFUSE_EXTENSION: "不同意延期",
    Action.APPLY_SUSPENSION: "申请挂起",
    Action.APPROVE_SUSPENSION: "同意挂起",
    Action.REFUSE_SUSPENSION: "不同意挂起",
    Action.RESUME: "恢复办理",
    Action.PASS_CHECK: "审核通过",
    Action.REJECT_CHECK: "审核退回",
    Action.REVISIT: "回访",
    Action.RATE: "市民评价",
    Action.REDO: "重办",
    Action.APPLY_EXCLUSION: "申请剔除",
    Action.APPROVE_EXCLUSION: "同意剔除",
    Action.REFUSE_EXCLUSION: "不同意剔除",
    Action.URGE: "催办",
    Action.SUPERVISE: "督办",
    Action.ACKNOWLEDGE: "签收督办文书",
    Action.ANSWER_ORDER: "督办反馈",
    Action.ASK_ORDER: "督办反馈退回",
    Action.END_ORDER: "督办销号",
    Action.ASK_RELAY: "请热线代为询问",
    Action.ANSWER_RELAY: "代答",
    Action.ADD: "补充",
    Action.NOTE: "备注",
    Action.EDIT: "更正",
    Action.MERGE: "并案",
    Action.UNMERGE: "撤销并案",
    Action.CLOSE_MEMBER: "随主单办结",
    Action.HAND_OVER: "移交承办单位",
    Action.APPEAL: "申诉",
    Action.WITHDRAW: "撤回",
    Action.VOID: "作废",
    Action.ARCHIVE: "归档",
    Action.CARD: "亮牌",
    Action.RECOUNT: "重算时限",
}
STAGE_LABELS: dict[Stage, str] = {
    Stage.TOTAL: "总时限",
    Stage.ACCEPT: "受理",
    Stage.SUPPLEMENT: "市民补充",
    Stage.DISPATCH: "派单",
    Stage.SIGN: "签收",
    Stage.CONTACT: "先行联系",
    Stage.HANDLE: "办理",
    Stage.CO_OPINION: "协办意见",
    Stage.RETURN_WINDOW: "可退单期限",
    Stage.RETURN_RULING: "退单裁定",
    Stage.DECISION: "审批",
    Stage.SUSPENSION: "挂起复核",
    Stage.CHECK: "审核",
    Stage.CALL_BACK: "回访",
    Stage.REDO: "重办",
    Stage.EXCLUSION: "剔除审核",
}
STAGE_OF: dict[State, Stage] = {
    S.WAITING_ACCEPT: Stage.ACCEPT,
    S.WAITING_SUPPLEMENT: Stage.SUPPLEMENT,
    S.WAITING_DISPATCH: Stage.DISPATCH,
    S.WAITING_SIGN: Stage.SIGN,
    S.HANDLING: Stage.HANDLE,
    S.RETURN_REVIEW: Stage.RETURN_RULING,
    S.RULING: Stage.RETURN_RULING,
    S.EXTENSION_REVIEW: Stage.DECISION,
    S.SUSPENSION_REVIEW: Stage.DECISION,
    S.SUSPENDED: Stage.SUSPENSION,
    S.CLOSING_REVIEW: Stage.DECISION,
    S.WAITING_CHECK: Stage.CHECK,
    S.WAITING_CALLBACK: Stage.CALL_BACK,
}
FINAL: frozenset[State] = frozenset(
    {S.CLOSED, S.ANSWERED, S.INFORMED, S.EMERGENCY, S.ARCHIVED, S.MERGED, S.WITHDRAWN, S.VOID}
)
OPEN: frozenset[State] = frozenset(State) - FINAL
# A unit is at work on it.
WITH_UNIT: frozenset[State] = frozenset(
    {S.WAITING_SIGN, S.HANDLING, S.EXTENSION_REVIEW, S.SUSPENSION_REVIEW, S.SUSPENDED, S.CLOSING_REVIEW}
)
# The unit has done its part: the citizen's clock stands.
AFTER_CLOSING: frozenset[State] = frozenset({S.WAITING_CHECK, S.WAITING_CALLBACK})
# … and it is the unit's own turn: what a department finds on its to-do. The index ix_ticket_desk_due
# covers exactly these; changing them takes a migration.
TODO_STATES: tuple[State, ...] = (
    S.WAITING_SIGN,
    S.HANDLING,
    S.EXTENSION_REVIEW,
    S.SUSPENSION_REVIEW,
    S.CLOSING_REVIEW,
)
# The total runs, whoever's turn it is: what the supervision desk watches by time left. The index
# ix_ticket_running covers exactly these.
RUNNING_STATES: tuple[State, ...] = (
    S.WAITING_DISPATCH,
    S.WAITING_SIGN,
    S.HANDLING,
    S.RETURN_REVIEW,
    S.RULING,
    S.EXTENSION_REVIEW,
    S.SUSPENSION_REVIEW,
    S.CLOSING_REVIEW,
)
