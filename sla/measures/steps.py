"""Which facts one step of a ticket's life puts down or takes back. Pure.

A fact is one thing that counts, once: "this ticket was dispatched in version 5", "round 2 of it is due on
the 8th". Its key is (code, seq); a ticket has each key at most once. Putting a fact down again replaces it,
so that a due time that moves, or a stage that changes hands, takes its count along.

The same function is called by the writer of the step and by who replays history, which is why kept
counters and recomputed ones cannot differ by definition. It must not know anything else.
"""

from datetime import date, datetime
from typing import NamedTuple

from core.clock import to_city
from tickets.measures import Move, Noted, Seen
from tickets.states import Action, State

ACCEPTED, DIRECT = "accepted", "direct"
SENT, SIGNED, CONTACTED, RETURNED = "sent", "signed", "contacted", "returned"
DUE, ON_TIME, PASSED, REDONE = "due", "on_time", "passed", "redone"
QUESTIONS = ("responded", "solved", "satisfied")
UNREACHED = "unreached"
OPEN_PREFIX = "open_"
LEAVE_OUT = "*"  # every fact of the ticket is shown apart from now on (剔除)
SATISFIED_FROM = 3  # of five: 基本满意 and better

S, A = State, Action
# The unit has handed it in: whether it was on time is settled, until the check sends it back.
HANDED_IN: frozenset[str] = frozenset({S.WAITING_CHECK, S.WAITING_CALLBACK, S.CLOSED, S.ARCHIVED})
# It ended without the unit's closing: nothing is due any more.
LET_GO: frozenset[str] = frozenset({S.MERGED, S.WITHDRAWN, S.VOID, S.EMERGENCY, S.ANSWERED, S.INFORMED})
MAY_SEND = frozenset({A.DISPATCH, A.SUB_DISPATCH, A.REDISPATCH, A.RULE, A.ACCEPT_RETURN, A.REDO, A.REVISIT})


class Step(NamedTuple):
    """A fact put down (n = 1) or taken back (n = -1); LEAVE_OUT stands alone with n = 0."""

    code: str
    seq: int
    n: int
    day: date | None = None
    unit_id: int = 0
    category_id: int = 0
    district_id: int = 0
    type: str = ""


def steps(move: Move) -> list[Step]:
    """What this step of a ticket moves."""
    found: list[Step] = []
    before, after = move.before, move.after
    if before is None or _place(before) != _place(after):
        _open(found, before, after)
    _intake(found, move)
    if move.action in MAY_SEND and after.state == S.WAITING_SIGN:
        found.append(_fact(SENT, move.version, _day(move.at), after.desk_unit_id, after))
    if before is not None:
        _at_unit(found, move, before)
        _due(found, before, after)
        _closing(found, move, before)
        _afterwards(found, move, before)
    if move.action == A.APPROVE_EXCLUSION:
        found.append(Step(LEAVE_OUT, 0, 0))
    return found


def noted(record: Noted) -> list[Step]:
    """What a record without a ticket counts for: an answer on the line is a matter accepted and answered."""
    if record.code != "direct_answer":
        return []
    day, category = _day(record.at), record.category_id or 0
    return [Step(code, 0, 1, day, 0, category, 0, record.type or "") for code in (ACCEPTED, DIRECT)]


def _day(at: datetime) -> date:
    return to_city(at).date()


def _fact(code: str, seq: int, day: date, unit: int | None, seen: Seen) -> Step:
    return Step(code, seq, 1, day, unit or 0, seen.category_id, seen.district_id or 0, seen.type)


def _place(seen: Seen) -> tuple[object, ...]:
    return seen.stage, seen.stage_since, seen.desk_unit_id


def _open(found: list[Step], before: Seen | None, after: Seen) -> None:
    """An open ticket stands in one stage, since a day, with a unit."""
    if before is not None and before.stage is not None and before.stage != after.stage:
        found.append(Step(OPEN_PREFIX + before.stage, 0, -1))
    if after.stage is not None and after.stage_since is not None:
        day = _day(after.stage_since)
        found.append(_fact(OPEN_PREFIX + after.stage, 0, day, after.desk_unit_id, after))


def _intake(found: list[Step], move: Move) -> None:
    """受理 when the hotline takes it on; 直办 when it answers itself."""
    waited = move.before is not None and move.before.state == S.WAITING_ACCEPT
    taken = move.before is None and move.after.state == S.WAITING_DISPATCH
    answered = move.action == A.ANSWER
    if taken or move.action == A.ACCEPT or (answered and waited):
        found.append(_fact(ACCEPTED, 0, _day(move.at), None, move.after))
    if answered:
        found.append(_fact(DIRECT, 0, _day(move.at), None, move.after))


def _at_unit(found: list[Step], move: Move, before: Seen) -> None:
    """签收, 先行联系 in time, both on the day of the dispatch they answer; 退单."""
    signs = move.action == A.SIGN or (move.action == A.SUB_DISPATCH and before.state == S.WAITING_SIGN)
    if signs and not move.automatic and _in_time(move.at, before.stage_due_at):
        since = before.stage_since or move.at
        found.append(_fact(SIGNED, move.version, _day(since), before.desk_unit_id, before))
    if move.contact is not None and _in_time(move.at, move.contact.due_at):
        since = move.contact.started_at
        found.append(_fact(CONTACTED, move.version, _day(since), before.desk_unit_id, before))
    if move.action == A.RETURN:
        found.append(_fact(RETURNED, move.version, _day(move.at), before.lead_unit_id, before))


def _in_time(at: datetime, due: datetime | None) -> bool:
    return due is None or at <= due


def _owed(seen: Seen) -> Step | None:
    """What is due of the present round, while it is with a unit or on its way to one."""
    if seen.due_at is None or seen.state in LET_GO or seen.state in HANDED_IN:
        return None
    return _fact(DUE, seen.round, _day(seen.due_at), seen.lead_unit_id, seen)


def _due(found: list[Step], before: Seen, after: Seen) -> None:
    """The day a round is due; it moves with the due time and with the unit, until it was handed in."""
    was, now = _owed(before), _owed(after)
    if now is not None and now != was:
        found.append(now)
    elif after.state in LET_GO and before.state not in LET_GO:
        if before.due_at is not None:
            found.append(Step(DUE, before.round, -1))
        if before.state in HANDED_IN:
            found.append(Step(ON_TIME, before.round, -1))


def _closing(found: list[Step], move: Move, before: Seen) -> None:
    """按时办结: the closing that passed to the check, against the due time of that moment."""
    after = move.after
    if move.action in (A.CLOSE, A.APPROVE_CLOSING) and after.state == S.WAITING_CHECK:
        if after.due_at is not None and move.at <= after.due_at:
            found.append(_fact(ON_TIME, after.round, _day(after.due_at), after.lead_unit_id, after))
    elif move.action == A.REJECT_CHECK:
        found.append(Step(ON_TIME, before.round, -1))


def _afterwards(found: list[Step], move: Move, before: Seen) -> None:
    """The check that passed, the redo, and what the citizen said."""
    day = _day(move.at)
    if move.action == A.PASS_CHECK:
        found.append(_fact(PASSED, move.version, day, before.lead_unit_id, before))
    if move.after.round > before.round:
        found.append(_fact(REDONE, move.after.round, day, before.lead_unit_id, before))
    if move.action not in (A.REVISIT, A.RATE):
        return
    if move.action == A.REVISIT and move.result != "reached":
        if move.after.state == S.CLOSED:
            found.append(_fact(UNREACHED, move.version, day, before.lead_unit_id, before))
        return
    for question in QUESTIONS:
        said = getattr(move.after, question)
        if said is not None:
            found.append(_fact("asked_" + question, move.version, day, before.lead_unit_id, before))
            if said if question != "satisfied" else said >= SATISFIED_FROM:
                found.append(_fact(question, move.version, day, before.lead_unit_id, before))
