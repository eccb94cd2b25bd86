"""Sentences of knowledge."""

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "knowledge_not_found": Problem(
        404, "没有这条知识", "知识不存在、已撤下，或不在您可查看的范围。请返回知识库。"
    ),
    "knowledge_incomplete": Problem(422, "还不完整", f"没有保存。问题和答复都要填写。{KEPT}"),
    "knowledge_too_long": Problem(
        422, "内容太长", f"没有保存。问题最多 200 字，答复最多 4000 字，依据最多 500 字。{KEPT}"
    ),
    "knowledge_span": Problem(422, "有效期前后颠倒", f"没有保存。失效日期早于生效日期，请改正。{KEPT}"),
    "knowledge_unit": Problem(422, "归属单位不能用", f"没有保存。请选择本单位或下级的在用单位。{KEPT}"),
    "knowledge_in_review": Problem(
        409, "正在审核或待发布", f"没有保存。这一版已提交；需要修改时请先取回，或等退回后再改。{KEPT}"
    ),
    "knowledge_step": Problem(409, "现在不能这样办理", "没有改动。这条知识的状态已经变化，请刷新后再看。"),
    "knowledge_own_work": Problem(403, "不能审核自己写的内容", "没有改动。请由本单位另一位审核人审核。"),
    "knowledge_over": Problem(
        422, "有效期已过", "没有发布。这一版的失效日期已经过去，请退回修改有效期后再发布。"
    ),
    "knowledge_reason": Problem(422, "请填写原因", f"没有改动。退回、撤下和不予修改都要写明原因。{KEPT}"),
    "task_not_found": Problem(404, "没有这件纠错任务", "任务不存在，或不归您所在单位办理。请返回列表。"),
    "task_closed": Problem(409, "任务已办结", "没有改动。这件任务已经由他人办结，请刷新列表。"),
    "synonyms_invalid": Problem(
        422, "同义词不能用", f"没有保存。每组 2 至 12 个词，每个词 2 至 20 字，用空格或顿号隔开。{KEPT}"
    ),
    "synonyms_too_many": Problem(409, "同义词已满", "没有保存。最多 2000 组，请先移除不用的。"),
    "banner_text": Problem(422, "标题或内容不能用", f"没有发布。标题 1 至 80 字，内容 1 至 1000 字。{KEPT}"),
    "banner_ends": Problem(422, "有效时间不对", f"没有发布。有效期须晚于现在。{KEPT}"),
    "banner_over": Problem(409, "口径已撤下或到期", "没有改动。如仍需要，请发布新的口径。"),
}
