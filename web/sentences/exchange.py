"""Sentences of the interfaces for machines; who reads them connects a system."""

from __future__ import annotations

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "push_invalid": Problem(
        400,
        "来电事件不完整或格式不对",
        "需要 event（newCall、answer 或 hangup）和 callId，号码用数字或分机号。事件没有记下，"
        "请检查交换机的设置。",
    ),
}
