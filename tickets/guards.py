"""Why an action the table allows is refused at this moment: pure, asked by pages and by writes alike."""

from datetime import datetime

from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.facts import Facts
from tickets.terms import Urgency
from tickets.ticket_rows import TicketRow
from tickets.workflow import Action

A = Action
ASKING: frozenset[Action] = frozenset(
    {
        *(A.RETURN, A.APPLY_EXTENSION, A.CLOSE, A.WITHDRAW, A.VOID, A.MERGE, A.APPLY_EXCLUSION),
        *(A.APPROVE_EXCLUSION, A.REFUSE_EXCLUSION, A.PASS_CHECK, A.REJECT_CHECK, A.ANSWER, A.INFORM),
        *(A.EMERGENCY, A.CONTACT),
    }
)
MOST_EXTENSIONS = 2


def refusal(action: Action, row: TicketRow, facts: Facts, actor: Actor, now: datetime) -> str | None:
    """The code of what stands against it, or None."""
    if action is A.RETURN:
        return _return(row, facts, actor, now)
    if action is A.APPLY_EXTENSION:
        return _extension(row, actor, now)
    if action is A.APPROVE_EXTENSION:
        # It may have become urgent while the application waited (domain: never for 紧急/特急).
        return "extension_urgent" if row.urgency != Urgency.NORMAL.value else None
    if action is A.CLOSE:
        return "co_unanswered" if facts.co_unanswered else None
    if action in (A.APPROVE_EXCLUSION, A.REFUSE_EXCLUSION):
        return None if "exclusion" in facts.pending else "no_request"
    if action is A.APPLY_EXCLUSION:
        return "already_excluded" if row.excluded else _pending(facts, "exclusion")
    if action in (A.PASS_CHECK, A.REJECT_CHECK):
        # 申诉 is judged by somebody else than the one who passed the first handling.
        own = row.avoid_user_id is not None and row.avoid_user_id == actor.user_id
        return "appeal_own_check" if own else None
    if action is A.RATE:
        return "already_rated" if row.responded is not None else None
    if action in (A.WITHDRAW, A.VOID, A.MERGE, A.ANSWER, A.INFORM, A.EMERGENCY):
        return "has_members" if facts.members else None
    return None


def _pending(facts: Facts, kind: str) -> str | None:
    return "request_pending" if kind in facts.pending else None


def _return(row: TicketRow, facts: Facts, actor: Actor, now: datetime) -> str | None:
    """Within one working day of the dispatch, once per unit, never after a ruling (domain: 退单)."""
    if row.ruled:
        return "return_ruled"
    if actor.unit_id in facts.returned_by:
        return "return_used"
    if facts.return_until is not None and now > facts.return_until:
        return "return_late"
    return None


def _extension(row: TicketRow, actor: Actor, now: datetime) -> str | None:
    """Before expiry; once, a second one needs the head; never for urgent ones (domain: 延期)."""
    if row.urgency != Urgency.NORMAL.value:
        return "extension_urgent"
    if row.due_at is None or now >= row.due_at:
        return "extension_late"
    if row.extensions >= MOST_EXTENSIONS:
        return "extension_used"
    if row.extensions and not actor.may(Permission.TICKET_APPROVE):
        return "extension_needs_head"
    return None
