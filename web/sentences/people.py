"""Sentences of accounts, the three administrators, second factors, sessions and delegations."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "hotkey_unknown": Problem(404, "没有这个快捷键", "这个动作没有快捷键，没有改动。请刷新页面再试。"),
    "hotkey_fixed": Problem(422, "固定的按键", "是固定的按键，没有改动。请换一个组合。"),
    "hotkey_plain": Problem(
        422,
        "不能用作快捷键",
        "不能用作快捷键，没有改动。单个字母、数字要留给打字，请按功能键，或带 Ctrl、Alt 的组合。",
    ),
    "hotkey_browser": Problem(
        422, "浏览器自用的按键", "是浏览器、系统或输入框自己的按键，没有改动。请换一个组合。"
    ),
    "hotkey_taken": Problem(409, "按键重复", "请换一个组合，或先修改那个动作的按键。"),
    "login_odd": Problem(
        422,
        "工号不合要求",
        f"工号须为 2 至 40 位字母、数字、点、下划线或短横，没有保存。{_KEPT}",
    ),
    "extension_odd": Problem(422, "分机不合要求", f"分机须为 2 至 8 位数字，没有保存。{_KEPT}"),
    "session_not_found": Problem(404, "没有找到会话", "会话不存在，或不在您名下。请刷新列表。"),
    "posts_needed": Problem(422, "请选择岗位", f"新账号至少要有一个岗位，没有保存。{_KEPT}"),
    "import_not_found": Problem(404, "没有找到名单", "名单不存在，或不是由您导入。请返回账号列表。"),
    "passwords_taken": Problem(410, "密码已发放", "这份名单的一次性密码已经显示过。需要时请逐个重置密码。"),
    "user_not_found": Problem(404, "没有找到账号", "账号不存在，或您无权查看。请返回账号列表。"),
    "login_taken": Problem(409, "工号已被使用", f"这个工号已有账号，没有保存。{_KEPT}请换一个工号。"),
    "extension_taken": Problem(
        409, "分机已被使用", f"一个分机只能对应一位人员，这个分机已有人使用，没有保存。{_KEPT}请换一个分机。"
    ),
    "nothing_changed": Problem(422, "没有改动", "提交的内容与现在相同，没有保存。请修改后重试。"),
    "last_administrator": Problem(
        409, "不能没有管理员", "这是该管理员岗位最后一个可用的账号，没有改动。请先为他人授予该岗位。"
    ),
    "second_factor_required": Problem(
        401, "需要动态口令", "该账号须用动态口令登录。请在登录页面输入密码和动态口令。"
    ),
    "second_code_refused": Problem(401, "口令不正确", "动态口令不正确或已用过，没有改动。请用新的口令重试。"),
    "step_over": Problem(401, "请重新登录", "登录的第二步已超时或尝试次数过多。请重新输入工号和密码。"),
    "totp_enrolled": Problem(409, "已经绑定", "动态口令已经绑定，没有改动。如需更换设备，请先解除绑定。"),
    "totp_not_begun": Problem(409, "请重新绑定", "绑定尚未开始或已经完成，没有改动。请刷新页面后重试。"),
    "totp_not_enrolled": Problem(409, "没有绑定", "该账号没有绑定动态口令，没有改动。"),
    "totp_needed": Problem(
        403, "不能解除", "您的岗位必须使用动态口令，不能解除绑定。更换设备请联系安全管理员。"
    ),
    "admin_post_exchange": Problem(
        409, "不能直接互换", "管理员岗位之间不能直接互换，没有提交。请先解除原岗位并获批准，再申请新岗位。"
    ),
    "posts_incompatible": Problem(
        422, "岗位不能兼任", f"三员岗位须专人担任，不能互兼，也不能兼任业务岗位，没有保存。{_KEPT}"
    ),
    "proposal_not_found": Problem(404, "没有找到事项", "事项不存在，或您无权查看。请返回待批事项列表。"),
    "proposal_decided": Problem(
        409, "事项已有结果", "这一事项已经批准、退回或撤回，本次没有改动。请刷新列表。"
    ),
    "proposal_waiting": Problem(
        409, "已有待批事项", "同一对象的同类事项正在等待批准，没有重复提交。请等待结果，或先撤回原事项。"
    ),
    "proposal_outdated": Problem(
        409,
        "事项已过时",
        "提出之后，提出人的岗位或所涉对象已有变动，没有改动。请退回这一事项，需要的话按现状重新提出。",
    ),
    "proposal_own": Problem(403, "不能批准自己的事项", "事项由您提出，须由另一位管理员批准，没有改动。"),
    "refusal_needs_reason": Problem(422, "请填写理由", "退回须写明理由，没有提交。请填写后重试。"),
    "delegation_days": Problem(
        422, "日期不正确", f"起止日期须从今天起、先后正确且不超过 92 天，没有保存。{_KEPT}"
    ),
    "delegation_reason": Problem(422, "请填写事由", f"代理须写明事由，没有保存。{_KEPT}"),
    "deputy_unfit": Problem(
        422, "不能由此人代理", f"代理人须是本单位或上级单位在岗的经办人员，没有保存。{_KEPT}请另选一位。"
    ),
    "delegation_overlaps": Problem(
        409, "日期重叠", f"这段时间您已经委托了代理人，没有保存。{_KEPT}请先结束原代理，或调整日期。"
    ),
    "deputy_absent": Problem(
        409, "代理人届时不在岗", f"所选人员在这段时间也已委托他人代理，没有保存。{_KEPT}请另选一位。"
    ),
    "delegation_not_found": Problem(404, "没有找到代理", "代理不存在，或不是由您委托。请返回代理列表。"),
    "delegation_over": Problem(409, "代理已经结束", "这次代理已经到期或提前结束，没有改动。"),
}
