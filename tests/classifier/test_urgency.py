"""Which words make a text pressing, and which only look like it."""

import tomllib

import pytest

from classifier.urgency import LEVELS, LIST, Raised, Rule, WordList, parse, raised_urgency, shipped
from tickets.terms import Urgency


def level(text: str) -> str | None:
    found = raised_urgency(text)
    return found.level if found else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("小区里燃气泄漏，整栋楼都是味道", "critical"),
        ("三十多个工人要集体上访", "critical"),
        ("路面突然塌陷，出现大坑", "critical"),
        ("她说不想活了", "critical"),
        ("几个学生食物中毒送医院", "critical"),
        ("电梯里有人被困", "critical"),
        ("我们几个来讨薪，老板不见人", "urgent"),
        ("从昨天起停水", "urgent"),
        ("墙砖脱落，差点砸到人", "urgent"),
        ("路灯不亮", None),
        ("", None),
    ],
)
def test_words_of_the_list_raise_to_their_level(text: str, wanted: str | None) -> None:
    assert level(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "没有爆炸",
        "家里没有煤气味",
        "不要道德绑架",
        "最近没有停水停电",
        "没有人员受伤、死亡事故",
        "停水和停电已恢复正常",
        "还好没有发生爆炸",
        "并未发生塌陷",
        "希望以后不再停水",
        "保证不会停电",
        "无人员受伤",
        "没有人受伤",
        "未造成人员受伤",
        "没有人员中毒",
        "请做好防溺水工作",
        "避免发生火灾",
        "停水已经恢复正常",
        "燃气泄漏已排除",
        "学校组织了火灾演练",
        "小区做了触电知识讲座",
        "网上说水库决堤是谣言",
    ],
)
def test_a_word_that_is_denied_or_over_does_not_count(text: str) -> None:
    assert raised_urgency(text) is None


@pytest.mark.parametrize(
    "text", ["商场跳楼价甩卖", "电脑中毒开不了机", "信息爆炸的时代", "想咨询危房改造", "燃气灶打不着火"]
)
def test_a_longer_harmless_word_does_not_count(text: str) -> None:
    assert raised_urgency(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "没有通知就停水",
        "没人管，停电三天了",
        "不仅停水，还停电",
        "无故停水",
        "不停停电",
        "不知道为什么停水",
        "没有预警，突然爆炸",
        "物业没有处理，外墙脱落",
        "没有水，孩子中毒",
        "有没有人被困还不清楚",
        "是不是燃气泄漏",
    ],
)
def test_a_denial_of_something_else_does_not_take_the_word_back(text: str) -> None:
    assert raised_urgency(text) is not None


def test_one_that_counts_is_enough_beside_one_that_is_denied() -> None:
    assert level("上次没有爆炸，这次真的爆炸了") == "critical"


def test_the_highest_level_is_told_with_its_words_and_places_only() -> None:
    text = "停水两天，老人被困，隔壁起火"
    found = raised_urgency(text)
    assert found is not None
    assert (found.level, found.words) == ("critical", ("被困", "起火"))
    assert tuple(text[low:high] for low, high in found.spans) == found.words
    assert found.why


def test_the_longest_word_at_a_place_is_told() -> None:
    found = raised_urgency("工人集体讨薪")
    assert found is not None
    assert found.words == ("集体讨薪",)


def test_levels_are_codes_of_the_form() -> None:
    assert set(LEVELS) <= {one.value for one in Urgency}


def test_every_word_of_the_list_raises_by_itself_to_its_own_level() -> None:
    rules = parse(tomllib.loads(LIST.read_text(encoding="utf-8")))
    words = [word for rule in rules for word in rule.words]
    assert len(words) == len(set(words)), "a word stands twice"
    wrong = [word for rule in rules for word in rule.words if level(f"有{word}") != rule.level]
    assert wrong == []


def test_every_harmless_word_holds_a_word_of_its_rule_and_is_spared() -> None:
    rules = parse(tomllib.loads(LIST.read_text(encoding="utf-8")))
    idle = [one for rule in rules for one in rule.unless if not any(word in one for word in rule.words)]
    assert idle == []
    assert [one for rule in rules for one in rule.unless if WordList([rule]).raised(one)] == []


@pytest.mark.parametrize(
    "entry",
    [
        {"level": "high", "why": "x", "words": ["a"]},
        {"level": "urgent", "why": "", "words": ["a"]},
        {"level": "urgent", "why": "x", "words": []},
        {"level": "urgent", "why": "x", "words": [""]},
    ],
)
def test_an_entry_that_is_not_whole_is_refused_by_number(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rule 1"):
        parse({"rule": [entry]})


def test_a_list_of_ones_own_is_asked_the_same_way() -> None:
    own = WordList([Rule("urgent", "本市今日重点", ("龙舟赛",))])
    assert own.raised("龙舟赛封路") == Raised("urgent", ("龙舟赛",), ((0, 3),), "本市今日重点")
    assert WordList([]).raised("爆炸") is None
    assert shipped().raised("龙舟赛") is None


def test_a_text_of_a_million_characters_is_read_whole() -> None:
    assert level("路灯不亮。" * 200_000 + "爆炸") == "critical"
