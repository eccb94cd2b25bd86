"""Sentences of call control: what cannot be ordered, and why an order came to nothing."""

from web.sentences.problem import Problem

_ONHOLD = "市民仍在保持中，可以恢复通话或另选一位。"

PROBLEMS: dict[str, Problem] = {
    "call_not_found": Problem(404, "没有找到通话", "没有这个通话。请刷新页面后再看。"),
    "call_over": Problem(409, "通话已结束", "通话刚刚结束，没有做任何操作。需要时请从工单或漏接回拨里回拨。"),
    "not_your_call": Problem(409, "不在这个通话中", "您的话机现在不在这个通话里。请看话务栏里当前的通话。"),
    "not_in_call": Problem(409, "不在这个通话中", "您的话机刚刚已离开这个通话，没有做任何操作。"),
    "nobody_talks": Problem(409, "没有坐席在通话", "这个通话现在没有坐席在接听，不能监听、插话或接管。"),
    "own_call": Problem(409, "您就在通话中", "这是您自己话机上的通话，不能监听自己。"),
    "call_moved": Problem(
        409, "通话刚刚变化", "对方恰好挂断或已转走，没有做成。请看通话现在的状态，需要时再操作。"
    ),
    "call_elsewhere": Problem(409, "市民不在通话中", "市民正在排队、按键评价或转接途中，请稍候再操作。"),
    "order_late": Problem(409, "没有及时送到", "话务系统没有及时响应，这次操作已作废，请稍后再按一次。"),
    "order_lost": Problem(409, "结果不明", "话务系统没有回话，这次操作按未做成处理。请看通话现在的状态。"),
    "held_already": Problem(409, "已在保持中", "市民已在保持中，可以按“恢复”。"),
    "not_held": Problem(409, "没有在保持", "市民没有被保持，正在与您通话。"),
    "party_listens": Problem(409, "还有人在线", "您正在咨询，请选择“三方”让市民加入，或“结束咨询”后再恢复。"),
    "party_already": Problem(409, "已有第三方", "已有一位第三方在线或正在呼叫。请先结束咨询，再请另一位。"),
    "party_rings": Problem(409, "正在呼叫", "第三方还没有接听，请等接通，或先取消。"),
    "nobody_joined": Problem(409, "没有第三方", "没有接通的第三方，不能转交或结束咨询。"),
    "muted_already": Problem(409, "录音已静音", "录音已在静音，可以按“恢复录音”。"),
    "not_muted": Problem(409, "录音正常", "录音没有静音。"),
    "not_recorded": Problem(409, "没有录音", "这个通话没有录音，不需要静音。"),
    "target_needed": Problem(422, "没有选择对象", "请在列表里选一位同事、一个队列，或输入一个外线号码。"),
    "target_refused": Problem(
        422,
        "不能呼叫这个对象",
        "只能选已签入的同事、本热线的队列、110/119/120/122，或输入手机号、带区号的固定电话、五位服务号码。"
        "队列只能用于转接。",
    ),
    "colleague_busy": Problem(409, "同事正在通话", "这位同事的话机正忙，没有呼叫。请另选一位，或转到队列。"),
    "own_phone_busy": Problem(409, "您的话机正忙", "您的话机正在通话，请先挂机，再监听或接管。"),
    "party_no_answer": Problem(409, "无人接听", f"对方没有接听。{_ONHOLD}"),
    "party_busy": Problem(409, "占线", f"对方占线。{_ONHOLD}"),
    "party_refused": Problem(409, "对方未接", f"对方拒接或中断了呼叫。{_ONHOLD}"),
    "party_unreachable": Problem(409, "接不通", f"对方话机没有注册或线路不通。{_ONHOLD}"),
    "transfer_returned": Problem(
        409, "转接无人接听", "对方没有接听，市民正在回到您的话机；您不便接听时会回到队列。"
    ),
    "listing_reason": Problem(422, "请写明理由", "请写明理由，班长据此决定；不超过 200 字。"),
    "number_unknown": Problem(409, "没有号码", "这个来电没有显示号码，不能列入名单。"),
    "own_proposal": Problem(403, "须由他人决定", "自己提出的号码须由另一位班长决定。"),
    "ami_not_connected": Problem(
        409, "话务系统未连接", "与话务系统的连接中断，没有做任何操作，请用话机处理。"
    ),
    "ami_timeout": Problem(409, "话务系统没有回话", "话务系统没有回话，结果不明。请看通话现在的状态。"),
    "ami_action_refused": Problem(422, "不允许的操作", "这个操作不在允许的范围内，没有发给话务系统。"),
}
