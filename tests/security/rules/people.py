"""Accounts, second factors, sessions, delegations and what waits for another administrator."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY, DEPARTMENTS, DISPATCHERS, EVERYBODY

SYSTEM, SECURITY, AUDIT = Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN
THREE = frozenset({SYSTEM, SECURITY, AUDIT})
MAKERS = frozenset({SYSTEM})
ACTING = frozenset({SYSTEM, SECURITY})
KILLERS = frozenset({SECURITY})
DEPUTIES = DEPARTMENTS | DISPATCHERS
PRINCIPALS = frozenset({Role.DEPT_HEAD, Role.SUPERVISION_OFFICER})
USER = "/admin/users/{user_id}"

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/login/step"): ANYBODY,
    ("POST", "/login/step"): ANYBODY,
    ("POST", "/login/step/leave"): ANYBODY,
    ("GET", "/totp"): EVERYBODY,
    ("POST", "/totp/begin"): EVERYBODY,
    ("POST", "/totp/confirm"): EVERYBODY,
    ("POST", "/totp/codes"): EVERYBODY,
    ("POST", "/totp/off"): EVERYBODY,
    ("GET", "/me/keys"): EVERYBODY,
    ("POST", "/me/keys"): EVERYBODY,
    ("POST", "/me/keys/reset"): EVERYBODY,
    ("GET", "/sessions"): EVERYBODY,
    ("POST", "/sessions/end-others"): EVERYBODY,
    ("POST", "/sessions/{session_id}/end"): EVERYBODY,
    ("GET", "/admin/sessions"): KILLERS,
    ("POST", "/admin/sessions/{session_id}/end"): KILLERS,
    ("POST", f"{USER}/sessions/end"): KILLERS,
    ("GET", "/admin/users"): THREE,
    ("GET", "/admin/users/list.csv"): THREE,
    ("GET", "/admin/users/new"): MAKERS,
    ("POST", "/admin/users"): MAKERS,
    ("GET", USER): THREE,
    **{
        ("POST", f"{USER}/{act}"): ACTING
        for act in ("edit", "posts", "disable", "enable", "unlock", "password", "totp")
    },
    ("GET", "/admin/users/import"): MAKERS,
    ("POST", "/admin/users/import"): MAKERS,
    ("GET", "/admin/users/import/sample.csv"): MAKERS,
    ("GET", "/admin/users/import/{import_id}"): MAKERS,
    ("POST", "/admin/users/import/{import_id}/step"): MAKERS,
    ("POST", "/admin/users/import/{import_id}/passwords"): MAKERS,
    ("GET", "/admin/approvals"): THREE,
    ("GET", "/admin/approvals/{proposal_id}"): THREE,
    ("POST", "/admin/approvals/{proposal_id}/approve"): THREE,
    ("POST", "/admin/approvals/{proposal_id}/refuse"): THREE,
    ("POST", "/admin/approvals/{proposal_id}/withdraw"): THREE,
    ("GET", "/delegations"): DEPUTIES,
    ("POST", "/delegations"): PRINCIPALS,
    ("POST", "/delegations/{delegation_id}/end"): PRINCIPALS,
}
PERSON = {"name": "王五", "unit_id": "1", "extension": ""}
# What a write of each route is sent when its id is somebody else's.
FORMS: dict[str, dict[str, str]] = {
    "/admin/users/{user_id}/edit": PERSON,
    "/admin/users/{user_id}/posts": {"roles": "agent"},
    **{
        f"/admin/users/{{user_id}}/{act}": {"sure": "true"}
        for act in ("disable", "enable", "unlock", "password", "totp")
    },
    "/admin/users/{user_id}/sessions/end": {},
    "/admin/sessions/{session_id}/end": {},
    "/sessions/{session_id}/end": {},
    "/delegations/{delegation_id}/end": {},
    "/admin/approvals/{proposal_id}/approve": {"note": "x"},
    "/admin/approvals/{proposal_id}/refuse": {"note": "x"},
    "/admin/approvals/{proposal_id}/withdraw": {},
    "/admin/users/import/{import_id}/step": {},
    "/admin/users/import/{import_id}/passwords": {},
}
