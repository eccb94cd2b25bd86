"""What a caller and the agents will do in one call, decided beforehand."""

from dataclasses import dataclass, replace
from typing import Literal

Line = Literal["rejected", "invalid", "congested", "off"]
Party = Literal["citizen", "agent"]
Outcome = Literal["answered", "abandoned", "timeout", "withdrawn", "ivr_ended"]


@dataclass(frozen=True)
class Transfer:
    """A blind transfer: so long after the answer, to that extension, and the talk there."""

    after: float
    to: str
    talk: float


@dataclass(frozen=True)
class CallPlan:
    """One call; all times in seconds, None where the floor decides."""

    number: str
    name: str = ""
    did: str = "12345"
    menu: float = 0.5  # in the greeting, before the queue
    leaves_in_menu: bool = False
    patience: float | None = None  # waits so long, then hangs up; None: as long as it takes
    talk: float = 150.0
    ended_by: Party = "citizen"
    hold: tuple[float, float] | None = None  # so long after the answer, for so long
    transfer: Transfer | None = None
    score: str | None = None  # the key pressed in the survey
    solved: str | None = None  # and at its second question
    closed: bool = False  # calls outside the hours
    key_0_after: float | None = None  # presses 0 after so long in the queue
    message: float | None = None  # speaks so long in the mailbox; None: hangs up there
    asks: tuple[str, str] | None = None  # number and code that are typed
    agent: str | None = None  # only this extension is rung
    answer_after: float | None = None  # the agent picks up after so long
    citizen_after: float = 6.0  # click-to-call: the citizen picks up after so long
    misses: int = 0  # so many rings nobody answers before that
    withdraw_after: float | None = None  # taken out of the queue by an action after so long
    agent_busy: bool = False  # click-to-call: the agent's phone refuses
    agent_away: bool = False  # click-to-call: the agent's phone is not registered
    citizen_busy: bool = False
    line: Line | None = None  # click-to-call: what the carrier answers instead of ringing
    citizen_answers: bool = True


def towards(plan: CallPlan, outcome: Outcome) -> CallPlan:
    """The plan bent so that the call ends as wanted."""
    if outcome == "answered":
        return plan
    never = 10**6
    if outcome == "abandoned":
        return replace(plan, misses=never, patience=plan.patience if plan.patience is not None else 8.0)
    if outcome == "timeout":
        return replace(plan, misses=never, patience=None)
    if outcome == "withdrawn":
        return replace(plan, misses=never, patience=None, withdraw_after=2.0)
    return replace(plan, leaves_in_menu=True)
