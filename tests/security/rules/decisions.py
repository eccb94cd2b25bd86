"""The call-back desk and the approvals inbox."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, DISPATCHERS, HOTLINE

REVISITORS = frozenset({Role.CALLBACK_OFFICER, Role.SHIFT_LEADER})
APPROVERS = DISPATCHERS | DEPARTMENTS  # deputies find what they stand in for, others an empty inbox
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("POST", "/tickets/{ticket_id}/dial"): HOTLINE,
    ("GET", "/revisits"): REVISITORS,
    ("GET", "/revisits/rows"): REVISITORS,
    ("POST", "/revisits/{ticket_id}"): REVISITORS,
    ("GET", "/approvals"): APPROVERS,
    ("GET", "/approvals/rows"): APPROVERS,
    ("POST", "/approvals/{ticket_id}/{kind}"): APPROVERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/tickets/{ticket_id}/dial": {"back": "ticket"},
    "/revisits/{ticket_id}": {"version": "2", "result": "no_answer"},
    "/approvals/{ticket_id}/{kind}": {"version": "2", "decision": "yes"},
}
