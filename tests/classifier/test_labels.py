"""Levels and columns of a label are sums over leaves and can never disagree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from classifier.labels import Leaves, Levels, seen

ROWS = [
    ("010203", "投诉", "一般"),
    ("010203", "投诉", "紧急"),
    ("010206", "咨询", "一般"),
    ("020101", "咨询", "一般"),
]
LEAVES = seen(("category", "type", "urgency"), ROWS, Levels(width=2))


@pytest.mark.parametrize(
    ("levels", "label", "above"),
    [
        (Levels(width=2), "010203", ["01", "0102", "010203"]),
        (Levels(width=2), "其他", ["其他"]),
        (Levels("/"), "城市管理/市容/摊贩", ["城市管理", "城市管理/市容", "城市管理/市容/摊贩"]),
        (Levels(), "城市管理/市容", ["城市管理/市容"]),
    ],
)
def test_levels_above_a_label(levels: Levels, label: str, above: list[str]) -> None:
    assert levels.above(label) == above


def test_only_what_was_seen_together_is_a_leaf() -> None:
    assert LEAVES.values == tuple(sorted(ROWS))
    assert LEAVES.names == ("010203", "010206", "020101")
    assert Leaves.of(LEAVES.data()) == LEAVES


@given(some.lists(some.floats(0.001, 1), min_size=4, max_size=4))
def test_a_level_is_never_less_likely_than_what_lies_below_it(raw: list[float]) -> None:
    leaves = np.array(raw) / sum(raw)
    classes = LEAVES.classes(leaves)
    assert classes.sum() == pytest.approx(1)
    for name in LEAVES.names:
        chain = LEAVES.chain(name, classes)
        values = [value for _, value in chain]
        assert values == sorted(values, reverse=True)
        assert values[-1] == pytest.approx(classes[LEAVES.names.index(name)])
        others = LEAVES.others(name, leaves)
        assert (name, others["type"][0], others["urgency"][0]) in ROWS
