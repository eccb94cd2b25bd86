"""Sentences of the responsibility catalogue, the dispatch rules and the gazetteer."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "responsibility_missing": Problem(404, "没有这一条责任清单", "清单中没有这一条。请返回清单重新查找。"),
    "responsibility_changed": Problem(
        409, "别人先改了这一条", f"责任清单的这一条刚被修改，没有保存。{_KEPT}请刷新后核对再保存。"
    ),
    "responsibility_invalid": Problem(
        422, "责任清单没有保存", f"有的项目不正确，请改正标出的项目后再保存。{_KEPT}"
    ),
    "rules_missing": Problem(404, "没有这一版规则", "这一版派单规则不存在。请返回规则页选择。"),
    "rules_no_draft": Problem(409, "没有规则草稿", "草稿已上线或已放弃，没有改动。请先建立草稿。"),
    "rules_draft_open": Problem(
        409, "已有规则草稿", "草稿里可能有别人没完成的修改，没有改动。请先上线或放弃草稿，再取用历次版本。"
    ),
    "rules_changed": Problem(409, "草稿刚被修改", "别人刚修改了规则草稿，没有保存。请刷新后再改。"),
    "rules_untried": Problem(
        409,
        "上线前须先试算",
        "这份草稿最后一次修改后还没有试算完成，没有上线。请先试算近 30 天的工单。",
    ),
    "rule_invalid": Problem(
        422, "规则没有保存", "编码不能重复，名称和派往单位必填，每个条件不超过 50 个值、每个值不超过 40 字。"
    ),
    "rule_missing": Problem(404, "没有这条规则", "草稿中没有这条规则，可能已被删除。请刷新后再看。"),
    "trial_missing": Problem(404, "没有这次试算", "试算不存在。请返回规则页。"),
    "place_invalid": Problem(
        422, "地名没有保存", "名称须为 2 至 60 字，所属单位须为启用的区县、街道或村（社区）。请核对。"
    ),
    "figures_span": Problem(422, "日期不正确", "起始日期不能晚于截止日期，一次最多看 92 天。请重新选择。"),
}
