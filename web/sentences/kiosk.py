"""Sentences of the kiosk."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "kiosk_unknown": Problem(
        404, "编号或查询码不对", "没有查到。请对照凭条核对编号和查询码，连续输错 5 次须等 30 分钟。"
    ),
}
