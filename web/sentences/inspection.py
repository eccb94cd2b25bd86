"""Sentences of inspection."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "recording_unapproved": Problem(
        403, "调听须经批准", "没有打开录音。请先写明理由申请，另一位有审批权的同事批准后 24 小时内可以收听。"
    ),
    "recording_own": Problem(403, "不能批准自己的申请", "没有改动。请由另一位同事审批。"),
    "recording_decided": Problem(409, "这份申请已经处理过", "没有改动。请刷新页面查看结果。"),
}
