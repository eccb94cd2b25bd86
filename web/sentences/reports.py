"""Sentences of reports."""

from web.sentences.problem import Problem

_NOT = "没有生成报表。"

PROBLEMS: dict[str, Problem] = {
    "report_days_reversed": Problem(422, "日期前后颠倒", f"{_NOT}截止日期早于开始日期。请改正后重试。"),
    "report_too_long": Problem(422, "时段太长", f"{_NOT}一份专报最多 366 天。请缩短时段后重试。"),
    "report_in_future": Problem(422, "时段还没有开始", f"{_NOT}所选日期在今天之后。请选择今天或更早的日期。"),
    "report_uncounted": Problem(
        409, "历史工单还在统计", f"{_NOT}系统正在补算历史工单，数字还不全。请几分钟后再生成。"
    ),
    "report_subject": Problem(422, "主题不能用", f"{_NOT}专报主题只能是一级分类。请重新选择主题。"),
    "phone_report_too_long": Problem(
        422, "时段太长", f"{_NOT}按15分钟最多 7 天，按小时最多 31 天，其他最多 366 天。请缩短时段后重试。"
    ),
    "phone_stretches_too_many": Problem(
        422, "明细太多", "没有导出。一份明细最多 5 万段，请缩短时段或选择一名坐席后重试。"
    ),
    "report_not_found": Problem(404, "没有这份报表", "报表不存在，没有改动。请返回报表列表。"),
}
