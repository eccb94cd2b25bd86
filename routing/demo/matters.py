"""What people of the demo city call about: templates in `texts/*.txt`, filled with places and times.

Notation, one block per matter:

    @ category type weight unit…      D stands for the district the matter lies in
    T titles        W what happened        M more about it
    N what is wanted A how it was answered

Alternatives are parted by ` | `; words in braces are slots (see `Scene`). All texts were written for
this project; shops, firms and people in them do not exist.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from routing.demo import places
from routing.demo.places import District

TEXTS = Path(__file__).resolve().parent / "texts"
DURATIONS = ("三天", "一周", "半个月", "一个多月", "近两个月", "十来天", "好几天", "两个星期")
DATES = ("昨天", "前天", "本周一", "本周三", "本周二", "上周四", "上周五", "上周六", "上周日")
TIMES = ("早上七点多", "上午九点", "中午十二点", "下午三点", "傍晚六点", "晚上八点", "晚上十点", "夜里十一点")
NUMBERS = ("两", "三", "四", "五", "六", "七", "八")
MONEY = ("800", "1200", "1680", "2600", "3500", "4800", "6000", "9800", "12000", "18000", "26000", "43000")
SMALL_MONEY = ("15", "20", "30", "35", "50", "60", "80", "120")
THINGS = ("黑色双肩包", "手机", "一副眼镜", "装有证件的钱包", "购物袋", "雨伞和水杯", "笔记本电脑")
STATIONS = ("桂林站", "桂林北站", "桂林西站", "两江机场", "汽车客运南站", "琴潭客运站")
OPENINGS = {
    "phone": ("市民来电反映：", "来电人称，", "市民反映，", "来电人反映：", "", ""),
    "other": ("网友留言：", "您好，", "领导好，", "", ""),
}
BEFORE = (
    "此前向社区反映过，没有结果。",
    "已拨打相关单位电话，无人接听。",
    "之前反映过一次，答复说会处理，但一直没有动静。",
    "已在业主群里反映多次。",
    "属首次反映。",
)


@dataclass(frozen=True)
class Matter:
    """One kind of matter with its alternatives."""

    category: str
    type: str
    weight: int
    units: tuple[str, ...]
    titles: tuple[str, ...]
    what: tuple[str, ...]
    more: tuple[str, ...]
    wanted: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A matter told by one person about one place."""

    title: str
    narrative: str
    expected: str
    address: str
    subject: str
    answer: str


@cache
def load() -> tuple[Matter, ...]:
    """Every matter of the text files."""
    blocks = [
        block
        for file in sorted(TEXTS.glob("*.txt"))
        for block in file.read_text(encoding="utf-8").split("\n\n")
        if block.strip()
    ]
    return tuple(_parse(block) for block in blocks)


def _parse(block: str) -> Matter:
    head, *rest = block.strip().split("\n")
    category, kind, weight, *units = head.removeprefix("@ ").split()
    parts = {line[0]: tuple(one.strip() for one in line[2:].split(" | ")) for line in rest}
    return Matter(
        category,
        kind,
        int(weight),
        tuple(units),
        parts["T"],
        parts["W"],
        parts.get("M", ()),
        parts["N"],
        parts["A"],
    )


def _closest(draw: random.Random, title: str, sentences: tuple[str, ...]) -> str:
    """The sentence that shares most pairs of characters with the title, so that both tell one story."""
    pairs = {title[at : at + 2] for at in range(len(title) - 1)}
    scored = [(sum(pair in sentence for pair in pairs), draw.random(), sentence) for sentence in sentences]
    return max(scored)[2]


class Scene:
    """One place and time, drawn once, so that title and narrative speak of the same."""

    def __init__(self, draw: random.Random, district: District) -> None:
        self._draw = draw
        pick = draw.choice
        road, crossing = draw.sample(district.roads, 2)
        estate = pick(places.ESTATE_HEADS) + pick(places.ESTATE_TAILS)
        town = pick(district.towns)
        village = self._village(district, town)
        spots = (
            f"{road}与{crossing}交叉口",
            f"{road}{draw.randrange(3, 280)}号附近",
            f"{district.short}{road}",
            f"{estate}门口",
            f"{road}公交站旁",
        )
        self.town, self.district = town, district
        self.words = {
            "district": district.short,
            "road": road,
            "estate": estate,
            "where": pick(spots),
            "town": town,
            "village": village,
        } | self._details(district)

    def _details(self, district: District) -> dict[str, str]:
        """Whatever else may be spoken of: times, numbers, things, names of the district."""
        draw, pick = self._draw, self._draw.choice
        return {
            "b": str(draw.randrange(1, 29)),
            "floor": pick(("二", "三", "五", "六", "九", "十一", "十七", "二十三")),
            "age": str(draw.randrange(62, 89)),
            "date": pick(DATES),
            "time": pick(TIMES),
            "dur": pick(DURATIONS),
            "n": pick(NUMBERS),
            "m": pick(NUMBERS[1:]),  # before 十, where 两 cannot stand
            "money": pick(MONEY),
            "smallmoney": pick(SMALL_MONEY),
            "thing": pick(THINGS),
            "station": pick(STATIONS),
            "shop": pick(places.SHOPS),
            "firm": pick(places.FIRMS),
            "school": pick(district.schools),
            "hospital": pick(district.hospitals),
            "sight": pick(district.sights),
            "park": pick(district.parks),
            "river": pick(places.RIVERS),
            "bus": pick(places.BUSES),
            "market": pick(places.MARKETS),
        }

    def _village(self, district: District, town: str) -> str:
        """A known village, or one of the villagers' groups of a town."""
        if district.villages and self._draw.random() < 0.5:
            place, village = self._draw.choice(district.villages)
            return place + village
        return f"{town}第{self._draw.choice('一二三四五六')}村民小组"

    def tell(self, matter: Matter, channel: str) -> Story:
        """The matter in this place, as an agent would log it or a citizen write it."""
        draw, words = self._draw, self.words
        told = draw.choice(matter.titles)
        what = _closest(draw, told, matter.what)
        title = told.format(**words)
        parts = [draw.choice(OPENINGS["phone" if channel == "phone" else "other"]) + what]
        if parts[0].startswith(
            ("市民来电反映：来电人", "来电人称，来电人", "市民反映，来电人", "来电人反映：来电人")
        ):
            parts[0] = what
        if channel != "phone":
            parts[0] = parts[0].replace("来电人", "本人")
        parts += draw.sample(matter.more, min(len(matter.more), draw.choice((0, 1, 1, 2))))
        if matter.type in {"help", "complaint"} and draw.random() < 0.35:
            parts.append(draw.choice(BEFORE))
        expected = draw.choice(matter.wanted).format(**words)
        if draw.random() < 0.6:
            parts.append(expected if expected.startswith("请") else f"诉求：{expected}")
        narrative = "".join(parts).format(**words)
        used = what + told
        return Story(
            title,
            narrative,
            expected,
            self._address(used),
            self._subject(matter, narrative),
            draw.choice(matter.answers).format(**words),
        )

    def _address(self, used: str) -> str:
        """The place the story names, most exact first; "" for matters without a place."""
        for slot in ("where", "estate", "village", "park", "road", "school", "hospital", "sight"):
            word = self.words[slot]
            if "{" + slot + "}" in used:
                return word if word.startswith(self.district.short) else f"{self.district.short}{word}"
        return ""

    def _subject(self, matter: Matter, narrative: str) -> str:
        """The one complained about, when the story names one."""
        if matter.type not in {"complaint", "report"}:
            return ""
        names = (self.words[slot] for slot in ("firm", "shop", "hospital", "school"))
        return next((name for name in names if name in narrative), "")
