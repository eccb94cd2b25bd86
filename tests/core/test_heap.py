"""What the collector leaves alone, and that the night finds it all the same."""

import gc
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from core import heap


class Knot:
    """An object that holds itself: only the collector can give it back."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    callbacks, thresholds = list(gc.callbacks), gc.get_threshold()
    yield
    gc.callbacks[:] = callbacks
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def _lost_knot() -> "weakref.ref[Knot]":
    return weakref.ref(Knot())


def test_what_a_long_search_found_alive_is_left_alone() -> None:
    gc.callbacks.append(heap.Watch(long_seconds=0.0).heard)
    gc.collect()
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize(("long_seconds", "generation"), [(3600.0, 2), (0.0, 1)])
def test_short_searches_and_those_of_the_young_change_nothing(long_seconds: float, generation: int) -> None:
    gc.callbacks.append(heap.Watch(long_seconds).heard)
    gc.collect(generation)
    assert gc.get_freeze_count() == 0


def test_a_process_that_watches_leaves_alone_what_it_has_loaded() -> None:
    heap.watch()
    assert gc.get_freeze_count() > 0


def test_the_search_of_the_night_gives_back_what_was_left_alone() -> None:
    knot = _lost_knot()
    gc.freeze()
    gc.collect()
    assert knot() is not None, "a frozen object was searched after all"
    assert heap.search_all() > 0
    assert knot() is None


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 3, 1, 20, 9, tzinfo=UTC), 60),  # 04:09 in the city
        (datetime(2026, 3, 1, 20, 10, tzinfo=UTC), 86_400),  # just searched
        (datetime(2026, 3, 1, 20, 11, tzinfo=UTC), 86_340),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), 4 * 3600 + 600),  # midnight of the city
    ],
)
def test_the_night_is_the_citys(now: datetime, seconds: float) -> None:
    assert heap.until_night(now) == seconds
