"""Finds what points at a person in free text (phones, ID numbers, bank cards, plates, e-mail) and masks it.

Pure. Public replies and attachments are looked through before they are published, and copies for third
parties are masked with it. Full-width digits, blanks and dashes inside a number, invisible characters
and numbers written in Chinese digits are read as a person reads them. A ticket number is eighteen
digits too; it holds no date of birth where an ID number has one, and is left alone.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Kind = Literal["phone", "id_number", "bank_card", "plate", "email", "name"]
KIND_WORDS: dict[Kind, str] = {
    "phone": "电话号码",
    "id_number": "身份证号",
    "bank_card": "银行卡号",
    "plate": "车牌号",
    "email": "电子邮箱",
    "name": "姓名",
}


@dataclass(frozen=True)
class Finding:
    """One place in a text: `text[start:end]` is of this kind and may be shown as `masked`."""

    kind: Kind
    start: int
    end: int
    masked: str

    @property
    def word(self) -> str:
        """What people call it."""
        return KIND_WORDS[self.kind]


# One separator between two digits is read over; invisible characters are separators as well.
_SEP = r"[ \t\-.·_/]{0,2}"
_NOT_BEFORE, _NOT_AFTER = r"(?<![0-9])", r"(?![0-9])"
_TRUNK = rf"(?:(?:\+|00)?86{_SEP}|0{_SEP})?"  # what people dial before a mobile number
_MOBILE = re.compile(rf"{_NOT_BEFORE}{_TRUNK}1{_SEP}[3-9](?:{_SEP}[0-9]){{9}}{_NOT_AFTER}")
_LANDLINE = re.compile(
    rf"{_NOT_BEFORE}\(?0[1-9][0-9]{{1,2}}\)?{_SEP}[2-8][0-9]{{2,3}}{_SEP}[0-9]{{4}}{_NOT_AFTER}"
)
_LOCAL = re.compile(rf"(?:电话|座机|号码|来电|致电|联系)[^0-9。；\n]{{0,6}}([2-8][0-9]{{6,7}}){_NOT_AFTER}")
_ID_18 = re.compile(rf"{_NOT_BEFORE}[1-9](?:{_SEP}[0-9]){{16}}{_SEP}[0-9Xx]{_NOT_AFTER}")
_ID_15 = re.compile(rf"{_NOT_BEFORE}[1-9][0-9]{{14}}{_NOT_AFTER}")
_CARD = re.compile(rf"{_NOT_BEFORE}[3-6](?:{_SEP}[0-9]){{15,18}}{_NOT_AFTER}")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][ ·.\-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Z0-9])"
)
_IN_NAME = r"[\s·.\-_]{0,2}"  # what may stand between the characters of a name and is read over
_UPPER = {ord(char): char.upper() for char in "abcdefghijklmnopqrstuvwxyz"}
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)
_LABELLED = re.compile(
    r"(?:姓名|联系人|来电人|投诉人|举报人|当事人|反映人|申请人|户主|业主)\s{0,3}[：:]\s{0,3}"
    r"([\u4e00-\u9fff]{1,2}(?:·[\u4e00-\u9fff]{1,8})?[\u4e00-\u9fff]{1,2})(?![\u4e00-\u9fff])"
)
_CHINESE_DIGITS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SHORTEST_NUMBER = 7  # digits: shorter ones are extensions and amounts
_FIRST_YEAR, _LAST_YEAR = 1900, 2099


def find(text: str, *, names: Iterable[str] = (), numbers: Iterable[str] = ()) -> list[Finding]:
    """What points at a person in `text`, in order, never overlapping.

    `names` and `numbers` are what is known of somebody: they are looked for besides what looks like a
    number and what stands behind 姓名： and the like.
    """
    plain = "".join(map(_plain, text))
    found = [*_numbers(plain), *_words(plain), *known(plain, names, numbers)]
    if any(char in "〇零一二三四五六七八九幺" for char in plain):
        digits = plain.translate(_CHINESE_DIGITS)
        found += [*_numbers(digits), *known(digits, (), numbers)]
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
        elif finding.end > kept[-1].end:  # what reaches out of another one is hidden with it
            kept[-1] = replace(kept[-1], end=finding.end)
    return kept


def masked(text: str, *, names: Iterable[str] = (), numbers: Iterable[str] = ()) -> str:
    """`text` with everything that `find` finds replaced by its mask."""
    pieces, at = [], 0
    for finding in find(text, names=names, numbers=numbers):
        pieces += [text[at : finding.start], finding.masked]
        at = finding.end
    return "".join([*pieces, text[at:]])


def _plain(char: str) -> str:
    """One character for one: digits of any script, full-width letters and signs, nothing invisible."""
    if char.isascii():
        return char
    if unicodedata.category(char) in ("Cf", "Zs"):
        return " "
    if char in "–—‐‑−ー":
        return "-"
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    narrow = unicodedata.normalize("NFKC", char)
    return narrow if len(narrow) == 1 else char


def _numbers(text: str) -> Iterator[Finding]:
    for match in _ID_18.finditer(text):
        digits = _squeezed(match[0])
        if _is_birthday(digits[6:14]):
            yield Finding("id_number", *match.span(), _hide(digits, 4, 2))
    for match in _ID_15.finditer(text):
        if _is_birthday("19" + match[0][6:12]) and not _passes_luhn(match[0]):
            yield Finding("id_number", *match.span(), _hide(match[0], 4, 2))
    for match in _CARD.finditer(text):
        digits = _squeezed(match[0])
        if _passes_luhn(digits):
            yield Finding("bank_card", *match.span(), _hide(digits, 4, 4))
    for match in _MOBILE.finditer(text):
        yield Finding("phone", *match.span(), _hide(_squeezed(match[0])[-11:], 3, 4, stars=4))
    for match in _LANDLINE.finditer(text):
        yield Finding("phone", *match.span(), _hide(_squeezed(match[0]), 4, 2, stars=4))
    for match in _LOCAL.finditer(text):
        yield Finding("phone", *match.span(1), _hide(match[1], 2, 2, stars=4))


def known(text: str, names: Iterable[str], numbers: Iterable[str]) -> Iterator[Finding]:
    """Where these names and numbers stand; blanks, dots and dashes within them are read over."""
    for name in names:
        chars = [char for char in "".join(map(_plain, name)) if not re.fullmatch(r"[\s·.\-_]", char)]
        if len(chars) > 1:
            pattern = _IN_NAME.join(map(re.escape, chars))
            if chars[0].isascii():  # Ann is not found in Hanna
                pattern = rf"(?<![A-Za-z]){pattern}(?![A-Za-z])"
            for match in re.finditer(pattern, text, re.IGNORECASE):
                yield Finding("name", *match.span(), match[0][:1] + "**")
    for number in numbers:
        digits = _squeezed(number)
        if len(digits) >= SHORTEST_NUMBER:
            pattern = _NOT_BEFORE + _SEP.join(digits) + _NOT_AFTER
            keep = (3, 4) if len(digits) > 10 else (2, 2)
            for match in re.finditer(pattern, text, re.IGNORECASE):
                yield Finding("phone", *match.span(), _hide(digits, *keep, stars=4))


def _words(text: str) -> Iterator[Finding]:
    for match in _PLATE.finditer(text.translate(_UPPER)):  # upper() may lengthen a text
        if any(char.isdigit() for char in match[0]):
            yield Finding("plate", *match.span(), match[0][:2] + "****" + match[0][-1])
    for match in _EMAIL.finditer(text):
        name, _, host = match[0].partition("@")
        yield Finding("email", *match.span(), f"{name[:1]}***@{host}")
    for match in _LABELLED.finditer(text):
        yield Finding("name", *match.span(1), match[1][:1] + "**")


def _squeezed(text: str) -> str:
    return "".join(char for char in text if char.isdigit() or char in "Xx")


def _hide(digits: str, head: int, tail: int, *, stars: int = 0) -> str:
    return digits[:head] + "*" * (stars or max(len(digits) - head - tail, 4)) + digits[-tail:]


def _is_birthday(text: str) -> bool:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return _FIRST_YEAR <= day.year <= _LAST_YEAR


def is_id_number(text: str) -> bool:
    """True when eighteen characters are a whole ID number, check digit included (GB 11643)."""
    if not re.fullmatch(r"[1-9]\d{16}[\dXx]", text) or not _is_birthday(text[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def _passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
