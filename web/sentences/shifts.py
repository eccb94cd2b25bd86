"""Sentences of rotas, swaps and handover notes."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

_NOT = "没有保存。"

PROBLEMS: dict[str, Problem] = {
    "shift_code": Problem(422, "班次代码不能用", f"{_NOT}代码须为 1 至 4 位大写字母或数字。{_KEPT}"),
    "shift_name": Problem(422, "班次名称不能用", f"{_NOT}名称须为 1 至 20 字，且不与其他班次重复。{_KEPT}"),
    "shift_hours": Problem(
        422, "班次时间不正确", f"{_NOT}请写作 08:00-16:00；跨夜写作 22:00-06:00，一班最长 16 小时。{_KEPT}"
    ),
    "shift_breaks": Problem(
        422,
        "休息时间不正确",
        f"{_NOT}请写作 12:00-12:30，多段用空格分开，须在班次时间内且不重叠，最多 6 段。{_KEPT}",
    ),
    "shift_kind_unknown": Problem(422, "没有这个班次", f"{_NOT}班次不存在，请重新选择。{_KEPT}"),
    "rota_week": Problem(422, "这一周不能排班", "没有改动。只能编排前后一年以内、从周一开始的一周。"),
    "rota_cells": Problem(
        422, "有的班次不能识别", f"{_NOT}标红的格子请改为下方列出的班次代码，或留空。{_KEPT}"
    ),
    "rota_clash": Problem(
        409, "班次时间重叠", f"{_NOT}同一人前一班还没有结束，后一班已经开始。请改正标红的格子。{_KEPT}"
    ),
    "rota_person": Problem(422, "有人不能排班", f"{_NOT}只能为在用的话务员、班长和回访员账号排班。{_KEPT}"),
    "rota_queue": Problem(422, "队列不能用", f"{_NOT}队列已停用或不存在，请重新选择。{_KEPT}"),
    "rota_nothing_to_copy": Problem(
        409, "没有可复制的班次", "没有改动。上周没有排班，或本周每个人都已有班次。请直接填写。"
    ),
    "rota_version_missing": Problem(404, "没有这一版排班", "没有改动。请在历史版本中重新选择。"),
    "rota_file_missing": Problem(
        422, "没有选择文件", "没有改动。请选择一个 CSV 或 Excel 文件，或粘贴表格内容。"
    ),
    "list_file_large": Problem(413, "文件太大", "没有读取。文件不能超过 2 MB，请只保留排班表一页后重试。"),
    "list_file_kind": Problem(
        422,
        "文件格式不能识别",
        "没有读取。请另存为 xlsx 或 CSV（UTF-8 或 GBK）后重试；旧版 xls 请先另存为 xlsx。",
    ),
    "list_file_broken": Problem(422, "文件打不开", "没有读取。文件已损坏或带有密码，请重新保存后再试。"),
    "shift_not_found": Problem(404, "没有这个班次", "没有改动。这一天没有排班，可能刚被调整。请刷新后再看。"),
    "swap_reason": Problem(422, "请填写换班原因", "没有提交。原因须为 2 至 200 字。"),
    "swap_self": Problem(422, "不能与自己换班", "没有提交。请选择一位同事。"),
    "swap_person": Problem(422, "这位同事不能换班", "没有提交。请选择在排班范围内的同事。"),
    "swap_past": Problem(409, "班次已经开始", "没有提交。已经开始或已过去的班次不能换。"),
    "swap_open": Problem(
        409, "已有换班申请", "没有提交。这个班次已有一份未办结的换班申请，请先撤回或等待办结。"
    ),
    "swap_busy": Problem(409, "当天已有班次", "没有提交。换班后有一方同一天要上两个班，请改选日期或同事。"),
    "swap_not_found": Problem(404, "没有这份换班申请", "没有改动。请刷新后再看。"),
    "swap_closed": Problem(409, "换班申请已有结果", "没有改动。这份申请的状态刚有变化，请刷新后再看。"),
    "swap_own": Problem(403, "不能批准自己的换班", "没有改动。请由另一位班长办理。"),
    "swap_changed": Problem(409, "排班已有变化", "没有改动。申请之后排班有了调整，请双方核对后重新申请。"),
    "swap_note": Problem(422, "请填写不批准的原因", "没有改动。原因须为 2 至 200 字。"),
    "handover_empty": Problem(422, "交接内容为空", f"{_NOT}请写下交接说明，或至少一条未了事项。"),
    "handover_long": Problem(
        422, "交接内容过长", f"{_NOT}说明不超过 2000 字，事项不超过 20 条、每条 300 字。{_KEPT}"
    ),
    "handover_ticket": Problem(422, "没有找到工单", f"{_NOT}标出的工单号不存在，或您看不到。请核对。{_KEPT}"),
    "handover_call": Problem(422, "没有找到通话", f"{_NOT}通话编号不存在，请核对。{_KEPT}"),
    "handover_not_found": Problem(404, "没有这份交接记录", "没有改动。请刷新后再看。"),
    "handover_own": Problem(403, "不能接收自己的交接", "没有改动。须由接班的班长确认接收。"),
    "attendance_span": Problem(422, "日期不正确", "请选择一个月份。"),
}
