"""Sentences of duplicates and clusters."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "repeat_sealed": Problem(
        409,
        "保密诉求不能并案",
        f"举报、保密和匿名诉求须单独立单，不与其他来电人的工单合并，没有改动。{_KEPT}请保存成工单。",
    ),
    "cluster_not_found": Problem(404, "没有找到这条预警", "预警不存在，或您无权查看。请返回列表。"),
    "cluster_decided": Problem(
        409, "这条预警已处理", "已有同事确认或排除了这条预警，没有改动。请刷新后再看。"
    ),
    "cluster_empty": Problem(
        409, "没有可以并案的工单", "成员工单都已办结、已并案或已进入审核，没有改动。可以排除这条预警。"
    ),
}
