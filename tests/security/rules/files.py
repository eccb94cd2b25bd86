"""Attachments, exports, prints."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, HOTLINE, READERS

_SEEN = READERS | DEPARTMENTS
_WRITERS = HOTLINE | DEPARTMENTS
_EXPORTERS = DEPARTMENTS | {Role.DISPATCHER, Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER}
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/tickets/{ticket_id}/attachments"): _SEEN,
    ("POST", "/tickets/{ticket_id}/attachments"): _WRITERS,
    ("GET", "/tickets/{ticket_id}/attachments/list"): _SEEN,
    ("GET", "/tickets/{ticket_id}/attachments/{attachment_id}"): _SEEN,
    ("GET", "/tickets/{ticket_id}/attachments/{attachment_id}/file"): _SEEN,
    ("POST", "/tickets/{ticket_id}/attachments/{attachment_id}/withdraw"): _WRITERS,
    ("POST", "/tickets/{ticket_id}/attachments/{attachment_id}/audience"): HOTLINE,
    ("GET", "/tickets/{ticket_id}/print/{form}"): _SEEN,
    ("GET", "/tickets/{ticket_id}/pdf/{form}"): _SEEN,
    ("POST", "/tickets/{ticket_id}/calls/{call_id}/listen"): _SEEN,
    ("GET", "/tickets/{ticket_id}/calls/{call_id}/recording"): _SEEN,
    ("GET", "/tickets/{ticket_id}/calls/{call_id}/waveform"): _SEEN,
    ("POST", "/tickets/{ticket_id}/calls/{call_id}/message/listen"): _SEEN,
    ("GET", "/tickets/{ticket_id}/calls/{call_id}/message/recording"): _SEEN,
    ("GET", "/tickets/{ticket_id}/calls/{call_id}/message/waveform"): _SEEN,
    ("GET", "/tickets/{ticket_id}/chats/{chat_id}"): _SEEN,
    ("POST", "/tickets/{ticket_id}/chats/{chat_id}/read"): _SEEN,
    ("GET", "/exports"): _EXPORTERS,
    ("POST", "/exports"): _EXPORTERS,
    ("GET", "/exports/{export_id}"): _EXPORTERS,
    ("GET", "/exports/{export_id}/progress"): _EXPORTERS,
    ("GET", "/exports/{export_id}/file"): _EXPORTERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/tickets/{ticket_id}/chats/{chat_id}/read": {"reason": "x"},
    "/tickets/{ticket_id}/calls/{call_id}/listen": {"reason": "x"},
    "/tickets/{ticket_id}/calls/{call_id}/message/listen": {"reason": "x"},
    "/tickets/{ticket_id}/attachments": {"audience": "handling"},
    "/tickets/{ticket_id}/attachments/{attachment_id}/withdraw": {"reason": "x"},
    "/tickets/{ticket_id}/attachments/{attachment_id}/audience": {"audience": "handling"},
}
