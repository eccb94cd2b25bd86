"""The words of the trade: codes kept in the database and what people read on screens and forms.

Codes are stable; labels may be reworded. Pure data, shared by the form, the workflow and every view.
"""

from enum import StrEnum


class TicketType(StrEnum):
    """What is asked for (诉求类型)."""

    CONSULT = "consult"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"
    PRAISE = "praise"
    APPEAL = "appeal"
    OTHER = "other"


class Urgency(StrEnum):
    """How soon it must be looked at (紧急程度)."""

    NORMAL = "normal"
    URGENT = "urgent"
    CRITICAL = "critical"


class Confidentiality(StrEnum):
    """Who may know whose matter it is (保密程度)."""

    PUBLIC = "public"
    NORMAL = "normal"
    SECRET = "secret"  # noqa: S105 - a degree of confidentiality, not a password
    ANONYMOUS = "anonymous"


class Channel(StrEnum):
    """The way it reached the hotline (来源渠道)."""

    PHONE = "phone"
    WEB = "web"
    WECHAT = "wechat"
    WEIBO = "weibo"
    KIOSK = "kiosk"
    EMAIL = "email"
    PLATFORM = "platform"
    VOICEMAIL = "voicemail"
    TEXT = "text"


class Disposition(StrEnum):
    """Why a call left a numbered record and no ticket."""

    DIRECT_ANSWER = "direct_answer"
    INFORMED = "informed"
    EXPLAINED = "explained"
    EMERGENCY = "emergency"
    WRONG_NUMBER = "wrong_number"
    HARASSMENT = "harassment"
    SILENT = "silent"


class DraftEnd(StrEnum):
    """What a draft became; it ends once."""

    TICKET = "ticket"
    URGE = "urge"
    ADDITION = "addition"
    RECORD = "record"


class CallbackEnd(StrEnum):
    """How a call-back task was closed."""

    CALLED_BACK = "called_back"
    UNREACHABLE = "unreachable"
    CALLED_AGAIN = "called_again"
    LEFT_MESSAGE = "left_message"  # known only after the task was made


class AttemptResult(StrEnum):
    """What came of one try to call a citizen back."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SWITCHED_OFF = "switched_off"
    INVALID_NUMBER = "invalid_number"
    REJECTED = "rejected"
    # Told by the telephone alone: the citizen was not reached for, so it counts as no try.
    CANCELLED = "cancelled"
    TRUNK_DOWN = "trunk_down"
    AGENT_NO_ANSWER = "agent_no_answer"
    AGENT_BUSY = "agent_busy"
    AGENT_UNREACHABLE = "agent_unreachable"
    NOT_DIALLED = "not_dialled"


# What a person may note; the rest only the telephone knows.
NOTED_BY_HAND = (
    AttemptResult.REACHED,
    AttemptResult.NO_ANSWER,
    AttemptResult.BUSY,
    AttemptResult.REJECTED,
    AttemptResult.SWITCHED_OFF,
    AttemptResult.INVALID_NUMBER,
)


class ContactMeans(StrEnum):
    """How a unit reached out to the citizen."""

    PHONE = "phone"
    VISIT = "visit"
    MESSAGE = "message"
    RELAY = "relay"


class ContactResult(StrEnum):
    """What came of it; three tries at different times without reaching count as not to be reached."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SWITCHED_OFF = "switched_off"
    INVALID_NUMBER = "invalid_number"
    REFUSED = "refused"


LABELS: dict[type[StrEnum], dict[str, str]] = {
    TicketType: {
        "consult": "咨询",
        "help": "求助",
        "complaint": "投诉",
        "report": "举报",
        "suggestion": "建议",
        "praise": "表扬",
        "appeal": "申诉",
        "other": "其他",
    },
    Urgency: {"normal": "一般", "urgent": "紧急", "critical": "特急"},
    Confidentiality: {"public": "公开", "normal": "一般", "secret": "保密", "anonymous": "匿名"},
    Channel: {
        "phone": "电话",
        "web": "网站",
        "wechat": "微信",
        "weibo": "微博",
        "kiosk": "便民服务亭",
        "email": "邮件",
        "platform": "上级平台",
        "voicemail": "语音留言",
        "text": "文字服务",
    },
    Disposition: {
        "direct_answer": "直接答复",
        "informed": "告知法定途径",
        "explained": "解释说明",
        "emergency": "转紧急热线",
        "wrong_number": "误拨",
        "harassment": "骚扰",
        "silent": "无声电话",
    },
    DraftEnd: {"ticket": "转为工单", "urge": "催办", "addition": "补充", "record": "登记"},
    CallbackEnd: {
        "called_back": "已回拨",
        "unreachable": "拨不通",
        "called_again": "已另来电",
        "left_message": "已留言",
    },
    ContactMeans: {"phone": "电话", "visit": "上门", "message": "短信", "relay": "热线代转"},
    ContactResult: {
        "reached": "已联系上",
        "no_answer": "无人接听",
        "busy": "占线",
        "switched_off": "关机或停机",
        "invalid_number": "号码无效",
        "refused": "拒绝沟通",
    },
    AttemptResult: {
        "reached": "已接通",
        "no_answer": "无人接听",
        "busy": "占线",
        "switched_off": "关机或停机",
        "invalid_number": "号码无效",
        "rejected": "对方拒接",
        "cancelled": "坐席中途挂断",
        "trunk_down": "外线不通",
        "agent_no_answer": "坐席话机未接",
        "agent_busy": "坐席话机占线",
        "agent_unreachable": "坐席话机未注册",
        "not_dialled": "未能拨出",
    },
}


def label(kind: type[StrEnum], code: str | None) -> str:
    """The Chinese word for `code`; the code itself when it is not one of `kind`, "" for None."""
    return "" if code is None else LABELS[kind].get(code, code)


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """(code, word) pairs in the order in which people are used to read them."""
    return list(LABELS[kind].items())
