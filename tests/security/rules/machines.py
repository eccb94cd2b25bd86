"""Machine clients: their list is the security administrator's, their routes are for no person at all."""

from core.people.permissions import Role

SECURITY = frozenset({Role.SECURITY_ADMIN})

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/admin/machines"): SECURITY,
    ("POST", "/admin/machines"): SECURITY,
    ("POST", "/admin/machines/{client_id}/renew"): SECURITY,
    ("POST", "/admin/machines/{client_id}/revoke"): SECURITY,
}
