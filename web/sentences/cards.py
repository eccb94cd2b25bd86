"""Sentences about cards of the ladder."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "card_not_found": Problem(404, "没有找到", "这张牌不存在，或您无权查看。请返回亮牌记录。"),
}
