"""Words that raise the urgency of a text: which ones, where, and why. Pure.

The list is `words.toml`, for people to read and to change. It only ever raises: a text without any of
its words says nothing about how soon it must be looked at. A word that is denied does not count
("没有爆炸", "不再停水", "并未发生塌陷"), nor one inside a harmless longer word ("跳楼价").
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("words.toml")
LEVELS = ("urgent", "critical")  # in rising order; codes of the ticket's form
CLAUSE = re.compile(r"[，。；！？、,.;!?\s：:（）()]")
LISTED = re.compile(r"(?:、|和|及|或|或者|以及)?")
LOOK_BACK = 8  # characters before a word in which a denial can stand, of the same clause

# A denial stands right before the word, or before verbs of happening and a few small words.
_HAPPENING = "(?:再|再次|继续|曾|有|出现|发生|造成|引起|引发|存在|导致|过|任何|人|人员|什么|明显){0,3}"
DENIED = re.compile(rf"(?:没有|没得|没|未|不|不会|不是|并非|无|避免|防止|预防|防|谨防|严禁){_HAPPENING}$")
# What looks like a denial and is none: "不止中毒", "不停停电", "有没有人被困".
NO_DENIAL = re.compile(
    r"(?:不仅|不止|不光|不但|无故|无缘无故|不停|不断|不时|是不是|要不|有没有|会不会|没人管|不得不)\S{0,3}$"
)
# What follows and takes the word back: it is over, or a lesson, a drill, a rumour.
TAKEN_BACK = re.compile(
    r"(?:事件|的事)?(?:已|已经|早已|现已|就)?"
    r"(?:排除|解除|恢复正常|没有发生|并未发生|未发生|演练|宣传|知识|培训|讲座|应急预案|的传言|是谣言|是假的)"
)


@dataclass(frozen=True)
class Raised:
    """What was found: the highest `level`, its `words` in the order of the text, where, and why.

    `spans` are [start, end) in characters of the text, one for each of `words`; words of a lower level
    are not named. `why` is the reason of the first of them.
    """

    level: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    why: str


@dataclass(frozen=True)
class Rule:
    """One entry of the list."""

    level: str
    why: str
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()


class WordList:
    """Rules ready to be asked."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {word: rule for rule in rules for word in rule.words}
        # One pattern for both: a harmless word that begins first or goes on longer takes the place.
        self._any = _any_of({*self._rules, *(word for rule in rules for word in rule.unless)})

    def raised(self, text: str) -> Raised | None:
        """What `text` holds of the list; None: nothing that counts."""
        found = [(match, self._rules[match[0]]) for match in self._matches(text)]
        if not found:
            return None
        level = max((rule.level for _, rule in found), key=LEVELS.index)
        top = [(match, rule) for match, rule in found if rule.level == level]
        return Raised(
            level=level,
            words=tuple(match[0] for match, _ in top),
            spans=tuple(match.span() for match, _ in top),
            why=top[0][1].why,
        )

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        """The words that count; the longest where several begin at one place."""
        words = (match for match in self._any.finditer(text) if match[0] in self._rules)
        for row in _rows(text, words):
            if not _denied(text, row[0].start(), row[-1].end()):
                yield from row


def parse(data: Mapping[str, Any]) -> list[Rule]:
    """Rules as they stand in a list. Raises ValueError that names the entry that is not whole."""
    rules = []
    for number, entry in enumerate(data.get("rule", ()), 1):
        words, unless = tuple(entry.get("words", ())), tuple(entry.get("unless", ()))
        if entry.get("level") not in LEVELS or not entry.get("why") or not words or not all(words + unless):
            raise ValueError(f"rule {number}: level ({' or '.join(LEVELS)}), why and words are needed")
        rules.append(Rule(entry["level"], entry["why"], words, unless))
    return rules


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The rules of `words.toml`."""
    return tuple(parse(tomllib.loads(LIST.read_text(encoding="utf-8"))))


@cache
def shipped() -> WordList:
    """The list of `words.toml`."""
    return WordList(shipped_rules())


def raised_urgency(text: str) -> Raised | None:
    """What in `text` raises its urgency by the shipped list; None when nothing does.

    >>> raised_urgency("没有爆炸，路灯不亮") is None
    True
    """
    return shipped().raised(text)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern for any of `words`, longer ones first; for none of them: what never matches."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _rows(text: str, matches: Iterable[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Words that stand side by side or are listed ("停水停电", "死亡、受伤"): what denies one denies all."""
    row: list[re.Match[str]] = []
    for match in matches:
        if row and not LISTED.fullmatch(text, row[-1].end(), match.start()):
            yield row
            row = []
        row.append(match)
    if row:
        yield row


def _denied(text: str, start: int, end: int) -> bool:
    """Does the clause of text[start:end] deny it, or take it back?"""
    before = CLAUSE.split(text[max(0, start - LOOK_BACK) : start])[-1]
    if DENIED.search(before) and not NO_DENIAL.search(before):
        return True
    return TAKEN_BACK.match(text, end) is not None
