"""Text snippets, and what the seat finds while it is typed."""

from core.people.permissions import Role
from tests.security.rules.roles import WRITERS

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("POST", "/agent/places"): WRITERS,
    ("GET", "/agent/snippets"): WRITERS,
    ("GET", "/snippets"): WRITERS,
    ("POST", "/snippets"): WRITERS,
    ("POST", "/snippets/{snippet_id}/remove"): WRITERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/agent/places": {"q": "中山中路"},
    "/snippets": {"code": "ld", "title": "x", "body": "foreign"},
    "/snippets/{snippet_id}/remove": {},
}
