"""Sentences of citizen records, saved views and reply templates."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "citizen_not_found": Problem(
        404, "没有找到档案", "市民档案不存在，或您无权查看。请按电话或工单号重新查找。"
    ),
    "citizen_merged": Problem(
        409, "档案已被合并", f"这份档案已并入另一份，本次没有保存。{_KEPT}请打开合并后的档案再试。"
    ),
    "citizen_forgotten": Problem(
        410, "个人信息已删除", "这份档案的个人信息已按规定删除，不能再修改。以往工单仍可查看。"
    ),
    "citizen_without_number": Problem(
        404, "没有市民档案", "这件工单没有留电话，不归入任何市民档案。工单本身没有变化。"
    ),
    "citizen_full": Problem(
        409,
        "档案已满",
        f"一份档案最多 20 个号码、40 个姓名，本次没有保存。{_KEPT}请先拆分不属于同一人的号码。",
    ),
    "citizen_held": Problem(
        409, "档案正在保全", "这份档案或其工单因案件需要保全，没有删除。请先由申请人解除保全。"
    ),
    "citizen_in_use": Problem(
        409,
        "还有未办完的事项",
        "该市民还有在办工单、未结束的登记、文字会话或待回拨，没有删除。请办结后再删除。",
    ),
    "phone_elsewhere": Problem(
        409, "号码属于另一份档案", f"这个号码已有自己的档案，没有添加。{_KEPT}若是同一人，请用“合并档案”。"
    ),
    "bad_phone": Problem(422, "号码不正确", f"没有保存。{_KEPT}请核对：手机 11 位，固定电话带区号。"),
    "bad_name": Problem(422, "姓名不正确", f"没有保存。{_KEPT}请填写 1 至 60 个字。"),
    "bad_uscc": Problem(
        422, "信用代码不正确", f"统一社会信用代码的校验位不对，没有保存。{_KEPT}请逐位核对 18 位代码。"
    ),
    "company_too_long": Problem(422, "企业名称过长", f"超过 100 字，没有保存。{_KEPT}请精简后重试。"),
    "unknown_flag": Problem(422, "请选择标记", f"没有选择有效的标记，没有保存。{_KEPT}"),
    "flag_not_found": Problem(404, "标记已不在", "这个标记已被取消，本次没有改动。请刷新页面。"),
    "note_not_found": Problem(404, "没有找到备注", "备注不存在或不属于这份档案，没有改动。请刷新页面。"),
    "note_not_yours": Problem(
        403, "只能撤回自己的备注", "这条备注是同事写的，没有撤回。如确有误，请联系班长。"
    ),
    "reason_missing": Problem(422, "请填写原因", f"没有填写原因，没有保存。{_KEPT}"),
    "reason_too_long": Problem(422, "原因过长", f"原因超过 200 字，没有保存。{_KEPT}请精简后重试。"),
    "merge_with_itself": Problem(409, "是同一份档案", "两边是同一份档案，不需要合并，没有改动。"),
    "not_merged": Problem(409, "没有可撤销的合并", "那份档案现在不在这里，没有改动。请刷新页面。"),
    "split_needs_numbers": Problem(422, "请选择号码", f"没有选择要拆出的号码，没有改动。{_KEPT}"),
    "split_takes_all": Problem(422, "不能拆出全部号码", f"至少要留下一个号码，没有改动。{_KEPT}"),
    "nothing_to_split": Problem(
        409, "号码已不在这份档案", f"所选号码或姓名已被移走，没有改动。{_KEPT}请刷新后重新选择。"
    ),
    "view_not_found": Problem(404, "没有找到视图", "这个视图已被删除，或不是您的，没有改动。请刷新页面。"),
    "view_name_needed": Problem(422, "请填写名称", f"视图没有名称，没有保存。{_KEPT}"),
    "view_name_taken": Problem(409, "名称已用过", f"您已有同名的视图，没有保存。{_KEPT}请换一个名称。"),
    "too_many_views": Problem(
        409, "视图已满", f"每人在一个页面上最多保存 30 个视图，没有保存。{_KEPT}请先删除不用的。"
    ),
    "unknown_surface": Problem(400, "请求有误", "这个页面没有视图可存，没有改动。请刷新页面后重试。"),
    "unknown_column": Problem(400, "列有误", "所选的列不存在，没有保存。请刷新页面后重新选择。"),
    "template_incomplete": Problem(422, "请填写完整", f"模板须有标题和内容，没有保存。{_KEPT}"),
    "template_too_long": Problem(
        422, "内容过长", f"标题最多 60 字、内容最多 4000 字，没有保存。{_KEPT}请精简后重试。"
    ),
    "template_not_found": Problem(
        404, "没有找到模板", "模板不存在，或不由本单位维护，没有改动。请返回模板列表。"
    ),
}
