"""How an agent stands: pure, by what page and PBX tell, whatever their order and however often.

An agent has a wish (ready, or not ready with a reason), calls in some phase, perhaps work after a call,
perhaps the wish to go. What is shown follows from these, the first that holds: a call talked with or
held, a ring, work after a call, a telephone out of reach, the wish. Times are handed in; they may come
late or from a clock that is not ours, and are never set before what was already told (`run`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

SIGNED_OUT, READY, NOT_READY = "signed_out", "ready", "not_ready"
RINGING, TALKING, HOLD, WRAP_UP = "ringing", "talking", "hold", "wrap_up"
CALL_BACK, UNREACHABLE = "call_back", "unreachable"
GONE = "gone"  # a call that is over at this telephone
MISSED = "missed"  # the reason of who missed too many rings
AT_PHONE = "phone"  # the reason of who was set not ready at the telephone, without one of our codes
ACW = "ACW"  # work after a call, as the PBX hears of it
LEAVING = "leaving"
REMEMBERED = 4  # calls that are over and still known, so that late facts of them are passed over
By = Literal["agent", "leader", "phone", "takeover", "account", "deadline", "call", "sign_out"]
Span = tuple[datetime, datetime | None]


@dataclass(frozen=True)
class Rules:
    """What a city sets: seconds of work after a call (0: none), its extension, rings until not ready."""

    wrap_up: timedelta = timedelta(seconds=30)
    extension: timedelta = timedelta(seconds=60)
    extensions: int = 2
    missed: int = 3  # 0: never


@dataclass(frozen=True)
class Call:
    """A call at this telephone, as far as it was told."""

    phase: str
    outbound: bool = False
    queue: str | None = None
    met: bool = False  # the citizen was spoken to
    missed: int = 0
    version: int = 0
    upto: datetime | None = None  # the latest change of phase that was told


@dataclass(frozen=True)
class WrapUp:
    """Work after a call, with its deadline."""

    call: int | None
    started: datetime
    ends: datetime
    extended: int = 0


@dataclass(frozen=True)
class Agent:
    """Everything the machine knows of one agent."""

    signed_in: bool = False
    begun: datetime | None = None  # when the latest signing in was
    queues: tuple[str, ...] = ()
    wish: str = READY
    reason: str | None = None
    set_by: int | None = None
    leaving: str | None = None  # who asked for it, while it cannot be done yet
    missed: int = 0
    reachable: bool = True
    calls: Mapping[int, Call] = field(default_factory=dict)
    wrap_up: WrapUp | None = None

    @property
    def live(self) -> dict[int, Call]:
        """Calls that go on at this telephone."""
        return {ident: call for ident, call in self.calls.items() if call.phase != GONE}

    @property
    def on_the_phone(self) -> bool:
        """Whether somebody is spoken with, or held."""
        return any(call.phase in (TALKING, HOLD) for call in self.calls.values())


@dataclass(frozen=True)
class Shown:
    """What an interval says."""

    state: str
    reason: str | None = None
    call: int | None = None
    queue: str | None = None
    set_by: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What the queues of the PBX shall stand at."""

    queues: tuple[str, ...] = ()
    paused: bool = False
    reason: str = ""


# ---- what may happen --------------------------------------------------------------------------


@dataclass(frozen=True)
class SignIn:
    queues: tuple[str, ...]
    ready: bool = True
    reason: str | None = None


@dataclass(frozen=True)
class SignOut:
    by: By = "agent"
    at_once: bool = False


@dataclass(frozen=True)
class SetReady:
    by: By = "agent"


@dataclass(frozen=True)
class SetNotReady:
    reason: str
    by: By = "agent"
    set_by: int | None = None


@dataclass(frozen=True)
class SetQueues:
    queues: tuple[str, ...]


@dataclass(frozen=True)
class EndWrapUp:
    by: By = "agent"


@dataclass(frozen=True)
class ExtendWrapUp:
    pass


@dataclass(frozen=True)
class Reach:
    reachable: bool


@dataclass(frozen=True)
class Leg:
    """The whole course of one call at this telephone, as it is known at `version` of the call.

    Of a `partial` one the beginning was not seen, so that a hold may go on of which nothing is told.
    A telephone that has nothing to do with the call any more, and no course to tell it, has `over`.
    """

    call: int
    version: int
    rings: tuple[Span, ...] = ()
    talks: tuple[Span, ...] = ()
    holds: tuple[Span, ...] = ()
    missed: int = 0
    met: bool = False
    partial: bool = False
    outbound: bool = False
    queue: str | None = None
    over: datetime | None = None


Event = SignIn | SignOut | SetReady | SetNotReady | SetQueues | EndWrapUp | ExtendWrapUp | Reach | Leg


@dataclass(frozen=True)
class _Phase:
    """One change of one call's phase, taken out of a `Leg`."""

    leg: Leg
    phase: str
    last: bool


# ---- what follows -----------------------------------------------------------------------------


def shown(agent: Agent) -> Shown:
    """The one state an agent is in."""
    if not agent.signed_in:
        return Shown(SIGNED_OUT)
    for phase in (TALKING, HOLD, RINGING):
        for ident, call in agent.calls.items():
            if call.phase == phase:
                state = CALL_BACK if call.outbound and phase != HOLD else phase
                return Shown(state, call=ident, queue=call.queue)
    if agent.wrap_up is not None:
        return Shown(WRAP_UP, call=agent.wrap_up.call)
    if agent.wish == NOT_READY:
        return Shown(NOT_READY, agent.reason, set_by=agent.set_by)
    return Shown(READY if agent.reachable else UNREACHABLE)


def wanted(agent: Agent) -> Wanted:
    """What the PBX shall do: which queues ring this telephone, and whether now."""
    if not agent.signed_in:
        return Wanted()
    if agent.wrap_up is not None:
        return Wanted(agent.queues, True, ACW)
    if agent.leaving is not None:
        return Wanted(agent.queues, True, LEAVING)
    if agent.wish == NOT_READY:
        return Wanted(agent.queues, True, agent.reason or AT_PHONE)
    return Wanted(agent.queues)


@dataclass(frozen=True)
class Change:
    """From `at` on this is so; `by` says who ended work after a call, where that is what changed."""

    at: datetime
    before: Agent
    after: Agent
    by: By


def run(agent: Agent, told: Iterable[tuple[datetime, Event]], since: datetime, rules: Rules) -> list[Change]:
    """What becomes of an agent by what is told with its times, in this order; `since`: the last change.

    The times of the answer never go back, whatever the times told; a deadline that passed meanwhile
    took effect when it passed.
    """
    changes: list[Change] = []
    for at, event in told:
        steps = _phases(agent, event) if isinstance(event, Leg) else [(at, event)]
        for stamp, step in steps:
            due = _due(agent, max(stamp, since), since)
            changes += due
            agent, since = (due[-1].after, due[-1].at) if due else (agent, since)
            after, by = _take(agent, step, max(stamp, since), rules)
            if after != agent:
                since = max(stamp, since)
                changes.append(Change(since, agent, after, by))
                agent = after
    return changes


def deadline(agent: Agent, now: datetime, since: datetime) -> list[Change]:
    """The end of work after a call whose time has passed."""
    return _due(agent, now, since)


def _due(agent: Agent, now: datetime, since: datetime) -> list[Change]:
    wrap_up = agent.wrap_up
    if wrap_up is None or wrap_up.ends > now:
        return []
    after = _leave_if_due(replace(agent, wrap_up=None))
    return [Change(max(wrap_up.ends, since), agent, after, "deadline")]


def _take(agent: Agent, event: "Event | _Phase", at: datetime, rules: Rules) -> tuple[Agent, By]:
    """One step at its time."""
    if isinstance(event, SignIn):
        return _sign_in(agent, event, at), "agent"
    if not agent.signed_in:
        return agent, "agent"
    if isinstance(event, _Phase):
        return _leave_if_due(_move(agent, event, at, rules)), "call"
    if isinstance(event, SignOut):
        if event.at_once:
            return _gone(agent), event.by
        return _leave_if_due(replace(agent, leaving=event.by)), event.by
    if isinstance(event, SetReady):
        plain = replace(agent, wish=READY, reason=None, set_by=None, leaving=None, missed=0, wrap_up=None)
        return plain, event.by
    if isinstance(event, SetNotReady):
        wish = replace(agent, wish=NOT_READY, reason=event.reason, set_by=event.set_by, missed=0)
        if event.by != "leader":  # who goes for a break has done with the last call; another cannot know
            wish = replace(wish, wrap_up=None)
        return _leave_if_due(wish), event.by
    if isinstance(event, SetQueues):
        return replace(agent, queues=event.queues), "agent"
    if isinstance(event, Reach):
        return replace(agent, reachable=event.reachable), "phone"
    if isinstance(event, EndWrapUp):
        return _leave_if_due(replace(agent, wrap_up=None)), event.by
    return _extend(agent, rules), "agent"


def _sign_in(agent: Agent, event: SignIn, at: datetime) -> Agent:
    if agent.signed_in:
        return agent
    wish, reason = (READY, None) if event.ready else (NOT_READY, event.reason)
    calls = {ident: call for ident, call in agent.calls.items() if call.phase == GONE}
    return Agent(
        signed_in=True, begun=at, queues=event.queues, wish=wish, reason=reason, reachable=agent.reachable,
        calls=calls,
    )  # fmt: skip


def _gone(agent: Agent) -> Agent:
    calls = {ident: replace(call, phase=GONE) for ident, call in agent.calls.items()}
    return Agent(calls=calls, reachable=agent.reachable)


def _leave_if_due(agent: Agent) -> Agent:
    """Who asked to go goes once no call and no work after one is left."""
    if agent.leaving is None or agent.live or agent.wrap_up is not None:
        return agent
    return _gone(agent)


def _extend(agent: Agent, rules: Rules) -> Agent:
    wrap_up = agent.wrap_up
    if wrap_up is None or wrap_up.extended >= rules.extensions:
        return agent
    longer = replace(wrap_up, ends=wrap_up.ends + rules.extension, extended=wrap_up.extended + 1)
    return replace(agent, wrap_up=longer)


# ---- calls ------------------------------------------------------------------------------------


def _phases(agent: Agent, leg: Leg) -> list[tuple[datetime, "Event | _Phase"]]:
    """The changes of phase that this leg tells and that are not known yet, in the order of their times."""
    known = agent.calls.get(leg.call)
    if known is not None and known.version > leg.version:
        return []
    if known is not None and known.phase == HOLD and leg.partial and not leg.holds:
        leg = replace(leg, holds=leg.talks)
    moments = sorted(
        {at for spans in (leg.rings, leg.talks, leg.holds) for span in spans for at in span if at is not None}
        | ({leg.over} if leg.over is not None else set())
    )
    phase = GONE if known is None else known.phase
    upto = None if known is None else known.upto
    found: list[tuple[datetime, Event | _Phase]] = []
    for at in moments:
        now = _phase_at(leg, at)
        if (upto is None or at > upto) and now != phase:
            found.append((at, _Phase(leg, now, False)))
            phase = now
    if not moments or (known is None and _is_past(leg, moments[-1], agent.begun)):
        return []
    last = moments[-1]
    # What came late, and lies before what was told already, still decides how it stands now.
    found.append((max(last, upto or last), _Phase(leg, _phase_at(leg, last), True)))
    return found


def _is_past(leg: Leg, last: datetime, begun: datetime | None) -> bool:
    """Whether a call that is heard of for the first time was over before its agent signed in."""
    return _phase_at(leg, last) == GONE and begun is not None and last <= begun


def _phase_at(leg: Leg, at: datetime) -> str:
    if leg.over is not None and at >= leg.over:
        return GONE
    for phase, spans in ((HOLD, leg.holds), (TALKING, leg.talks), (RINGING, leg.rings)):
        if any(start <= at and (end is None or at < end) for start, end in spans):
            return phase
    return GONE


def _move(agent: Agent, step: _Phase, at: datetime, rules: Rules) -> Agent:
    leg = step.leg
    known = agent.calls.get(leg.call, Call(GONE))
    was, now = known.phase in (TALKING, HOLD), step.phase in (TALKING, HOLD)
    met = known.met or (leg.met and (now or step.last))
    call = Call(
        step.phase, leg.outbound, leg.queue or known.queue, met,
        leg.missed if step.last else known.missed, max(leg.version, known.version), at,
    )  # fmt: skip
    if call.phase == known.phase and known.upto is not None:
        call = replace(call, upto=known.upto)
    after = replace(agent, calls=_remember(agent.calls, leg.call, call))
    if now and not was:
        after = replace(after, missed=0, wrap_up=None)
    talked = met and (was or not known.met)  # the second: so short, or told so late, that no step was left
    if talked and call.phase == GONE and not after.on_the_phone and rules.wrap_up:
        after = replace(after, wrap_up=WrapUp(leg.call, at, at + rules.wrap_up))
    if step.last and leg.missed > known.missed:
        after = _count_missed(agent, after, leg.missed - known.missed, rules)
    return after


def _count_missed(before: Agent, after: Agent, more: int, rules: Rules) -> Agent:
    """Rings count while one was there to answer them: not in work after a call, nor when not ready."""
    if before.wish != READY or before.wrap_up is not None or before.leaving is not None or after.on_the_phone:
        return after
    missed = after.missed + more
    if rules.missed and missed >= rules.missed:
        return replace(after, missed=0, wish=NOT_READY, reason=MISSED, set_by=None)
    return replace(after, missed=missed)


def _remember(calls: Mapping[int, Call], ident: int, call: Call) -> dict[int, Call]:
    """All that go on, and the latest of those that are over."""
    found = {**{one: known for one, known in calls.items() if one != ident}, ident: call}
    over = [one for one, known in found.items() if known.phase == GONE]
    return {one: known for one, known in found.items() if one not in over[:-REMEMBERED]}
