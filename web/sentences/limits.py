"""Sentences of the calendar and of the policy packs; a file that is refused is told with its line or key."""

import re

from core.errors import HotlineError
from tickets.states import STAGE_LABELS
from tickets.terms import LABELS, TicketType, Urgency
from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

NOTHING = f"没有保存任何内容。{_KEPT}"

# What is wrong with a file or a figure, with the place: code → (what, what helps).
FILES: dict[str, tuple[str, str]] = {
    "span_unreadable": ("{where}：“{span}”不是时段", "请写成 09:00-12:00，当天结束写 24:00"),
    "spans_reversed": ("{where}：时段 {span} 的结束不晚于开始", "跨过午夜的请分写在两天"),
    "spans_overlap": ("{where}：时段 {span} 与 {other} 重叠", "请合并为一个时段"),
    "calendar_file_unreadable": ("文件读不出来：{why}", "请使用 UTF-8 的 CSV 或 JSON 文件"),
    "calendar_file_columns": ("没有列名 {columns}", "请在首行写上这四个列名，可先导出现有日历作样本"),
    "calendar_file_years": ("文件所写的年份 {years} 超出日历范围 {first}—{last}", "请改正年份"),
    "calendar_file_gap": (
        "没有 {year} 年的日子",
        "请补全该年；若该年没有本市的日子，请写一行：{year},none,,原因",
    ),
    "calendar_file_empty": (
        "文件里没有任何日子",
        "请写入日子；某年没有本市的日子时写一行，如 2027,none,,原因",
    ),
    "calendar_line_cells": (
        "{where}：有 {found} 个值，应为 {wanted} 个",
        "请按 date,kind,hours,reason 填写，含逗号的原因加引号",
    ),
    "calendar_line_date": ("{where}：“{date}”不是日期", "请写成 2026-04-20"),
    "calendar_line_year": ("{where}：{date} 年份不对", "该文件应为 {first}—{last} 年，请核对是否选错文件"),
    "calendar_line_kind": (
        "{where}：没有“{kind}”这种日子",
        "请填 rest（休息）、work（上班）或 none（该年没有）",
    ),
    "calendar_line_hours": ("{where}：休息日不应有上班时段（{hours}）", "请去掉时段，或改为 work"),
    "calendar_line_twice": ("{where}：{date} 在{other}已写过", "请只保留一行"),
    "calendar_reason_long": ("原因超过 {most} 字", "请缩短"),
    "pack_unreadable": ("不是有效的 TOML 文本：{why}", "请改正该行，可先下载现行版本作样本"),
    "pack_key_unknown": ("没有 {key} 这一项", "可用的有：{nearest}"),
    "pack_key_missing": ("缺少 {key}", "请补上：{wanted}"),
    "pack_key_kind": ("{key} 不能是 {value}", "应为：{wanted}"),
    "pack_word_unknown": ("{key}：没有“{word}”", "可用的有：{nearest}"),
    "pack_limit": ("{key}：时限“{limit}”不能用：{why}", "请写数量和单位，如 10wd、4wh、24h、15m"),
    "pack_limit_not_days": ("{key}：{limit} 不是工作日", "延期按工作日计算，一般件总时限须写成 10wd"),
    "pack_total_missing": ("缺少 {key}", "每种类型都要有一般、紧急、特急三个总时限"),
    "pack_category_code": ("{key} 不是分类编码", "编码由数字、字母、短横和下划线组成，最多 {longest} 位"),
    "pack_text_long": ("文本过长", "最多 {most} 字"),
    "pack_name_long": ("名称过长", "最多 {most} 字"),
}
# The reasons the core gives in English, as people in the city read them.
WHY = (
    (r"(.+) leaves no time at all\.", r"\1 没有留下任何时间，须为 1 以上"),
    (r"(.+) is too long a limit\.", r"\1 过长，工作日最多 1000，工作小时最多 8000，小时最多 35000"),
    (r".+: there is no unit (.+)\.", r"没有单位 \1，可用 wd（工作日）、wh（工作小时）、h（小时）、m（分钟）"),
    (r'"(.*)" is not a limit\.', r"“\1”不是时限"),
    (r"it is too (long|large)", "文件过大"),
    (r"it is not UTF-8", "不是 UTF-8 编码"),
    (r"it is no JSON: .*?(?:line (\d+).*)?", "不是有效的 JSON"),
    (r'"years" is not like .*', "years 应写成 [2026, 2027]"),
    (r"a limit such as .*", "时限，如 10wd、4wh、24h、15m"),
    (r"a date such as .*", "日期，如 2026-01-01"),
    (r"a list such as .*", '时段的列表，如 ["09:00-12:00", "13:00-18:00"]'),
    (r"a whole number from 1 to 100", "1 到 100 的整数"),
    (r"a table", "一个表"),
    (r"text", "文字"),
    (r"such as 10wd", "如 10wd"),
    (r"true or false", "true 或 false"),
)
_WORDS: tuple[dict[str, str], ...] = (
    {
        "stages": "环节时限",
        "total": "总时限",
        "redo": "重办时限",
        "extension": "延期",
        "category": "法定时限",
    },
    {"co_opinion": "协办意见", "percent": "占总时限", "name": "名称", "source": "依据", "any": "各类"},
    {"office_hours": "适用办公时间", "longest": "最多延长", "in_all": "连同原时限", "basis": "依据"},
    {stage.value: word for stage, word in STAGE_LABELS.items()},
    LABELS[TicketType],
    LABELS[Urgency],
)
_PLACE = re.compile(r"^(?:.*?, )?(?:line (\d+)|entry (\d+))$")


def place(where: str) -> str:
    """`line 7` of a file as people read it; a day or a key as it is."""
    match = _PLACE.match(where)
    if match is None:
        return where.removeprefix(": ")
    return f"第 {match[1]} 行" if match[1] else f"第 {match[2]} 项"


def key_in_words(key: str) -> str:
    """`total.complaint.normal` as the page calls it, with the key; an unknown one as it is."""
    parts = key.split(".")
    found = [next((words[part] for words in _WORDS if part in words), part) for part in parts]
    return key if found == parts else f"{' '.join(found)}（{key}）"


def why(text: str) -> str:
    """A reason of the core in Chinese; an unknown one as it is."""
    for pattern, words in WHY:
        match = re.fullmatch(pattern, text)
        if match is not None:
            return match.expand(words)
    return text


def told(error: HotlineError) -> tuple[str, str] | None:
    """What is wrong with a file or a figure, and what helps; None for any other error."""
    found = FILES.get(error.code)
    if found is None:
        return None
    values = {key: value for key, value in error.params.items() if key != "file"}
    for key in ("where", "other"):
        if key in values:
            values[key] = place(str(values[key]))
    if "key" in values:
        values["key"] = key_in_words(str(values["key"]))
    for key in ("why", "wanted", "nearest"):
        if key in values:
            values[key] = why(str(values[key]))
    return found[0].format_map(_Forgiving(values)), found[1].format_map(_Forgiving(values))


class _Forgiving(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "—"


PROBLEMS: dict[str, Problem] = {
    **{code: Problem(422, "内容有误", f"文件或所填内容有误，{NOTHING}请按提示改正。") for code in FILES},
    "calendar_stale": Problem(
        409, "日历已有新版本", "您打开页面后有人修改了日历，没有保存。请在最新版本上重新预览。"
    ),
    "calendar_unchanged": Problem(409, "没有变化", "内容与现行日历相同，没有保存新版本。请核对后再改。"),
    "calendar_year_outside": Problem(422, "年份超出范围", f"日历只到 2001—2050 年。{NOTHING}请改正年份。"),
    "calendar_year_known": Problem(409, "该年已确认", "该年的放假安排已经确认，没有改动。请刷新页面查看。"),
    "calendar_version_missing": Problem(404, "没有这个版本", "日历版本不存在。请从版本列表重新打开。"),
    "pack_version_missing": Problem(404, "没有这个版本", "政策版本不存在。请从版本列表重新打开。"),
    "pack_unchanged": Problem(
        409, "没有变化", f"内容与所依据的版本相同，没有保存新版本。{_KEPT}请核对后再改。"
    ),
    "pack_effective_past": Problem(
        422, "生效日期已过", f"生效日期须为今天或以后，没有发布。{_KEPT}请改选日期。"
    ),
    "pack_published": Problem(
        409, "该日已按此版本执行", "所选日期已经执行这个版本，没有改动。请核对版本和日期。"
    ),
    "calendar_preview_missing": Problem(
        404, "预览已失效", "没有这次预览，或已过保留期，没有保存。请重新预览。"
    ),
    "calendar_preview_saved": Problem(
        409, "已经保存", "这次预览的内容已经保存过，没有重复保存。请刷新页面查看。"
    ),
}
