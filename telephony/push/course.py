"""What has been pushed about one call, and the session it makes. Pure; stamps are ours, seconds since 1970.

Nothing here keeps the citizen's number: it goes with the event that brought it into the session, and from
there into the vault.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.privacy import normalise_phone
from telephony.calls import Leg, Session
from telephony.calls.course import Course
from telephony.push.terms import PushEvent, PushKind

# Why a call came to nothing, inbound and outbound (the causes of the generic CTI).
INBOUND = {
    "cancel": "abandoned",
    "normalClearing": "abandoned",
    "noAnswer": "timeout",
    "busy": "timeout",
    "forwarded": "exit_key",
    "congestion": "empty",
    "notFound": "empty",
}
OUTBOUND = {
    "cancel": "cancelled",
    "normalClearing": "citizen_no_answer",
    "noAnswer": "citizen_no_answer",
    "busy": "citizen_busy",
    "notFound": "number_invalid",
    "congestion": "trunk_down",
}


@dataclass(frozen=True)
class PushFacts:
    """One call so far. `extension`: where it rings, or who dialled; `answering`: who talks."""

    started: float
    outbound: bool | None = None
    did: str | None = None
    queue: str | None = None
    extension: str | None = None
    answered: float | None = None
    answering: str | None = None
    ended: float | None = None
    cause: str | None = None
    begun: bool = False  # its newCall was heard

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def of(stored: Mapping[str, Any]) -> "PushFacts":
        return PushFacts(**stored)


def note(facts: PushFacts, event: PushEvent, now: float) -> PushFacts:
    """The facts after an event; a repeated one changes nothing, and what has ended stays so."""
    known = _known(facts, event)
    if event.kind is PushKind.NEW_CALL:
        return replace(known, begun=True)
    if event.kind is PushKind.ANSWER and facts.answered is None and facts.ended is None:
        return replace(known, answered=now, answering=_phone(event.answering) or known.extension)
    if event.kind is PushKind.HANGUP and facts.ended is None:
        return replace(known, ended=now, cause=event.cause)
    return known


def _known(facts: PushFacts, event: PushEvent) -> PushFacts:
    """What an event says besides: what was known first holds."""
    outbound = facts.outbound if facts.outbound is not None else event.outbound
    own = event.source if outbound else event.target  # our side of the call
    return replace(
        facts,
        outbound=outbound,
        did=facts.did or (None if outbound or _phone(own) else own),
        queue=facts.queue or event.queue,
        extension=facts.extension or _phone(own),
    )


def _phone(party: str | None) -> str | None:
    """An extension of the house; 12345 and other numbers of the network are none."""
    return party if party is not None and normalise_phone(party).kind == "internal" else None


def caller_of(facts: PushFacts, event: PushEvent) -> str | None:
    """The citizen's number, when this event brought it."""
    return event.target if facts.outbound else event.source


def session_of(call_id: str, facts: PushFacts, caller: str | None, now: float) -> Session:
    """The session as far as it was pushed; `caller` as the PBX gave it, None: this event did not say."""
    over = facts.ended if facts.ended is not None else now
    queued = facts.started if facts.queue and not facts.outbound else None
    waited = facts.answered if facts.answered is not None else over
    return Session(
        key=call_id,
        direction="outbound" if facts.outbound else "inbound",
        caller=caller,
        caller_name=None,
        did=facts.did,
        state=_state(facts),
        outcome=_outcome(facts),
        queues=(facts.queue,) if facts.queue and not facts.outbound else (),
        legs=_legs(facts, over),
        transfers=(),
        wait_seconds=None if queued is None else max(waited - queued, 0.0),
        linkedids=(call_id,),
        recording=None,
        survey=None,
        started=facts.started,
        queued=queued,
        answered=facts.answered,
        ended=facts.ended,
        citizen=call_id,
    )


def _state(facts: PushFacts) -> str:
    if facts.ended is not None:
        return "ended"
    if facts.answered is not None:
        return "talking"
    if facts.extension is not None and not facts.outbound:
        return "ringing"
    return "waiting" if facts.queue else "ivr"


def _outcome(facts: PushFacts) -> str:
    if facts.ended is None:
        return "in_progress"
    if facts.answered is not None:
        return "answered"
    return (OUTBOUND if facts.outbound else INBOUND).get(facts.cause or "normalClearing", "ended_unknown")


def _legs(facts: PushFacts, over: float) -> tuple[Leg, ...]:
    """The telephone that rang or dialled, and the one that talks; often they are one."""
    legs = []
    if facts.answering is not None:
        legs.append(_talk(facts, over))
    if facts.extension is not None and facts.extension != facts.answering and not facts.outbound:
        legs.append(_ring(facts, over))
    return tuple(legs)


def _talk(facts: PushFacts, over: float) -> Leg:
    assert facts.answering is not None
    assert facts.answered is not None
    rang = facts.answering == facts.extension and not facts.outbound
    return Leg(
        agent=facts.answering,
        state="ended" if facts.ended is not None else "talking",
        ring_seconds=facts.answered - facts.started if rang else 0.0,
        talk_seconds=over - facts.answered,
        hold_seconds=0.0,
        ended_by=None,
        rang_at=facts.started if rang else None,
        answered_at=facts.answered,
        ended_at=facts.ended,
        course=Course(
            rings=((facts.started, facts.answered),) if rang else (),
            talks=((facts.answered, facts.ended),),
            met=True,
        ),
    )


def _ring(facts: PushFacts, over: float) -> Leg:
    assert facts.extension is not None
    stop = facts.answered if facts.answered is not None else facts.ended
    missed = int(stop is not None and facts.answered is None and facts.cause == "noAnswer")
    return Leg(
        agent=facts.extension,
        state="ringing" if stop is None else "ended",
        ring_seconds=(over if stop is None else stop) - facts.started,
        talk_seconds=0.0,
        hold_seconds=0.0,
        ended_by=None,
        rang_at=facts.started,
        answered_at=None,
        ended_at=stop,
        missed=missed,
        course=Course(rings=((facts.started, stop),), missed=missed),
    )
