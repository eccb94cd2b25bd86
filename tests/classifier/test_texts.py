"""What of a text is looked at."""

from classifier.groups import near_duplicates
from classifier.texts import BLOCKS, LONGEST, VIEWS, prepare, terms
from core.cutter import cutter_of, shipped_words

CUTTER = cutter_of(shipped_words())


def test_traditional_characters_wide_signs_and_capitals_are_read_as_the_usual_ones() -> None:
    assert prepare("請問路燈壞了　ＡＢ") == prepare("请问路灯坏了 ab")


def test_numbers_of_persons_never_become_terms() -> None:
    blocks = terms(CUTTER, "电话13800138000", "身份证45030219900101123X，卡号6222020200012345678")
    found = {term for block in blocks for term in block}
    assert not any(any(run in term for term in found) for run in ("138", "450302", "6222", "13", "62"))


def test_blocks_are_as_many_as_named_and_views_lie_within_them() -> None:
    blocks = terms(CUTTER, "路灯不亮", "晚上很黑")
    assert len(blocks) == len(BLOCKS)
    assert {view.end for view in VIEWS} <= set(range(len(BLOCKS) + 1))
    assert "路灯不亮" in blocks[3]
    assert "路灯不亮" not in blocks[5]


def test_a_text_of_a_megabyte_is_looked_at_as_far_as_it_says_something() -> None:
    assert len(prepare("路" * 1_000_000)) == LONGEST


def test_the_same_matter_sent_twice_is_one_group_and_others_are_not() -> None:
    told = "中山路与解放桥路口的红绿灯坏了三天，早晚高峰堵得厉害，没有交警指挥，很危险，请尽快修好。"
    found = near_duplicates(
        [
            ("红绿灯坏了", told),
            ("小区物业乱收费", "业主没有同意，物业公司就把停车费涨了一倍，请有关部门核实处理。"),
            ("红绿灯坏了", f"您好！{told}谢谢"),
            ("", ""),
            ("红绿灯损坏", told.replace("三天", "一周")),
        ]
    )
    assert found[0] == found[2] == found[4] == 0
    assert found[1] == 1
    assert found[3] == 3
