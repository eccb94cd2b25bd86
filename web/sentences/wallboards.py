"""Sentences about the addresses of wallboards."""

from __future__ import annotations

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "wallboard_name": Problem(
        422, "名称不能用", f"请填写 1 至 40 个字的名称，例如“大厅东侧屏幕”。没有新建地址。{KEPT}"
    ),
    "wallboard_many": Problem(
        409, "地址已满", f"同时使用的大屏地址最多 50 个，没有新建。{KEPT}请先停用不再使用的地址。"
    ),
}
