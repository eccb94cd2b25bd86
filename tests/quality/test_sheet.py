"""Scores: what marks come to, fatal items, items that do not apply, how reviewers compare."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HotlineError
from sla.quality.figures import counted
from sla.quality.sheet import Item, Sheet, agreement, check_marks, checked, sheet_of, spreads, total

SHEET = Sheet(
    (
        Item("a", "规范", "问候", 10),
        Item("b", "业务", "解答", 20),
        Item("c", "业务", "登记", 30),
        Item("rude", "否决", "辱骂", 0, fatal=True),
    )
)


@pytest.mark.parametrize(
    ("marks", "fatal", "score"),
    [
        ({"a": 10, "b": 20, "c": 30}, (), "100.0"),
        ({"a": 0, "b": 0, "c": 0}, (), "0.0"),
        ({"a": 10, "b": 10, "c": 30}, (), "83.3"),
        ({"a": 10, "b": None, "c": 15}, (), "62.5"),  # 25 of 40
        ({"a": None, "b": None, "c": 29}, (), "96.7"),
        ({"a": 10, "b": 20, "c": 30}, ("rude",), "0.0"),
    ],
)
def test_a_score_is_the_share_of_the_points_that_apply(
    marks: dict[str, int | None], fatal: tuple[str, ...], score: str
) -> None:
    check_marks(SHEET, marks, fatal)
    assert total(SHEET, marks, fatal) == Decimal(score)


def test_half_a_tenth_is_rounded_up() -> None:
    sheet = Sheet((Item("a", "", "x", 80),))
    assert total(sheet, {"a": 1}, ()) == Decimal("1.3")  # 1.25


@pytest.mark.parametrize(
    ("marks", "fatal", "items"),
    [
        ({"a": 10, "b": 20}, (), ["c"]),
        ({"a": 11, "b": 20, "c": 30}, (), ["a"]),
        ({"a": -1, "b": 20, "c": 31}, (), ["a", "c"]),
        ({"a": 1, "b": 1, "c": 1, "z": 1}, (), ["z"]),
        ({"a": 1, "b": 1, "c": 1}, ("late",), ["late"]),
        ({"a": None, "b": None, "c": None}, (), ["a", "b", "c"]),
    ],
)
def test_marks_that_do_not_fit_the_sheet_are_named(
    marks: dict[str, int | None], fatal: tuple[str, ...], items: list[str]
) -> None:
    with pytest.raises(HotlineError) as caught:
        check_marks(SHEET, marks, fatal)
    assert (caught.value.code, caught.value.params["items"]) == ("quality_marks", items)


@pytest.mark.parametrize(
    ("items", "line"),
    [
        ([], 0),
        ([Item("f", "", "只有否决", 0, fatal=True)], 0),
        ([Item("a", "", "x", 10), Item("a", "", "y", 10)], 0),
        ([Item("a", "", "", 10)], 1),
        ([Item("a", "", "x", 10), Item("b", "", "y", 0)], 2),
        ([Item("a", "", "x", 101)], 1),
        ([Item("A B", "", "x", 10)], 1),
        ([Item("f", "", "x", 5, fatal=True)], 1),
        ([Item(f"i{n}", "", "x", 1) for n in range(41)], 0),
    ],
)
def test_a_sheet_that_cannot_be_scored_by_is_refused_with_the_line(items: list[Item], line: int) -> None:
    with pytest.raises(HotlineError) as caught:
        checked(items)
    assert (caught.value.code, caught.value.params["line"]) == ("quality_sheet", line)


def test_a_sheet_is_kept_and_read_back() -> None:
    assert sheet_of([item.as_json() for item in SHEET.items]) == SHEET


def test_spread_and_agreement_of_three_reviewers() -> None:
    scores: list[tuple[dict[str, int | None], tuple[str, ...]]] = [
        ({"a": 10, "b": 20, "c": 30}, ()),
        ({"a": 10, "b": 10, "c": None}, ()),
        ({"a": 8, "b": 10, "c": None}, ("rude",)),
    ]
    found = {one.code: one for one in spreads(SHEET, scores)}
    assert [found[code].spread for code in ("a", "b", "c", "rude")] == [2, 10, None, 1]
    assert [found[code].pairs for code in ("a", "b", "c", "rude")] == [(1, 3), (1, 3), (1, 3), (1, 3)]
    assert agreement(found.values()) == pytest.approx(4 / 12)
    assert agreement(spreads(SHEET, scores[:1])) is None
    assert agreement(spreads(SHEET, [scores[0], scores[0]])) == 1


def test_figures_of_items_follow_their_code_over_versions() -> None:
    older = Sheet((Item("a", "", "旧问候", 5), Item("gone", "", "已取消", 10)))
    scores: list[tuple[Sheet, dict[str, int | None], list[str]]]
    scores = [(SHEET, {"a": 8, "b": None, "c": 30}, ["rude"]), (older, {"a": 5, "gone": 5}, [])]
    found = {one.code: one for one in counted(scores, [*SHEET.items, older.items[1]])}
    assert found["a"].share == pytest.approx(13 / 15)
    assert (found["a"].marked, found["a"].lost) == (2, 1)
    assert (found["b"].share, found["b"].marked) == (None, 0)
    assert (found["rude"].found, found["rude"].marked) == (1, 1)
    assert found["gone"].share == 0.5


_mark = st.one_of(st.none(), st.integers(0, 10))


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100), st.booleans()), min_size=1, max_size=12))
def test_a_score_lies_between_nothing_and_all(raw: list[tuple[int, int, bool]]) -> None:
    sheet = Sheet(tuple(Item(f"i{n}", "", "x", points) for n, (points, _, _) in enumerate(raw)))
    marks = {
        f"i{n}": min(mark, points) if applies or n == 0 else None
        for n, (points, mark, applies) in enumerate(raw)
    }
    check_marks(sheet, marks, ())
    assert 0 <= total(sheet, marks, ()) <= 100
