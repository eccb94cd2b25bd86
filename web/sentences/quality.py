"""Sentences of quality: draws, scores, appeals, calibrations."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

_NOT = "没有保存。"

PROBLEMS: dict[str, Problem] = {
    "quality_plan": Problem(
        422, "抽样方案不正确", f"{_NOT}每人每周至少抽 1 通，合计最多 20 通，且不能为负数。{_KEPT}"
    ),
    "quality_sheet": Problem(
        422,
        "评分表不正确",
        f"{_NOT}每项须有名称，分值 1 至 100，一票否决项不计分值；至少一项计分，最多 40 项。{_KEPT}",
    ),
    "quality_week": Problem(
        422, "这一周还不能抽样", "没有抽取。只能抽取已经结束的一周，请在下周一以后办理。"
    ),
    "quality_drawn": Problem(
        409, "这一周已经抽过", "没有重复抽取。每周只抽一次，请在列表中查看已抽取的通话。"
    ),
    "quality_no_calls": Problem(409, "没有可抽取的通话", "没有抽取。这一周没有未抽过、有录音的已接通话。"),
    "quality_not_found": Problem(404, "没有这份质检", "没有改动。它不存在，或不在您的查看范围内。"),
    "quality_own": Problem(403, "不能评自己的通话", "没有改动。请由其他质检员办理。"),
    "quality_scored": Problem(409, "已经评过分", "没有改动。这通电话已有评分，请刷新后再看。"),
    "quality_old_sheet": Problem(
        409, "评分表已更新", f"{_NOT}评分表刚有新版本，请按页面上的新表评分。{_KEPT}"
    ),
    "quality_marks": Problem(
        422, "有的项目没有评分", f"{_NOT}每项须给分或选“不适用”，且至少有一项适用。{_KEPT}"
    ),
    "quality_comment": Problem(
        422, "请填写评语", f"{_NOT}判定一票否决时须写明理由；评语不超过 2000 字。{_KEPT}"
    ),
    "quality_appealed": Problem(409, "已经申诉过", "没有提交。每份评分只能申诉一次，请等待或查看答复。"),
    "quality_appeal_late": Problem(409, "已过申诉期限", "没有提交。申诉期限已过，评分不再变动。"),
    "quality_appeal_reason": Problem(422, "请写明申诉理由", f"没有提交。理由须为 5 至 2000 字。{_KEPT}"),
    "quality_not_appealed": Problem(409, "申诉已有结果", "没有改动。这份申诉已办结，请刷新后再看。"),
    "quality_same_reviewer": Problem(
        403, "不能复核自己的评分", "没有改动。申诉须由原评分人以外的质检员办理。"
    ),
    "quality_answer": Problem(422, "请填写答复", f"{_NOT}答复须为 2 至 2000 字，话务员会看到。{_KEPT}"),
    "quality_members": Problem(
        422, "参加人不正确", f"{_NOT}请选择 2 至 12 位质检员，被评话务员本人不能参加。{_KEPT}"
    ),
    "quality_calibrated": Problem(409, "已发起过校准", "没有改动。这通电话已有一次校准，请在“校准”中查看。"),
    "quality_calibration_closed": Problem(409, "校准已结束", "没有保存。这次校准已结束，不能再评分。"),
    "quality_calibration_few": Problem(409, "评分人数不足", "没有结束。至少两人评分后才能比较。"),
    "quality_span": Problem(422, "日期不正确", "请选择先后正确、不超过 53 周的时段。"),
}
