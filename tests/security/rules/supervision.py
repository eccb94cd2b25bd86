"""The supervision desk, its documents on both sides, the feed of 电子监察."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, READERS

DESK = frozenset({Role.SUPERVISION_OFFICER})
# Whoever reads tickets may open the page; which documents it shows is a condition of the query.
OPEN = READERS | DEPARTMENTS
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/supervision"): DESK,
    ("GET", "/supervision/tickets/{ticket_id}"): DESK,
    ("GET", "/supervision/proposals"): DESK,
    ("POST", "/supervision/proposals/{ticket_id}"): DESK,
    ("POST", "/supervision/proposals/{ticket_id}/decline"): DESK,
    ("GET", "/supervision/interviews"): DESK,
    ("GET", "/supervision/new"): DESK,
    ("POST", "/supervision/orders"): DESK,
    ("GET", "/orders"): OPEN,
    ("GET", "/orders/{order_id}"): OPEN,
    ("GET", "/orders/{order_id}/print/{form}"): OPEN,
    ("GET", "/orders/{order_id}/pdf/{form}"): OPEN,
    ("POST", "/orders/{order_id}/acknowledge"): DEPARTMENTS,
    ("POST", "/orders/{order_id}/report"): DEPARTMENTS,
    ("POST", "/orders/{order_id}/send-back"): DESK,
    ("POST", "/orders/{order_id}/close"): DESK,
    ("POST", "/orders/{order_id}/revoke"): DESK,
    ("POST", "/orders/{order_id}/record"): DESK,
    ("POST", "/orders/{order_id}/look"): DESK,
    ("GET", "/monitor"): DESK | {Role.INSPECTOR},
    ("GET", "/monitor/rows"): DESK | {Role.INSPECTOR},
    ("GET", "/monitor/export"): frozenset({Role.INSPECTOR}),
}
FORMS: dict[str, dict[str, str]] = {
    "/supervision/proposals/{ticket_id}": {"version": "2", "ground": "overdue"},
    "/supervision/proposals/{ticket_id}/decline": {"ground": "overdue", "reason": "foreign"},
    "/supervision/orders": {"kind": "order", "key": "a-form-of-ours", "unit_id": "1", "requirement": "x"},
    "/orders/{order_id}/acknowledge": {"version": "1"},
    "/orders/{order_id}/report": {"version": "1", "note": "foreign"},
    "/orders/{order_id}/send-back": {"version": "1", "note": "foreign"},
    "/orders/{order_id}/close": {"version": "1", "note": "foreign"},
    "/orders/{order_id}/revoke": {"version": "1", "note": "foreign"},
    "/orders/{order_id}/record": {"version": "1", "held_at": "2026-11-20T10:00", "attendees": "x"},
    "/orders/{order_id}/look": {"version": "1", "note": "foreign"},
}
