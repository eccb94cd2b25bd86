"""Sentences of the kiosk."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "kiosk_code": Problem(
        422,
        "启用码不对",
        "启用码不对、已经用过，或超过 30 分钟。本机没有启用。"
        "请让安全管理员在“接入系统”中重新发放 12 位启用码。",
    ),
    "kiosk_unknown": Problem(
        404, "编号或查询码不对", "没有查到。请对照凭条核对编号和查询码，连续输错 5 次须等 30 分钟。"
    ),
}
