"""Citizen records, for the hotline's posts; reply templates, for the units."""

from core.people.permissions import Role
from tests.security.rules.roles import DEPARTMENTS, READERS, WRITERS

_ONE = "/citizens/{citizen_id}"
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/citizens"): READERS,
    ("POST", "/citizens/search"): READERS,
    ("GET", "/citizens/of-ticket/{ticket_id}"): READERS,
    ("GET", _ONE): READERS,
    ("POST", _ONE + "/reveal"): READERS,
    ("POST", _ONE + "/notes"): WRITERS,
    ("POST", _ONE + "/notes/{note_id}/withdraw"): WRITERS,
    ("POST", _ONE + "/flags"): WRITERS,
    ("POST", _ONE + "/flags/{flag_id}/clear"): WRITERS,
    ("POST", _ONE + "/business"): WRITERS,
    ("POST", _ONE + "/phones"): WRITERS,
    ("POST", _ONE + "/names"): WRITERS,
    ("POST", _ONE + "/merge/find"): WRITERS,
    ("GET", _ONE + "/merge/{other_id}"): WRITERS,
    ("POST", _ONE + "/merge"): WRITERS,
    ("POST", _ONE + "/unmerge"): WRITERS,
    ("GET", _ONE + "/split"): WRITERS,
    ("POST", _ONE + "/split"): WRITERS,
    ("GET", "/unit/templates"): DEPARTMENTS | {Role.SYSTEM_ADMIN},
    ("POST", "/unit/templates"): DEPARTMENTS | {Role.SYSTEM_ADMIN},
}
FORMS: dict[str, dict[str, str]] = {
    _ONE + "/reveal": {"ref": "1", "reason": "x"},
    _ONE + "/notes": {"note": "x"},
    _ONE + "/notes/{note_id}/withdraw": {"reason": "x"},
    _ONE + "/flags": {"version": "1", "kind": "care", "reason": "x"},
    _ONE + "/flags/{flag_id}/clear": {"version": "1", "reason": "x"},
    _ONE + "/business": {"version": "1", "business": "true", "company": "x", "uscc": ""},
    _ONE + "/phones": {"version": "1", "phone": "13800000009"},
    _ONE + "/names": {"version": "1", "name": "x"},
    _ONE + "/merge/find": {"q": "13800000009"},
    _ONE + "/merge": {"version": "1", "other_id": "1", "other_version": "1", "reason": "x"},
    _ONE + "/unmerge": {"version": "1", "other_id": "1", "reason": "x"},
    _ONE + "/split": {"version": "1", "phones": "1", "names": "1", "reason": "x"},
}
