"""Sentences of the conversations in writing, for citizens and for agents."""

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "text_agree": Problem(422, "请先同意隐私说明", "勾选“我已阅读并同意”后才能开始，没有保存任何内容。"),
    "text_phone": Problem(
        422, "电话号码不正确", "请填写手机号或带区号的固定电话，也可以留空。没有保存任何内容。"
    ),
    "text_closed": Problem(
        503, "文字服务暂未开放", "现在不能发起文字服务，没有保存任何内容。请稍后再试，或请他人代拨 12345。"
    ),
    "text_full": Problem(
        503,
        "等待的人太多",
        "现在等待的人较多，没有开始新的会话。请几分钟后再试；紧急情况请联系 110、119、120。",
    ),
    "chat_unknown": Problem(404, "会话不存在", "这个会话已结束或链接已失效。请重新发起文字服务。"),
    "chat_ended": Problem(409, "会话已结束", f"会话已经结束，这条没有发出。{KEPT}需要时请重新发起。"),
    "chat_empty": Problem(422, "请填写内容", "内容为空，没有发出。请写下要说的话再发送。"),
    "chat_too_long": Problem(422, "内容过长", f"一条最多 500 字，没有发出。{KEPT}请分几条发送。"),
    "chat_full": Problem(409, "会话太长", f"一个会话最多 400 条，这条没有发出。{KEPT}请结束后重新发起。"),
    "chat_step": Problem(409, "会话状态已变化", "会话已被处理，没有改动。请刷新后再看。"),
    "chat_not_found": Problem(404, "没有找到会话", "会话不存在，或您无权查看。请返回文字服务列表。"),
    "chat_taken": Problem(409, "同事已经接待", "这个会话已由同事接待，没有改动。请刷新列表。"),
    "chat_offered": Problem(409, "正在提示同事", "这个会话正在提示一位同事，没有改动。请稍候再看。"),
    "chat_not_yours": Problem(409, "会话不在您名下", f"只有正在接待的人可以写，没有发出。{KEPT}"),
    "chat_busy": Problem(409, "同时接待已达上限", "您正在接待的会话已达上限。请先结束一个再接待。"),
    "gateway_refused": Problem(400, "签名不正确", "请求没有通过签名校验或已过期，没有保存。请检查网关设置。"),
}
