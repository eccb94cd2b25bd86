"""Scores of departments are what the rule of the bulletin says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.scores import Figure, ScoreRule, ranks, scored

ON_TIME = ScoreRule("on_time", points=20, target=0.95, slope=1)
SATISFIED = ScoreRule("satisfied", points=25, target=0.98, slope=0.5, floor=12.5)
RETURNS = ScoreRule("returns", points=10, target=0.05, slope=2, lower_is_better=True)


@pytest.mark.parametrize(
    ("rule", "rate", "points"),
    [
        (ON_TIME, 0.95, 20),
        (ON_TIME, 1.0, 20),  # more than the target gives no more points
        (ON_TIME, 0.90, 15),
        (ON_TIME, 0.50, 0),
        (SATISFIED, 0.88, 20),
        (SATISFIED, 0.20, 12.5),
        (RETURNS, 0.04, 10),
        (RETURNS, 0.07, 6),
    ],
)
def test_each_point_below_the_target_costs_the_slope_down_to_the_floor(
    rule: ScoreRule, rate: float, points: float
) -> None:
    assert rule.score(Figure(rate, 30)) == pytest.approx(points)


def test_fewer_than_thirty_cases_are_no_score() -> None:
    assert ON_TIME.score(Figure(0.5, 29)) is None
    assert ON_TIME.score(Figure(None, 0)) is None


def test_what_has_too_few_cases_takes_no_points_from_a_unit() -> None:
    found = scored([ON_TIME, SATISFIED], {"on_time": Figure(0.90, 100), "satisfied": Figure(0.1, 5)})
    assert found.points == pytest.approx(15)
    assert found.possible == 20
    assert found.total == pytest.approx(75)
    assert found.parts["satisfied"] is None


def test_a_unit_without_cases_has_no_total() -> None:
    assert scored([ON_TIME], {}).total is None


def test_equals_share_a_place_and_the_next_is_skipped() -> None:
    assert ranks([90.0, 95.0, None, 95.0, 80.0]) == [3, 1, None, 1, 4]


@given(
    st.floats(0, 1),
    st.integers(30, 9999),
    st.floats(0, 100),
    st.floats(0, 1),
    st.floats(0, 10),
    st.booleans(),
)
def test_a_score_stays_between_its_floor_and_its_points(
    rate: float, n: int, points: float, target: float, slope: float, lower: bool
) -> None:
    rule = ScoreRule("any", points, target, slope, floor=points / 2, lower_is_better=lower)
    found = rule.score(Figure(rate, n))
    assert found is not None
    assert points / 2 <= found <= points
