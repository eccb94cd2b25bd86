"""Words for codes, as the screens show them."""

from __future__ import annotations

from collections.abc import Callable

from core.people.duties import DUTIES, POST_LABELS
from tickets.terms import Channel, Confidentiality, ContactMeans, ContactResult, TicketType, Urgency, label
from tickets.workflow import ACTION_LABELS, STAGE_LABELS, STATE_LABELS

ROLE_WORDS = {**{str(post): word for post, word in POST_LABELS.items()}, "system": "系统"}

REQUEST_WORDS = {
    "return": "退单",
    "extension": "延期",
    "suspension": "挂起",
    "exclusion": "剔除",
    "closing": "办结",
}

Word = Callable[[str], str]


def _word(table: dict[str, str]) -> Word:
    return lambda code: table.get(code, code)


TICKET_WORDS: dict[str, Word] = {
    "state": _word({state.value: word for state, word in STATE_LABELS.items()}),
    "action": _word({action.value: word for action, word in ACTION_LABELS.items()}),
    "type": lambda code: label(TicketType, code),
    "urgency": lambda code: label(Urgency, code),
    "channel": lambda code: label(Channel, code),
    "confidentiality": lambda code: label(Confidentiality, code),
    "role": _word(ROLE_WORDS),
    "means": lambda code: label(ContactMeans, code),
    "contact": lambda code: label(ContactResult, code),
    "stage": _word({stage.value: word for stage, word in STAGE_LABELS.items()}),
    "request": _word(REQUEST_WORDS),
}

AUDIT_ACTIONS = {
    **{str(act): duty.label for act, duty in DUTIES.items()},
    "login.recovery": "用恢复码登录",
    "totp.enrol": "绑定动态口令",
    "totp.codes": "更换恢复码",
    "totp.off": "解除动态口令",
    "proposal.made": "提交待批事项",
    "proposal.approved": "批准事项",
    "proposal.refused": "退回事项",
    "proposal.withdrawn": "撤回事项",
    "delegation.create": "委托代理",
    "delegation.end": "结束代理",
    "login": "登录",
    "login.refused": "登录被拒绝",
    "login.locked": "账号锁定",
    "logout": "退出登录",
    "person.reveal": "查看个人信息",
    "recording.listen": "收听录音",
    "recording.refused": "收听录音被拒绝",
    "user.create": "新建账号",
    "user.roles": "调整岗位",
    "user.disable": "停用账号",
    "user.password": "修改密码",
    "unit.create": "新建单位",
    "unit.open": "启用单位",
    "unit.close": "停用单位",
    "outbox.resend": "重新发送消息",
    "unit.rename": "单位改名",
    "unit.move": "移动单位",
    "unit.reorder": "调整单位顺序",
    "unit.users": "移动单位人员",
    "unit.merge": "合并单位",
    "unit.merged": "单位合并完成",
    "unit.merge_retry": "重试工单移交",
    "category.draft": "建立分类草稿",
    "category.edit": "修改分类草稿",
    "category.drop": "放弃分类草稿",
    "category.publish": "发布诉求分类",
    "calendar.change": "修改工作日历",
    "policy.publish": "发布时限政策",
    "policy.draft": "起草时限政策",
    "reason.create": "新增原因代码",
    "reason.change": "修改原因代码",
    "word.add": "新增敏感词",
    "word.remove": "移除敏感词",
    "word.open": "启用敏感词",
    "word.close": "停用敏感词",
    "queue.save": "修改队列",
    "queue.members": "调整队列成员",
    "queue.open": "启用队列",
    "queue.close": "停用队列",
    "notice.publish": "发布公告",
    "notice.change": "修改公告",
    "notice.withdraw": "撤下公告",
    "wallboard.create": "新建大屏地址",
    "wallboard.revoke": "停用大屏地址",
    "outbox.discard": "放弃消息",
    "audit.export": "导出审计日志",
    "citizen.find": "查找市民档案",
    "hold.place": "登记保全",
    "hold.lift": "解除保全",
    "message_template.save": "修改短信模板",
    "message.opt_out": "登记短信退订",
    "message.opt_in": "恢复发送短信",
    "query_code.resend": "重发查询码",
    "query_code.locked": "查询码被锁定",
    "relay.send": "短信代为询问",
    "channel.test": "测试通知通道",
    "attachment.add": "上传附件",
    "attachment.refuse": "附件被拒绝",
    "attachment.withdraw": "撤回附件",
    "attachment.share": "调整附件范围",
    "attachment.download": "下载附件",
    "ticket.export": "导出工单",
    "export.download": "下载导出文件",
    "ticket.print": "打印工单",
    "order.print": "打印督办文书",
    "monitor.export": "导出电子监察",
    "draft.take_over": "接管草稿",
    "draft.end": "结束草稿",
    "ticket.search": "按电话或姓名查找工单",
    "ticket.dispatch": "派发工单",
    "ticket.refused": "工单操作被拒绝",
    "callback.claim": "认领回拨",
    "callback.attempt": "登记回拨",
    "citizen.search": "查找市民档案",
    "citizen.open": "打开市民档案",
    "citizen.merge": "合并市民档案",
    "citizen.unmerge": "撤销合并档案",
    "citizen.split": "拆分市民档案",
    "citizen.forget": "删除个人信息",
    "template.save": "保存答复模板",
    "responsibility.add": "新增责任清单",
    "responsibility.change": "修改责任清单",
    "responsibility.end": "停止使用责任清单",
    "responsibility.import": "导入责任清单",
    "rules.draft": "建立派单规则草稿",
    "rules.edit": "修改派单规则草稿",
    "rules.drop": "放弃派单规则草稿",
    "rules.promote": "上线派单规则",
    "place.take": "新增或导入地名",
    "place.remove": "移除地名",
    "report.make": "生成报表",
    "report.fetch": "下载报表",
}

AUDIT_OBJECTS = {
    "responsibility": "责任清单",
    "rule_set": "派单规则",
    "place": "地名",
    "wallboard": "大屏地址",
    "report": "报表",
    "export": "导出",
    "proposal": "待批事项",
    "delegation": "代理",
    "user_import": "导入名单",
    "user": "账号",
    "session": "会话",
    "unit": "单位",
    "ticket": "工单",
    "order": "督办文书",
    "monitor": "电子监察",
    "draft": "草稿",
    "callback": "回拨任务",
    "citizen": "市民档案",
    "reply_template": "答复模板",
    "outbox": "消息",
    "message_template": "短信模板",
    "channel": "通知通道",
    "call": "通话",
    "category": "诉求分类",
    "reason": "原因代码",
    "word": "敏感词",
    "queue": "队列",
    "notice": "公告",
    "handover": "工单移交",
    "audit": "审计日志",
}

AUDIT_WORDS: dict[str, Word] = {"action": _word(AUDIT_ACTIONS), "object": _word(AUDIT_OBJECTS)}


def code_of(table: dict[str, str], typed: str) -> str:
    """The code behind a word of `table`; what is no word of it is taken as a code itself."""
    return next((code for code, word in table.items() if word == typed), typed)
