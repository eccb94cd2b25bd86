"""What every key of the console does, in groups, and the person's own combination beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.people.hotkeys import FIXED
from web.render import spoken

# Shipped combination → what it does.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "电话": {
        "F2": "到正在通话的登记表",
        "F8": "签入、示闲、示忙、话后小结",
        "F9": "请班长协助",
        "Alt+L": "语言转接",
        "Alt+B": "保持、恢复通话",
        "Alt+T": "转接、咨询、三方",
        "Alt+0": "转 110、119、120、122",
        "Alt+P": "拨打回拨任务的号码",
        "Alt+Q": "下一个回拨任务",
        "Alt+W": "接待文字来访",
        "Alt+Y": "应答最早的坐席求助（班长）",
    },
    "登记": {
        "Ctrl+Enter": "保存成工单、提交所在的表单、发送回复",
        "Alt+N": "新建草稿",
        "Alt+PageDown": "下一张登记表",
        "Alt+PageUp": "上一张登记表",
        "Alt+Z": "直办",
        "Alt+J": "不立单结束",
        "Alt+H": "移交给同事",
        "Alt+U": "催办",
        "Alt+A": "补充",
        "Alt+R": "记为重复来电",
        "Alt+C": "常用语",
        "F4": "查知识",
        "Alt+K": "采用第一条知识",
    },
    "建议与办理": {
        "Alt+1": "第 1 个建议或事项（派单台：派给第 1 个单位；现场：监听）",
        "Alt+2": "第 2 个建议或事项（现场：耳语）",
        "Alt+3": "第 3 个建议或事项（现场：强插）",
        "Alt+4": "紧急程度建议、第 4 个事项（现场：接管）",
        "Alt+5": "地点建议、第 5 个事项（现场：示闲）",
        "Alt+6": "第 6 个事项（现场：示忙）",
        "Alt+7": "第 7 个事项（现场：调整队列）",
        "Alt+8": "第 8 个事项（现场：签出）",
        "Alt+9": "第 9 个事项（现场：结束辱骂来电）",
        "Alt+M": "并案（派单台）",
        "Alt+S": "批量签收（工作台）",
    },
}
WORDS: Mapping[str, str] = {name: word for group in GROUPS.values() for name, word in group.items()}
FIXED_WORDS: Mapping[str, str] = dict(zip(FIXED, ("打开或关闭按键表", "关闭、收起、取消"), strict=True))


@dataclass(frozen=True)
class Line:
    """One key: `key` as it is now, `shipped` as it came; `changed` when these differ."""

    name: str
    word: str
    key: str
    shipped: str
    changed: bool


def lines(own: Mapping[str, str]) -> list[tuple[str, list[Line]]]:
    """Every key that can be changed, by group."""
    return [
        (
            group,
            [
                Line(name, word, spoken(own.get(name, name)), spoken(name), name in own)
                for name, word in names.items()
            ],
        )
        for group, names in GROUPS.items()
    ]
