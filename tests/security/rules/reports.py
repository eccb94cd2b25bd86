"""Reports."""

from core.people.permissions import Role

_MAKERS = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER})
_READERS = _MAKERS | {Role.INSPECTOR}
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/reports"): _READERS,
    ("POST", "/reports"): _MAKERS,
    ("GET", "/reports/{report_id}"): _READERS,
    ("GET", "/reports/{report_id}/{form}"): _READERS,
    ("GET", "/reports/phone"): _READERS,
    ("GET", "/reports/phone/calls"): _READERS,
    ("GET", "/reports/phone/stretches"): _READERS,
    ("GET", "/reports/phone/stretches/{form}"): _READERS,
    ("GET", "/reports/phone/{form}"): _READERS,
}
