"""Wallboards: the board is for whoever has its address, the addresses for those who run the floor."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY

MANAGERS = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER})

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/wallboard/{secret}"): ANYBODY,
    ("GET", "/wallboard/{secret}/figures"): ANYBODY,
    ("GET", "/wallboards"): MANAGERS,
    ("POST", "/wallboards"): MANAGERS,
    ("POST", "/wallboards/{address_id}/revoke"): MANAGERS,
}
