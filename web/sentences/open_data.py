"""Sentences of public data."""

from web.sentences.problem import Problem

_NOT = "没有生成新版本。"

PROBLEMS: dict[str, Problem] = {
    "open_month_running": Problem(422, "这个月还没有结束", f"{_NOT}请在次月一日以后再生成。"),
    "open_reason": Problem(422, "请写明理由", "没有改动。请写明理由后重试。"),
    "open_waiting": Problem(409, "有一版还没有决定", f"{_NOT}请先对待定的那一版作出决定。"),
    "open_unchanged": Problem(409, "数字没有变化", f"{_NOT}统计结果与已发布的一版相同，不需要更正。"),
    "open_too_small": Problem(
        409,
        "变动太小，不能更正",
        f"{_NOT}与已发布的一版相差少于 5 件，两版相减会显出个别诉求。请等变动积累到 5 件以上。",
    ),
    "open_decided": Problem(409, "已经有人决定过了", "没有改动。请刷新页面查看决定。"),
    "open_own": Problem(403, "不能批准自己生成的版本", "没有改动。请由另一位同事审核发布。"),
}
