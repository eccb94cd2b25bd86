"""Sentences of the market of intermediaries and of certificate checks."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "certificate_columns": Problem(
        422,
        "列名不对",
        "没有导入。须有身份证号、证照种类、签发机关，可有有效期自、有效期至、状态；"
        f"姓名、证照号码、图像等其他列请先删去。{_KEPT}",
    ),
    "intermediary_unknown": Problem(404, "没有这家机构", "名录中没有这家中介机构。请返回名录重新查找。"),
    "intermediary_known": Problem(
        409, "机构已在名录中", "这个统一社会信用代码已经登记。请在名录中查到后直接修改。"
    ),
    "licence_unknown": Problem(404, "没有这项资质", "资质不存在，可能已被修改。请刷新后再看。"),
    "licence_revoked": Problem(409, "资质已吊销或注销", "这项资质已登记为吊销或注销，没有改动。"),
    "account_unfit": Problem(
        422,
        "账号不能关联",
        "没有这个账号，或账号没有“中介机构”岗位。请先在“人员账号”中建立并授予该岗位。",
    ),
    "account_unlinked": Problem(
        409, "账号还没有关联机构", "您的账号还没有关联到中介机构。请联系中介服务超市运营单位办理。"
    ),
    "service_known": Problem(409, "服务编号已存在", f"这个服务编号已经登记过，没有保存。{_KEPT}"),
    "rating_unproven": Problem(
        422,
        "没有核对到服务",
        "服务编号，或工单号与查询码不正确，或事项尚未办结，不能评价。请核对后再试。",
    ),
    "rating_given": Problem(409, "已经评价过", "这次服务已经评价过，每次服务只能评价一次。感谢您的评价。"),
    "case_no_intermediary": Problem(
        409,
        "被反映方不在名录中",
        "这件工单的被反映方不是登记的中介机构。请先核对名称或统一社会信用代码。",
    ),
    "case_names_somebody": Problem(
        422,
        "内容含个人信息",
        f"送达机构的内容里有投诉人姓名、电话或证件号，没有送出。请删去后再送。{_KEPT}",
    ),
    "case_served": Problem(409, "已送达机构", "这件投诉已经送达机构，没有重复送出。"),
    "case_unknown": Problem(404, "没有这件投诉", "投诉不存在，或没有送达本机构。请返回列表查看。"),
    "case_answered": Problem(409, "已经答复或认定", "这件投诉已经答复，或主管部门已作出认定，不能再答复。"),
    "case_not_closed": Problem(409, "还不能认定", "工单办结后才能认定投诉是否属实。请先办结工单，再作认定。"),
    "case_judged": Problem(409, "已经认定", "这件投诉已有认定，没有改动。认定有误时请由领导撤销。"),
    "listing_open": Problem(409, "已有黑名单事项", "这家机构已有审批中或生效中的黑名单事项，没有重复提出。"),
    "listing_unknown": Problem(404, "没有这条黑名单事项", "黑名单事项不存在。请返回列表查看。"),
    "listing_own": Problem(
        403, "须由他人决定", "提出、批准过这件事的人不能再作决定。请由另一位有权限的人员办理。"
    ),
    "listing_step_refused": Problem(
        409, "现在不能这样办理", "这条黑名单事项所处的环节没有这一步，没有改动。请刷新后再看。"
    ),
    "appeal_late": Problem(
        409, "申诉期已过", "申诉期限已过，不能再提出申诉。如有异议，可依法申请行政复议或提起诉讼。"
    ),
    "consent_needed": Problem(
        409,
        "需要市民同意",
        "没有市民对这次查询的同意，没有向证照库查询。请先征得同意并记录，再核验。",
    ),
    "consent_unknown": Problem(404, "没有这条同意", "同意记录不存在，或不属于这件诉求。请刷新后再看。"),
    "paper_not_needed": Problem(
        422, "不需要这种证照", "只能核验本事项所需的证照，没有查询。请刷新后按所列证照核验。"
    ),
    "papers_invalid": Problem(
        422,
        "材料清单没有保存",
        f"每行写一种材料：名称不超过 60 字、不能重复，证照种类从列表中选，最多 20 种。{_KEPT}",
    ),
    "no_registry": Problem(503, "没有接入证照核验", "本节点没有接入证照核验。请联系系统管理员。"),
}
