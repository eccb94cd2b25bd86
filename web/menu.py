"""The left menu: what a person may open, in the order of a day's work."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from core.people.actor import Actor
from core.people.permissions import Permission
from web.routes import ROUTES


@dataclass(frozen=True)
class Entry:
    """One line of the menu; it is shown when the rule of its route lets the person in."""

    label: str
    path: str
    icon: str


@dataclass(frozen=True)
class Group:
    """A heading with its lines."""

    label: str
    entries: tuple[Entry, ...]


MENU = (
    Group(
        "话务",
        (
            Entry("坐席台", "/agent", "headset"),
            Entry("现场监控", "/floor", "monitor"),
            Entry("我的工作", "/me/figures", "chart"),
            Entry("漏接回拨", "/callbacks", "callback"),
            Entry("文字服务", "/chats", "chat"),
            Entry("通话记录", "/calls", "phone"),
            Entry("号码名单", "/numbers", "shield"),
            Entry("市民档案", "/citizens", "person"),
            Entry("个人信息申请", "/data-requests", "shield"),
            Entry("超时草稿", "/drafts/stale", "clock"),
            Entry("常用语", "/snippets", "note"),
            Entry("语言与译员", "/floor/languages", "chat"),
            Entry("我的排班", "/me/rota", "calendar"),
            Entry("我的质检", "/me/quality", "check"),
        ),
    ),
    Group(
        "工单",
        (
            Entry("派单台", "/dispatch", "send"),
            Entry("退单裁定", "/rulings", "returns"),
            Entry("办结审核", "/checks", "check"),
            Entry("回访台", "/revisits", "chat"),
            Entry("审批事项", "/approvals", "stamp"),
            Entry("联系中转", "/relay", "relay"),
            Entry("工作台", "/workbench", "desk"),
            Entry("本单位工单", "/unit", "building"),
            Entry("答复模板", "/unit/templates", "note"),
            Entry("工单查询", "/tickets", "list"),
        ),
    ),
    Group(
        "知识",
        (
            Entry("知识库", "/knowledge", "search"),
            Entry("知识采编", "/knowledge/desk", "edit"),
            Entry("知识纠错", "/knowledge/tasks", "check"),
            Entry("突发口径", "/banners", "megaphone"),
        ),
    ),
    Group(
        "班务与质检",
        (
            Entry("排班表", "/rota", "calendar"),
            Entry("考勤", "/attendance", "clock"),
            Entry("交接班", "/handover", "note"),
            Entry("质量检查", "/quality", "check"),
            Entry("质检统计", "/quality/figures", "chart"),
        ),
    ),
    Group(
        "监督",
        (
            Entry("运行看板", "/dashboard", "chart"),
            Entry("督办台", "/supervision", "eye"),
            Entry("群诉与预警", "/clusters", "people"),
            Entry("亮牌记录", "/cards", "alert"),
            Entry("督办文书", "/orders", "stamp"),
            Entry("电子监察", "/monitor", "monitor"),
            Entry("监察评分", "/monitor/scores", "chart"),
            Entry("录音调听", "/monitor/recordings", "headset"),
            Entry("派单质量", "/routing/figures", "chart"),
            Entry("报表", "/reports", "list"),
            Entry("话务报表", "/reports/phone", "phone"),
            Entry("开放数据", "/reports/open", "chart"),
            Entry("证照核验", "/certificates", "check"),
        ),
    ),
    Group(
        "中介服务超市",
        (
            Entry("我的机构", "/market/own", "building"),
            Entry("中介名录", "/market", "building"),
            Entry("中介投诉", "/market/cases", "chat"),
            Entry("资质预警", "/market/qualifications", "clock"),
            Entry("中介黑名单", "/market/blacklist", "shield"),
        ),
    ),
    Group(
        "派单",
        (
            Entry("责任清单", "/routing/catalogue", "list"),
            Entry("派单规则", "/routing/rules", "sliders"),
            Entry("地名库", "/routing/places", "search"),
            Entry("派单试算", "/routing/try", "check"),
        ),
    ),
    Group(
        "管理",
        (
            Entry("人员账号", "/admin/users", "people"),
            Entry("待批事项", "/admin/approvals", "stamp"),
            Entry("在线会话", "/admin/sessions", "monitor"),
            Entry("接入系统", "/admin/machines", "relay"),
            Entry("组织机构", "/admin/units", "tree"),
            Entry("诉求分类", "/admin/categories", "tree"),
            Entry("智能分类", "/admin/classifier", "sliders"),
            Entry("基础数据", "/admin/catalog", "list"),
            Entry("所需材料", "/papers", "list"),
            Entry("日历", "/admin/calendar", "calendar"),
            Entry("时限政策", "/admin/policies", "clock"),
            Entry("公告", "/admin/notices", "megaphone"),
            Entry("大屏地址", "/wallboards", "monitor"),
            Entry("渠道", "/admin/channels", "chat"),
            Entry("短信记录", "/admin/messages", "chat"),
            Entry("未送达消息", "/admin/outbox", "inbox"),
            Entry("运行参数", "/admin/settings", "sliders"),
            Entry("信息删除", "/admin/deletions", "trash"),
            Entry("审计日志", "/admin/audit", "shield"),
        ),
    ),
)


def menu_for(app: web.Application, actor: Actor | None) -> list[Group]:
    """The part of the menu this person may open; groups without lines are left out."""
    if actor is None:
        return []
    rules = {route.path: route.rule for route in app[ROUTES] if route.method == "GET"}
    found = []
    for group in MENU:
        lines = tuple(entry for entry in group.entries if (r := rules.get(entry.path)) and r.allows(actor))
        if lines:
            found.append(Group(group.label, lines))
    return found


# Where a day begins: the first page of these that the person may open.
HOMES = (
    "/agent",
    "/supervision",
    "/dispatch",
    "/workbench",
    "/unit",
    "/revisits",
    "/callbacks",
    "/tickets",
    "/knowledge/desk",
    "/knowledge",
    "/market/own",
    "/admin/users",
    "/admin/audit",
    "/admin/outbox",
)
# Who writes drafts but takes no calls would wait at the seat for nothing.
HOMES_WITHOUT_CALLS = ("/callbacks", *HOMES)


def home_for(app: web.Application, actor: Actor) -> str:
    """The page a person starts at; `/welcome` for posts without any page yet."""
    rules = {route.path: route.rule for route in app[ROUTES] if route.method == "GET"}
    no_calls = actor.may(Permission.CALLBACK_WORK) and not actor.may(Permission.CALL_TAKE)
    homes = HOMES_WITHOUT_CALLS if no_calls else HOMES
    return next((path for path in homes if path in rules and rules[path].allows(actor)), "/welcome")
