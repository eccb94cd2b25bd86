"""Every figure and how it is made: the only place where that is said. Pure.

A *counter* is how many facts of one code there are (`sla.measures.steps`). A *rate* is a counter over
another. Pages, reports and hovers read from here.
"""

from dataclasses import dataclass

from sla.measures.steps import OPEN_PREFIX
from tickets.states import STAGE_LABELS, STAGE_OF

MIN_N = 30  # below it a unit has no place in a ranking


@dataclass(frozen=True)
class Counter:
    """Something that is counted. `but_for`: only what has no such fact beside it."""

    code: str
    name: str
    what: str
    but_for: str | None = None
    settled: bool = False  # a day counts when it is over
    rounds: bool = False  # a ticket may count more than once


@dataclass(frozen=True)
class Rate:
    """`part` of `of`; `silent` names who gave no answer, shown beside it."""

    code: str
    name: str
    formula: str
    part: str
    of: str
    higher_is_better: bool = True
    silent: str | None = None


_COUNTERS = (
    Counter("accepted", "受理", "热线受理的诉求：登记成单或由热线直接答复；按受理之日计"),
    Counter("direct", "直办", "热线当场或自行答复办结、没有派给承办单位的诉求；按答复之日计"),
    Counter(
        "sent", "派发", "派发、改派、转派、裁定或重办给一个单位，每次计 1 件次；按派发之日计", rounds=True
    ),
    Counter(
        "signed", "及时签收", "承办人在签收时限内签收的派发；到时限自动签收的不计；按派发之日计", rounds=True
    ),
    Counter(
        "contacted",
        "及时先行联系",
        "在先行联系时限内联系上市民（或三次不同时间联系不上）的派发；按派发之日计",
        rounds=True,
    ),
    Counter("returned", "退单", "承办单位申请退单，每次计 1 件次；按申请之日计", rounds=True),
    Counter(
        "due",
        "应办结",
        "总时限到期的工单，重办的每一轮各计 1 件次；按到期之日计，到期日当天结束后计入",
        settled=True,
        rounds=True,
    ),
    Counter(
        "on_time",
        "按时办结",
        "应办结中，办结件在到期前送到审核的；审核退回的重新计；按到期之日计",
        settled=True,
        rounds=True,
    ),
    Counter(
        "overdue",
        "超期",
        "应办结中没有按时办结的：应办结 − 按时办结",
        but_for="on_time",
        settled=True,
        rounds=True,
    ),
    Counter("passed", "审核通过", "审核通过的办结，每一轮计 1 件次；按通过之日计", rounds=True),
    Counter("redone", "重办", "回访或审核后发回重办，每次计 1 件次；按发回之日计", rounds=True),
    Counter("asked_responded", "问到“是否响应”", "回访中回答了这一问的；按回访之日计", rounds=True),
    Counter("responded", "响应", "回访中回答“已联系、已响应”的", rounds=True),
    Counter("asked_solved", "问到“是否解决”", "回访中回答了这一问的；按回访之日计", rounds=True),
    Counter("solved", "解决", "回访中回答“已解决”的", rounds=True),
    Counter("asked_satisfied", "问到“是否满意”", "回访中回答了这一问的；按回访之日计", rounds=True),
    Counter("satisfied", "满意", "回访中评为非常满意、满意、基本满意的", rounds=True),
    Counter(
        "unreached", "未回应", "回访三次未接通、号码无效或拒绝回访的；不计入三率，随三率列出", rounds=True
    ),
)
STAGES = tuple(dict.fromkeys(stage.value for stage in STAGE_OF.values()))
_OPEN = tuple(
    Counter(OPEN_PREFIX + stage, f"在办：{STAGE_LABELS[one]}", "现在停留在这一环节的工单；按进入环节之日计")
    for one in dict.fromkeys(STAGE_OF.values())
    for stage in (one.value,)
)
COUNTERS: dict[str, Counter] = {counter.code: counter for counter in (*_COUNTERS, *_OPEN)}
RATES: dict[str, Rate] = {
    rate.code: rate
    for rate in (
        Rate("direct_rate", "直办率", "直办 ÷ 受理", "direct", "accepted"),
        Rate("sign_rate", "及时签收率", "及时签收 ÷ 派发", "signed", "sent"),
        Rate("contact_rate", "先行联系率", "及时先行联系 ÷ 派发", "contacted", "sent"),
        Rate("on_time_rate", "按时办结率", "按时办结 ÷ 应办结（到期日已过的）", "on_time", "due"),
        Rate("overdue_rate", "超期率", "超期 ÷ 应办结（到期日已过的）", "overdue", "due", False),
        Rate("return_rate", "退单率", "退单 ÷ 派发", "returned", "sent", False),
        Rate("redo_rate", "重办率", "重办 ÷ 审核通过", "redone", "passed", False),
        Rate(
            "response_rate",
            "响应率",
            "回答“已响应” ÷ 问到“是否响应”",
            "responded",
            "asked_responded",
            silent="unreached",
        ),
        Rate(
            "solved_rate",
            "解决率",
            "回答“已解决” ÷ 问到“是否解决”",
            "solved",
            "asked_solved",
            silent="unreached",
        ),
        Rate(
            "satisfied_rate",
            "满意率",
            "评为基本满意及以上 ÷ 问到“是否满意”",
            "satisfied",
            "asked_satisfied",
            silent="unreached",
        ),
    )
}
THREE_RATES = ("response_rate", "solved_rate", "satisfied_rate")
# Units are compared with their like (分档).
PEERS: dict[str, str] = {"bureau": "市直部门", "district": "县（市、区）", "town": "乡镇、街道"}


def kept_codes(codes: frozenset[str] | set[str]) -> set[str]:
    """The codes whose sums answer for these counters: what is left over is made of two others."""
    found = set()
    for code in codes:
        found |= {"due", "on_time"} if code == "overdue" else {code}
    return found


def number(counter: str, sums: dict[str, int]) -> int:
    """A counter out of the kept sums by code."""
    if counter == "overdue":
        return sums.get("due", 0) - sums.get("on_time", 0)
    return sums.get(counter, 0)
