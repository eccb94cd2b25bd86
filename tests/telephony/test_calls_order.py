"""Neither repeats nor the order of arrival change what a call was."""

import random
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telephony.ami.messages import AmiEvent
from telephony.queue_log import Truth
from telephony.replay import as_json, replay_events
from tests.telephony.recordings import disturbed, every_event, fixtures, neighbours_swapped, recordings

ALL = fixtures() + recordings()


@cache
def known(path: Path) -> tuple[list[AmiEvent], list[object]]:
    events = every_event(path)
    return events, [as_json(session) for session in replay_events(events, Truth())]


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_doubled_and_late_events_make_the_same_sessions(path: Path, seed: int) -> None:
    events, sessions = known(path)
    found = replay_events(disturbed(events, random.Random(seed)), Truth())
    assert [as_json(session) for session in found] == sessions


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_swapped_neighbours_make_the_same_sessions(path: Path, seed: int) -> None:
    events, sessions = known(path)
    dice = random.Random(seed)
    twice = [event for event in events for _ in range(dice.choice((1, 1, 2)))]
    found = replay_events(neighbours_swapped(twice, dice), Truth())
    assert [as_json(session) for session in found] == sessions
