"""Sentences of click-to-call."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "no_extension": Problem(
        409, "没有绑定分机", "您的账号没有绑定分机，不能点击拨打。请用话机拨打，或联系系统管理员绑定分机。"
    ),
}
