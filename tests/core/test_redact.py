"""Free text is looked through for what points at a person."""

from itertools import pairwise

import pytest

from core import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请致电13800001234联系", "请致电138****1234联系"),
        ("电话138-0000-1234。", "电话138****1234。"),
        ("电话1 3 8 0 0 0 0 1 2 3 4", "电话138****1234"),
        ("１３８００００１２３４", "138****1234"),
        ("+86 13800001234", "138****1234"),
        ("138\u200b0000\u200b1234", "138****1234"),
        ("一三八〇〇〇〇一二三四", "138****1234"),
        ("统一13800001234", "统一138****1234"),
        ("共15 13800001234", "共15 138****1234"),
        ("座机0773-2812345转3", "座机0773****45转3"),
        ("(0773)2812345", "0773****45"),
        ("联系电话：2812345", "联系电话：28****45"),
        ("身份证450303199001012345", "身份证4503************45"),
        ("45030319900101234x", "4503************4x"),
        ("450303 19900101 2345", "4503************45"),
        ("卡号6222 0212 3456 7890 102。", "卡号6222***********0102。"),
        ("车牌桂C12345停在路边", "车牌桂C****5停在路边"),
        ("新能源桂CD12345、警车桂C1234警", "新能源桂C****5、警车桂C****警"),
        ("邮箱wang@example.com", "邮箱w***@example.com"),
        ("姓名：王小明，住", "姓名：王**，住"),
    ],
)
def test_what_points_at_a_person_is_masked(text: str, expected: str) -> None:
    assert redact.masked(text) == expected


def test_a_bank_card_is_known_by_its_check_digit() -> None:
    assert [one.kind for one in redact.find("卡号6222021234567890102")] == ["bank_card"]
    for digit in set("0123456789") - {"2"}:
        assert redact.find("卡号6222021234567890102"[:-1] + digit) == []


@pytest.mark.parametrize(
    "text",
    [
        "工单450320261123000001已办结",
        "共处理12345件，金额5600000元",
        "2026-11-23 10:00至2026-11-24 12:00",
        "请拨打12345或110",
        "统一社会信用代码91450300MA5K000001",
        "桂林市七星区三里店",
        "",
    ],
)
def test_what_points_at_nobody_stays(text: str) -> None:
    assert redact.find(text) == []
    assert redact.masked(text) == text


def test_names_that_are_known_are_masked_wherever_they_stand() -> None:
    assert redact.masked("王小明来电，王小明称", names=["王小明"]) == "王**来电，王**称"


def test_findings_are_in_order_and_do_not_overlap() -> None:
    found = redact.find("13800001234 450303199001012345 桂C12345 wang@example.com")
    assert [one.kind for one in found] == ["phone", "id_number", "plate", "email"]
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert [one.word for one in found[:2]] == ["电话号码", "身份证号"]


def test_the_check_digit_of_an_id_number_is_known() -> None:
    assert redact.is_id_number("11010519491231002X")
    assert not redact.is_id_number("110105194912310021")


def test_a_long_text_of_digits_and_dashes_is_read_in_no_time() -> None:
    assert redact.find("1 " * 20_000) == []
    redact.find("1-3" * 20_000)
    assert redact.masked("13800001234 " * 5_000) == "138****1234 " * 5_000


@pytest.mark.parametrize("text", ["请拨013812345678", "008613812345678", "联系电话 0138 1234 5678"])
def test_what_is_dialled_before_a_mobile_number_does_not_hide_it(text: str) -> None:
    assert [found.kind for found in redact.find(text)] == ["phone"]
    assert "1234" not in redact.masked(text)


def test_letters_that_grow_when_they_are_raised_do_not_shift_a_mask() -> None:
    assert "桂CA1234" not in redact.masked("ßßßßßßß桂CA1234")
