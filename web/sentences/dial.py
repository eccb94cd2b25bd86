"""Sentences of click-to-call."""

from web.sentences.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "no_extension": Problem(
        409, "没有绑定分机", "您的账号没有绑定分机，不能点击拨打。请用话机拨打，或联系系统管理员绑定分机。"
    ),
    "number_dialled": Problem(
        409, "同事正在拨打", "同事正在拨打这个号码，本次没有拨出。请稍候刷新列表，或先处理下一个。"
    ),
    "caller_on_line": Problem(
        409, "市民正在来电", "这位市民正在打进来，没有回拨。由坐席接听后任务会自动结束。"
    ),
    "callback_too_early": Problem(
        409, "还没到再拨时间", "刚拨打过没有接通，没有拨出。请到页面所示时间后再拨，先处理下一个。"
    ),
}
