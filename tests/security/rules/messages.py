"""Messages to citizens, notices to staff, the contact relay."""

from core.people.permissions import Role
from tests.security.rules.roles import EVERYBODY, HOTLINE, READERS, WRITERS

LOG = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER, Role.SYSTEM_ADMIN, Role.INSPECTOR})
KEEPERS = frozenset({Role.SYSTEM_ADMIN})
SEATS_AND_DESK = HOTLINE - {Role.SUPERVISION_OFFICER}

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/admin/messages"): LOG,
    ("POST", "/admin/messages/{message_id}/resend"): KEEPERS,
    ("POST", "/admin/messages/test"): KEEPERS,
    ("GET", "/tickets/{ticket_id}/messages"): READERS,
    ("POST", "/tickets/{ticket_id}/query-code"): SEATS_AND_DESK,
    ("POST", "/tickets/{ticket_id}/messages/opt-out"): SEATS_AND_DESK,
    ("POST", "/tickets/{ticket_id}/point/withdraw"): SEATS_AND_DESK,
    ("GET", "/relay"): WRITERS,
    ("GET", "/relay/rows"): WRITERS,
    ("POST", "/relay/{question_id}/answer"): WRITERS,
    ("POST", "/relay/{question_id}/send"): WRITERS,
    ("GET", "/notifications"): EVERYBODY,
    ("GET", "/notifications/bell"): EVERYBODY,
    ("GET", "/digest"): EVERYBODY,
    ("POST", "/notifications/{notice_id}/open"): EVERYBODY,
    ("POST", "/notifications/read"): EVERYBODY,
    ("GET", "/notifications/preferences"): EVERYBODY,
    ("POST", "/notifications/preferences"): EVERYBODY,
}
FORMS: dict[str, dict[str, str]] = {
    "/tickets/{ticket_id}/query-code": {},
    "/tickets/{ticket_id}/messages/opt-out": {"out": "true"},
    "/tickets/{ticket_id}/point/withdraw": {"point_id": "1", "reason": "x"},
    "/relay/{question_id}/answer": {"note": "x"},
    "/relay/{question_id}/send": {},
    "/notifications/{notice_id}/open": {},
}
