"""The settings as they are in force on this node, and where each comes from. Read only."""

from __future__ import annotations

from itertools import groupby

from aiohttp import web

from core.people.permissions import Permission
from core.settings_view import in_force
from web.context import context
from web.render import page
from web.routes import route
from web.setting_words import MEANINGS

SECTIONS = {
    "": "总体",
    "city": "城市",
    "paths": "路径",
    "node": "节点",
    "http": "网页服务",
    "database": "数据库",
    "security": "登录与安全",
    "privacy": "个人信息保护",
    "telephony": "电话",
    "live": "实时更新",
    "outbox": "消息发送",
    "leadership": "主备切换",
    "drafts": "草稿",
    "retention": "保留期限",
    "text": "文字服务",
    "revisit": "回访",
    "certificates": "证照核验",
    "intermediaries": "中介服务超市",
    "uploads": "附件",
    "export": "导出",
    "notify": "通知",
    "log": "日志",
    "secrets": "密钥与口令",
}
ORIGINS = {
    "default": ("默认", "quiet"),
    "config.toml": ("config.toml", "info"),
    "config.local.toml": ("config.local.toml", "info"),
    "environment": ("环境变量", "warn"),
}


@route("GET", "/admin/settings", permission=Permission.SETTINGS_READ)
async def settings_page(request: web.Request) -> web.StreamResponse:
    """Every setting with its value, its default and its place."""
    lines = in_force(context(request).settings)
    groups = [
        (SECTIONS.get(section, section), list(found))
        for section, found in groupby(lines, key=lambda line: line.section)
    ]
    return await page(
        request,
        "admin/settings.html",
        groups=groups,
        origins=ORIGINS,
        meanings=MEANINGS,
        total=len(lines),
        changed=sum(line.origin != "default" for line in lines),
        stale=[line.name for line in lines if line.stale],
    )
