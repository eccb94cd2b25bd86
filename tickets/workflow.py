"""The life of a ticket as a table: which action leads from which state where, who may, what it needs.

Pure data and pure functions. Every way to change a ticket asks this table, so that a button, a bulk
action and an import cannot disagree. A draft is not a state: it is an entity of its own that ends
exactly once (`tickets.drafts`). An action that is not in `RULES` does not exist.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import HotlineError
from core.people.permissions import Permission
from tickets.states import (
    ACTION_LABELS,
    FINAL,
    OPEN,
    STAGE_LABELS,
    STAGE_OF,
    STATE_LABELS,
    WITH_UNIT,
    Action,
    Stage,
    State,
)


class Relation(StrEnum):
    """What a person's unit has to do with a ticket."""

    HOTLINE = "hotline"  # the hotline and whoever reads everything
    LEAD = "lead"  # the lead unit, and the work lies with it
    SUB = "sub"  # holds the work after a sub-dispatch
    LENT = "lent"  # the lead unit while a lower unit holds the work
    CO = "co"  # co-handler
    ABOVE = "above"  # stands above the unit that holds the work


class Need(StrEnum):
    """What an action cannot go without."""

    UNIT = "unit"
    UNITS = "units"
    NOTE = "note"
    REASON = "reason"
    BASIS = "basis"
    REPLY = "reply"
    CONTACT = "contact"
    CONTACT_RECORD = "contact_record"
    DAYS = "days"
    ANSWERS = "answers"
    MASTER = "master"
    REQUEST = "request"
    FIELDS = "fields"


RELATION_LABELS: dict[Relation, str] = {
    Relation.HOTLINE: "热线",
    Relation.LEAD: "主办单位",
    Relation.SUB: "承办下级",
    Relation.LENT: "已转派的主办单位",
    Relation.CO: "协办单位",
    Relation.ABOVE: "上级单位",
}
NEED_LABELS: dict[Need, str] = {
    Need.UNIT: "单位",
    Need.UNITS: "单位（可多个）",
    Need.NOTE: "说明",
    Need.REASON: "原因",
    Need.BASIS: "依据",
    Need.REPLY: "公开答复",
    Need.CONTACT: "联系结果",
    Need.CONTACT_RECORD: "已有联系记录",
    Need.DAYS: "天数",
    Need.ANSWERS: "三项评价",
    Need.MASTER: "主单",
    Need.REQUEST: "待审申请",
    Need.FIELDS: "更正项目",
}


@dataclass(frozen=True)
class Who:
    """People who hold `permission` and stand in one of `relations` to the ticket."""

    permission: Permission
    relations: frozenset[Relation]


@dataclass(frozen=True)
class Rule:
    """One action: from where, to where, for whom (any of), with which inputs.

    No `targets`: the state stays. Several: what is known at the moment decides which (the action's
    own module says how). `restores`: it goes back to the state before the last merge.
    """

    action: Action
    sources: frozenset[State]
    targets: tuple[State, ...]
    who: tuple[Who, ...]
    needs: frozenset[Need] = frozenset()
    by_system: bool = False
    restores: bool = False

    def leads_to(self, state: State) -> State:
        """The state after this action was done in `state`, when nothing special is known."""
        return self.targets[0] if self.targets else state

    def may_lead_to(self, state: State) -> frozenset[State]:
        """Every state the action may lead to from `state`."""
        if self.restores:
            return MERGEABLE
        return frozenset(self.targets) or frozenset({state})


P, R, S, A, N = Permission, Relation, State, Action, Need
MERGEABLE = frozenset({S.WAITING_ACCEPT, S.WAITING_DISPATCH, S.WAITING_SIGN, S.HANDLING})
_INTAKE = frozenset({S.WAITING_ACCEPT, S.WAITING_DISPATCH})
_DISPATCHED = OPEN - _INTAKE - {S.WAITING_SUPPLEMENT}
_WORKING = frozenset({S.WAITING_SIGN, S.HANDLING, S.EXTENSION_REVIEW, S.SUSPENSION_REVIEW, S.SUSPENDED})
_CONTACTING = _WORKING - {S.WAITING_SIGN}
_EXCLUDABLE = _DISPATCHED | {S.CLOSED, S.ARCHIVED}
_FOLLOWED = frozenset(State) - {S.ARCHIVED, S.VOID}
FOLLOWING = (A.ACKNOWLEDGE, A.ANSWER_ORDER, A.ASK_ORDER, A.END_ORDER)


def _hotline(*permissions: Permission) -> tuple[Who, ...]:
    return tuple(Who(permission, frozenset({R.HOTLINE})) for permission in permissions)


def _units(*relations: Relation, permission: Permission = P.TICKET_HANDLE) -> tuple[Who, ...]:
    return (Who(permission, frozenset(relations)),)


def _rule(
    action: Action,
    sources: Iterable[State],
    targets: State | tuple[State, ...] | None,
    who: tuple[Who, ...],
    *needs: Need,
    by_system: bool = False,
    restores: bool = False,
) -> Rule:
    ways = () if targets is None else targets if isinstance(targets, tuple) else (targets,)
    return Rule(action, frozenset(sources), ways, who, frozenset(needs), by_system, restores)


_SEAT = _hotline(P.TICKET_CREATE, P.TICKET_DISPATCH)
_DECIDE = _hotline(P.TICKET_SUPERVISE)
_OWN = _units(R.LEAD)
# A town without a head of its own has the district's.
_HEAD = _units(R.LEAD, R.ABOVE, permission=P.TICKET_APPROVE)

RULES: dict[Action, Rule] = {
    rule.action: rule
    for rule in (
        # ---- before a unit has it
        _rule(A.ACCEPT, {S.WAITING_ACCEPT}, S.WAITING_DISPATCH, _SEAT),
        _rule(A.ASK_CITIZEN, {S.WAITING_ACCEPT}, S.WAITING_SUPPLEMENT, _SEAT, N.NOTE),
        _rule(A.SUPPLEMENT, {S.WAITING_SUPPLEMENT}, S.WAITING_ACCEPT, _SEAT, N.NOTE, by_system=True),
        _rule(A.ANSWER, _INTAKE, S.ANSWERED, _SEAT, N.REPLY),
        _rule(A.INFORM, _INTAKE, S.INFORMED, _SEAT, N.REASON, N.REPLY),
        _rule(A.EMERGENCY, MERGEABLE, S.EMERGENCY, _SEAT, N.REASON, N.NOTE),
        # By itself only where a person opened the category for it (routing/automatic.py).
        _rule(
            A.DISPATCH,
            {S.WAITING_DISPATCH},
            S.WAITING_SIGN,
            _hotline(P.TICKET_DISPATCH),
            N.UNIT,
            by_system=True,
        ),
        # ---- at the handling unit
        _rule(A.SIGN, {S.WAITING_SIGN}, S.HANDLING, _units(R.LEAD, R.SUB), by_system=True),
        _rule(A.CONTACT, _CONTACTING, None, _units(R.LEAD, R.SUB, R.CO), N.CONTACT),
        _rule(A.SUB_DISPATCH, {S.WAITING_SIGN, S.HANDLING}, S.WAITING_SIGN, _units(R.LEAD, R.SUB), N.UNIT),
        _rule(A.REPORT_BACK, {S.HANDLING}, S.HANDLING, _units(R.SUB), N.NOTE),
        _rule(A.TAKE_BACK, {S.WAITING_SIGN, S.HANDLING}, S.HANDLING, _units(R.LENT), N.NOTE),
        _rule(
            A.CLOSE,
            {S.HANDLING, S.EXTENSION_REVIEW},
            (S.WAITING_CHECK, S.CLOSING_REVIEW),
            _OWN,
            N.REPLY,
            N.CONTACT_RECORD,
        ),
        _rule(A.APPROVE_CLOSING, {S.CLOSING_REVIEW}, S.WAITING_CHECK, _HEAD),
        _rule(A.REFUSE_CLOSING, {S.CLOSING_REVIEW}, S.HANDLING, _HEAD, N.NOTE),
        # ---- returns and re-dispatch: the citizen's clock runs on
        _rule(
            A.RETURN,
            {S.WAITING_SIGN, S.HANDLING},
            (S.RETURN_REVIEW, S.RULING),
            _OWN,
            N.REASON,
            N.NOTE,
            N.BASIS,
            N.UNIT,
        ),
        _rule(
            A.ACCEPT_RETURN,
            {S.RETURN_REVIEW},
            (S.WAITING_DISPATCH, S.WAITING_SIGN),
            _hotline(P.TICKET_RULE),
            N.NOTE,
        ),
        _rule(A.REFUSE_RETURN, {S.RETURN_REVIEW}, S.HANDLING, _hotline(P.TICKET_RULE), N.NOTE),
        _rule(A.RULE, {S.RULING}, S.WAITING_SIGN, _DECIDE, N.UNIT, N.NOTE),
        _rule(A.REDISPATCH, _WORKING, S.WAITING_SIGN, _hotline(P.TICKET_DISPATCH), N.UNIT, N.REASON),
        # ---- joint handling
        _rule(A.ADD_CO, _WORKING, None, _hotline(P.TICKET_DISPATCH), N.UNITS),
        _rule(A.REMOVE_CO, _WORKING, None, _hotline(P.TICKET_DISPATCH), N.UNIT, N.NOTE),
        _rule(A.CO_OPINION, _WORKING, None, _units(R.CO), N.NOTE),
        # ---- more time
        _rule(A.APPLY_EXTENSION, {S.HANDLING}, S.EXTENSION_REVIEW, _OWN, N.REASON, N.NOTE, N.DAYS),
        _rule(A.APPROVE_EXTENSION, {S.EXTENSION_REVIEW}, S.HANDLING, _DECIDE),
        _rule(A.REFUSE_EXTENSION, {S.EXTENSION_REVIEW}, S.HANDLING, _DECIDE, N.NOTE),
        _rule(A.APPLY_SUSPENSION, {S.HANDLING}, S.SUSPENSION_REVIEW, _OWN, N.REASON, N.NOTE, N.DAYS),
        _rule(A.APPROVE_SUSPENSION, {S.SUSPENSION_REVIEW}, S.SUSPENDED, _DECIDE),
        _rule(A.REFUSE_SUSPENSION, {S.SUSPENSION_REVIEW}, S.HANDLING, _DECIDE, N.NOTE),
        _rule(A.RESUME, {S.SUSPENDED}, S.HANDLING, _OWN + _DECIDE, N.NOTE, by_system=True),
        # ---- after the closing
        _rule(A.PASS_CHECK, {S.WAITING_CHECK}, (S.WAITING_CALLBACK, S.CLOSED), _hotline(P.TICKET_CHECK)),
        _rule(A.REJECT_CHECK, {S.WAITING_CHECK}, S.HANDLING, _hotline(P.TICKET_CHECK), N.REASON, N.NOTE),
        _rule(
            A.REVISIT,
            {S.WAITING_CALLBACK},
            (S.CLOSED, S.WAITING_CALLBACK, S.WAITING_SIGN),
            _hotline(P.REVISIT_WORK),
            N.ANSWERS,
            by_system=True,
        ),
        # The citizen's own answers, where no call-back waits for them (there it is a REVISIT).
        _rule(
            A.RATE,
            {S.CLOSED, S.ANSWERED, S.INFORMED},
            None,
            (),
            N.ANSWERS,
            by_system=True,
        ),
        _rule(
            A.REDO,
            {S.WAITING_CALLBACK, S.CLOSED},
            S.WAITING_SIGN,
            _hotline(P.REVISIT_WORK, P.TICKET_CHECK, P.TICKET_SUPERVISE),
            N.REASON,
            N.NOTE,
        ),
        _rule(A.APPLY_EXCLUSION, _EXCLUDABLE, None, _OWN, N.REASON, N.NOTE),
        _rule(A.APPROVE_EXCLUSION, _EXCLUDABLE, None, _DECIDE, N.REQUEST),
        _rule(A.REFUSE_EXCLUSION, _EXCLUDABLE, None, _DECIDE, N.REQUEST, N.NOTE),
        # ---- beside the way: the state stays
        # A repeat call is an urge, not a new ticket (domain: 催办).
        _rule(
            A.URGE,
            OPEN,
            None,
            _hotline(P.TICKET_CREATE, P.TICKET_DISPATCH, P.TICKET_SUPERVISE) + _units(R.LENT, R.ABOVE),
            by_system=True,
        ),
        # What is closed may be looked into, too: a citizen who is dissatisfied after a redo.
        _rule(A.SUPERVISE, _DISPATCHED | {S.CLOSED}, None, _DECIDE, N.NOTE),
        # What becomes of a document of supervision: who may is asked of the document, not of the ticket,
        # which may lie elsewhere by then (`TicketService.follow`).
        *(_rule(action, _FOLLOWED, None, (), N.NOTE, by_system=True) for action in FOLLOWING),
        _rule(A.ASK_RELAY, _CONTACTING, None, _units(R.LEAD, R.SUB), N.NOTE),
        _rule(A.ANSWER_RELAY, OPEN, None, _SEAT, N.NOTE),
        _rule(A.ADD, OPEN, None, _hotline(P.TICKET_CREATE), N.NOTE, by_system=True),
        _rule(A.NOTE, frozenset(State) - {S.VOID}, None, _units(*Relation, permission=P.TICKET_NOTE), N.NOTE),
        _rule(A.EDIT, OPEN - {S.WAITING_CALLBACK}, None, _SEAT, N.FIELDS),
        # ---- several tickets, other endings
        _rule(A.MERGE, MERGEABLE, S.MERGED, _hotline(P.TICKET_MERGE), N.MASTER),
        _rule(A.UNMERGE, {S.MERGED}, None, _hotline(P.TICKET_MERGE), N.NOTE, restores=True),
        _rule(A.CLOSE_MEMBER, {S.MERGED}, S.CLOSED, (), by_system=True),
        # A member goes along: when its merge is undone it must not be back where nobody is.
        _rule(A.HAND_OVER, _DISPATCHED | {S.MERGED}, None, (), N.UNIT, by_system=True),
        _rule(
            A.APPEAL,
            {S.CLOSED, S.ANSWERED, S.INFORMED, S.ARCHIVED},
            None,
            _hotline(P.TICKET_CREATE),
            N.NOTE,
            by_system=True,
        ),
        _rule(A.WITHDRAW, OPEN, S.WITHDRAWN, _SEAT, N.NOTE, by_system=True),
        _rule(A.VOID, OPEN, S.VOID, _hotline(P.TICKET_VOID), N.REASON, N.NOTE),
        _rule(
            A.ARCHIVE,
            {S.CLOSED, S.ANSWERED, S.INFORMED, S.EMERGENCY, S.WITHDRAWN},
            S.ARCHIVED,
            _hotline(P.TICKET_CHECK),
            by_system=True,
        ),
    )
}
INITIAL = State.WAITING_DISPATCH


def rule_for(state: State | str, action: Action | str) -> Rule:
    """The rule for doing `action` in `state`; HotlineError `action_not_allowed` if there is none."""
    try:
        rule = RULES[Action(action)]
        known = State(state)
    except (KeyError, ValueError):
        raise HotlineError("action_not_allowed", action=str(action), state=str(state)) from None
    if known not in rule.sources:
        raise HotlineError("action_not_allowed", action=rule.action.value, state=known.value)
    return rule


def permits(rule: Rule, permissions: Collection[Permission], relations: Collection[Relation]) -> bool:
    """Whether somebody with these permissions and relations may do it."""
    return any(who.permission in permissions and not who.relations.isdisjoint(relations) for who in rule.who)


def legal_actions(state: State | str) -> tuple[Action, ...]:
    """Every action the table allows somebody in `state`, in the order of the table."""
    return tuple(rule.action for rule in RULES.values() if State(state) in rule.sources)


__all__ = [
    "ACTION_LABELS",
    "FINAL",
    "INITIAL",
    "MERGEABLE",
    "NEED_LABELS",
    "OPEN",
    "RELATION_LABELS",
    "RULES",
    "STAGE_LABELS",
    "STAGE_OF",
    "STATE_LABELS",
    "WITH_UNIT",
    "Action",
    "Need",
    "Relation",
    "Rule",
    "Stage",
    "State",
    "Who",
    "legal_actions",
    "permits",
    "rule_for",
]
