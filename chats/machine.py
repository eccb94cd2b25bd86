"""The life of a conversation in writing. Pure; the same shape as a call's: waiting, offered, taken, over.

A conversation nobody took in time is `missed` and becomes work with a due time, as an abandoned call does;
the citizen may go on writing meanwhile. What has ended stays ended.
"""

from enum import StrEnum

from core.errors import HotlineError


class State(StrEnum):
    """Where a conversation stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACTIVE = "active"
    MISSED = "missed"
    ENDED = "ended"


class Step(StrEnum):
    """What can happen to one."""

    OFFER = "offer"
    LAPSE = "lapse"
    TAKE = "take"
    MISS = "miss"
    END = "end"


class Outcome(StrEnum):
    """How it ended: somebody wrote back, the citizen left before, nobody wrote back in days."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    UNANSWERED = "unanswered"


OPEN = frozenset(State) - {State.ENDED}
STEPS: dict[Step, dict[State, State]] = {
    Step.OFFER: {State.WAITING: State.OFFERED},
    Step.LAPSE: {State.OFFERED: State.WAITING},
    Step.TAKE: {
        State.WAITING: State.ACTIVE,
        State.OFFERED: State.ACTIVE,
        State.MISSED: State.ACTIVE,
    },
    Step.MISS: {State.WAITING: State.MISSED, State.OFFERED: State.MISSED},
    Step.END: dict.fromkeys(OPEN, State.ENDED),
}


def after(state: str, step: Step) -> State:
    """The state after a step. Raises HotlineError `chat_ended`, `chat_step` (state, step)."""
    now = State(state)
    found = STEPS[step].get(now)
    if found is not None:
        return found
    if now is State.ENDED:
        raise HotlineError("chat_ended")
    raise HotlineError("chat_step", state=state, step=step.value)
