"""Certificate checks, papers of matters, the market of intermediaries and its public side."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY, DEPARTMENTS, HOTLINE, READERS, SEATS

_CHECKERS = SEATS | DEPARTMENTS
_TICKETS = READERS | DEPARTMENTS
_ADMIN = frozenset({Role.SYSTEM_ADMIN})
_FIGURES = frozenset(
    {Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER, Role.INSPECTOR}
    | {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
)
_READERS = (HOTLINE - {Role.CALLBACK_OFFICER}) | DEPARTMENTS | {Role.INSPECTOR}
_EDITORS = DEPARTMENTS | {Role.SUPERVISION_OFFICER}
_DECIDERS = frozenset({Role.DEPT_HEAD, Role.SUPERVISION_OFFICER})
_OWN = frozenset({Role.INTERMEDIARY})
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/drafts/{draft_id}/papers"): SEATS | {Role.CALLBACK_OFFICER},
    ("POST", "/drafts/{draft_id}/papers"): SEATS,
    ("POST", "/drafts/{draft_id}/papers/withdraw"): SEATS,
    ("GET", "/tickets/{ticket_id}/papers"): _TICKETS,
    ("POST", "/tickets/{ticket_id}/papers"): _CHECKERS,
    ("POST", "/tickets/{ticket_id}/papers/withdraw"): _CHECKERS,
    ("GET", "/certificates"): _FIGURES,
    ("GET", "/papers"): _ADMIN,
    ("GET", "/papers/registry"): _ADMIN,
    ("POST", "/papers/registry"): _ADMIN,
    ("GET", "/papers/{category_id}"): _ADMIN,
    ("POST", "/papers/{category_id}"): _ADMIN,
    ("GET", "/market"): _READERS,
    ("GET", "/market/{intermediary_id}"): _READERS,
    ("GET", "/market/qualifications"): _READERS,
    ("GET", "/market/cases"): _READERS,
    ("GET", "/market/blacklist"): _READERS,
    ("GET", "/market/new"): _EDITORS,
    ("POST", "/market/new"): _EDITORS,
    ("POST", "/market/{intermediary_id}"): _EDITORS,
    ("POST", "/market/{intermediary_id}/state"): _EDITORS,
    ("POST", "/market/{intermediary_id}/licences"): _EDITORS,
    ("POST", "/market/licences/{licence_id}/revoke"): _EDITORS,
    ("POST", "/market/{intermediary_id}/account"): _EDITORS,
    ("POST", "/market/{intermediary_id}/services"): _EDITORS,
    ("POST", "/market/{intermediary_id}/blacklist"): _EDITORS,
    ("POST", "/market/blacklist/{entry_id}/decide"): _DECIDERS,
    ("GET", "/market/list.csv"): _EDITORS,
    ("GET", "/market/import"): _EDITORS,
    ("POST", "/market/import"): _EDITORS,
    ("GET", "/market/own"): _OWN,
    ("POST", "/market/own/cases/{case_id}/answer"): _OWN,
    ("POST", "/market/own/blacklist/{entry_id}/appeal"): _OWN,
    ("GET", "/tickets/{ticket_id}/intermediary"): _TICKETS,
    ("POST", "/tickets/{ticket_id}/intermediary/serve"): _EDITORS,
    ("POST", "/tickets/{ticket_id}/intermediary/judge"): _EDITORS,
    ("POST", "/tickets/{ticket_id}/intermediary/cancel"): _DECIDERS,
    ("GET", "/intermediaries"): ANYBODY,
    ("GET", "/intermediaries/{intermediary_id}"): ANYBODY,
    ("GET", "/intermediaries/blacklist"): ANYBODY,
    ("GET", "/intermediaries/rate"): ANYBODY,
    ("POST", "/intermediaries/rate"): ANYBODY,
    ("GET", "/credit/events"): ANYBODY,
}
_PAPERS = {"kinds": "id_card", "channel": "phone"}
FORMS: dict[str, dict[str, str]] = {
    "/drafts/{draft_id}/papers": _PAPERS,
    "/drafts/{draft_id}/papers/withdraw": {"consent_id": "1"},
    "/tickets/{ticket_id}/papers": _PAPERS,
    "/tickets/{ticket_id}/papers/withdraw": {"consent_id": "1"},
    "/papers/registry": {"text": "x"},
    "/papers/{category_id}": {"version": "0"},
    "/market/{intermediary_id}": {"unit_id": "1", "name": "x", "trade": "x"},
    "/market/{intermediary_id}/state": {"version": "1", "why": "x"},
    "/market/{intermediary_id}/licences": {"name": "x", "number": "x"},
    "/market/licences/{licence_id}/revoke": {"why": "x"},
    "/market/{intermediary_id}/account": {"login": "x"},
    "/market/{intermediary_id}/services": {"served_on": "2026-11-20"},
    "/market/{intermediary_id}/blacklist": {"finding": "breach", "reason": "xx", "months": "12"},
    "/market/blacklist/{entry_id}/decide": {"version": "1", "move": "approve", "text": "x"},
    "/market/own/cases/{case_id}/answer": {"version": "1", "text": "xx"},
    "/market/own/blacklist/{entry_id}/appeal": {"version": "1", "text": "xx"},
    "/tickets/{ticket_id}/intermediary/serve": {"version": "0", "summary": "xx"},
    "/tickets/{ticket_id}/intermediary/judge": {"version": "0", "verdict": "unfounded", "text": "x"},
    "/tickets/{ticket_id}/intermediary/cancel": {"version": "1", "why": "x"},
}
