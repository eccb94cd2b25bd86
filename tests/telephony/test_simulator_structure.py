"""The simulator against the recordings: same events, same headers, same order on every channel."""

import json
import os
from pathlib import Path

import pytest

from tests.telephony.simulator_rig import PLAYED
from tests.telephony.simulator_shapes import FIXTURE, derive, shape

SHAPES = json.loads(FIXTURE.read_text(encoding="utf-8"))
RECORDINGS = os.environ.get("HOTLINE_RECORDINGS", "")


@pytest.mark.parametrize("scenario", sorted(SHAPES))
def test_a_played_scenario_has_the_events_and_headers_of_its_recording(scenario: str) -> None:
    assert shape(PLAYED[scenario]())["counts"] == SHAPES[scenario]["counts"]


@pytest.mark.parametrize("scenario", sorted(SHAPES))
def test_each_channel_of_a_played_scenario_goes_through_the_recorded_order(scenario: str) -> None:
    assert shape(PLAYED[scenario]())["orders"] == SHAPES[scenario]["orders"]


@pytest.mark.skipif(not RECORDINGS, reason="set HOTLINE_RECORDINGS to the folder of AMI recordings")
def test_the_shapes_kept_with_the_tests_are_those_of_the_recordings() -> None:
    assert json.loads(json.dumps(derive(Path(RECORDINGS)))) == SHAPES
