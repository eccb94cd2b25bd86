"""The citizens' portal: open to anybody; what a page shows of a ticket its cookie has proved."""

from core.people.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.security.rules.roles import ANYBODY

_PRIVACY = frozenset(role for role in Role if Permission.DELETION_REQUEST in ROLE_PERMISSIONS[role])
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/portal"): ANYBODY,
    ("GET", "/portal/privacy"): ANYBODY,
    ("POST", "/portal/elder"): ANYBODY,
    ("GET", "/portal/questions"): ANYBODY,
    ("GET", "/portal/questions/{article_id}"): ANYBODY,
    ("GET", "/portal/cases"): ANYBODY,
    ("GET", "/portal/submit"): ANYBODY,
    ("POST", "/portal/submit"): ANYBODY,
    ("POST", "/portal/places"): ANYBODY,
    ("GET", "/portal/track"): ANYBODY,
    ("POST", "/portal/track"): ANYBODY,
    ("GET", "/portal/done"): ANYBODY,
    ("POST", "/portal/track/act"): ANYBODY,
    ("POST", "/portal/track/rate"): ANYBODY,
    ("GET", "/portal/sign-in"): ANYBODY,
    ("POST", "/portal/sign-in"): ANYBODY,
    ("POST", "/portal/sign-in/code"): ANYBODY,
    ("POST", "/portal/sign-in/provider"): ANYBODY,
    ("GET", "/portal/sign-in/back"): ANYBODY,
    ("GET", "/portal/mine"): ANYBODY,
    ("POST", "/portal/mine/open"): ANYBODY,
    ("POST", "/portal/mine/data"): ANYBODY,
    ("POST", "/portal/sign-out"): ANYBODY,
    ("GET", "/data-requests"): _PRIVACY,
    ("POST", "/data-requests/{request_id}"): _PRIVACY,
}
