"""What is published: populations, their tables, the words and the dictionary of data; pure."""

from dataclasses import dataclass

from sla.opendata.suppression import K
from tickets.terms import LABELS, Channel, TicketType

UNKNOWN = "0"  # no area, no category
UNKNOWN_WORD = "未注明"
BANDS: dict[str, str] = {
    "d1": "1 天以内",
    "d3": "1–3 天",
    "d7": "3–7 天",
    "d15": "7–15 天",
    "more": "15 天以上",
    "open": "统计时尚未办结",
}
YES, NO = "yes", "no"
LICENCE = "/open/licence"


@dataclass(frozen=True)
class Dimension:
    """What is counted by; `words`: code → word, empty: named when the release is made."""

    code: str
    name: str
    what: str
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Population:
    """Who is counted, by a hub (the rows of all its tables) and other dimensions, one table each."""

    code: str
    name: str
    what: str
    hub: str
    others: tuple[str, ...]
    answers: tuple[str, str] | None = None  # words of YES and NO where the hub is an outcome: a rate


def _words(labels: dict[str, str], *but: str) -> tuple[tuple[str, str], ...]:
    return tuple((code, word) for code, word in labels.items() if code not in but)


DIMENSIONS: dict[str, Dimension] = {
    one.code: one
    for one in (
        Dimension("area", "县（市、区）", "诉求发生地所在的县（市、区），0 为未注明"),
        Dimension("category", "一级分类", "诉求的一级分类，0 为未注明"),
        Dimension("type", "诉求类型", "诉求的类型，不含举报", _words(LABELS[TicketType], TicketType.REPORT)),
        Dimension("channel", "来源渠道", "诉求到达热线的渠道", _words(LABELS[Channel])),
        Dimension("days", "办结用时", "从受理到办结的自然天数，截至统计时点", tuple(BANDS.items())),
        Dimension("outcome", "结果", "是或否，见各表说明"),
    )
}
POPULATIONS: tuple[Population, ...] = (
    Population(
        "accepted",
        "受理诉求",
        "当月登记成单的诉求，作废的除外",
        "area",
        ("type", "category", "channel", "days"),
    ),
    Population(
        "on_time",
        "按时办结",
        "总时限在当月到期的诉求，重办的每一轮各计一件次",
        "outcome",
        ("area", "category"),
        ("按时办结", "超期"),
    ),
    Population(
        "solved", "解决", "当月回访中回答了“是否解决”的", "outcome", ("area", "category"), ("解决", "未解决")
    ),
    Population(
        "satisfied",
        "满意",
        "当月回访中回答了“是否满意”的",
        "outcome",
        ("area", "category"),
        ("满意", "不满意"),
    ),
)
LEFT_OUT = (
    "举报件、保密件和匿名件不计入；作废件不计入。",
    f"凡少于 {K} 件的数、能由其他数推算出这些数的数，都留空不公布；行内件数过少的县（市、区）合并为一行。",
    f"更正作为新版本并列发布；与先前版本相差少于 {K} 件的数不公布，先前没有公布的数不再公布。",
    "数据中没有诉求原文、姓名、电话、地址等任何可以识别个人的内容。",
)


def table_code(population: Population, other: str) -> str:
    """The stable name of a table, part of its address."""
    return f"{population.code}-by-{other}"
