"""Public data and documents, the desk behind them, and inspection."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY

_MANAGERS = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER})
_READERS = _MANAGERS | {Role.INSPECTOR}
_APPROVERS = frozenset({Role.SUPERVISION_OFFICER, Role.AUDIT_ADMIN})
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/open"): ANYBODY,
    ("GET", "/open/info"): ANYBODY,
    ("GET", "/open/info/{article_id}"): ANYBODY,
    ("GET", "/open/data"): ANYBODY,
    ("GET", "/open/data/{month}"): ANYBODY,
    ("GET", "/open/data/{month}/{version}"): ANYBODY,
    ("GET", "/open/data/{month}/{version}/{file}"): ANYBODY,
    ("GET", "/open/dictionary"): ANYBODY,
    ("GET", "/open/dictionary.json"): ANYBODY,
    ("GET", "/open/licence"): ANYBODY,
    ("GET", "/open/catalog.json"): ANYBODY,
    ("GET", "/reports/open"): _READERS,
    ("POST", "/reports/open"): _MANAGERS,
    ("GET", "/reports/open/{release_id}"): _READERS,
    ("POST", "/reports/open/{release_id}/decide"): _MANAGERS,
    ("GET", "/monitor/scores"): _READERS,
    ("GET", "/monitor/recordings"): _APPROVERS | {Role.INSPECTOR},
    ("POST", "/monitor/recordings/{request_id}/decide"): _APPROVERS,
    ("POST", "/tickets/{ticket_id}/calls/{call_id}/apply"): frozenset({Role.INSPECTOR}),
    ("POST", "/calls/{call_id}/apply"): frozenset({Role.INSPECTOR}),
}
FORMS: dict[str, dict[str, str]] = {"/tickets/{ticket_id}/calls/{call_id}/apply": {"reason": "x"}}
