"""The veil over a sealed reporter: whatever form the name and the numbers have in a text."""

import pytest

from tickets.veil import Veil, covered, covered_in, veil_of

VEIL = veil_of(["王小明"], ["13800001234", "07732825678", "45030319900101234X"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("王小明举报物业", "王**举报物业"),
        ("王 小 明、王·小·明、王\u200b小明", "王**、王**、王**"),
        ("王小明，王小明", "王**，王**"),
        ("来电13800001234", "来电138****1234"),
        ("一三八〇〇〇〇一二三四", "138****1234"),
        ("家里2825678或0773-2825678", "家里28****78或0773****78"),
        ("证件45030319900101234x", "证件4503************4x"),
        ("他人13911112222也隐去", "他人139****2222也隐去"),
        ("小明没有姓，王大明是别人", "小明没有姓，王大明是别人"),
        ("路灯不亮，12345 号", "路灯不亮，12345 号"),
        ("", ""),
    ],
)
def test_a_reporter_is_taken_out_of_a_text(text: str, expected: str) -> None:
    assert VEIL.over(text) == expected


@pytest.mark.parametrize("typed", ["王小明先生", "王小明女士", " 王小明 ", "王小明（业主）", "王小明老师"])
def test_a_name_is_known_without_what_people_put_behind_it(typed: str) -> None:
    assert veil_of([typed], []).over("王小明说") == "王**说"


def test_a_family_name_alone_covers_nothing_but_itself() -> None:
    veil = veil_of(["王先生"], [])
    assert veil.over("王先生住在王府井") == "王**住在王府井"


def test_a_foreign_name_is_found_whole_and_without_case() -> None:
    veil = veil_of(["Ann Lee"], [])
    assert veil.over("ann lee, ANN  LEE, AnnLee") == "a**, A**, A**"
    assert veil.over("Hann Leeds") == "Hann Leeds"


def test_numbers_and_names_of_odd_signs_break_nothing() -> None:
    veil = veil_of(["(*", "a+b", "·", ""], ["", "12", "+8613800001234"])
    assert veil.over("(* a+b 12 (") == "(** a** 12 ("


def test_without_a_veil_a_text_is_what_it_was() -> None:
    assert covered(None, "王小明") == "王小明"
    assert covered_in(None, {"a": "王小明"}, ["a"]) == {"a": "王小明"}


def test_only_the_texts_that_are_named_are_covered() -> None:
    values = {"note": "王小明", "basis": None, "unit": "王小明"}
    assert covered_in(VEIL, values, ["note", "basis"]) == {"note": "王**", "basis": None, "unit": "王小明"}


def test_a_veil_never_shows_what_it_knows() -> None:
    for shown in (repr(VEIL), str(VEIL), f"{VEIL}"):
        assert "王小明" not in shown
        assert "1380" not in shown


def test_an_empty_veil_still_hides_numbers_of_anybody() -> None:
    assert Veil().over("王小明13800001234") == "王小明138****1234"
