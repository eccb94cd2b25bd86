"""Sentences of text messages, notices, the contact relay and query codes."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "template_unknown": Problem(404, "没有这个模板", "短信模板不存在，没有改动。请返回模板列表重新选择。"),
    "template_invalid": Problem(
        422,
        "模板内容不正确",
        f"模板为空、超过 500 字、含换行或不能识别的占位符，没有保存。{_KEPT}请使用页面上列出的占位符。",
    ),
    "email_invalid": Problem(422, "邮箱地址不正确", f"电子邮箱格式不正确，没有保存。{_KEPT}请核对后重试。"),
    "no_phone_on_file": Problem(
        409, "没有登记电话", "这件工单没有登记电话，没有发送。查询码只能发到登记的手机号码。"
    ),
    "contact_unwanted": Problem(
        409, "来电人要求不联系", "来电人要求保密且不需要回复，按规定不发送任何短信，没有改动。"
    ),
    "code_resend_limit": Problem(
        429, "今天重发次数已满", "同一工单一天最多重发 5 次查询码，本次没有发送。请明天再试。"
    ),
    "query_locked": Problem(
        429, "查询已暂停", "查询码连续输错，已暂停查询。请稍后再试，或致电 12345 请热线重发查询码。"
    ),
    "relay_text_personal": Problem(
        422,
        "内容里有联系方式",
        f"文字中有电话、证件号等个人信息，双方的号码不能互相告知，没有保存。{_KEPT}请删去后再提交。",
    ),
    "relay_not_open": Problem(
        404, "问题已答复", "这个问题已经答复，或您无权查看，本次没有改动。请刷新列表。"
    ),
    "channel_missing": Problem(
        409,
        "通道没有启用",
        "该通道没有在运行参数中配置，或您没有登记邮箱，没有发送测试。请先完成配置。",
    ),
    "channel_failed": Problem(
        502, "测试没有送达", "对方没有接收测试消息，没有其他影响。请核对通道的地址和密钥，或查看日志。"
    ),
}
