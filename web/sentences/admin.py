"""Sentences of the administration pages: organisation, categories, catalogue, notices, deletions."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # ---- organisation
    "unit_closed": Problem(409, "单位已撤销", f"所选单位已经撤销，没有改动。{_KEPT}请刷新后另选。"),
    "unit_code_taken": Problem(409, "编码已被使用", f"已有单位使用这个编码，没有保存。{_KEPT}请换一个编码。"),
    "unit_name_taken": Problem(409, "同级已有同名单位", f"同一上级下已有这个名称，没有保存。{_KEPT}"),
    "unit_kind_misplaced": Problem(
        409, "不能设在此处", f"该类型的单位（或其下级）不能设在所选上级之下，没有改动。{_KEPT}"
    ),
    "unit_circle": Problem(409, "不能移到下级", f"不能把单位移到自己的下级之下，没有改动。{_KEPT}"),
    "unit_root": Problem(409, "不能撤销", "市级单位和热线中心不能撤销或合并，没有改动。"),
    "unit_same": Problem(422, "请另选单位", f"承接单位不能是被撤销的单位本身，没有改动。{_KEPT}"),
    "unit_not_empty": Problem(
        409, "单位尚有工单或人员", f"单位还有在办工单、人员或下级单位，不能直接撤销。{_KEPT}请选择承接单位。"
    ),
    "handover_running": Problem(
        409, "正在移交", "该单位的工单移交尚未完成，没有改动。请等移交完成后再办理。"
    ),
    "handover_undone": Problem(
        409, "单位已重新启用", "该单位已经重新启用，工单留在该单位，没有移交。需要移交请重新办理合并。"
    ),
    "unit_has_it": Problem(409, "已由该单位办理", f"工单已在该单位，没有改动。{_KEPT}请另选单位。"),
    # ---- lists
    "list_empty": Problem(422, "列表为空", f"没有读到任何一行，没有改动。{_KEPT}请核对内容与列名。"),
    "list_too_long": Problem(413, "列表过长", f"一次最多导入 5000 行，没有改动。{_KEPT}请分批导入。"),
    "list_heading": Problem(422, "缺少列名", f"首行缺少必需的列名，没有改动。{_KEPT}请按页面说明补齐列名。"),
    "list_unreadable": Problem(
        422, "列表格式有误", f"有引号不成对或内容无法识别，没有改动。{_KEPT}请核对后重试。"
    ),
    "list_wrong": Problem(422, "列表有误", f"列表中有不能导入的行，没有改动。{_KEPT}请先预览并改正。"),
    # ---- categories
    "category_no_draft": Problem(409, "没有草稿", "分类草稿已发布或已放弃，没有改动。请刷新后重新建立草稿。"),
    "category_unchanged": Problem(409, "没有变化", "草稿与正在使用的分类相同，没有发布。"),
    "category_missing": Problem(422, "分类不存在", f"草稿中没有这个分类，没有改动。{_KEPT}请刷新后重试。"),
    "category_code": Problem(422, "编码不正确", f"编码须为不超过 20 位的字母或数字，没有保存。{_KEPT}"),
    "category_code_taken": Problem(409, "编码已被使用", f"已有分类使用这个编码，没有保存。{_KEPT}"),
    "category_name": Problem(422, "名称不正确", f"名称须为 1 至 30 个字，没有保存。{_KEPT}"),
    "category_name_taken": Problem(409, "同级已有同名分类", f"同一上级下已有这个名称，没有保存。{_KEPT}"),
    "category_circle": Problem(409, "不能移到下级", f"不能把分类移到自己的下级之下，没有改动。{_KEPT}"),
    "category_too_deep": Problem(409, "层级过深", f"分类最多三级，没有改动。{_KEPT}请另选上级。"),
    "category_closed": Problem(409, "上级已停用", f"上级分类已停用，没有改动。{_KEPT}请先启用上级。"),
    "category_has_below": Problem(
        409, "尚有下级分类", f"该分类还有启用的下级，没有改动。{_KEPT}请先停用或移走。"
    ),
    "category_successor": Problem(
        409, "有分类并入此处", f"其他分类并入了它或它的下级，不能停用。{_KEPT}请先改并入对象。"
    ),
    "category_merge": Problem(409, "不能并入", f"不能并入自身或已停用的分类，没有改动。{_KEPT}请另选。"),
    # ---- catalogue
    "reason_unknown": Problem(
        422, "请选择原因", f"所选原因不在列表中或已停用，没有保存。{_KEPT}请重新选择。"
    ),
    "reason_kind_unknown": Problem(400, "没有这类原因", "原因类别不存在，没有保存。请刷新页面后重试。"),
    "word_invalid": Problem(422, "词语不正确", f"词语不能为空，也不能超过 40 个字，没有保存。{_KEPT}"),
    "word_kind_unknown": Problem(422, "请选择类别", f"词语类别不存在，没有保存。{_KEPT}"),
    "queue_name": Problem(422, "队列名不正确", f"队列名须与电话系统一致，只用字母、数字、- 和 _。{_KEPT}"),
    "queue_kind_unknown": Problem(422, "请选择类别", f"队列类别不存在，没有保存。{_KEPT}"),
    "queue_member": Problem(422, "成员不正确", f"成员须是有分机的账号且不能重复，没有保存。{_KEPT}"),
    "queue_penalty": Problem(422, "顺位不正确", f"顺位为 0 至 10，没有保存。{_KEPT}"),
    # ---- notices
    "notice_text": Problem(422, "请填写标题和内容", f"标题不超过 80 字，内容不超过 4000 字。{_KEPT}"),
    "notice_span": Problem(422, "时间不正确", f"结束时间须晚于开始时间和现在，没有发布。{_KEPT}"),
    "notice_audience": Problem(422, "范围不正确", f"所选岗位或单位不存在，没有发布。{_KEPT}"),
    # ---- messages given up
    "messages_none": Problem(422, "请选择消息", f"没有选中任何消息，没有改动。{_KEPT}"),
    "discard_reason": Problem(422, "请填写原因", f"放弃消息须写明原因，没有改动。{_KEPT}"),
    # ---- retention and deletion
    "legal_hold": Problem(409, "依法保全中", "该对象正被依法保全，不能删除，没有改动。须先解除保全。"),
    "hold_subject": Problem(422, "请填写对象和原因", f"保全须写明对象和原因，没有保存。{_KEPT}"),
    "hold_present": Problem(409, "已在保全中", "该对象已经在保全中，没有重复登记。"),
    "citizen_unknown": Problem(404, "没有找到档案", f"没有这份市民档案，没有改动。{_KEPT}请核对编号。"),
}
