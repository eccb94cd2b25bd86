"""Quality: draws, scores, calibrations, rules, figures; one's own scores and appeals."""

from core.people.permissions import Role
from tests.security.rules.roles import WRITERS

MANAGERS = frozenset({Role.SHIFT_LEADER, Role.SUPERVISION_OFFICER})
REVIEWERS = MANAGERS | {Role.QUALITY_REVIEWER}
READERS = REVIEWERS | {Role.INSPECTOR}
CASE = "/quality/cases/{case_id}"
ONE = "/quality/calibrations/{calibration_id}"
ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/quality"): READERS,
    ("POST", "/quality/draws"): MANAGERS,
    ("GET", CASE): READERS,
    ("POST", CASE + "/score"): REVIEWERS,
    ("POST", CASE + "/decide"): REVIEWERS,
    ("POST", CASE + "/listen"): REVIEWERS,
    ("GET", CASE + "/recording"): REVIEWERS,
    ("POST", CASE + "/calibrate"): MANAGERS,
    ("GET", "/quality/calibrations"): READERS,
    ("GET", ONE): READERS,
    ("POST", ONE + "/score"): REVIEWERS,
    ("POST", ONE + "/close"): MANAGERS,
    ("GET", "/quality/rules"): READERS,
    ("POST", "/quality/rules/sheet"): MANAGERS,
    ("POST", "/quality/rules/plan"): MANAGERS,
    ("GET", "/quality/figures"): READERS,
    ("GET", "/me/quality"): WRITERS,
    ("GET", "/me/quality/{case_id}"): WRITERS,
    ("POST", "/me/quality/{case_id}/appeal"): WRITERS,
}
