"""Agents' states: one's own for who takes calls or calls back, others' for who leads the floor."""

from core.people.permissions import Role
from tests.security.rules.roles import WRITERS

SITTING = WRITERS
LEADERS = frozenset({Role.SHIFT_LEADER})
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("POST", "/seat/sign-in"): SITTING,
    ("POST", "/seat/sign-out"): SITTING,
    ("POST", "/seat/ready"): SITTING,
    ("POST", "/seat/not-ready"): SITTING,
    ("POST", "/seat/wrap-up"): SITTING,
    ("POST", "/floor/agents/{user_id}/ready"): LEADERS,
    ("POST", "/floor/agents/{user_id}/not-ready"): LEADERS,
    ("POST", "/floor/agents/{user_id}/sign-out"): LEADERS,
    ("POST", "/floor/agents/{user_id}/queues"): LEADERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/floor/agents/{user_id}/not-ready": {"reason": "break"},
    "/floor/agents/{user_id}/queues": {"queues": "hotline"},
}
