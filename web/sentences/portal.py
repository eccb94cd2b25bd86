"""Sentences of the citizens' portal, and of what citizens do to their tickets on any channel."""

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "act_not_now": Problem(
        409, "现在不能这样做", f"这件诉求的办理状态已变化，没有改动。{KEPT}请刷新后查看可以做什么。"
    ),
    "acts_too_many": Problem(
        429, "操作太频繁", f"催办每天一次，补充最多 20 次，没有改动。{KEPT}急事请拨打 12345。"
    ),
    "already_rated": Problem(409, "已经评价过", "这件诉求您已评价，没有改动。如不满意，可以提出申诉。"),
}
