"""Sentences of the interfaces for machines, and of points on the map; most readers connect a system."""

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
    "webhook_refused": Problem(
        422,
        "地址不能用",
        "通知只发往公网的 https 地址，或运行参数 notify.allowed_networks 列出的内网。"
        "没有建立订阅，请更换地址。",
    ),
    "webhook_many": Problem(409, "订阅已满", "一个系统最多 20 项订阅，没有新建。请先停用不再使用的订阅。"),
    "outer_number_taken": Problem(
        409,
        "外部编号冲突",
        "该外部编号已属于另一件工单，或本工单已有别的外部编号。没有改动，请核对编号。",
    ),
    "point_missing": Problem(409, "没有坐标", "这件工单没有地图坐标，没有可撤回的内容。"),
    "point_changed": Problem(
        409, "坐标已更新", "打开页面之后又有人提供了新的坐标，没有撤回。请刷新工单，核对后再操作。"
    ),
    "point_reason": Problem(422, "请填写原因", "撤回坐标须写明原因（200 字以内），没有改动。"),
    "push_invalid": Problem(
        400,
        "来电事件不完整或格式不对",
        "需要 event（newCall、answer 或 hangup）和 callId，号码用数字或分机号。事件没有记下，"
        "请检查交换机的设置。",
    ),
}
