"""First letters of the pinyin of a Chinese text, for type-ahead ("ludeng" is found by "ld").

The first 3,755 characters of GB 2312 stand in the order of their pinyin, so the borders between the
letters are all that is needed; no dictionary is shipped. The rest are ordered by radical: the ones
that occur in place names and categories of a Chinese city are listed by hand.
"""

from __future__ import annotations

from bisect import bisect_right

# GB 2312 code at which each letter begins; level one ends at D7F9.
_BORDERS = (
    (0xB0A1, "a"),
    (0xB0C5, "b"),
    (0xB2C1, "c"),
    (0xB4EE, "d"),
    (0xB6EA, "e"),
    (0xB7A2, "f"),
    (0xB8C1, "g"),
    (0xB9FE, "h"),
    (0xBBF7, "j"),
    (0xBFA6, "k"),
    (0xC0AC, "l"),
    (0xC2E8, "m"),
    (0xC4C3, "n"),
    (0xC5B6, "o"),
    (0xC5BE, "p"),
    (0xC6DA, "q"),
    (0xC8BB, "r"),
    (0xC8F6, "s"),
    (0xCBFA, "t"),
    (0xCDDA, "w"),
    (0xCEF4, "x"),
    (0xD1B9, "y"),
    (0xD4D1, "z"),
)
_STARTS = [code for code, _ in _BORDERS]
_LAST = 0xD7F9

# Beyond level one, or read otherwise in the words we use than where GB 2312 puts the character.
_BY_HAND = {
    "圩": "x", "峒": "d", "瑶": "y", "侗": "d", "邕": "y", "岜": "b", "岽": "d", "滟": "y", "漉": "l",
    "霾": "m", "涵": "h", "垃": "l", "圾": "j", "瘫": "t", "癌": "a", "骚": "s", "茔": "y", "窨": "y",
    "泵": "b", "氡": "d", "绿": "l", "殡": "b", "葬": "z", "炀": "y", "沱": "t", "塬": "y", "珑": "l",
    "榕": "r", "樟": "z", "桉": "a", "砭": "b", "婺": "w", "鸬": "l", "鹚": "c", "渌": "l", "矸": "g",
    "遛": "l", "橘": "j", "柘": "z", "坨": "t", "枧": "j", "泗": "s", "箦": "z",
}  # fmt: skip
_PHRASES = {
    "银行": "yh",
    "行业": "hy",
    "行长": "hz",
    "重复": "cf",
    "重建": "cj",
    "家长": "jz",
    "增长": "zz",
    "单于": "cy",
    "调整": "tz",
}


def _letter(character: str) -> str:
    """The letter of one character; '' when it has none."""
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    if character in _BY_HAND:
        return _BY_HAND[character]
    try:
        high, low = character.encode("gb2312")
    except (UnicodeEncodeError, ValueError):
        return ""
    code = high * 256 + low
    if not _STARTS[0] <= code <= _LAST:
        return ""
    return _BORDERS[bisect_right(_STARTS, code) - 1][1]


def initials(text: str) -> str:
    """The first letters of `text` in lower case, unknown signs left out: `initials("路灯不亮") == "ldbl"`."""
    for phrase, letters in _PHRASES.items():
        text = text.replace(phrase, letters)
    return "".join(_letter(character) for character in text)
