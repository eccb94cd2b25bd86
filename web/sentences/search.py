"""Sentences of the search."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "search_too_long": Problem(
        400, "文字过长", "查找的文字超过 60 个字，没有执行。请只输入其中有代表性的一段。"
    ),
}
