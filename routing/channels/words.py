"""What people write in a dialogue: commands, yes and no, a name and a number. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from core.privacy import normalise_phone

_COMMANDS: dict[str, tuple[str, ...]] = {
    "list": ("查询", "查进度", "进度", "我的工单", "查询工单"),
    "urge": ("催办", "催一下", "催单"),
    "add": ("补充", "补充材料", "补充情况"),
    "rate": ("评价", "打分"),
    "stop": ("退订", "td", "停止接收"),
    "resume": ("订阅", "恢复订阅", "恢复接收"),
    "cancel": ("取消", "不提交了", "算了"),
    "help": ("帮助", "菜单", "help", "?"),
}
_WORDS = {word: name for name, words in _COMMANDS.items() for word in words}
_WITH_REST = ("add", "urge", "rate")
_GREETINGS = frozenset({"你好", "您好", "在吗", "在不在", "hi", "hello", "喂", "有人吗", "你好啊", "12345"})
_DONE = frozenset({"好了", "好", "发完了", "完了", "完成", "好的", "没了", "没有了", "ok", "1"})
_NO = frozenset({"跳过", "没有", "无", "不清楚", "不知道", "说不清", "没", "不用", "不需要"})
_PHONE = re.compile(
    r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|0\d{2,3}[- ]?\d{7,8}(?!\d)|(?<!\d)[2-8]\d{6}(?!\d)"
)
_TITLES = re.compile(r"(姓名|联系人|联系电话|电话|手机号码|手机号|手机|号码|我叫|我是|我姓|是)[:： ]*")


@dataclass(frozen=True)
class Command:
    """A word of ours, and what stands behind it."""

    name: str
    rest: str


@dataclass(frozen=True)
class Contact:
    """How somebody is called, and a number in its normal form."""

    name: str
    phone: str


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().strip("。.!！~“”\"'").lower()


def command_of(text: str) -> Command | None:
    """The command a message is: the word alone, or before a space or a colon (补充：…, 评价5)."""
    plain = _plain(text)
    if plain in _WORDS:
        return Command(_WORDS[plain], "")
    raw = unicodedata.normalize("NFC", text).strip()
    for name in _WITH_REST:
        for word in sorted(_COMMANDS[name], key=len, reverse=True):
            rest = raw[len(word) :]
            if raw.startswith(word) and (rest[:1] in (":", "：", " ", "　", "，", ",") or _digit(name, rest)):
                return Command(name, rest.lstrip(":： 　，,").strip())
    return None


def _digit(name: str, rest: str) -> bool:
    return name in ("rate", "urge") and rest.strip() in ("1", "2", "3", "4", "5")


def is_greeting(text: str) -> bool:
    """Whether nothing is said but good day; a single sign is no matter either."""
    plain = _plain(text)
    return plain in _GREETINGS or len(plain) < 2


def is_done(text: str) -> bool:
    """Whether that was all."""
    return _plain(text) in _DONE


def is_no(text: str) -> bool:
    """Whether there is none, or it is not known."""
    return _plain(text) in _NO


def contact_of(text: str, area: str) -> Contact | None:
    """A name and a number, in any order; None without a number that can be called."""
    text = unicodedata.normalize("NFKC", text)
    for found in _PHONE.finditer(text):
        phone = normalise_phone(found[0], area=area)
        if phone.number is not None and phone.kind in ("mobile", "landline"):
            rest = text[: found.start()] + " " + text[found.end() :]
            name = re.sub(r"[\s,，。;；:：、]+", " ", _TITLES.sub(" ", rest)).strip()
            return Contact(name if len(name) <= 20 else "", phone.number)
    return None


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters in one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
