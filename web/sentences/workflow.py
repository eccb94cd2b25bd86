"""Sentences of the workflow: why an action cannot be done now, for the write and for the greyed button."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "version_required": Problem(
        400, "请刷新后重试", f"没有说明看到的是哪一版工单，没有办理。{_KEPT}请刷新页面后重试。"
    ),
    # ---- returns
    "return_ruled": Problem(409, "不能再退单", "该工单已经争议裁定，须先办后议，不能再退单。"),
    "return_used": Problem(409, "不能再退单", "本单位已退过一次，同一工单每个单位只能退一次。请继续办理。"),
    "return_late": Problem(409, "已过退单期限", "退单须在派发后一个工作日内提出，期限已过。请继续办理。"),
    # ---- extensions
    "extension_urgent": Problem(409, "不能延期", "紧急和特急工单不能延期。请按期办理。"),
    "extension_late": Problem(409, "已到期，不能延期", "延期须在到期之前申请，工单已经到期。请尽快办结。"),
    "extension_used": Problem(409, "不能再延期", "该工单已延期两次，不能再延。请按期办理。"),
    "extension_needs_head": Problem(409, "须由负责人申请", "第二次延期须由本单位负责人申请，没有提交。"),
    # ---- closing
    "co_unanswered": Problem(409, "协办单位未全部回复", "还有协办单位没有提交意见，主办单位暂不能办结。"),
    "contact_missing": Problem(
        422,
        "还没有联系市民",
        f"办结须有联系记录：联系上一次，或在不同时间联系三次未果（间隔太短的只计一次）。没有办结。{_KEPT}请先登记联系结果。",
    ),
    "unsolved_reason": Problem(422, "请选择未解决原因", f"诉求未解决须选择原因，没有办结。{_KEPT}"),
    "reply_has_personal": Problem(
        422,
        "公开答复含有个人信息",
        f"公开答复里有电话、证件号等个人信息，没有保存。{_KEPT}请删去后再提交。",
    ),
    # ---- check and call-back
    "appeal_own_check": Problem(
        403, "须由他人审核", "这是申诉件，首次办理由您审核通过，须由另一位同事审核。没有改动。"
    ),
    "answers_missing": Problem(
        422,
        "三项评价没有填全",
        f"接通后须填写是否联系、是否解决、满意度；未解决、不满意或重办须选原因。没有保存。{_KEPT}",
    ),
    # ---- applications
    "request_pending": Problem(409, "已有申请待审", "同类申请正在等待审批，没有重复提交。请等待结果。"),
    "no_request": Problem(409, "没有待审的申请", "没有等待审批的申请，可能已由他人审批。没有改动。"),
    "already_excluded": Problem(409, "已经剔除", "该工单已经批准剔除，不需要再申请。"),
    # ---- units
    "unit_needed": Problem(422, "请选择承办单位", f"该工单没有原承办单位，没有派发。{_KEPT}请选择单位。"),
    "unit_avoided": Problem(
        409, "不能派给原承办单位", f"申诉件须由原承办单位以外的单位办理，没有派发。{_KEPT}请另选单位。"
    ),
    "unit_is_subject": Problem(
        409,
        "不能派给被反映单位",
        f"诉求反映的就是该单位（或其上级），未经督查不能派给它。没有派发。{_KEPT}请另选或报督查。",
    ),
    "unit_not_below": Problem(409, "不是下级单位", f"只能转派给本单位的下级单位，没有转派。{_KEPT}请另选。"),
    "unit_does_not_hold": Problem(409, "该单位未承办", "该单位目前没有承办这件工单，没有移交。"),
    "not_co_handler": Problem(409, "不是协办单位", f"所选单位不是协办单位，没有改动。{_KEPT}请刷新后另选。"),
    # ---- merging and corrections
    "unseal_refused": Problem(
        403, "不能解除保密", f"反映人已对承办单位保密，只有督办员写明理由后才能解除，没有改动。{_KEPT}"
    ),
    "own_request": Problem(
        403, "不能审批自己的申请", "这项申请由您本人提出，不能代领导审批。请由领导本人或其他代理人办理。"
    ),
    "appeal_open": Problem(
        409, "已有申诉在办", "这件工单已有一件申诉正在办理，没有重复登记。请在工单页的关联工单中查看。"
    ),
    "has_members": Problem(409, "有并入的工单", "其他工单已并入这件工单，须先撤销并案。没有改动。"),
    "merge_into_itself": Problem(
        409, "不能并入自身", f"主单不能是这件工单本身，没有并案。{_KEPT}请另选主单。"
    ),
    "master_not_open": Problem(409, "主单已经办结", f"主单已经办结或终止，不能并入。{_KEPT}请另选主单。"),
    "nothing_to_change": Problem(422, "没有改动", f"提交的内容与现在相同，没有保存。{_KEPT}请修改后再提交。"),
}
