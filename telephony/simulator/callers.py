"""Invented citizens: names and numbers that belong to nobody, with the oddities trunks deliver."""

import random
from dataclasses import dataclass

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余蒋莫韦覃"
GIVEN = "明华丽芳军敏静强磊洋艳勇杰娟涛超秀霞平刚桂英玉兰建国志红梅春燕海波文斌雪莹佳怡子轩雨桐"
PEOPLE = 400  # a city's callers come back: this many of them share the day's calls
MOBILE = "1380773"
LANDLINE = "0773-28"
# What arrives in a display name when somebody is malicious or a gateway is broken.
HOSTILE = (
    "甲\u2028Uniqueid: FORGED\u2028Queue: vip",
    "乙\u0085Linkedid: FORGED",
    "<script>alert(1)</script>",
    "丙\u202e名字反过来",
    "'; DROP TABLE call_session; --",
    "超" * 300,
    "\udcce\udcc4\udcd0\udca1\udcc3\udcf7",  # a GBK name, byte for byte
)


@dataclass(frozen=True)
class Caller:
    """A number and a name as the trunk delivers them."""

    number: str
    name: str


def citizen(index: int) -> Caller:
    """The invented citizen number `index` (0 … 9999): always the same number and name."""
    draw = random.Random(f"citizen-{index}")
    name = draw.choice(SURNAMES) + "".join(draw.sample(GIVEN, draw.choice((1, 2, 2))))
    digits = f"{(index * 7919 + 13) % 10_000:04d}"
    return Caller(MOBILE + digits, name)


def draw_caller(draw: random.Random, people: int = PEOPLE) -> Caller:
    """Who calls next: mostly known mobiles, with and without +86, some landlines, few oddities."""
    known = citizen(min(int(draw.expovariate(3.0) * people), people - 1))
    chance = draw.random()
    if chance < 0.012:
        return Caller("anonymous", "Anonymous")
    if chance < 0.020:
        return Caller(known.number, draw.choice(HOSTILE))
    if chance < 0.14:
        return Caller(f"{LANDLINE}{draw.randrange(100_000):05d}", "")
    if chance < 0.20:
        return Caller(f"+86{known.number}", known.name)
    if chance < 0.24:
        return Caller(f"0086{known.number}", known.name)
    if chance < 0.45:
        return Caller(known.number, known.number)  # most networks send no name
    return known
