"""Sentences about machine clients: for people at the list, and for who connects a system."""

from __future__ import annotations

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "machine_name": Problem(
        422, "名称不能用", f"请填写 1 至 40 个字的名称，例如“省级平台”。没有新建。{KEPT}"
    ),
    "machine_code": Problem(
        422,
        "代码不能用",
        f"代码用 2 至 31 个小写字母、数字或短横，并且不能与已有系统相同（停用的也算）。没有新建。{KEPT}",
    ),
    "machine_scopes": Problem(422, "没有选择权限", f"请至少选择一项接口权限。没有新建。{KEPT}"),
    "machine_many": Problem(
        409, "接入系统已满", f"同时使用的接入系统最多 500 个，没有新建。{KEPT}请先停用不再使用的系统。"
    ),
    "machine_unknown": Problem(
        401,
        "令牌无效",
        "没有令牌，或令牌已停用、已更换。没有执行任何操作。请在请求头 Authorization: Bearer 中使用有效令牌，"
        "令牌由热线的安全管理员在“接入系统”中发放。",
    ),
    "scope_missing": Problem(
        403, "令牌没有此项权限", "该令牌不能调用这个接口，没有执行任何操作。请联系热线的安全管理员增加权限。"
    ),
}
