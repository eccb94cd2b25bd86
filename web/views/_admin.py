"""What the administration pages share: lists as files, and the word for what was just done."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from web.inputs import Fields
from web.render import redirect

MEGABYTE = 1024 * 1024
DONE = {
    "saved": "已保存。",
    "added": "已新增。",
    "removed": "已移除。",
    "moved": "已移动。",
    "closed": "已停用。",
    "opened": "已启用。",
    "imported": "列表已导入。",
    "proposed": "已提交，待另一位管理员批准后生效。",
    "published": "已发布。",
    "dropped": "草稿已放弃，正在使用的内容没有变化。",
    "sent": "已重新排入发送。",
    "discarded": "已放弃所选消息，原因已记入审计。",
    "started": "已开始移交。",
    "withdrawn": "公告已撤下。",
    "withdrawn_proposal": "已撤回，没有改动。",
    "read": "已确认阅读。",
    "unchanged": "内容没有变化，未作修改。",
    "reported": "已反馈，归属单位会在时限内处理，结果会通知您。",
    "rejected": "已登记不予修改，反馈人会收到通知。",
    "dealt": "已处理。",
}


class NoFields(Fields):
    """A write that needs nothing but its address."""


class ListFields(Fields):
    """A list that was pasted or read from a file; `sure` carries it out."""

    text: str = Field(max_length=900_000)
    sure: bool = False


def csv_file(name: str, text: str) -> web.Response:
    """A list to be saved; browsers never open it in place."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


def back(request: web.Request, path: str, done: str = "", **query: Any) -> web.Response:
    """Go on to a page that says what was done."""
    given = {key: value for key, value in {**query, "done": done}.items() if value not in ("", None)}
    return redirect(request, f"{path}?{urlencode(given)}" if given else path)
