"""Sentences of the supervision desk and its documents."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "order_not_found": Problem(404, "没有找到督办文书", "文书不存在，或您无权查看。请核对文号，或返回列表。"),
    "order_step_refused": Problem(
        409, "现在不能这样办理", f"文书的状态已变化，或这类文书不需要这一步，没有改动。{_KEPT}请刷新后再看。"
    ),
    "interview_recorded": Problem(
        409, "已有约谈记录", "这次约谈已登记记录，记录不能修改。需要补充时请登记“回头看”。"
    ),
    "ground_gone": Problem(
        409, "建议已不成立", "这件工单已办结、已督办，或情况有变化，没有制发文书。请刷新列表。"
    ),
    "unit_is_missing": Problem(
        422, "请选择主送单位", f"这件工单目前没有承办单位，没有制发。{_KEPT}请选择单位后再制发。"
    ),
}
