"""Languages a hotline of this region meets: dialects, Zhuang and its neighbours, foreign languages. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time

from core.clock import to_city

DIALECTS = {
    "guiliu": "桂柳话", "pinghua": "平话", "cantonese": "粤语（白话）", "hakka": "客家话", "xiang": "湘语",
}  # fmt: skip
PEOPLES = {"zhuang": "壮语", "yao": "瑶语", "miao": "苗语", "dong": "侗语"}
FOREIGN = {
    "english": "英语", "vietnamese": "越南语", "thai": "泰语", "japanese": "日语", "korean": "韩语",
    "french": "法语", "russian": "俄语", "spanish": "西班牙语", "arabic": "阿拉伯语",
}  # fmt: skip
GROUPS = (("方言", DIALECTS), ("少数民族语言", PEOPLES), ("外语", FOREIGN))
LANGUAGES: dict[str, str] = {**DIALECTS, **PEOPLES, **FOREIGN}
WEEK = "一二三四五六日"


@dataclass(frozen=True)
class Hours:
    """When somebody can be called: `days` 1 Monday … 7 Sunday; hours of the city, equal ones: all day."""

    days: str
    begins: time
    ends: time

    def open_at(self, instant: datetime) -> bool:
        """Whether `instant` (UTC) lies within; hours past midnight belong to the day they began."""
        local = to_city(instant)
        moment, day = local.time(), local.isoweekday()
        if self.begins == self.ends:
            return str(day) in self.days
        if self.begins < self.ends:
            return str(day) in self.days and self.begins <= moment < self.ends
        before = 7 if day == 1 else day - 1
        return (moment >= self.begins and str(day) in self.days) or (
            moment < self.ends and str(before) in self.days
        )

    @property
    def words(self) -> str:
        """As people read it."""
        days = "每天" if self.days == "1234567" else "周" + "、".join(WEEK[int(day) - 1] for day in self.days)
        if self.begins == self.ends:
            return f"{days} 全天"
        past = "次日 " if self.ends < self.begins else ""
        return f"{days} {self.begins:%H:%M} 至 {past}{self.ends:%H:%M}"


def words_of(codes: Iterable[str]) -> str:
    """Languages in words, in the order of the table."""
    wanted = set(codes)
    return "、".join(word for code, word in LANGUAGES.items() if code in wanted)
