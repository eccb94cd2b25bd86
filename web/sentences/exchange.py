"""Sentences of the interfaces for machines; who reads them connects a system."""

from __future__ import annotations

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "idempotency_key": Problem(
        400,
        "需要 Idempotency-Key",
        "请求头 Idempotency-Key 用 8 至 80 个可见的英文字符，每件事一个，重试时不变。没有执行任何操作。",
    ),
    "key_reused": Problem(
        422,
        "Idempotency-Key 已用于另一请求",
        "这个键已用于内容不同的请求，没有再次执行。重试请保持内容不变，新的事项请换一个键。",
    ),
    "outer_number_taken": Problem(
        409,
        "外部编号冲突",
        "该外部编号已属于另一件工单，或本工单已有别的外部编号。没有改动，请核对编号。",
    ),
    "push_invalid": Problem(
        400,
        "来电事件不完整或格式不对",
        "需要 event（newCall、answer 或 hangup）和 callId，号码用数字或分机号。事件没有记下，"
        "请检查交换机的设置。",
    ),
}
