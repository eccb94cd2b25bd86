"""Ordered rules of dispatch as data, and what each of them said of a matter. Pure.

The first rule whose conditions all hold decides; those behind it are still looked at, so that a page can
show them. A rule that cannot be applied (a unit that is closed, a condition nobody understands, a place
that is not known) has failed: it is reported with the reason and the next one is asked, never passed over
in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from core.errors import HotlineError
from routing.matter import LOCAL, Directory, Matter, UnitInfo, normal_word

MOST_RULES = 500
MOST_VALUES = 50
LONGEST_VALUE = 40
LONGEST_CODE = 40


@dataclass(frozen=True)
class Conditions:
    """All of them must hold; within one, any of its values is enough. An empty one always holds.

    `categories` and `areas` hold for everything below them too. `words` stand in title or detail,
    `without` must not; `subjects` may also stand in the name of the subject.
    """

    categories: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    urgencies: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


NAMES: dict[str, str] = {
    "categories": "分类",
    "areas": "区域",
    "words": "关键词",
    "without": "不含",
    "subjects": "对象",
    "types": "诉求类型",
    "urgencies": "紧急程度",
    "channels": "来源渠道",
}


@dataclass(frozen=True)
class Rule:
    """A rule: when it holds, the ticket goes to `unit` (a code, `@district`, `@town`), helped by `co`."""

    code: str
    name: str
    unit: str
    when: Conditions = field(default_factory=Conditions)
    co: tuple[str, ...] = ()
    reason: str = ""
    active: bool = True


class Outcome(StrEnum):
    """What came of a rule that was looked at."""

    FIRED = "fired"
    BEHIND = "behind"  # it holds, but another one decided before it
    MISSED = "missed"
    FAILED = "failed"
    OFF = "off"


OUTCOMES: dict[Outcome, str] = {
    Outcome.FIRED: "命中",
    Outcome.BEHIND: "也符合，但已由前面的规则决定",
    Outcome.MISSED: "不符合",
    Outcome.FAILED: "出错",
    Outcome.OFF: "已停用",
}


@dataclass(frozen=True)
class Looked:
    """A rule, what came of it, and why; `holds`: all its conditions do, whatever came of it then."""

    rule: Rule
    outcome: Outcome
    why: str
    holds: bool = False


@dataclass(frozen=True)
class Decision:
    """What the rules said; `unit` is None when none decided."""

    looked: tuple[Looked, ...] = ()
    fired: Looked | None = None
    unit: UnitInfo | None = None
    co: tuple[UnitInfo, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The words of the fixed conditions: code → label."""

    types: Mapping[str, str] = field(default_factory=dict)
    urgencies: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """The rules in force with their number; `faults` says by code what is wrong with a rule itself."""

    number: int = 0
    rules: tuple[Rule, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(rules: Iterable[Rule], directory: Directory, words: Vocabulary, number: int = 0) -> "Book":
        """The rules with their faults looked up once."""
        kept = tuple(rules)
        found = {rule.code: "；".join(wrong) for rule in kept if (wrong := faults(rule, directory, words))}
        return Book(number, kept, found)


# ---- deciding ------------------------------------------------------------------------------------


def decide(book: Book, matter: Matter, directory: Directory) -> Decision:
    """Look at every rule in order; the first that holds and can be applied decides."""
    looked: list[Looked] = []
    fired: Looked | None = None
    unit: UnitInfo | None = None
    co: tuple[UnitInfo, ...] = ()
    for rule in book.rules:
        one, found, helpers = _look(book, rule, matter, directory)
        if one.outcome is Outcome.FIRED and fired is not None:
            one = replace(one, outcome=Outcome.BEHIND)
        elif one.outcome is Outcome.FIRED:
            fired, unit, co = one, found, helpers
        looked.append(one)
    return Decision(tuple(looked), fired, unit, co)


def _look(
    book: Book, rule: Rule, matter: Matter, directory: Directory
) -> tuple[Looked, UnitInfo | None, tuple[UnitInfo, ...]]:
    if not rule.active:
        return Looked(rule, Outcome.OFF, "规则已停用"), None, ()
    holds, why = _holds(rule.when, matter, directory)
    if rule.code in book.faults:
        return Looked(rule, Outcome.FAILED, book.faults[rule.code], holds), None, ()
    if not holds:
        return Looked(rule, Outcome.MISSED, why), None, ()
    lead = directory.resolve(rule.unit, matter.areas)
    if lead.unit is None:
        return Looked(rule, Outcome.FAILED, lead.why, True), None, ()
    helpers = [directory.resolve(name, matter.areas).unit for name in rule.co]
    co = tuple(dict.fromkeys(unit for unit in helpers if unit is not None and unit.id != lead.unit.id))
    return Looked(rule, Outcome.FIRED, why, True), lead.unit, co


def _holds(when: Conditions, matter: Matter, directory: Directory) -> tuple[bool, str]:
    """Whether every condition holds: then what was met, else the first that was not."""
    met: list[str] = []
    for name, found in (("categories", matter.categories), ("areas", matter.areas)):
        wanted: tuple[str, ...] = getattr(when, name)
        if wanted:
            hit = next((code for code in found if code in wanted), None)
            if hit is None:
                return False, f"{NAMES[name]}不在所列范围内"
            label = directory.category(hit) if name == "categories" else directory.label(hit)
            met.append(f"{NAMES[name]}“{label}”")
    for name, text in (("words", matter.text), ("subjects", matter.about)):
        wanted = getattr(when, name)
        if wanted:
            hits = [word for word in wanted if normal_word(word) in text]
            if not hits:
                return False, f"没有出现{NAMES[name]}：{'、'.join(wanted[:5])}"
            met.append(f"{NAMES[name]}“{'、'.join(hits[:3])}”")
    bad = next((word for word in when.without if normal_word(word) in matter.text), None)
    if bad is not None:
        return False, f"出现了排除的词“{bad}”"
    for name, value in (("types", matter.type), ("urgencies", matter.urgency), ("channels", matter.channel)):
        wanted = getattr(when, name)
        if wanted and value not in wanted:
            return False, f"{NAMES[name]}不符"
        if wanted:
            met.append(f"{NAMES[name]}相符")
    return True, "，".join(met) or "没有条件，对所有工单生效"


# ---- the rules themselves ------------------------------------------------------------------------


def faults(rule: Rule, directory: Directory, words: Vocabulary) -> list[str]:
    """What is wrong with a rule whatever the matter, in words."""
    found = []
    for name in (rule.unit, *rule.co):
        if name not in LOCAL and (why := directory.resolve(name).why):
            found.append(why)
    when = rule.when
    found += [f"分类 {code} 不存在或已停用" for code in when.categories if code not in directory.categories]
    found += [
        f"区域 {code} 不存在或已停用"
        for code in when.areas
        if code not in directory.units or not directory.units[code].active
    ]
    for name in ("types", "urgencies", "channels"):
        known: Mapping[str, str] = getattr(words, name)
        found += [f"{NAMES[name]}“{code}”不存在" for code in getattr(when, name) if code not in known]
    if when == Conditions():
        found.append("没有任何条件，会拦住其后的全部规则")
    return found


def as_data(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The rules as they are kept (JSON)."""
    return [
        {
            "code": rule.code,
            "name": rule.name,
            "unit": rule.unit,
            "co": list(rule.co),
            "reason": rule.reason,
            "active": rule.active,
            "when": {name: list(values) for name, values in vars(rule.when).items() if values},
        }
        for rule in rules
    ]


def from_data(data: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules out of what was kept. Raises `rule_invalid` (rule, why) for what is no rule."""
    rules = tuple(_rule(one) for one in data)
    if len(rules) > MOST_RULES:
        raise HotlineError("rule_invalid", why="too_many", rule=str(len(rules)))
    codes = [rule.code for rule in rules]
    for code in codes:
        if codes.count(code) > 1:
            raise HotlineError("rule_invalid", why="code_twice", rule=code)
    return rules


def _rule(data: Mapping[str, Any]) -> Rule:
    code = str(data.get("code", ""))[:LONGEST_CODE]
    known = {one.name for one in fields(Conditions)}
    when = data.get("when", {})
    if not isinstance(when, Mapping) or set(when) - known:
        raise HotlineError("rule_invalid", why="condition_unknown", rule=code)
    if not code or not str(data.get("name", "")).strip() or not str(data.get("unit", "")).strip():
        raise HotlineError("rule_invalid", why="incomplete", rule=code)
    conditions = {name: _values(code, values) for name, values in when.items()}
    return Rule(
        code,
        str(data["name"])[:60],
        str(data["unit"])[:LONGEST_VALUE],
        Conditions(**conditions),
        _values(code, data.get("co", ())),
        str(data.get("reason", ""))[:200],
        bool(data.get("active", True)),
    )


def _values(code: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)) or not all(isinstance(one, str) for one in values):
        raise HotlineError("rule_invalid", why="condition_invalid", rule=code)
    found = tuple(dict.fromkeys(one.strip() for one in values if one.strip()))
    if len(found) > MOST_VALUES or any(len(one) > LONGEST_VALUE for one in found):
        raise HotlineError("rule_invalid", why="condition_too_long", rule=code)
    return found


def put(rules: Sequence[Rule], rule: Rule) -> tuple[Rule, ...]:
    """The rules with one changed, or added behind the others."""
    if any(one.code == rule.code for one in rules):
        return tuple(rule if one.code == rule.code else one for one in rules)
    return (*rules, rule)


def without(rules: Sequence[Rule], code: str) -> tuple[Rule, ...]:
    """The rules without one. Raises `rule_missing`."""
    _place(rules, code)
    return tuple(one for one in rules if one.code != code)


def move(rules: Sequence[Rule], code: str, *, up: bool) -> tuple[Rule, ...]:
    """The rules with one asked a step earlier or later. Raises `rule_missing`."""
    place = _place(rules, code)
    other = place - 1 if up else place + 1
    kept = list(rules)
    if 0 <= other < len(kept):
        kept[place], kept[other] = kept[other], kept[place]
    return tuple(kept)


def switch(rules: Sequence[Rule], code: str, *, active: bool) -> tuple[Rule, ...]:
    """The rules with one switched on or off. Raises `rule_missing`."""
    place = _place(rules, code)
    return put(rules, replace(rules[place], active=active))


def _place(rules: Sequence[Rule], code: str) -> int:
    for place, rule in enumerate(rules):
        if rule.code == code:
            return place
    raise HotlineError("rule_missing", rule=code[:LONGEST_CODE])
