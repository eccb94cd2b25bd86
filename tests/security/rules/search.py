"""Searching by words."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, READERS

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/search/count"): READERS | DEPARTMENTS,
}
