"""The events a citizen is told of, what a wording may refer to, and how it is filled. Pure.

A wording is data (`message_template`); what stands here is which placeholders make sense where.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import HotlineError

MAX_TEXT = 500
MAX_SUMMARY = 120  # characters of a public reply that go into a text message
PLACEHOLDERS = {
    "number": "工单编号",
    "code": "查询码",
    "due": "承诺答复时间",
    "unit": "承办单位",
    "reply": "答复摘要、需补充或转达的内容",
}
_MARK = re.compile(r"\{([^{}]*)\}")
ONE_PART, PART = 70, 67  # characters of a message in Chinese, alone and as one of several


class MessageEvent(StrEnum):
    """What a citizen is told of."""

    RECEIPT = "receipt"
    CODE = "code"
    SUPPLEMENT = "supplement"
    PROMISE = "promise"
    REDISPATCH = "redispatch"
    EXTENSION = "extension"
    MERGE = "merge"
    CLOSING = "closing"
    SURVEY = "survey"
    RELAY = "relay"


@dataclass(frozen=True)
class EventKind:
    """What people call an event, when it is sent, and the placeholders its wording may hold."""

    label: str
    when: str
    placeholders: tuple[str, ...]


EVENTS: dict[MessageEvent, EventKind] = {
    MessageEvent.RECEIPT: EventKind("受理回执", "登记成工单时", ("number", "code")),
    MessageEvent.CODE: EventKind("重发查询码", "热线人员重发时", ("number", "code")),
    MessageEvent.SUPPLEMENT: EventKind("请市民补充", "要求补充时", ("number", "reply")),
    MessageEvent.PROMISE: EventKind("承诺答复时间", "首次派发时", ("number", "unit", "due")),
    MessageEvent.REDISPATCH: EventKind(
        "改由其他单位办理", "退单、裁定、改派后重新派发时", ("number", "unit", "due")
    ),
    MessageEvent.EXTENSION: EventKind("延期告知", "批准延期时", ("number", "unit", "due")),
    MessageEvent.MERGE: EventKind("并案告知", "并入其他工单时", ("number",)),
    MessageEvent.CLOSING: EventKind(
        "办结答复", "审核通过、直接答复或随主单办结时", ("number", "unit", "reply")
    ),
    MessageEvent.SURVEY: EventKind("满意度调查", "未列入电话回访的工单办结时", ("number", "code", "unit")),
    MessageEvent.RELAY: EventKind("代为询问", "热线代承办单位询问时", ("number", "reply")),
}


def check_text(event: MessageEvent, text: str) -> str:
    """A wording ready to be kept: one line, no unknown or misplaced placeholder.

    Raises `template_invalid` with `reason` empty, too_long, control, brace or placeholder (and its `name`).
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise HotlineError("template_invalid", reason="empty")
    if len(text) > MAX_TEXT:
        raise HotlineError("template_invalid", reason="too_long", limit=MAX_TEXT)
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") for sign in text):
        raise HotlineError("template_invalid", reason="control")
    for name in _MARK.findall(text):
        if name not in EVENTS[event].placeholders:
            raise HotlineError("template_invalid", reason="placeholder", name=name[:40])
    if set("{}") & set(_MARK.sub("", text)):
        raise HotlineError("template_invalid", reason="brace")
    return text


def render(text: str, values: Mapping[str, str]) -> str:
    """The wording with its placeholders filled; what is filled in is never read as a placeholder."""
    return _MARK.sub(lambda mark: values[mark[1]], text)


def wanted(text: str) -> frozenset[str]:
    """The placeholders a wording uses."""
    return frozenset(_MARK.findall(text))


def summary(reply: str, limit: int = MAX_SUMMARY) -> str:
    """A reply as one line of at most `limit` characters, ended as a sentence."""
    line = " ".join(reply.split())
    if len(line) > limit:
        return line[: limit - 1] + "…"
    return line if line.endswith(("。", "！", "？", "；", ".", "!", "?")) else line + "。"


def parts_of(text: str) -> int:
    """How many text messages a gateway charges for `text`."""
    return 1 if len(text) <= ONE_PART else math.ceil(len(text) / PART)


SAMPLE = {
    "number": "450320261123000128",
    "code": "804213",
    "due": "11月27日18:00",
    "unit": "市城市管理委员会",
    "reply": "经现场核实，中山路路灯已于11月25日修复。",
}
