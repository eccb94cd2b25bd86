"""Probabilities keep their word, thresholds their precision."""

import numpy as np
import pytest

from classifier.calibration import (
    Calibration,
    Thresholds,
    calibration_error,
    class_thresholds,
    least_probability,
    softmax,
)
from classifier.fitting import calibrate


def test_the_error_is_the_gap_between_promised_and_delivered() -> None:
    promised = np.array([0.9] * 10)
    assert calibration_error(promised, np.array([True] * 9 + [False])) == pytest.approx(0)
    assert calibration_error(promised, np.array([True] * 5 + [False] * 5)) == pytest.approx(0.4)
    assert calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_the_least_probability_delivers_the_precision_and_takes_as_much_as_it_can() -> None:
    sure = np.array([0.99, 0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, True, False, True])
    assert least_probability(sure, right, 0.75) == 0.6
    assert least_probability(sure, right, 0.9) == 0.8
    assert least_probability(sure, ~right, 0.9) is None
    assert least_probability(np.full(4, 0.5), np.array([True, True, True, False]), 0.9) is None


def test_a_class_that_is_rare_or_never_right_has_no_threshold() -> None:
    source = np.random.default_rng(1)
    sure = source.uniform(0.5, 1, 300)
    answers = np.array([0] * 200 + [1] * 90 + [2] * 10)
    right = (source.uniform(size=300) < sure + 0.2) & (answers != 1)
    found = class_thresholds(sure, answers, right, ("a", "b", "c"), 0.9)
    assert set(found) == {"a"}


@pytest.mark.parametrize("number", [4, 30])
def test_fitted_probabilities_promise_what_is_delivered(number: int) -> None:
    source = np.random.default_rng(2)
    leaves = source.integers(0, number, 4000)
    scores = source.normal(0, 0.6, (3, 4000, number))
    scores[:, np.arange(4000), leaves] += 1.2
    half = slice(0, 2000), slice(2000, 4000)
    made = calibrate(scores[:, half[0]], leaves[half[0]])
    promised = made.probabilities(scores[:, half[1]])
    right = promised.argmax(axis=1) == leaves[half[1]]
    assert promised.sum(axis=1) == pytest.approx(1)
    assert calibration_error(promised.max(axis=1), right) < 0.05
    assert 0.01 < made.temperature < 1


def test_probabilities_follow_the_sum_of_what_the_views_say() -> None:
    source = np.random.default_rng(3)
    for mixing in (source.normal(size=(3, 4, 4)), source.uniform(1, 2, 3)):
        made = Calibration(mixing, source.normal(size=4))
        scores = source.normal(size=(3, 5, 4))
        told = sum(made.mixed(view, scores[view]) for view in range(3)) + made.shift
        assert softmax(told) == pytest.approx(made.probabilities(scores))


def test_a_precision_not_kept_takes_the_next_higher_one() -> None:
    kept = Thresholds({"0.95": {"a": 0.6}, "0.98": {"a": 0.9}}, 0.1, -0.5)
    assert kept.of("a", 0.95) == 0.6
    assert kept.of("a", 0.96) == 0.9
    assert kept.of("a", 0.995) is None
    assert kept.of("b", 0.95) is None
