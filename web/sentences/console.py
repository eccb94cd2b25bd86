"""Sentences of the door, the seat, the desks and the first administration pages."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "login_required": Problem(401, "请先登录", f"登录已失效或尚未登录。{_KEPT}请在新标签页登录后重试。"),
    "login_refused": Problem(401, "登录未成功", "工号或密码不正确，没有任何改动。请核对后重试。"),
    "account_locked": Problem(
        429, "登录暂停", "连续多次输错密码，账号已暂时锁定。请稍后再试，或联系安全管理员解锁。"
    ),
    "source_locked": Problem(429, "登录暂停", "本网络登录失败次数过多，已暂停登录。请稍后再试。"),
    "too_busy": Problem(503, "登录繁忙", "同时登录的人较多，本次未受理。请几秒后重试。"),
    "password_change_required": Problem(403, "请先修改密码", "首次登录须先修改密码，其他页面暂不能打开。"),
    "password_too_short": Problem(422, "密码太短", "密码未修改。请使用至少 10 位的新密码。"),
    "password_too_long": Problem(422, "密码太长", "密码未修改。请使用不超过 128 位的新密码。"),
    "password_unchanged": Problem(422, "新旧密码相同", "密码未修改。请设置与原密码不同的新密码。"),
    "password_mismatch": Problem(422, "两次密码不一致", "密码未修改。请重新输入新密码。"),
    "password_wrong": Problem(422, "原密码不正确", "密码未修改。请核对原密码后重试。"),
    "forbidden": Problem(
        403, "没有权限", "您的岗位不能进行此操作，没有任何改动。如确有需要，请联系系统管理员。"
    ),
    "cross_site": Problem(
        403, "请求被拒绝", "请求不是从本系统页面发出，已拒绝，没有任何改动。请刷新页面后重试。"
    ),
    "not_found": Problem(404, "没有找到", "内容不存在，或您无权查看。请核对编号，或返回列表。"),
    "method_not_allowed": Problem(405, "方式不支持", "该地址不支持这种操作，没有任何改动。请返回上一页。"),
    "bad_request": Problem(400, "请求有误", f"提交的内容不符合要求，没有保存。{_KEPT}请检查后重试。"),
    "unknown_field": Problem(400, "请求有误", f"提交了不能识别的项目，没有保存。{_KEPT}请刷新页面后重试。"),
    "too_large": Problem(413, "内容过长", f"提交的内容超过上限，没有保存。{_KEPT}请精简后重试。"),
    "too_many_requests": Problem(429, "操作过于频繁", f"短时间内请求过多，本次未受理。{_KEPT}请稍候再试。"),
    "version_conflict": Problem(
        409, "内容已被他人更新", f"您打开后有人修改过，本次没有保存。{_KEPT}请对照最新内容后再提交。"
    ),
    "unknown_filter": Problem(
        400, "查询条件有误", "查询里有不能识别的条件，没有执行。请清除条件后重新查询。"
    ),
    "bad_filter": Problem(400, "查询条件有误", "有一项条件的内容不正确，没有执行。请检查后重新查询。"),
    "bad_cursor": Problem(400, "翻页位置有误", "翻页位置已失效，没有改动。请回到第一页。"),
    "unit_cannot_take": Problem(
        409, "该单位不能承办", f"所选单位已撤并或不承办工单，没有派发。{_KEPT}请重新选择。"
    ),
    "note_required": Problem(422, "请填写内容", "内容为空，没有保存。请填写后重试。"),
    "note_too_long": Problem(422, "内容过长", f"备注超过 2000 字，没有保存。{_KEPT}请精简后重试。"),
    "nothing_to_reveal": Problem(404, "没有登记", "这件工单没有登记该项信息。"),
    "identity_sealed": Problem(
        403, "来电人已保密", "来电人信息对承办单位保密，没有显示。需要联系请通过热线中心。"
    ),
    "value_destroyed": Problem(410, "信息已删除", "该信息已按规定删除，无法显示。"),
    "message_not_dead": Problem(409, "消息已在发送", "这条消息已经重新发送或已送达，没有改动。请刷新列表。"),
    "draft_not_yours": Problem(409, "草稿在他人名下", f"这份草稿正由他人填写，本次没有保存。{_KEPT}"),
    "draft_already_ended": Problem(
        409, "草稿已办结", "这份草稿已经有了结果，不能再次提交。请在工单或记录中查看。"
    ),
    "category_unknown": Problem(
        422, "分类已停用", f"所选分类不存在或已停用，没有保存。{_KEPT}请重新选择分类。"
    ),
    "place_unknown": Problem(422, "地点不正确", f"所选区县与街道不对应，没有保存。{_KEPT}请重新选择地点。"),
    "form_too_large": Problem(413, "内容过长", f"登记内容超过上限，没有保存。{_KEPT}请精简后重试。"),
    "unknown_disposition": Problem(422, "请选择结果", f"没有选择有效的结果，没有保存。{_KEPT}"),
    "user_cannot_take": Problem(
        409, "对方不能接收", f"所选人员已停用或不能填写草稿，没有移交。{_KEPT}请另选一位。"
    ),
    "callback_claimed": Problem(409, "同事正在回拨", "这个任务已有同事在处理，本次没有改动。请刷新列表。"),
    "unknown_result": Problem(422, "请选择结果", f"没有选择有效的回拨结果，没有保存。{_KEPT}"),
    "numbers_exhausted": Problem(
        503, "今日编号用完", f"今天的工单编号已用完，没有保存。{_KEPT}请通知系统管理员。"
    ),
    "reason_required": Problem(422, "请填写原因", "查看个人信息须填写原因并会记入审计，本次没有显示。"),
    "ticket_not_found": Problem(404, "没有找到工单", "工单不存在，或您无权查看。请核对工单号，或返回列表。"),
    "draft_not_found": Problem(404, "没有找到草稿", "草稿不存在，或不在您名下。请返回坐席台查看。"),
    "draft_ended": Problem(409, "草稿已办结", "这份草稿已经有了结果，不能再次提交。请在工单或记录中查看。"),
    "callback_not_found": Problem(404, "没有找到回拨任务", "任务不存在，或您无权查看。请返回回拨列表。"),
    "callback_closed": Problem(409, "回拨任务已关闭", "任务已有结果，本次没有改动。请刷新列表。"),
    "action_not_allowed": Problem(
        409, "当前状态不能这样办理", f"工单状态已变化，本次没有改动。{_KEPT}请刷新后再看。"
    ),
    "unit_not_found": Problem(
        422, "没有找到承办单位", f"所选单位不存在或已撤并，没有派发。{_KEPT}请重新选择。"
    ),
    "form_invalid": Problem(422, "请补充内容", f"还有必填项没有填好，没有保存。{_KEPT}"),
    "lease_lost": Problem(503, "正在切换", f"系统正在切换主用节点，本次没有保存。{_KEPT}请几秒后重试。"),
    "disk_full": Problem(507, "存储空间不足", f"服务器磁盘已满，本次没有保存。{_KEPT}请通知系统管理员。"),
    "unavailable": Problem(503, "暂时无法服务", f"数据库暂时连接不上，本次没有保存。{_KEPT}请稍后重试。"),
    "internal": Problem(
        500,
        "系统出错",
        f"系统内部出错，本次没有保存。{_KEPT}请稍后重试；如再次出现，请把下方编号告诉管理员。",
    ),
}
