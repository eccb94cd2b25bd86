"""Rules of dispatch: which one decides, why the others did not, and what is wrong with a rule is told."""

import pytest

from core.errors import HotlineError
from routing import rules
from routing.known import WORDS
from routing.matter import Directory, Matter, UnitInfo
from routing.rules import Book, Conditions, Outcome, Rule, decide


def unit(ident: int, code: str, kind: str, *above: str, active: bool = True) -> UnitInfo:
    return UnitInfo(ident, code, f"桂林市{code}", code, kind, active, f".1.{ident}.", (code, *above, "city"))


DIRECTORY = Directory(
    {
        one.code: one
        for one in (
            unit(1, "city", "city"),
            unit(2, "lights", "bureau"),
            unit(3, "water", "bureau"),
            unit(4, "old", "bureau", active=False),
            unit(5, "qixing", "district"),
            unit(6, "dongjiang", "town", "qixing"),
        )
    },
    {"01": "城市管理", "0101": "城市管理 / 市政设施", "010101": "城市管理 / 市政设施 / 路灯照明"},
    {1: ("010101", "0101", "01")},
)
MATTER = Matter(
    "路灯不亮", "三里店路灯连续三晚不亮", ("010101", "0101", "01"), ("dongjiang", "qixing"), "", "help"
)


def book(*made: Rule) -> Book:
    return Book.of(made, DIRECTORY, WORDS, 1)


def rule(code: str, unit_code: str = "lights", **when: tuple[str, ...]) -> Rule:
    return Rule(code, f"规则{code}", unit_code, Conditions(**when))


def test_the_first_rule_that_holds_decides_and_those_behind_it_are_still_shown() -> None:
    found = decide(
        book(
            rule("a", words=("停水",)),
            rule("b", categories=("01",)),
            rule("c", "water", words=("路灯",)),
        ),
        MATTER,
        DIRECTORY,
    )
    assert found.unit is not None
    assert found.unit.code == "lights"
    assert [one.outcome for one in found.looked] == [Outcome.MISSED, Outcome.FIRED, Outcome.BEHIND]
    assert "没有出现关键词：停水" in found.looked[0].why
    assert "城市管理" in found.looked[1].why


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"categories": ("0101",)}, True),
        ({"categories": ("02",)}, False),
        ({"areas": ("qixing",)}, True),
        ({"areas": ("lights",)}, False),
        ({"words": ("停水", "路灯")}, True),
        ({"words": ("路灯",), "without": ("三里店",)}, False),
        ({"subjects": ("三里店",)}, True),
        ({"types": ("help",)}, True),
        ({"types": ("complaint",)}, False),
        ({"words": ("路灯",), "types": ("complaint",)}, False),
    ],
)
def test_every_condition_must_hold_and_one_value_of_each_is_enough(
    when: dict[str, tuple[str, ...]], holds: bool
) -> None:
    made = Rule("a", "规则", "lights", Conditions(**when))
    assert (decide(book(made), MATTER, DIRECTORY).unit is not None) is holds


def test_a_rule_that_names_a_closed_unit_fails_with_the_reason_and_the_next_one_decides() -> None:
    found = decide(book(rule("a", "old", words=("路灯",)), rule("b", words=("路灯",))), MATTER, DIRECTORY)
    assert found.looked[0].outcome is Outcome.FAILED
    assert "已停用" in found.looked[0].why
    assert found.fired is not None
    assert found.fired.rule.code == "b"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (rule("a", "nobody", words=("x",)), "没有编码为“nobody”的单位"),
        (rule("a", "city", words=("x",)), "不是承办单位"),
        (rule("a", categories=("99",)), "分类 99 不存在"),
        (rule("a", areas=("nowhere",)), "区域 nowhere 不存在"),
        (rule("a", types=("bogus",)), "诉求类型“bogus”不存在"),
        (rule("a"), "没有任何条件"),
    ],
)
def test_what_is_wrong_with_a_rule_itself_is_known_before_any_ticket(made: Rule, why: str) -> None:
    assert why in book(made).faults["a"]
    assert decide(book(made), MATTER, DIRECTORY).looked[0].outcome is Outcome.FAILED


def test_the_unit_of_the_place_is_who_is_in_charge_there_and_without_a_place_the_rule_fails() -> None:
    local = book(rule("a", "@district", words=("路灯",)), rule("b", "@town", words=("路灯",)))
    found = decide(local, MATTER, DIRECTORY)
    assert found.unit is not None
    assert found.unit.code == "qixing"
    nowhere = decide(local, Matter("路灯不亮"), DIRECTORY)
    assert nowhere.unit is None
    assert {one.outcome for one in nowhere.looked} == {Outcome.FAILED}
    assert "地点不明" in nowhere.looked[0].why


def test_a_rule_that_is_switched_off_is_shown_as_such() -> None:
    off = Rule("a", "停", "lights", Conditions(words=("路灯",)), active=False)
    found = decide(book(off), MATTER, DIRECTORY)
    assert found.unit is None
    assert found.looked[0].outcome is Outcome.OFF


def test_full_width_and_capital_letters_are_the_same_word() -> None:
    found = decide(book(rule("a", words=("LED",))), Matter("ｌｅｄ路灯"), DIRECTORY)
    assert found.unit is not None


def test_rules_survive_being_kept() -> None:
    made = (rule("a", words=("路灯",), areas=("qixing",)), rule("b", "@town", types=("help",)))
    assert rules.from_data(rules.as_data(made)) == made


@pytest.mark.parametrize(
    "data",
    [
        [{"code": "", "name": "x", "unit": "lights"}],
        [{"code": "a", "name": "x", "unit": "lights", "when": {"moon": ["full"]}}],
        [{"code": "a", "name": "x", "unit": "lights", "when": {"words": "路灯"}}],
        [{"code": "a", "name": "x", "unit": "lights", "when": {"words": ["长" * 41]}}],
        [{"code": "a", "name": "x", "unit": "lights"}, {"code": "a", "name": "y", "unit": "water"}],
    ],
)
def test_what_is_no_rule_is_refused(data: list[dict[str, object]]) -> None:
    with pytest.raises(HotlineError) as caught:
        rules.from_data(data)
    assert caught.value.code == "rule_invalid"


def test_rules_are_moved_switched_and_taken_out() -> None:
    made = (rule("a"), rule("b"), rule("c"))
    assert [one.code for one in rules.move(made, "c", up=True)] == ["a", "c", "b"]
    assert [one.code for one in rules.move(made, "a", up=True)] == ["a", "b", "c"]
    assert [one.code for one in rules.without(made, "b")] == ["a", "c"]
    assert not rules.switch(made, "a", active=False)[0].active
    with pytest.raises(HotlineError):
        rules.without(made, "z")
