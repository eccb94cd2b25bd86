"""Sentences of the agent's seat: text snippets."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "snippet_code": Problem(
        422, "短码不正确", f"短码只能用 1 到 12 个英文字母或数字，例：ld。没有保存。{_KEPT}"
    ),
    "snippet_incomplete": Problem(422, "请填写完整", f"常用语须有名称和内容，没有保存。{_KEPT}"),
    "snippet_too_long": Problem(
        422, "内容过长", f"名称最多 40 字、内容最多 2000 字，没有保存。{_KEPT}请精简后重试。"
    ),
    "snippet_code_taken": Problem(
        409, "短码已用过", f"这个短码已有一条常用语，没有保存。{_KEPT}请换一个短码。"
    ),
    "too_many_snippets": Problem(
        409, "常用语已满", f"每人最多保存 100 条，没有保存。{_KEPT}请先删除不用的。"
    ),
    "snippet_not_found": Problem(
        404, "没有找到常用语", "常用语已被删除，或不由您维护，没有改动。请返回列表。"
    ),
}
