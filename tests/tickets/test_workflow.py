"""The workflow table: every state with every action, every person, from the table itself."""

import pytest

from core.errors import HotlineError
from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from tickets.actions import EFFECTS
from tickets.inputs import INPUTS, parse_input
from tickets.workflow import (
    ACTION_LABELS,
    FINAL,
    INITIAL,
    NEED_LABELS,
    OPEN,
    RELATION_LABELS,
    RULES,
    STAGE_LABELS,
    STAGE_OF,
    STATE_LABELS,
    Action,
    Need,
    Relation,
    Stage,
    State,
    legal_actions,
    permits,
    rule_for,
)

HOTLINE_ROLES = {role for role in Role if Permission.TICKET_READ_HOTLINE in ROLE_PERMISSIONS[role]} | {
    Role.SUPERVISION_OFFICER
}


@pytest.mark.parametrize("state", list(State))
def test_every_pair_is_either_in_the_table_or_refused(state: State) -> None:
    for action in Action:
        rule = RULES.get(action)
        if rule is None or state not in rule.sources:
            with pytest.raises(HotlineError) as caught:
                rule_for(state, action)
            assert caught.value.code == "action_not_allowed"
            continue
        assert rule_for(state, action) is rule
        assert rule.may_lead_to(state)
        assert action in legal_actions(state)


def test_everything_has_its_word() -> None:
    assert set(STATE_LABELS) == set(State)
    assert set(ACTION_LABELS) == set(Action)
    assert set(STAGE_LABELS) == set(Stage)
    assert set(NEED_LABELS) == set(Need)
    assert set(RELATION_LABELS) == set(Relation)


def test_every_action_has_a_rule_an_input_and_an_effect() -> None:
    assert set(RULES) == set(Action) - {Action.CREATE, Action.CARD, Action.RECOUNT}
    assert set(INPUTS) == set(RULES)
    # An appeal makes a ticket of its own; a member closes with its master.
    assert set(RULES) - set(EFFECTS) == {Action.APPEAL, Action.CLOSE_MEMBER}


def test_open_states_have_a_stage_and_final_ones_have_none() -> None:
    assert set(STAGE_OF) == OPEN
    assert INITIAL in OPEN
    assert not OPEN & FINAL


def test_every_state_can_be_reached_and_every_open_one_can_be_left() -> None:
    reached = {INITIAL, State.WAITING_ACCEPT}
    while True:
        more = {target for rule in RULES.values() for state in rule.sources & reached
                for target in rule.may_lead_to(state)} - reached  # fmt: skip
        if not more:
            break
        reached |= more
    assert reached == set(State)
    for state in OPEN:
        assert any(rule.may_lead_to(state) - {state} for rule in RULES.values() if state in rule.sources)


def test_void_and_archived_are_the_end() -> None:
    assert legal_actions(State.VOID) == ()
    moving = {Action.APPLY_EXCLUSION, Action.APPROVE_EXCLUSION, Action.REFUSE_EXCLUSION}
    assert set(legal_actions(State.ARCHIVED)) == {Action.NOTE, Action.APPEAL} | moving


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
def test_inspectors_and_administrators_change_no_ticket(role: Role) -> None:
    for rule in RULES.values():
        assert not permits(rule, ROLE_PERMISSIONS[role], set(Relation)), rule.action


def test_the_handling_unit_never_decides_on_its_own_case() -> None:
    decisions = {
        *(Action.ACCEPT_RETURN, Action.REFUSE_RETURN, Action.RULE, Action.APPROVE_EXTENSION),
        *(Action.APPROVE_SUSPENSION, Action.APPROVE_EXCLUSION, Action.PASS_CHECK, Action.REJECT_CHECK),
        *(Action.REVISIT, Action.REDO, Action.VOID, Action.MERGE, Action.DISPATCH, Action.REDISPATCH),
    }
    for role in (Role.DEPT_OFFICER, Role.DEPT_HEAD):
        for action in decisions:
            assert not permits(RULES[action], ROLE_PERMISSIONS[role], set(Relation) - {Relation.HOTLINE})


def test_only_the_lead_closes_and_only_a_head_approves() -> None:
    officer, head = ROLE_PERMISSIONS[Role.DEPT_OFFICER], ROLE_PERMISSIONS[Role.DEPT_HEAD]
    for relation in Relation:
        assert permits(RULES[Action.CLOSE], officer, {relation}) == (relation is Relation.LEAD)
        above = relation in (Relation.LEAD, Relation.ABOVE)
        assert permits(RULES[Action.APPROVE_CLOSING], head, {relation}) == above
        assert not permits(RULES[Action.APPROVE_CLOSING], officer, {relation})


def test_no_relation_helps_without_the_permission_and_the_other_way_round() -> None:
    for rule in RULES.values():
        assert not permits(rule, (), set(Relation))
        assert not permits(rule, set(Permission), ())


@pytest.mark.parametrize("action", [action for action in RULES if Need.NOTE in RULES[action].needs])
def test_an_action_that_needs_a_note_refuses_an_empty_one(action: Action) -> None:
    with pytest.raises(HotlineError) as caught:
        parse_input(action, {"note": "  "})
    assert caught.value.params["fields"]["note"] == "required"


@pytest.mark.parametrize("action", list(INPUTS))
def test_no_action_takes_a_field_it_does_not_know(action: Action) -> None:
    for name in ("state", "lead_unit_id", "version", "due_at", "closed_at", "id"):
        with pytest.raises(HotlineError) as caught:
            parse_input(action, {"note": "x", name: "1"})
        assert caught.value.code == "unknown_field"
        assert caught.value.params["fields"] == [name]


@pytest.mark.parametrize(("need", "field"), [(Need.REASON, "reason_code"), (Need.REPLY, "public_reply")])
def test_what_the_table_asks_for_is_asked_for_by_the_input(need: Need, field: str) -> None:
    for action, rule in RULES.items():
        assert (need in rule.needs) == (
            field in INPUTS[action].model_fields and INPUTS[action].model_fields[field].is_required()
        ), action
