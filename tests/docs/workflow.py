"""docs/workflow.md, written from the workflow table: the diagram, the actions, who may, what they need."""

from collections.abc import Iterator

from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from tickets.workflow import (
    ACTION_LABELS,
    FINAL,
    NEED_LABELS,
    OPEN,
    RELATION_LABELS,
    RULES,
    STAGE_LABELS,
    STAGE_OF,
    STATE_LABELS,
    Action,
    Relation,
    Rule,
    State,
)

HEAD = """# The life of a ticket

Written from `tickets/workflow.py` by `python -m tests.docs.reference`; a test fails when the two differ.
What an action does is in `tickets/actions/`, why one is refused at a moment in `tickets/guards.py`.
"""
NOTES = """
## Reading the tables

* *Relation*: what the acting person's unit has to do with the ticket. A permission alone is never enough.
* Several targets: the action's own module decides. A return goes to the ruling desk when a second unit
  returns the ticket; an urgent closing passes the head; a check leads to a call-back when it is drawn.
* An action without a target leaves the state; `撤销并案` goes back to the state before the merge.
* Every action appends one row of history with who, post, unit, reason, note, before and after; replaying the
  rows gives the present ticket (`tickets/replay.py`).
* A deputy decides for an absent head or supervision officer on approvals; the record names both.
"""


def workflow_page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_diagram(), *_states(), *_actions(), NOTES])


def _arrows() -> dict[tuple[State, State], list[Action]]:
    found: dict[tuple[State, State], list[Action]] = {}
    for rule in RULES.values():
        for source in State:
            if source in rule.sources:
                for target in State:
                    if target in rule.may_lead_to(source) and target is not source:
                        found.setdefault((source, target), []).append(rule.action)
    return found


def _diagram() -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2")
    for state in State:
        yield f'    state "{STATE_LABELS[state]}" as {state.value}'
    yield f"    [*] --> {State.WAITING_DISPATCH.value}: {ACTION_LABELS[Action.CREATE]}"
    yield f"    [*] --> {State.WAITING_ACCEPT.value}: {ACTION_LABELS[Action.CREATE]}"
    for (source, target), actions in _arrows().items():
        if target in (State.VOID, State.WITHDRAWN, State.MERGED, State.EMERGENCY):
            continue  # they may come from almost anywhere: the table says where
        words = "、".join(ACTION_LABELS[action] for action in actions)
        yield f"    {source.value} --> {target.value}: {words}"
    yield from ("```", "")


def _states() -> Iterator[str]:
    yield from ("## States", "", "| state | code | | stage | actions |", "|---|---|---|---|---|")
    for state in State:
        kind = "final" if state in FINAL else "open"
        assert (state in OPEN) == (kind == "open")
        stage = STAGE_LABELS[STAGE_OF[state]] if state in STAGE_OF else "—"
        actions = "、".join(ACTION_LABELS[rule.action] for rule in RULES.values() if state in rule.sources)
        yield f"| {STATE_LABELS[state]} | `{state.value}` | {kind} | {stage} | {actions or '—'} |"
    yield ""


def _actions() -> Iterator[str]:
    yield from ("## Actions", "", "| action | code | from | to | who | needs |", "|---|---|---|---|---|---|")
    for rule in RULES.values():
        sources = "、".join(STATE_LABELS[state] for state in State if state in rule.sources)
        yield (
            f"| {ACTION_LABELS[rule.action]} | `{rule.action.value}` | {sources} | {_targets(rule)} "
            f"| {_who(rule)} | {_needs(rule)} |"
        )


def _targets(rule: Rule) -> str:
    if rule.restores:
        return "the state before"
    return " / ".join(STATE_LABELS[target] for target in rule.targets) or "stays"


def _who(rule: Rule) -> str:
    ways = [
        f"`{who.permission.value}` ({_relations(who.relations)}): {_posts(who.permission, who.relations)}"
        for who in rule.who
    ]
    return "; ".join([*ways, *(["the system"] if rule.by_system else [])])


def _relations(relations: frozenset[Relation]) -> str:
    if relations == frozenset(Relation):
        return "any"
    return "、".join(RELATION_LABELS[one] for one in Relation if one in relations)


def _posts(permission: Permission, relations: frozenset[Relation]) -> str:
    """The posts that hold the permission and can stand in one of the relations."""
    found = []
    for role in Role:
        held = ROLE_PERMISSIONS[role]
        hotline = bool({Permission.TICKET_READ_HOTLINE, Permission.TICKET_READ_ALL} & held)
        reaches = Relation.HOTLINE in relations if hotline else bool(relations - {Relation.HOTLINE})
        if permission in held and reaches:
            found.append(role.value)
    return ", ".join(found)


def _needs(rule: Rule) -> str:
    return "、".join(NEED_LABELS[need] for need in NEED_LABELS if need in rule.needs) or "—"
