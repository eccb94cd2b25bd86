"""The documents the demo city's supervision issued, in words; pure."""

from dataclasses import dataclass
from datetime import time

from sla.supervision.terms import Kind, Step


@dataclass(frozen=True)
class Act:
    """A step, so many working days ago."""

    days: int
    at: time
    step: Step
    text: str = ""


@dataclass(frozen=True)
class Document:
    """A document and its course; `unit`: the how manieth of those with accounts."""

    name: str
    kind: Kind
    course: tuple[Act, ...]
    unit: int = 0
    on_ticket: bool = True
    subject: str = ""
    text: str = ""
    reason: str = "市民多次来电反映未见进展"
    parent: str | None = None
    copies: int = 0
    limit: int | None = None


def _issued(days: int, hour: int, minute: int) -> Act:
    return Act(days, time(hour, minute), Step.ISSUE)


_ACK, _REPORT, _BACK, _CLOSE = Step.ACKNOWLEDGE, Step.REPORT, Step.SEND_BACK, Step.CLOSE
RECORD = "｜".join(
    (
        "市12345热线中心二楼会议室",
        "承办单位分管负责人、热线工作联络员；热线中心督办科。",
        "通报近一个月按期办结和群众评价情况；承办单位说明超期原因：窗口人员变动，签收后未及时分派到科室。",
        "一、工单签收后当日分派到科室；二、分管领导每周调度一次超期工单；三、月底前办结全部存量超期工单。",
    )
)
SCRIPT: tuple[Document, ...] = (
    Document(
        "urged",
        Kind.URGE_NOTICE,
        (_issued(9, 9, 20), Act(9, time(10, 5), _ACK)),
    ),
    Document("urged-lately", Kind.URGE_NOTICE, (_issued(1, 15, 40),), unit=2),
    Document(
        "done",
        Kind.ORDER,
        (
            _issued(8, 9, 45),
            Act(8, time(11, 10), _ACK),
            Act(6, time(16, 20), _REPORT, "已现场核实并整改到位，责任科室已向市民当面说明，市民表示认可。"),
            Act(5, time(10, 0), _CLOSE, "反馈属实，问题已解决，同意销号。"),
        ),
        unit=1,
        subject="窗口排队时间长、叫号混乱问题集中反映",
        limit=3,
    ),
    Document(
        "answered",
        Kind.ORDER,
        (
            _issued(4, 10, 15),
            Act(4, time(14, 35), _ACK),
            Act(1, time(16, 50), _REPORT, "已组织施工单位进场，预计三个工作日内完工，已电话告知市民进度。"),
        ),
        limit=5,
    ),
    Document(
        "late",
        Kind.ORDER,
        (_issued(5, 15, 0), Act(5, time(16, 30), _ACK), Act(1, time(15, 5), Step.REMIND)),
        unit=4,
        limit=3,
    ),
    Document("waiting", Kind.ORDER, (_issued(1, 17, 10),), limit=3),
    Document(
        "escalated",
        Kind.ORDER,
        (
            _issued(10, 9, 30),
            Act(10, time(15, 20), _ACK),
            Act(7, time(11, 30), _REPORT, "已转相关科室研究处理。"),
            Act(7, time(15, 45), _BACK, "反馈过于笼统，请写明处理措施、责任人和完成时间。"),
            Act(4, time(17, 20), _REPORT, "涉及两家单位职责，正在协调，尚未确定牵头单位。"),
        ),
        unit=5,
        subject="商业街油烟与噪声反复投诉，牵头单位不明确",
        limit=3,
    ),
    Document(
        "raised",
        Kind.RAISED,
        (_issued(3, 9, 10), Act(3, time(10, 25), _ACK)),
        parent="escalated",
        subject="商业街油烟与噪声反复投诉，牵头单位不明确",
        reason="多个单位之间职责未定，问题未解决",
        copies=1,
        limit=5,
    ),
    Document(
        "named",
        Kind.BULLETIN,
        (_issued(6, 10, 0), Act(6, time(11, 40), _ACK)),
        unit=6,
        on_ticket=False,
        subject="上月工单超期办理情况通报",
        text="贵单位上月12345热线工单超期件数居市直部门前列，现予以通报。请查明原因，举一反三，整改到位。",
        copies=2,
    ),
    Document(
        "spoken-to",
        Kind.INTERVIEW,
        (
            _issued(7, 16, 0),
            Act(7, time(17, 5), _ACK),
            Act(5, time(11, 30), Step.RECORD, RECORD),
            Act(
                2,
                time(15, 30),
                _REPORT,
                "约谈商定的三项措施已落实两项，存量超期工单已办结过半，其余月底前办结。",
            ),
        ),
        unit=7,
        on_ticket=False,
        subject="诉求办理不及时问题约谈",
        text=(
            "贵单位近一个月多件工单超期办理，群众评价偏低。请分管负责同志到市12345热线中心接受约谈，"
            "并准备书面材料，说明原因和整改措施。"
        ),
        limit=5,
    ),
)
