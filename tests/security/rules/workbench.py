"""The department workbench."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/workbench"): DEPARTMENTS,
    ("POST", "/workbench/views"): DEPARTMENTS,
    ("POST", "/workbench/views/{view_id}/remove"): DEPARTMENTS,
}
FORMS: dict[str, dict[str, str]] = {"/workbench/views/{view_id}/remove": {}}
