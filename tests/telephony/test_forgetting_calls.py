"""A call that is over is given back whole: nothing points back to it, and nothing late revives it."""

import gc

from telephony.calls import Tracker
from telephony.calls.facts import Channel
from tests.telephony.test_marks import CALL, events

EXPECTED = "hotline-7"
LATE = f"Channel: PJSIP/1003-4|Uniqueid: {EXPECTED}|Linkedid: {EXPECTED}"


def test_a_forgotten_call_is_gone_without_a_search_for_circles() -> None:
    tracker = Tracker()
    for event in events(CALL):
        tracker.apply(event)
    tracker.dirty.clear()
    (call,) = tracker.finished(tracker.now + 60)
    gc.collect()
    gc.disable()
    try:
        before = _channels()
        tracker.forget(call)
        del call
        assert before - _channels() == 3
    finally:
        gc.enable()


def _channels() -> int:
    return sum(isinstance(one, Channel) for one in gc.get_objects())


def test_a_telephone_that_never_rang_does_not_revive_a_forgotten_call() -> None:
    tracker = Tracker()
    for event in events(CALL):
        tracker.apply(event)
    tracker.dirty.clear()
    (call,) = tracker.finished(tracker.now + 60)
    tracker.expect(EXPECTED, call)
    tracker.forget(call)
    late = [(60.0, f"Newchannel|ChannelStateDesc: Down|{LATE}"), (61.0, f"Hangup|Cause: 16|{LATE}")]
    for event in events(late):
        tracker.apply(event)
    tracker.dirty.clear()
    for found in tracker.finished(tracker.now + 60):
        assert found is not call
        tracker.forget(found)
    assert list(tracker.calls()) == []
