"""Sentences of the live floor, help calls, broadcasts and languages."""

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "help_not_found": Problem(404, "没有这次求助", "求助不存在，或不在您的现场。请返回现场监控。"),
    "help_over": Problem(409, "求助已经结束", "没有改动。如仍需协助，请再按“求助”。"),
    "help_taken": Problem(409, "同事已在处理", "没有改动。这次求助已由另一位班长应答，可在求助页补充说明。"),
    "help_own": Problem(422, "不能应答自己的求助", "没有改动。请等另一位班长应答，或撤回求助。"),
    "help_unanswered": Problem(409, "还没有应答", "没有结束。请先应答，再结束这次求助。"),
    "help_text": Problem(422, "说明为空或太长", f"没有发送。请写 1 至 300 字。{KEPT}"),
    "broadcast_text": Problem(422, "广播内容为空或太长", f"没有发送。请写 1 至 200 字。{KEPT}"),
    "broadcast_minutes": Problem(422, "显示时间不对", f"没有发送。请选择 1 分钟至 12 小时。{KEPT}"),
    "language_unknown": Problem(422, "没有选好语言", f"没有保存。请从列表中选择语言。{KEPT}"),
    "language_no_call": Problem(409, "没有通话", "接通来电后，可标记语言、转给会的坐席或邀请译员。"),
    "interpreter_text": Problem(
        422, "译员姓名或备注不能用", f"没有保存。姓名 1 至 40 字，备注最多 200 字。{KEPT}"
    ),
    "interpreter_days": Problem(422, "没有选星期", f"没有保存。请至少选一天。{KEPT}"),
}
