"""What is done to tickets: the forms of actions, acts on one and on many, the desks around them."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, DISPATCHERS, HOTLINE, READERS

ACTING = HOTLINE | DEPARTMENTS

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/tickets/{ticket_id}/bar"): ACTING,
    ("GET", "/tickets/{ticket_id}/do/{action}"): ACTING,
    ("POST", "/tickets/{ticket_id}/do/{action}"): ACTING,
    ("POST", "/tickets/bulk/{action}"): ACTING,
    ("POST", "/tickets/{ticket_id}/presence"): READERS | DEPARTMENTS,
    ("GET", "/rulings"): DISPATCHERS,
    ("GET", "/rulings/rows"): DISPATCHERS,
    ("GET", "/checks"): DISPATCHERS,
    ("GET", "/checks/rows"): DISPATCHERS,
    ("GET", "/tickets/{ticket_id}/process"): READERS | DEPARTMENTS,
    ("GET", "/tickets/{ticket_id}/replies"): READERS | DEPARTMENTS,
}
FORMS: dict[str, dict[str, str]] = {
    "/tickets/{ticket_id}/do/{action}": {"note": "foreign"},
    "/tickets/{ticket_id}/presence": {"state": "here"},
    "/tickets/bulk/{action}": {"ticket": "1:1", "note": "foreign"},
}
