"""Advice beside a form, the models and where they may act alone."""

from core.people.permissions import Role
from tests.security.rules.roles import WRITERS

MANAGERS = frozenset({Role.SUPERVISION_OFFICER, Role.SYSTEM_ADMIN})
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("POST", "/agent/advice"): WRITERS,
    ("GET", "/admin/classifier"): MANAGERS | {Role.INSPECTOR},
    ("POST", "/admin/classifier/off"): MANAGERS,
    ("POST", "/admin/classifier/models/{model_id}/promote"): MANAGERS,
    ("POST", "/admin/classifier/categories/{category_id}"): MANAGERS,
}
FORMS: dict[str, dict[str, str]] = {
    "/agent/advice": {"title": "路灯不亮", "narrative": "三里店路灯不亮"},
    "/admin/classifier/off": {"reason": "foreign"},
    "/admin/classifier/models/{model_id}/promote": {"reason": "foreign"},
    "/admin/classifier/categories/{category_id}": {"automatic": "false"},
}
