"""Open tickets about the same matter beside a form, the repeat of one."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, DISPATCHERS, READERS, SEATS, WRITERS

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("POST", "/drafts/{draft_id}/alike"): WRITERS,
    ("POST", "/drafts/{draft_id}/repeat"): SEATS,
    ("GET", "/tickets/{ticket_id}/alike"): READERS | DEPARTMENTS,
    ("GET", "/clusters"): DISPATCHERS,
    ("GET", "/clusters/{cluster_id}"): DISPATCHERS,
    ("POST", "/clusters/{cluster_id}/confirm"): DISPATCHERS,
    ("POST", "/clusters/{cluster_id}/dismiss"): DISPATCHERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/drafts/{draft_id}/alike": {"version": "1", "title": "栖霞雅苑", "narrative": "搅拌厂夜间施工扰民"},
    "/clusters/{cluster_id}/confirm": {"seen": "1"},
    "/clusters/{cluster_id}/dismiss": {"note": "x"},
    "/drafts/{draft_id}/repeat": {"version": "1", "ticket_id": "1"},
}
