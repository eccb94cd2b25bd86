"""Kiosks: a page for anybody that holds nothing, and what a device asks with its token."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY, MACHINES

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/kiosk"): ANYBODY,
    ("GET", "/kiosk/worker.js"): ANYBODY,
    ("GET", "/kiosk/device"): MACHINES,
    ("POST", "/kiosk/enrol"): ANYBODY,
    ("POST", "/kiosk/submit"): MACHINES,
    ("POST", "/kiosk/track"): MACHINES,
}
